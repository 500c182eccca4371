//! Notes: Markdown with YAML frontmatter, as Obsidian keeps them.
//!
//! Lives here: [`Note`], any note, of which one key at a time is edited while every other byte
//! stays; and the notes that Platinum writes itself, typed: [`TaskNote`], [`DraftNote`],
//! [`UpdateNote`], [`PlanNote`], and [`finish`], which finishes a task.
//! Lives elsewhere: the paths of notes are in `core::layout`, opening them is [`crate::Vault`]'s.
//!
//! Invariants: the body is everything after the closing `---` line, byte for byte. Text from
//! outside is always a double-quoted scalar on one line with every invisible character escaped,
//! so it can be no key, no fence and no comment. Frontmatter is at most [`MAX_FRONT_BYTES`] long
//! and has neither anchors, aliases nor tags.

mod claim;
mod draft;
mod edit;
mod emit;
mod error;
mod front;
mod keys;
mod read;
mod receipt;
mod rules;
mod task;
#[cfg(test)]
mod tests;
mod update;

pub use draft::{DraftBody, DraftNote, LEAVES, set_action};
pub use edit::Note;
pub use error::NoteError;
pub use front::MAX_FRONT_BYTES;
use platinum_core::text::one_line;
pub use read::linked_name;
pub use receipt::{ReceiptRecord, finish, receipts_of, reopen};
pub use rules::{
    MAX_DRAFT_BYTES, MAX_DRAFTS_A_DAY, MAX_WAITING_DRAFTS, NoteFault, check_carried, check_drafted,
    day_of, kinds_of,
};
pub use serde_norway::{Mapping, Value};
pub use task::{
    ATTACHMENTS, AUTO_REPLY_TO, BOUNCE_REASON, BOUNCED_DRAFT, BOUNCED_RECIPIENTS, CAME_BACK, FILED,
    FILED_BEFORE, Fact, MESSAGE_ID, Returned, TaskNote, set_fact,
};
pub use update::{PlanNote, UpdateNote};
