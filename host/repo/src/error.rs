//! [`RepoError`]: what can be wrong with the repository or with what is in it.

use std::path::PathBuf;

/// Why a call on the repository failed.
#[derive(Debug, thiserror::Error)]
pub enum RepoError {
    /// The folder cannot be made or opened as a repository.
    #[error("the repository {folder} cannot be opened: {reason}")]
    Open {
        /// The folder.
        folder: PathBuf,
        /// The error of libgit2 or of the system.
        reason: String,
    },
    /// libgit2 refused something.
    #[error("the repository failed while {doing}: {reason}")]
    Git {
        /// What was being done.
        doing: &'static str,
        /// libgit2's error.
        reason: String,
    },
    /// A tree holds what the vault never holds.
    #[error("`{path}` {what}")]
    Foreign {
        /// The path, made printable.
        path: String,
        /// What is wrong with it.
        what: String,
    },
    /// More files differ than the caller takes, or more folders than are read.
    #[error("more than {0} files or folders differ")]
    TooMany(usize),
    /// An edit would turn a folder into a file or a file into a folder.
    #[error("`{0}` cannot be written: a folder and a file would have the same name")]
    InTheWay(String),
    /// An edit deletes what is not there.
    #[error("`{0}` cannot be deleted from the tree: it is not in it")]
    Absent(String),
    /// A file is larger than the caller takes.
    #[error("the object {oid} has {len} bytes; {most} is the most")]
    TooLarge {
        /// The object.
        oid: String,
        /// Its length.
        len: usize,
        /// The most that is read.
        most: usize,
    },
    /// A commit cannot be signed.
    #[error(transparent)]
    Key(#[from] crate::KeyError),
    /// Another thread panicked while it held the repository.
    #[error("the repository lock was poisoned by a panic; restart the daemon")]
    Poisoned,
}

impl RepoError {
    pub(crate) fn git(doing: &'static str) -> impl FnOnce(git2::Error) -> RepoError {
        move |error| RepoError::Git {
            doing,
            reason: error.message().to_owned(),
        }
    }
}
