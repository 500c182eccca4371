//! [`VerifyError`]: why commits cannot be verified, reverted or published.

use platinum_core::PathError;
use platinum_repo::RepoError;

use crate::Violation;

/// Why commits cannot be verified, reverted or published.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The remote has something that may not be applied here.
    #[error("{0}")]
    Violation(Violation),
    /// The commit may not be published.
    #[error("{0}")]
    Refused(String),
    /// A file cannot go back to where it waited.
    #[error(transparent)]
    Path(#[from] PathError),
    /// The repository failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}
