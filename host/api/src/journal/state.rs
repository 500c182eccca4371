//! [`JournalState`]: whether the log is as it was written, for `status`, `doctor` and `platinum log verify`
//! alike.

use std::path::Path;

use platinum_core::{AgentName, Role};
use platinum_journal::{HeadVerifier, Journal, JournalError, Witness};
use platinum_vault::Vault;
use platinum_verify::{Identity, identity::KEY_FILE};
use serde::Serialize;

use super::{FILE, MachineKeys, REPOSITORY, witnesses};
use crate::{
    Check,
    check::Level,
    finished,
    text::{count, plain},
};

/// So many of the newest commits are searched for what was seen of the log, in passing.
const NEWEST: usize = 500;

/// The log of approvals and effects.
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
        /// Whether its end is signed with this machine's key.
        is_signed: bool,
        /// Up to which entry commits say that they saw it; 0 if none does.
        witnessed: u64,
        /// How many ends others saw that are not in it, which the owner accepted.
        accepted: u64,
    },
    /// It cannot be read, or it is not as it was written.
    Broken {
        /// Why.
        reason: String,
    },
}

/// Who saw the log, and how far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WitnessRow {
    /// The commit, in words.
    pub by: String,
    /// How many entries there were.
    pub entries: u64,
}

impl JournalState {
    /// Reads and verifies the journal of a state folder. Makes none.
    pub fn read(state: &Path, vault: Option<&Vault>, agent: &AgentName) -> Self {
        Self::verify(state, vault, agent, NEWEST).0
    }

    /// As [`JournalState::read`], against everything that anybody ever saw of it; and the newest that each
    /// agent saw.
    pub fn read_with_all_witnesses(
        state: &Path,
        vault: Option<&Vault>,
        agent: &AgentName,
    ) -> (Self, Vec<WitnessRow>) {
        let (state, witnesses) = Self::verify(state, vault, agent, usize::MAX);
        (state, witnesses::newest_of_each(&witnesses))
    }

    fn verify(
        state: &Path,
        vault: Option<&Vault>,
        agent: &AgentName,
        commits: usize,
    ) -> (Self, Vec<Witness>) {
        let broken = |reason: String| Self::Broken {
            reason: plain(&reason, 400),
        };
        let path = state.join(FILE);
        let identity = match Identity::read(state, agent, Role::Local) {
            Ok(identity) => Some(identity),
            // There was no daemon here yet, and nothing that it saw.
            Err(_) if !state.join(KEY_FILE).exists() && !state.join(REPOSITORY).exists() => None,
            Err(error) => return (broken(format!("cannot be checked: {error}")), Vec::new()),
        };
        let witnesses = match &identity {
            Some(identity) => witnesses::read(state, identity, commits),
            None => Ok(Vec::new()),
        };
        let witnesses = match witnesses {
            Ok(witnesses) => witnesses,
            Err(error) => return (broken(error.to_string()), Vec::new()),
        };
        if !path.exists() {
            let state = match sign_of_a_journal(vault, &witnesses) {
                Some(why) => broken(format!("the journal {} is missing: {why}", path.display())),
                None => Self::Empty,
            };
            return (state, witnesses);
        }
        let read = || -> Result<_, JournalError> {
            let journal = Journal::open_copy(&path)?;
            let verified = match identity {
                Some(identity) => journal.verify_with(&MachineKeys::new(identity), &witnesses)?,
                None => journal.verify_with(&NoKey, &[])?,
            };
            Ok((verified, journal.open_intents()?.len()))
        };
        let state = match read() {
            Ok((verified, open)) => Self::Verified {
                entries: verified.entries,
                unknown_outcomes: open as u64,
                is_signed: verified.is_signed,
                witnessed: verified.witnessed,
                accepted: verified.accepted as u64,
            },
            Err(error) => broken(error.to_string()),
        };
        (state, witnesses)
    }

    /// In words.
    pub fn check(&self) -> Check {
        let (level, text) = match self {
            Self::Empty => (Level::Dim, "empty: nothing was sent yet".to_owned()),
            Self::Verified {
                entries,
                unknown_outcomes,
                is_signed,
                witnessed,
                accepted,
            } => {
                let mut text = format!("{}, the chain holds", count(*entries, "entry", "entries"));
                if *is_signed {
                    text.push_str(", its end is signed");
                }
                if *witnessed > 0 {
                    text.push_str(&format!(", seen up to entry {witnessed}"));
                }
                if *accepted > 0 {
                    let ends = count(*accepted, "end", "ends");
                    text.push_str(&format!(
                        "; {ends} that others saw {} not in it, as you accepted",
                        if *accepted == 1 { "is" } else { "are" }
                    ));
                }
                match unknown_outcomes {
                    0 => (Level::Ok, text),
                    unknown => {
                        let unknown = count(*unknown, "outcome is", "outcomes are");
                        (Level::Warn, format!("{text}; {unknown} unknown"))
                    }
                }
            }
            Self::Broken { reason } => (Level::Error, reason.clone()),
        };
        Check::new("journal", level, text)
    }
}

/// A machine that never had a key: whoever signed, it was another one.
struct NoKey;

impl HeadVerifier for NoKey {
    fn check(&self, _: &str, _: &str) -> Result<(), String> {
        Err("there is no key here".to_owned())
    }
}

/// What shows that there was a journal here.
fn sign_of_a_journal(vault: Option<&Vault>, witnesses: &[Witness]) -> Option<String> {
    let newest = witnesses.iter().max_by_key(|witness| witness.entries);
    if let Some(newest) = newest.filter(|newest| newest.entries > 0) {
        let entries = count(newest.entries, "entry", "entries");
        return Some(format!("{} saw {entries}", newest.by));
    }
    let rows = finished(vault?, 20).ok()?;
    let row = rows.iter().find(|row| !row.receipts.is_empty())?;
    Some(format!("{} has a receipt", row.path))
}
