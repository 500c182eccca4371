//! [`JournalError`]: why the journal cannot be used.

use std::{io, path::PathBuf};

use platinum_core::DraftId;

/// Why a call to the journal failed. Whatever it is: no effect may be tried.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file cannot be opened.
    #[error("cannot open the journal {}: {source}", path.display())]
    Open {
        /// Which file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A SQLite file, but not a journal.
    #[error("{} is a database, but not Platinum's journal; name another file", .0.display())]
    NotAJournal(PathBuf),
    /// Written by a newer Platinum.
    #[error(
        "the journal {} has layout {found}, and this Platinum knows {known}; use the newer Platinum", path.display()
    )]
    TooNew {
        /// Which file.
        path: PathBuf,
        /// Its layout.
        found: i64,
        /// The newest layout this code knows.
        known: i64,
    },
    /// The file system cannot keep a write-ahead log.
    #[error(
        "the journal {} cannot be kept safely on its file system (it offers `{mode}`, not `wal`); keep it on a local disk", path.display()
    )]
    NotDurable {
        /// Which file.
        path: PathBuf,
        /// What the file system offers.
        mode: String,
    },
    /// An outcome without an attempt under way.
    #[error("{0} has no attempt under way, so no outcome can be recorded for it")]
    NoIntent(DraftId),
    /// An outcome after the receipt.
    #[error("{0} has its receipt already; another outcome cannot be recorded")]
    AlreadyDone(DraftId),
    /// The chain does not hold.
    #[error("the journal was tampered with or damaged at entry {entry}: {reason}")]
    Broken {
        /// Which entry.
        entry: i64,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// An entry cannot be read back.
    #[error("entry {entry} of the journal cannot be read: {reason}")]
    Unreadable {
        /// Which entry.
        entry: i64,
        /// What is wrong with it.
        reason: String,
    },
    /// A record cannot be written as JSON.
    #[error("the record cannot be written: {0}")]
    Unwritable(#[source] serde_json::Error),
    /// SQLite refused.
    #[error("the journal cannot be used: {0}")]
    Database(#[from] rusqlite::Error),
}
