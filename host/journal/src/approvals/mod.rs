//! Approvals: what the owner said yes to, and took back.
//!
//! Lives here: the tables, appended to and never rewritten (`table`); [`Decision`], by which one
//! decision at a time is made, in whatever process; which file waited for the owner under which
//! draft's name (`store`).
//! Lives elsewhere: what counts as an approval is decided by `effects`, and asked for by `local`.
//!
//! Invariants: of a draft the last row counts; an approval that was taken back never counts again,
//! only a new one does; a decision, and the move of a file that belongs to it, are one transaction,
//! so of an approval, its undoing and its effect one comes first.

mod decision;
mod record;
mod store;
mod table;
#[cfg(test)]
mod tests;

pub use decision::Decision;
pub use record::{Approval, Binding, How, MessageDigest, Pause, PendingFile};
pub(crate) use table::prepare;
