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
    /// Somebody saw other entries than are there.
    #[error(
        "the journal was rewritten: {} what {witness} saw; what is there now was written later",
        match first == last { true => format!("entry {first} is not"), false => format!("entries {first} to {last} are not") }
    )]
    Rewritten {
        /// The first entry that may be another one.
        first: u64,
        /// The first entry that is certainly another one.
        last: u64,
        /// Who saw the other one.
        witness: String,
    },
    /// Somebody saw more entries than are there.
    #[error("the journal was cut: entry {first} is missing; {witness} saw {seen}, and there {}", are(*entries))]
    Cut {
        /// The first entry that is missing.
        first: u64,
        /// How many are there.
        entries: u64,
        /// How many there were at least.
        seen: u64,
        /// Who saw them.
        witness: String,
    },
    /// An approval that the log does not have.
    #[error(
        "the approval of {draft} was not written by Platinum: entry {row} of the approvals is not in the log"
    )]
    NotInLog {
        /// Which draft.
        draft: String,
        /// Which row of the approvals.
        row: i64,
    },
    /// The end is not signed as it should be.
    #[error(
        "the journal was cut or rewritten: its end, entry {entry}, is not signed by this machine's key ({reason})"
    )]
    NotSigned {
        /// The last entry.
        entry: i64,
        /// What is wrong with the signature.
        reason: String,
    },
    /// It was found to be changed, so nothing is added to it.
    #[error("nothing is added to the journal: {0}")]
    Distrusted(String),
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

impl JournalError {
    /// Whether it says that the file is not as Platinum left it: trying again does not help.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::NotAJournal(_)
            | Self::Broken { .. }
            | Self::Rewritten { .. }
            | Self::Cut { .. }
            | Self::NotInLog { .. }
            | Self::NotSigned { .. }
            | Self::Distrusted(_)
            | Self::Unreadable { .. } => true,
            Self::Database(error) => {
                matches!(
                    error.sqlite_error_code(),
                    Some(DatabaseCorrupt | NotADatabase)
                )
            }
            Self::Open { .. }
            | Self::TooNew { .. }
            | Self::NotDurable { .. }
            | Self::NoIntent(_)
            | Self::AlreadyDone(_)
            | Self::Unwritable(_) => false,
        }
    }
}

/// "are 2", "is 1", "are none".
fn are(entries: u64) -> String {
    match entries {
        0 => "are none".to_owned(),
        1 => "is 1".to_owned(),
        n => format!("are {n}"),
    }
}
