//! What a skill author imports.
//!
//! A skill is a function `run(host, invocation)`: it gets the host as traits of [`host`], so that
//! its logic runs natively against [`doubles::TestHost`], and as a component against the real
//! host. [`skill!`] is the glue between the two.
//!
//! ```ignore
//! platinum_sdk::skill! {
//!     world: "skills:sync-vault/sync-vault",
//!     imports: { "platinum:sync/run@0.1.0": ::platinum_sdk::sync::run },
//!     run: syncing::run,
//! }
//! ```
//!
//! Lives here: [`bindings`] of every interface (re-exported by package: [`tasks`], [`email`], ...),
//! the traits, the conversion of every interface's error to the skill's own, [`text`].
//! Lives elsewhere: the contract itself in `wit/`, what a skill asks for in its `wit/world.wit`.
//! Invariants: nothing here decides anything; what a skill can do is what its host links.

/// The code of README.md, so that it keeps compiling and keeps being true.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod bindings;
#[cfg(not(target_arch = "wasm32"))]
pub mod doubles;
mod errors;
mod glue;
pub mod host;

pub use bindings::platinum::{
    actions, approvals, browser, dashboard, drafts, email, health, model, odoo, payments, skill,
    social, sync, tasks, updates, vault, whatsapp,
};
pub use host::Host;
pub use platinum_text as text;
pub use skill::types::{Error, Invocation, Outcome, Role, Trigger, Zone};
#[doc(hidden)]
pub use wit_bindgen;
