//! Keeping one vault and its remote together: content, claims, and the end of tasks.
//!
//! Lives here: [`Synchronizer`] and what it drives. `api` has its public calls, `content` syncs
//! files, `claims` moves tasks, `remote` talks to the remote, `replica` is this machine's side of
//! it, [`held`] is what devices brought and the owner may take, and `status` is what is shown of all that.
//! Lives elsewhere: deciding who owns what and what to merge is `protocol`'s; who may write what is
//! `policy`'s; scanning and writing files is `worktree`'s; verifying commits is `verify`'s; when to
//! sync is a loop's of `daemon`.
//! Invariants: the work tree only ever shows what was verified, plus its own edits; an edit is
//! never overwritten, the loser of a conflict is beside the winner; nothing is rebased; a claim
//! counts when the remote has it, never before.

mod api;
mod claims;
mod content;
mod error;
mod exclusive;
pub mod held;
mod remote;
mod replica;
mod status;
mod synchronizer;
#[cfg(test)]
mod tests;

pub use claims::finish::Finish;
pub use error::{ClaimError, SyncError};
pub use exclusive::StopSignal;
pub use platinum_tasks::{Drafts, ReadDrafts};
pub use replica::draft_history::PastDraft;
pub use replica::elsewhere::{OwnElsewhere, TRAILER_INTENT, TRAILER_MACHINE};
pub use replica::witness::{JournalHead, TRAILER_JOURNAL, TRAILER_WITNESS};
pub use status::{
    SyncReport, SyncStatus,
    remote_health::{RecordingRemote, RemoteHealth},
    snapshot::SyncSnapshot,
};
pub use synchronizer::{SyncConfig, Synchronizer};
