//! Claims and merges as pure state machines: decisions without I/O.
//!
//! Lives here: who owns a task ([`ClaimMachine`]) and what becomes of two versions of a file
//! ([`merge::plan`]).
//! Lives elsewhere: fetching, committing and pushing is the synchronizer's in `daemon`, with
//! `repo`; who may change which path is in `policy`.
//! Invariants: no I/O, no clock, no randomness: whoever drives gives tips, outcomes, ids and times
//! in, and does what the answer says.

mod claim;
pub mod merge;
mod record;
#[cfg(test)]
mod tests;

pub use claim::{ClaimMachine, Claimed, PushOutcome, Step};
pub use merge::conflict_name;
pub use record::{ClaimRecord, TaskPlace};
