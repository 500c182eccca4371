//! [`WorktreeError`]: why the work tree cannot be scanned or changed.

use platinum_repo::RepoError;
use platinum_vault::VaultError;

/// Why the work tree cannot be scanned or changed. No edit is lost in any of these.
#[derive(Debug, thiserror::Error)]
pub enum WorktreeError {
    /// The repository failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The vault failed, or so much of it is gone that the scan is not accepted.
    #[error(transparent)]
    Vault(#[from] VaultError),
}
