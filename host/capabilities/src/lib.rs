//! The interfaces that cannot act on the outside world, one folder a package of the contract:
//! `mod.rs` says what the interface works on and offers it to the engine, `host.rs` holds the
//! generated host traits.
//!
//! Lives elsewhere: the interfaces that act are in `effects`, which the cloud does not contain;
//! which role gets what is in `policy`; linking is `engine`'s.
//! To add an interface: write it under `wit/`, give it a [`platinum_core::Capability`] and its
//! roles, a folder here, its line in [`link_only`], and offer it in the composition roots.
//! Invariants: a context is made anew for every call; text from a skill is bounded and checked
//! before it reaches a note, a server or a log.

mod bindings;
mod blocking;
mod context;
mod convert;
pub mod dashboard;
pub mod email;
mod files;
pub mod model;
pub mod odoo;
mod plans;
pub mod proposals;
mod registry;
pub mod server;
mod settings;
pub mod skill;
pub mod social;
pub mod sync;
pub mod tasks;
#[cfg(test)]
mod tests;
mod text;
pub mod updates;
pub mod vault;
pub mod whatsapp;
pub mod zones;

pub use blocking::in_background;

/// Every interface of this crate, to check components that are never run.
pub fn link_only() -> Vec<Box<dyn platinum_engine::Interface>> {
    let mut interfaces = proposals::link_only();
    interfaces.extend([
        dashboard::BOARD.link_only(),
        email::SEARCH.link_only(),
        email::PEOPLE.link_only(),
        email::DRAFT.link_only(),
        model::COMPLETE.link_only(),
        odoo::READ.link_only(),
        odoo::DRAFT.link_only(),
        odoo::PROPOSE.link_only(),
        skill::CONTEXT.link_only(),
        skill::LOG.link_only(),
        social::DRAFT.link_only(),
        social::PROPOSE.link_only(),
        sync::RUN.link_only(),
        tasks::READ.link_only(),
        tasks::OWNERSHIP.link_only(),
        tasks::CLAIM.link_only(),
        tasks::FINISH.link_only(),
        updates::PUBLISH.link_only(),
        updates::COLLECT.link_only(),
        vault::CONTEXT.link_only(),
        whatsapp::READ.link_only(),
        whatsapp::PROPOSE.link_only(),
    ]);
    interfaces
}
