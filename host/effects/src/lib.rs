//! The interfaces that act on the outside world, and the queue of what the owner approved.
//!
//! Lives here: [`approvals`] mints an approved action from a file in `Approved/`; [`Executor`] is
//! the one way from there to a receipt; [`email`] is an [`Effect`]. To add one: 1. its interface
//! under `wit/`, a capability and its roles; 2. a folder here with the effect, and a `host.rs` that
//! takes the resource out of the table and gives it to the executor; 3. a line in the composition
//! root of `local`.
//! Lives elsewhere: what cannot act is in `capabilities`; durable intents and receipts are
//! `journal`'s; only `local` may depend on this crate, and a test says so.
//!
//! Invariants: an effect takes no argument from a skill, only a handle that the host minted; the
//! handle is used up first; the intent is on the disk before the attempt; what may have happened
//! is never tried again; without a journal nothing happens.

pub mod approvals;
mod audit;
mod bindings;
pub mod email;
mod executor;
mod fence;
pub mod review;
#[cfg(test)]
mod tests;
mod writing;

pub use bindings::platinum::actions::types::EffectError;
pub use executor::{Effect, Executor, InDoubt, Reconciled, done};
pub use fence::{Fence, NoFence};

/// Every interface of this crate, to check components that are never run.
pub fn link_only() -> Vec<Box<dyn platinum_engine::Interface>> {
    vec![
        Box::new(approvals::ApprovalsQueue::link_only()),
        Box::new(email::EmailSend::link_only()),
    ]
}
