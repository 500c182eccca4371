//! [`Interface`]: what a capability implements so that the engine can link it without knowing it.

use std::sync::Arc;

use platinum_core::{AgentName, Capability, Role, TaskId, Timestamp, ZoneId};
use wasmtime::component::Linker;

use crate::SkillState;

/// One WIT interface of the contract as a host offers it.
///
/// It has two moments: [`link`](Interface::link), once per host and only if the role is granted it,
/// and [`prepare`](Interface::prepare), once per call and only if the skill imports it.
pub trait Interface: Send + Sync + 'static {
    /// Which grant it is.
    fn capability(&self) -> Capability;

    /// Adds its functions and resources to a linker. Each function marks the capability as used in
    /// the state that it is called with.
    ///
    /// # Errors
    /// Whatever the linker says, for example that a name is taken.
    fn link(&self, linker: &mut Linker<SkillState>) -> wasmtime::Result<()>;

    /// Puts the state it keeps during one call into a new store's state. It runs on every call:
    /// clone an `Arc` or two, open nothing.
    fn prepare(&self, state: &mut SkillState, call: &Call);
}

/// What the host knows of the call that is about to run.
#[derive(Debug, Clone)]
pub struct Call {
    /// The skill's name.
    pub skill: String,
    /// The body of its `SKILL.md`.
    pub instructions: Arc<str>,
    /// Which agent runs it.
    pub agent: AgentName,
    /// That agent's role.
    pub role: Role,
    /// The zones granted to this run.
    pub zones: Vec<ZoneId>,
    /// The time of the run; it stands still while it lasts.
    pub now: Timestamp,
    /// The task it is about.
    pub task: Option<TaskId>,
}
