//! The interfaces that cannot act on the outside world, one folder a package of the contract:
//! `mod.rs` says what the interface works on and offers it to the engine, `host.rs` holds the
//! generated host traits.
//!
//! Lives elsewhere: the interfaces that act are in `effects`, which the cloud does not contain;
//! which role gets what is in `policy`; linking is `engine`'s.
//! To add an interface: write it under `wit/`, give it a [`platinum_core::Capability`] and its
//! roles, a folder here, and offer it in the composition roots.
//! Invariants: a context is made anew for every call; text from a skill is bounded and checked
//! before it reaches a note, a server or a log.

mod bindings;
mod convert;
pub mod dashboard;
pub mod drafts;
pub mod email;
pub mod model;
mod offered;
pub mod skill;
pub mod sync;
pub mod tasks;
#[cfg(test)]
mod tests;
mod text;
pub mod updates;
pub mod vault;
mod view;
mod writing;
pub mod zones;
