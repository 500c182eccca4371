//! [`JournalState`]: what the journal of effects says of itself.

use std::path::Path;

use platinum_journal::Journal;
use serde::Serialize;

use crate::{
    Check,
    check::Level,
    text::{count, plain},
};

/// The journal of effects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum JournalState {
    /// There is none yet.
    Empty,
    /// The hash chain was followed from the first entry to the last, and holds.
    Verified {
        /// Entries that were checked.
        entries: u64,
        /// Intents without an outcome: each may or may not have happened.
        unknown_outcomes: u64,
    },
    /// It cannot be read, or its chain does not hold.
    Broken {
        /// Why.
        reason: String,
    },
}

impl JournalState {
    /// Reads and verifies the journal of a state folder. Makes none.
    pub fn read(state: &Path) -> Self {
        let path = state.join("journal.db");
        if !path.exists() {
            return Self::Empty;
        }
        let read = || {
            let journal = Journal::open(&path)?;
            Ok((journal.verify()?, journal.open_intents()?.len()))
        };
        match read() {
            Ok((verified, open)) => Self::Verified {
                entries: verified.entries,
                unknown_outcomes: open as u64,
            },
            Err(error) => {
                let error: platinum_journal::JournalError = error;
                Self::Broken {
                    reason: plain(&error.to_string(), 300),
                }
            }
        }
    }

    /// In words.
    pub fn check(&self) -> Check {
        let (level, text) = match self {
            Self::Empty => (Level::Dim, "empty: nothing was sent yet".to_owned()),
            Self::Verified {
                entries,
                unknown_outcomes: 0,
            } => (
                Level::Ok,
                format!("{}, the chain holds", count(*entries, "entry", "entries")),
            ),
            Self::Verified {
                entries,
                unknown_outcomes,
            } => (
                Level::Warn,
                format!(
                    "{}, the chain holds; {} unknown",
                    count(*entries, "entry", "entries"),
                    count(*unknown_outcomes, "outcome is", "outcomes are"),
                ),
            ),
            Self::Broken { reason } => (Level::Error, reason.clone()),
        };
        Check::new("journal", level, text)
    }
}
