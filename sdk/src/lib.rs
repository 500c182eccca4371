//! What a skill author imports.
//!
//! A skill is a function `run(host, invocation)`: it gets the host as traits of [`host`], so that
//! its logic runs natively against [`testing::TestHost`], and as a component against the real
//! host. [`skill!`] makes one of the two.
//!
//! ```ignore
//! platinum_sdk::skill! {
//!     world: "skills:sync-vault/sync-vault",
//!     imports: { "platinum:sync/run@0.1.0": ::platinum_sdk::sync::run },
//!     run: run::run,
//! }
//! ```
//!
//! Lives here: [`bindings`] of every interface (re-exported by package: [`tasks`], [`email`], ...),
//! the traits, the conversion of every interface's error to the skill's own, [`text`].
//! Lives elsewhere: what a skill asks for is in its own `wit/world.wit`; the contract is `wit/` of
//! the repository, and `wit/` here is a copy of it, which a test compares.
//! To change the contract: change it there, then copy it here with `cp -r wit/. sdk/wit/`.
//! Invariants: nothing here decides anything; what a skill can do is what its host links.

/// The code of README.md, so that it keeps compiling and keeps being true.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod bindings;
mod errors;
pub mod host;
mod macros;
#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

pub use bindings::platinum::*;
pub use host::Host;
pub use platinum_text as text;
pub use skill::types::{Error, Invocation, Outcome, Role};
#[doc(hidden)]
pub use wit_bindgen;
