//! Where a password is kept, and how it is fetched without ever being shown.
//!
//! A password is never in a configuration file, a log or an error. [`Password`] has no `Display`,
//! and its `Debug` is redacted.

use std::path::{Path, PathBuf};

/// The longest password file that is read.
const MAX_BYTES: u64 = 4096;

/// Where a password is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Secret {
    /// In an environment variable.
    Env(String),
    /// In a file that only its owner may read; its first line.
    File(PathBuf),
    /// In the system's keyring, service `platinum`, under this name.
    Keyring(String),
}

/// A fetched password.
#[derive(Clone)]
pub struct Password(String);

impl std::fmt::Debug for Password {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Password(redacted)")
    }
}

impl Password {
    /// One that was had elsewhere.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The password itself; only for handing it to the server.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// Why a password cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The variable is not set.
    #[error("the password is expected in the environment variable {0}, which is not set")]
    Env(String),
    /// The file cannot be read.
    #[error("cannot read the password file {path}: {source}", path = .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// Others may read the file.
    #[error("the password file {path} can be read by others (mode {mode:04o}); run: chmod 600 {path}", path = .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The keyring has no answer.
    #[error("the keyring has no password under {name:?} (service platinum): {reason}")]
    Keyring {
        /// The name.
        name: String,
        /// Its answer.
        reason: String,
    },
    /// There is nothing in it.
    #[error("the password from {0} is empty")]
    Empty(String),
}

impl Secret {
    /// Fetches the password. May block on a file or the keyring; [`Secret::fetch`] does not.
    pub fn read(&self) -> Result<Password, SecretError> {
        let password = match self {
            Self::Env(name) => std::env::var(name).map_err(|_| SecretError::Env(name.clone()))?,
            Self::File(path) => first_line(path)?,
            Self::Keyring(name) => {
                read_keyring(name)?.ok_or_else(|| no_keyring(name, &keyring::Error::NoEntry))?
            }
        };
        if password.is_empty() {
            return Err(SecretError::Empty(match self {
                Self::Env(name) => format!("the environment variable {name}"),
                Self::File(path) => format!("the file {}", path.display()),
                Self::Keyring(name) => format!("the keyring entry {name:?}"),
            }));
        }
        Ok(Password(password))
    }

    /// Fetches the password without holding up other tasks.
    pub async fn fetch(&self) -> Result<Password, SecretError> {
        let secret = self.clone();
        match tokio::task::spawn_blocking(move || secret.read()).await {
            Ok(password) => password,
            Err(_) => self.read(),
        }
    }
}

fn first_line(path: &Path) -> Result<String, SecretError> {
    let text = read_private(path, MAX_BYTES)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Reads a file that only its owner may read, at most so many bytes of it.
///
/// # Errors
/// If it cannot be read, or others may read it.
pub fn read_private(path: &Path, most: u64) -> Result<String, SecretError> {
    use std::io::Read as _;
    let failed = |source| SecretError::File {
        path: path.to_path_buf(),
        source,
    };
    let file = std::fs::File::open(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(failed)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SecretError::Open {
                path: path.to_path_buf(),
                mode,
            });
        }
    }
    let mut text = String::new();
    file.take(most).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Reads an entry of the keyring, service `platinum`; none if it has none. May block.
///
/// # Errors
/// If the keyring cannot be asked.
pub fn read_keyring(name: &str) -> Result<Option<String>, SecretError> {
    let read = keyring::Entry::new("platinum", name).and_then(|entry| entry.get_password());
    match read {
        Ok(text) => Ok(Some(text)),
        Err(keyring::Error::NoEntry) => Ok(None),
        Err(error) => Err(no_keyring(name, &error)),
    }
}

/// Writes an entry of the keyring, service `platinum`. May block.
///
/// # Errors
/// If the keyring does not take it.
pub fn write_keyring(name: &str, text: &str) -> Result<(), SecretError> {
    keyring::Entry::new("platinum", name)
        .and_then(|entry| entry.set_password(text))
        .map_err(|error| no_keyring(name, &error))
}

fn no_keyring(name: &str, error: &keyring::Error) -> SecretError {
    SecretError::Keyring {
        name: name.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn password_file_must_be_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "hunter2\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let refusal = Secret::File(path.clone()).read().unwrap_err().to_string();
        assert!(refusal.contains("chmod 600"), "{refusal}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Secret::File(path).read().unwrap().expose(), "hunter2");
    }

    #[test]
    fn password_debug_is_redacted() {
        let password = Password("hunter2".into());
        assert_eq!(format!("{password:?}"), "Password(redacted)");
    }

    #[test]
    fn missing_variable_is_named() {
        let refusal = Secret::Env("PLATINUM_TEST_NOT_SET".into())
            .read()
            .unwrap_err()
            .to_string();
        assert!(refusal.contains("PLATINUM_TEST_NOT_SET"));
    }
}
