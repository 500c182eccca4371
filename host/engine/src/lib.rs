//! Runs skills: WebAssembly components that can do exactly what was linked into them.
//!
//! Lives here: [`Engine`] (wasmtime, its clock tick, its compiled cache, the process that compiles), [`SkillHost`] (one linker
//! per role, built from grants), [`Skill`] (a component that was admitted), the [`Interface`] trait
//! that a capability implements, [`Limits`] of every call, and the errors with a sentence each.
//! Lives elsewhere: which role may what is in `policy`; the interfaces themselves are in
//! `capabilities` and `effects`; which of them a host offers is in its composition root.
//!
//! To add an interface: implement [`Interface`] in `capabilities` or `effects` and name it in a
//! composition root. Nothing changes here: this crate knows no capability by name.
//!
//! Invariants: the linker of a host holds the interfaces that are granted *and* offered, and no
//! other; a component that imports anything else is refused before any of it is compiled; a daemon
//! compiles in a process of its own, under limits; every call gets a fresh instance under stated
//! limits.

mod bindings;
mod cache;
mod engine;
mod error;
mod folder;
mod host;
mod inspect;
mod interface;
mod invoke;
mod limits;
mod state;
mod wasi;

pub use engine::{
    Allocation, CompileLimits, Compiler, Engine, EngineError, EngineOptions, compile_if_asked,
};
pub use error::{HostError, InvokeError, LoadError, SkillError};
pub use folder::GrantedFolder;
pub use host::{Skill, SkillHost};
pub use inspect::{ImportLine, ImportsReport, Verdict, imports_of};
pub use interface::{Call, Interface};
pub use invoke::{Invocation, Outcome};
pub use limits::Limits;
pub use state::SkillState;
pub use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
