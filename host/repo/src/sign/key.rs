//! [`SigningKey`] and [`PublicKey`]: ed25519 keys in OpenSSH's formats.
//!
//! Invariants: a private key is only read from a file that its owner alone can read, and never
//! printed; a file that is there is not overwritten.

use std::{
    fmt,
    fs::OpenOptions,
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    str::FromStr,
    sync::Arc,
};

use rand::TryRngCore as _;
use ssh_key::{
    HashAlg, LineEnding, PrivateKey,
    private::{Ed25519Keypair, KeypairData},
    public::{Ed25519PublicKey, KeyData},
};

use super::NAMESPACE;

/// A private key has a few hundred bytes.
const MAX_KEY_FILE: u64 = 16 * 1024;

/// Why a key cannot be made, read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    #[error("the key {path}: {reason}")]
    File {
        /// Which file.
        path: PathBuf,
        /// The system's error.
        reason: String,
    },
    /// Others on this machine can read the file.
    #[error(
        "the key {path} can be read by others on this machine; make it private: chmod 600 {path}"
    )]
    Open {
        /// Which file.
        path: PathBuf,
    },
    /// The file is no private key that can be used.
    #[error("{path} is no ed25519 key in OpenSSH's format without a passphrase: {reason}")]
    NoKey {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The text is no public key that can be used.
    #[error("`{0}` is no ed25519 key as OpenSSH writes one (`ssh-ed25519 AAAA…`)")]
    NoPublicKey(String),
    /// The system gave no random bytes, or the key could not sign.
    #[error("the key cannot be used: {0}")]
    Unusable(String),
}

/// The key that one host signs its commits with. Cheap to clone.
#[derive(Clone)]
pub struct SigningKey(Arc<PrivateKey>);

impl SigningKey {
    /// A new key from the system's random source.
    ///
    /// # Errors
    /// If the system has no random bytes.
    pub fn generate() -> Result<Self, KeyError> {
        let mut seed = [0_u8; 32];
        rand::rngs::OsRng
            .try_fill_bytes(&mut seed)
            .map_err(|error| KeyError::Unusable(error.to_string()))?;
        Self::from_seed(seed)
    }

    /// The key of these 32 bytes, always the same one. They are as secret as the key.
    ///
    /// # Errors
    /// Never for what can be built; the format's own limits are passed on.
    pub fn from_seed(seed: [u8; 32]) -> Result<Self, KeyError> {
        let pair = KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed));
        PrivateKey::new(pair, "platinum")
            .map(|key| Self(Arc::new(key)))
            .map_err(|error| KeyError::Unusable(error.to_string()))
    }

    /// Reads a key.
    ///
    /// # Errors
    /// If there is none, others can read it, or it is of another kind.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let failed = |error: io::Error| KeyError::File {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let meta = std::fs::metadata(path).map_err(failed)?;
        if meta.mode() & 0o077 != 0 {
            return Err(KeyError::Open {
                path: path.to_owned(),
            });
        }
        let no_key = |reason: String| KeyError::NoKey {
            path: path.to_owned(),
            reason,
        };
        if meta.len() > MAX_KEY_FILE {
            return Err(no_key("it is too large".to_owned()));
        }
        let text = std::fs::read_to_string(path).map_err(failed)?;
        let key = PrivateKey::from_openssh(text).map_err(|error| no_key(error.to_string()))?;
        if key.is_encrypted() {
            return Err(no_key("it has a passphrase".to_owned()));
        }
        match key.key_data() {
            KeypairData::Ed25519(_) => Ok(Self(Arc::new(key))),
            _ => Err(no_key("it is of another kind".to_owned())),
        }
    }

    /// Writes the key to a new file that its owner alone can read.
    ///
    /// # Errors
    /// If there is such a file, or it cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), KeyError> {
        let failed = |reason: String| KeyError::File {
            path: path.to_owned(),
            reason,
        };
        let text = self
            .0
            .to_openssh(LineEnding::LF)
            .map_err(|error| failed(error.to_string()))?;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(|error| failed(error.to_string()))?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(|error| failed(error.to_string()))
    }

    /// The half that everybody may know.
    pub fn public(&self) -> PublicKey {
        match self.0.key_data() {
            KeypairData::Ed25519(pair) => PublicKey(pair.public.0),
            // Neither constructor lets another kind in.
            _ => PublicKey([0; 32]),
        }
    }

    /// Signs what git signs of a commit; armoured, as git keeps it.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<String, KeyError> {
        self.sign_for(NAMESPACE, message)
    }

    pub(super) fn sign_for(&self, what: &str, message: &[u8]) -> Result<String, KeyError> {
        self.0
            .sign(what, HashAlg::Sha512, message)
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .map_err(|error| KeyError::Unusable(error.to_string()))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public().fingerprint())
    }
}

/// The public half of a key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// What a person compares: `SHA256:` and 43 characters, as `ssh-keygen -l` shows it.
    pub fn fingerprint(&self) -> String {
        self.to_ssh().fingerprint(HashAlg::Sha256).to_string()
    }

    pub(super) fn of(data: &KeyData) -> Option<Self> {
        match data {
            KeyData::Ed25519(key) => Some(Self(key.0)),
            _ => None,
        }
    }

    pub(super) fn to_ssh(self) -> ssh_key::PublicKey {
        ssh_key::PublicKey::new(KeyData::Ed25519(Ed25519PublicKey(self.0)), "")
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.fingerprint())
    }
}

impl fmt::Display for PublicKey {
    /// `ssh-ed25519 AAAA…`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.to_ssh().to_openssh().map_err(|_| fmt::Error)?;
        f.write_str(text.trim_end())
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        ssh_key::PublicKey::from_openssh(text)
            .ok()
            .and_then(|key| Self::of(key.key_data()))
            .ok_or_else(|| KeyError::NoPublicKey(text.escape_debug().take(80).collect()))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn signing_key_file_is_private_and_round_trips() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("signing_key");
        let key = SigningKey::generate().unwrap();
        key.save(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let again = SigningKey::load(&path).unwrap();
        assert_eq!(again.public(), key.public());
        // Not even the same key is written over it.
        key.save(&path).unwrap_err();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert_eq!(
            SigningKey::load(&path).unwrap_err().to_string(),
            format!(
                "the key {0} can be read by others on this machine; make it private: chmod 600 {0}",
                path.display()
            )
        );
    }

    #[test]
    fn signing_key_seed_gives_one_key() {
        let (one, two) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        assert_ne!(one.public(), two.public());
        let seeded = || SigningKey::from_seed([7; 32]).unwrap().public();
        assert_eq!(seeded(), seeded());
    }

    #[test]
    fn signing_key_debug_hides_the_secret() {
        let key = SigningKey::from_seed([7; 32]).unwrap();
        let shown = format!("{key:?}");
        assert_eq!(shown, format!("SigningKey({})", key.public().fingerprint()));
    }

    #[test]
    fn public_key_text_round_trips() {
        let key = SigningKey::from_seed([7; 32]).unwrap().public();
        let text = key.to_string();
        assert!(text.starts_with("ssh-ed25519 AAAA"), "{text}");
        assert_eq!(text.parse::<PublicKey>().unwrap(), key);
        for bad in [
            "",
            "ssh-ed25519",
            "ssh-rsa AAAA",
            "ssh-ed25519 AAAA",
            &text[..60],
        ] {
            assert!(bad.parse::<PublicKey>().is_err(), "{bad}");
        }
    }
}
