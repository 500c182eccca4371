//! The log of approvals and effects, as its owner reads it.
//!
//! Lives here: going on with a log after a restore. [`JournalState`] says whether it is as it was written,
//! [`MachineKeys`] signs and checks its end, `witnesses` finds who saw it, `entries` has its entries in words.
//! Invariant: whoever reads gets a copy; the log itself is not written to, and not made.

mod entries;
mod keys;
mod state;
mod witnesses;

use std::path::Path;

use platinum_core::Timestamp;
use platinum_verify::Identity;

use crate::{ReadError, text::plain};

pub use entries::{EntryRow, newest_entries};
pub use keys::MachineKeys;
pub use state::{JournalState, WitnessRow};

/// The journal's file in the state folder.
const FILE: &str = "journal.db";
/// The repository's folder beside it.
const REPOSITORY: &str = "vault.git";

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
