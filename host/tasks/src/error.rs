//! [`TaskNoteError`]: why a task's note cannot be read or edited.

use platinum_core::VaultPath;
use platinum_repo::RepoError;
use platinum_vault::note::NoteError;

use crate::MAX_NOTE;

/// Why a task's note cannot be read or edited.
#[derive(Debug, thiserror::Error)]
pub enum TaskNoteError {
    /// Its frontmatter cannot be read or edited.
    #[error("the note {path}: {source}")]
    Note {
        /// Where.
        path: VaultPath,
        /// What is wrong.
        source: NoteError,
    },
    /// It is not text.
    #[error("the note {0} is not UTF-8 text; save it as UTF-8")]
    NotText(VaultPath),
    /// It is longer than any note that is read.
    #[error(
        "the note {path} is too long: it has {len} bytes, and at most {MAX_NOTE} are read; shorten it"
    )]
    TooLong {
        /// Where.
        path: VaultPath,
        /// Its length in bytes.
        len: usize,
    },
    /// The repository failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
}
