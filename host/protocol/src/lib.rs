//! Claims, sync and merges as pure state machines: decisions without I/O.
//!
//! Lives here: who owns a task ([`ClaimMachine`], [`Leases`]), in which order a sync goes
//! ([`SyncMachine`]), what becomes of two versions of a file ([`merge::plan`]) and of what was
//! decided while the remote was away ([`reconcile::replay`]), and which of two versions is later
//! ([`hlc`]).
//! Lives elsewhere: fetching, committing and pushing is the synchronizer's in `daemon`, with
//! `repo`; who may change which path is in `policy`.
//! Invariants: no I/O, no clock, no randomness: the driver gives tips, outcomes, ids and times
//! in, and does what the answer says. Every machine can be cloned, compared and hashed, so that a
//! model checker can hold it.

mod claim;
pub mod hlc;
mod lease;
pub mod merge;
mod names;
pub mod reconcile;
mod record;
mod sync;
#[cfg(test)]
mod tests;

pub use claim::{ClaimMachine, Claimed, PushOutcome, Step};
pub use lease::Leases;
pub use names::{ConflictName, conflict_name};
pub use record::{ClaimRecord, TaskPlace};
pub use sync::{SyncMachine, SyncStep, Synced};
