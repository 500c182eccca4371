//! The read model: what `platinum status`, `approvals`, `log` and `doctor` print, and what a page
//! shows, as plain data.
//!
//! Lives here: reading the vault, the state folder and the journal into structs ([`Status`],
//! [`Approvals`], [`LogRow`], [`Check`]), and the words for each state, so that two readers of the
//! same vault cannot disagree.
//! Lives elsewhere: counting is `platinum_vault::VaultCounts`, which the dashboard uses too;
//! printing, colours and column widths belong to the program that shows it.
//! Invariants: nothing is changed, and no other host is asked; text from outside is one bounded
//! line without characters that a reader cannot see; a number that could not be read is absent,
//! never zero; a statement about the remote says as of when.

mod agents;
pub mod approvals;
mod check;
mod conflicts;
mod error;
mod journal;
mod log;
mod overview;
mod paused;
mod status;
mod sync;
#[cfg(test)]
mod tests;
pub mod text;
mod unsynced;

pub use approvals::{ApprovalRow, ApprovalState, Approvals, DraftSummary, approval_policy};
pub use check::{Check, Level};
pub use conflicts::{conflict_copies, conflicts_check};
pub use error::ReadError;
pub use journal::{
    EntryRow, JournalState, MachineKeys, WitnessRow, accept_log, log_damage, newest_entries,
    put_log_aside,
};
pub use log::{LogReceipt, LogRow, finished};
pub use overview::{SyncOverview, is_daemon_running};
pub use paused::Paused;
pub use platinum_daemon::doctor::AgentSeen;
pub use status::{DraftCounts, Status, TaskCounts, ZoneSummary};
pub use sync::{
    HeldList, RemoteContact, RemoteState, SyncState, TipInfo, WithheldFiles, short_oid,
};
pub use unsynced::{
    preview::{FolderPreview, SyncPreview},
    unreadable_checks,
};
