//! The interfaces that act on the outside world, and the queue of what the owner approved.
//!
//! Lives here: [`approvals`] mints an approved action from a file in `Approved/`; [`Executor`] is
//! the one way from there to a receipt; [`email`], [`social`], [`odoo`] and [`whatsapp`] have the
//! [`Effect`]s. To add one: 1. its interface under `wit/`, a capability and its roles; 2. a folder here
//! with the effect, and a `host.rs` that gives the resource to the executor; 3. a line in [`offers`];
//! 4. the effect's line in the composition root of `local`.
//! Lives elsewhere: what cannot act is in `capabilities`; durable intents and receipts are
//! `journal`'s; only `local` may depend on this crate, and a test says so.
//!
//! Invariants: an effect takes no argument from a skill, only a handle that the host minted; the
//! handle is used up first; the intent is on the disk before the attempt; what may have happened
//! is never tried again; without a journal nothing happens.

use std::sync::Arc;

use platinum_engine::Interface;

mod accounts;
mod acting;
pub mod approvals;
mod audit;
mod bindings;
pub mod email;
mod executor;
mod fence;
mod interface;
pub mod odoo;
pub mod review;
pub mod social;
#[cfg(test)]
mod tests;
pub mod whatsapp;
mod writing;

pub use acting::AskError;
pub use bindings::platinum::actions::types::EffectError;
pub use executor::{Attempt, Effect, Executor, InDoubt, NotDone, Reconciled, Recovery, done};
pub use fence::{Fence, NoFence};
use interface::EffectOffer;

/// The interface of each effect.
fn offers() -> Vec<EffectOffer> {
    vec![email::SEND, social::PUBLISH, odoo::POST, whatsapp::SEND]
}

/// The interface of every effect, over what carries approved actions out. All are linked, whichever
/// zones are set up: a skill that imports several works with those that are, and what no effect here
/// carries out is not handed to it.
pub fn interfaces(executor: &Arc<Executor>) -> Vec<Box<dyn Interface>> {
    let offers = offers().into_iter();
    offers.map(|offer| offer.with(executor)).collect()
}

/// Every interface of this crate, to check components that are never run.
pub fn link_only() -> Vec<Box<dyn Interface>> {
    let queue: Box<dyn Interface> = Box::new(approvals::ApprovalsQueue::link_only());
    let effects = offers().into_iter().map(EffectOffer::link_only);
    std::iter::once(queue).chain(effects).collect()
}
