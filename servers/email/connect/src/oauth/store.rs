//! [`TokenStore`]: where an account's tokens are kept: a file that its owner alone can read, or the keyring.
//!
//! Invariants: a file is replaced as a whole; who renews a token holds the lock beside it.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use platinum_kit::secret::read_private;
use serde::{Deserialize, Serialize};

use super::OAuthError;

/// The largest file of tokens that is read.
const MAX_BYTES: u64 = 64 * 1024;
/// How long another process may take to renew.
const LOCK_TIME: Duration = Duration::from_secs(60);
/// How often it is asked whether it is done.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// Where tokens are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenStore {
    /// In a file that only its owner may read.
    File(PathBuf),
    /// In the system's keyring, service `platinum`, under this name.
    Keyring(String),
}

/// What the provider gave.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tokens {
    pub(super) access_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) refresh_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Timestamp>,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Tokens(redacted, until {:?})", self.expires_at)
    }
}

impl Tokens {
    /// Whether the access token still holds at `then`; one without an end does until it is refused.
    pub(super) fn is_fresh(&self, then: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| then < end)
    }
}

impl TokenStore {
    /// The tokens; none if there was no login.
    pub(super) async fn read(&self) -> Result<Option<Tokens>, OAuthError> {
        self.on_a_thread(|store| store.read_now()).await
    }

    /// Keeps these tokens in place of the old ones.
    pub(super) async fn write(&self, tokens: Tokens) -> Result<(), OAuthError> {
        self.on_a_thread(move |store| store.write_now(&tokens))
            .await
    }

    /// Waits until no other process renews these tokens; nobody else does until the lock is dropped. A keyring has no
    /// lock: there the provider has to bear two at once.
    pub(super) async fn lock(&self) -> Result<Option<File>, OAuthError> {
        let Self::File(path) = self else {
            return Ok(None);
        };
        let failed = |error: &dyn fmt::Display| self.failed("lock", error);
        let file = open_lock(path).map_err(|error| failed(&error))?;
        let deadline = Instant::now() + LOCK_TIME;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::Error(error)) => return Err(failed(&error)),
                Err(TryLockError::WouldBlock) if Instant::now() > deadline => {
                    let seconds = LOCK_TIME.as_secs();
                    return Err(failed(&format!(
                        "another process has renewed them for {seconds} s"
                    )));
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_POLL).await,
            }
        }
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, OAuthError> + Send + 'static,
    ) -> Result<T, OAuthError> {
        let store = self.clone();
        match tokio::task::spawn_blocking(move || work(&store)).await {
            Ok(done) => done,
            Err(error) => Err(self.failed("use", &error)),
        }
    }

    fn read_now(&self) -> Result<Option<Tokens>, OAuthError> {
        let text = match self {
            Self::File(path) if !path.exists() => return Ok(None),
            Self::File(path) => read_private(path, MAX_BYTES)?,
            Self::Keyring(name) => match platinum_kit::secret::read_keyring(name) {
                Ok(Some(text)) => text,
                Ok(None) => return Ok(None),
                Err(error) => return Err(self.failed("read", &error)),
            },
        };
        // The error of the parser may quote what it stumbled over.
        serde_json::from_str(&text).map(Some).map_err(|_| {
            let reason = "it is not what a login leaves there; remove it and log in again";
            self.failed("read", &reason)
        })
    }

    fn write_now(&self, tokens: &Tokens) -> Result<(), OAuthError> {
        let failed = |error: &dyn fmt::Display| self.failed("store", error);
        let text = serde_json::to_string(tokens).map_err(|error| failed(&error))?;
        match self {
            Self::File(path) => {
                let folder = path.parent().unwrap_or(Path::new("."));
                // Made with mode 0600.
                let mut file =
                    tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(&error))?;
                file.write_all(text.as_bytes())
                    .and_then(|()| file.as_file().sync_all())
                    .map_err(|error| failed(&error))?;
                file.persist(path).map_err(|error| failed(&error.error))?;
                Ok(())
            }
            Self::Keyring(name) => {
                platinum_kit::secret::write_keyring(name, &text).map_err(|error| failed(&error))
            }
        }
    }

    fn failed(&self, action: &'static str, reason: &dyn fmt::Display) -> OAuthError {
        OAuthError::Store {
            action,
            place: self.to_string(),
            reason: reason.to_string(),
        }
    }
}

impl fmt::Display for TokenStore {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(out, "{}", path.display()),
            Self::Keyring(name) => write!(out, "the keyring entry {name:?}"),
        }
    }
}

/// The lock file beside `path`; the system gives the lock back when the process ends.
fn open_lock(path: &Path) -> std::io::Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn tokens(access: &str) -> Tokens {
        Tokens {
            access_token: access.to_owned(),
            refresh_token: Some("again".to_owned()),
            expires_at: Some("2030-01-01T00:00:00Z".parse().unwrap()),
        }
    }

    #[tokio::test]
    async fn file_of_tokens_is_private_and_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("me.token");
        let store = TokenStore::File(path.clone());
        assert_eq!(store.read().await.unwrap(), None);
        for access in ["one", "two"] {
            store.write(tokens(access)).await.unwrap();
            assert_eq!(store.read().await.unwrap(), Some(tokens(access)));
        }
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let open = store.read().await.unwrap_err().to_string();
        assert!(open.contains("chmod 600"), "{open}");
    }

    #[tokio::test]
    async fn broken_file_of_tokens_is_not_quoted() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("me.token");
        let store = TokenStore::File(path.clone());
        store.write(tokens("one")).await.unwrap();
        std::fs::write(&path, "{\"access_token\": hunter2").unwrap();
        let error = store.read().await.unwrap_err().to_string();
        assert!(
            error.contains("log in again") && !error.contains("hunter2"),
            "{error}"
        );
        let shown = format!("{:?}", tokens("hunter2"));
        assert!(
            !shown.contains("hunter2") && !shown.contains("again"),
            "{shown}"
        );
    }

    #[tokio::test]
    async fn lock_is_held_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::File(folder.path().join("me.token"));
        let held = store.lock().await.unwrap();
        let second = store.lock();
        tokio::pin!(second);
        let early = tokio::time::timeout(Duration::from_millis(200), &mut second).await;
        assert!(early.is_err());
        drop(held);
        assert!(second.await.unwrap().is_some());
    }
}
