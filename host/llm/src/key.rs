//! [`KeySource`], where a provider's key is kept, and [`Secret`], the key once it is read.
//!
//! Invariants: a key is never in the vault's configuration itself, never in a log line, and a file
//! that others can read is refused.

use std::{fmt, io::Read, path::PathBuf};

use serde::Deserialize;

/// Longest key taken.
const MAX_KEY_BYTES: u64 = 4096;
/// The service under which the keyring keeps our keys.
const KEYRING_SERVICE: &str = "platinum";

/// Where a key is kept: `{ env = "NAME" }`, `{ file = "PATH" }` or `{ keyring = "NAME" }`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum KeySource {
    /// An environment variable.
    Env(String),
    /// A file that its owner alone can read.
    File(PathBuf),
    /// An entry of the system's keyring, service `platinum`.
    Keyring(String),
}

/// A key. Its debug output is redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key itself, for the header of a request.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A key cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The variable is not set, or is no text.
    #[error(
        "the environment variable `{0}` holds no key; set it, or change `key` in the configuration"
    )]
    Env(String),
    /// The file cannot be read.
    #[error("the key file {path} cannot be read: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// Others can read the file.
    #[error("the key file {path} can be read by others (mode {mode:03o}); run: chmod 600 {path}")]
    Readable {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The keyring has no such entry, or none is there.
    #[error("the keyring has no key `{name}` of service `platinum`: {source}")]
    Keyring {
        /// The entry.
        name: String,
        /// The error of the keyring.
        source: keyring::Error,
    },
    /// What was read cannot be a key.
    #[error("what {from} holds is no key: {why}")]
    Malformed {
        /// Where it was read.
        from: String,
        /// What is wrong with it. Never the text itself.
        why: &'static str,
    },
}

impl KeySource {
    /// Reads the key.
    ///
    /// # Errors
    /// If it is not there, others can read it, or it cannot be a key.
    pub fn load(&self) -> Result<Secret, KeyError> {
        let text = match self {
            KeySource::Env(name) => std::env::var(name).map_err(|_| KeyError::Env(name.clone()))?,
            KeySource::File(path) => read_private(path)?,
            KeySource::Keyring(name) => keyring::Entry::new(KEYRING_SERVICE, name)
                .and_then(|entry| entry.get_password())
                .map_err(|source| KeyError::Keyring {
                    name: name.clone(),
                    source,
                })?,
        };
        let key = text.trim();
        let malformed = |why| {
            Err(KeyError::Malformed {
                from: self.to_string(),
                why,
            })
        };
        if key.is_empty() {
            return malformed("it is empty");
        }
        if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return malformed("it holds a space or a character that no key has");
        }
        Ok(Secret(key.to_owned()))
    }
}

impl fmt::Display for KeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeySource::Env(name) => write!(f, "the environment variable `{name}`"),
            KeySource::File(path) => write!(f, "the file {}", path.display()),
            KeySource::Keyring(name) => write!(f, "the keyring entry `{name}`"),
        }
    }
}

fn read_private(path: &PathBuf) -> Result<String, KeyError> {
    let failed = |source| KeyError::File {
        path: path.clone(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() {
        return Err(failed(std::io::Error::other("it is not a regular file")));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Readable {
                path: path.clone(),
                mode,
            });
        }
    }
    let mut text = String::new();
    file.take(MAX_KEY_BYTES)
        .read_to_string(&mut text)
        .map_err(failed)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, KeySource) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        (folder, KeySource::File(path))
    }

    #[test]
    fn key_file_is_read_without_its_line_end() {
        let (_folder, source) = file("sk-123\n", 0o600);
        assert_eq!(source.load().unwrap(), Secret::new("sk-123"));
    }

    #[test]
    fn key_file_readable_by_others_is_refused() {
        let (_folder, source) = file("sk-123\n", 0o644);
        let error = source.load().unwrap_err().to_string();
        assert!(
            error.contains("mode 644") && error.contains("chmod 600"),
            "{error}"
        );
    }

    #[test]
    fn invalid_key_is_refused_without_being_shown() {
        for text in ["", "\n", "sk 123", "sk\n123", "schlüssel"] {
            let (_folder, source) = file(text, 0o600);
            let error = source.load().unwrap_err();
            assert!(
                matches!(error, KeyError::Malformed { .. }),
                "{text:?}: {error}"
            );
            assert!(text.trim().is_empty() || !error.to_string().contains(text));
        }
    }

    #[test]
    fn missing_key_variable_is_named() {
        let error = KeySource::Env("PLATINUM_NO_SUCH_KEY".to_owned())
            .load()
            .unwrap_err();
        assert!(error.to_string().contains("`PLATINUM_NO_SUCH_KEY`"));
    }

    #[test]
    fn key_debug_is_redacted() {
        assert_eq!(format!("{:?}", Secret::new("sk-123")), "[secret]");
    }
}
