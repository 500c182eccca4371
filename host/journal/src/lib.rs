//! Durable approvals, intents and receipts: what the owner said yes to, what was about to happen,
//! and what did.
//!
//! Lives here: [`Journal`], one SQLite file that is appended to and never rewritten. Each row of
//! intents and outcomes holds the hash of the row before, so [`Journal::verify`] sees a row that
//! was changed, moved or taken out. [`approvals`] has what the owner approved and took back, which
//! files waited for the owner, and whether everything is paused; [`Closing`] what is still to be
//! cleared away elsewhere. Lives elsewhere: making the
//! effect happen, asking the other side when the outcome is in doubt, and what counts as an
//! approval, is `effects`'.
//!
//! Invariants: an intent is on the disk before [`Journal::intend`] answers
//! [`Begin::Go`]; of one draft at most one attempt is under way; an attempt whose outcome is not
//! known never gets a second [`Begin::Go`]; the same reference is used for every attempt.

pub mod approvals;
mod audit;
mod chain;
mod closings;
mod error;
mod file;
mod head;
mod record;
mod store;
#[cfg(test)]
mod tests;
mod verify;

pub use audit::{AuditEvent, LogEntry};
pub use closings::{Closing, Closings};
pub use error::JournalError;
pub use head::{HeadSigner, HeadVerifier};
pub use record::{Begin, Intent, Outcome, Receipt, State, TaskReceipt};
pub use store::Journal;
pub use verify::{Verified, Witness};
