//! The log of approvals and effects, as its owner reads it.
//!
//! Lives here: going on with a log after a restore. [`JournalState`] says whether it is as it was written,
//! [`MachineKeys`] signs and checks its end, `witnesses` finds who saw it, `entries` has its entries in words.
//! Invariant: whoever reads gets a copy; the log itself is not written to, and not made.

mod entries;
mod keys;
mod state;
mod witnesses;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use platinum_core::Timestamp;
use platinum_journal::Journal;
use platinum_verify::Identity;

use crate::{ReadError, text::plain};

pub use entries::{EntryRow, newest_entries};
pub use keys::MachineKeys;
pub use state::{JournalState, WitnessRow};

/// The journal's file in the state folder.
const FILE: &str = "journal.db";
/// The repository's folder beside it.
const REPOSITORY: &str = "vault.git";

/// Why nothing can be added to the log: it is not as it was left. None if it is, or if there is no log.
///
/// # Errors
/// If that cannot be found out.
pub fn log_damage(state: &Path, identity: &Identity) -> Result<Option<String>, ReadError> {
    let path = state.join(FILE);
    if !path.exists() {
        return Ok(None);
    }
    let keys = MachineKeys::new(identity.clone());
    let verified = Journal::open_copy(&path).and_then(|copy| copy.verify_with(&keys, &[]));
    match verified {
        Ok(_) => Ok(None),
        Err(error) if error.is_damage() => Ok(Some(plain(&error.to_string(), 300))),
        Err(error) => Err(ReadError::Journal(plain(&error.to_string(), 300))),
    }
}

/// Puts the log aside, with what SQLite keeps beside it; where it is then. The next one is empty. No daemon may
/// run.
///
/// # Errors
/// If it cannot be moved.
pub fn put_log_aside(state: &Path, at: Timestamp) -> Result<PathBuf, ReadError> {
    let aside = state.join(format!("journal-{}.db", at.as_second()));
    // The log itself last: as long as it is there, this can be done again.
    for companion in ["-wal", "-shm", ""] {
        let name = |path: &Path| {
            let mut name = path.as_os_str().to_owned();
            name.push(companion);
            PathBuf::from(name)
        };
        match fs::rename(name(&state.join(FILE)), name(&aside)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let text = format!("cannot put the log aside: {error}");
                return Err(ReadError::Journal(plain(&text, 300)));
            }
            _ => {}
        }
    }
    Ok(aside)
}

/// Goes on with the log as it is, although others saw ends that it does not have: those are written down
/// as accepted. How many they are.
///
/// # Errors
/// If they cannot be read, or nothing can be added to the log.
pub fn accept_log(state: &Path, identity: &Identity) -> Result<usize, ReadError> {
    let failed = |error: String| ReadError::Journal(plain(&error, 300));
    let witnesses = witnesses::read(state, identity, usize::MAX);
    let witnesses = witnesses.map_err(|error| failed(error.to_string()))?;
    let journal = MachineKeys::new(identity.clone()).open_journal(state);
    let accepted = journal.and_then(|journal| journal.accept(&witnesses, Timestamp::now()));
    accepted.map_err(|error| failed(error.to_string()))
}
