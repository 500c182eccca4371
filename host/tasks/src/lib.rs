//! Tasks in trees and notes: where a tree has a task, which claim its note records, and which
//! drafts were made for it.
//!
//! Lives here: [`find`] and [`TaskLocation`] (the id is the file name), reading and writing claim
//! records, and [`Drafts`].
//! Lives elsewhere: who wins a claim is `protocol`'s; what a commit may do to a task is `verify`'s;
//! moving a task is `sync`'s.
//! Invariants: nothing here decides or writes a tree; a note that cannot be read names its path.

mod drafts;
mod error;
mod location;

pub use drafts::{DRAFT_FOLDERS, Drafts, ReadDrafts, has_new_draft, has_undecided_post};
pub use error::TaskNoteError;
pub use location::{
    LAST_EPOCH, MAX_NOTE, TaskLocation, claim_in, draft_of, epoch_in, find, note_of, read_note,
    task_at, write_claim, zones_at, zones_in,
};
