//! `skill/context` and `skill/log`: who the skill is, and lines for the host's log.

mod host;

use std::sync::Arc;

use platinum_core::{AgentName, Capability, Role, Timestamp, ZoneId};
use platinum_engine::Interface;

use crate::{
    bindings::platinum::skill::{context, log},
    offered::offer,
    view::{Of, view},
};

/// What `skill/context` answers.
pub(crate) struct ContextCtx {
    instructions: Arc<str>,
    agent: AgentName,
    role: Role,
    zones: Vec<ZoneId>,
    now: Timestamp,
}

/// Where a run's log lines go, and how many are left.
pub(crate) struct LogCtx {
    skill: String,
    lines_left: u32,
}

/// Lines that one run may log.
const LINES: u32 = 256;
/// Longest line, in characters.
const LINE_CHARS: usize = 4096;

/// The two interfaces every skill's world includes.
pub fn interfaces() -> Vec<Box<dyn Interface>> {
    vec![
        offer(
            Capability::SkillContext,
            |linker| context::add_to_linker::<_, Of<ContextCtx>>(linker, view::<ContextCtx>),
            |call| ContextCtx {
                instructions: Arc::clone(&call.instructions),
                agent: call.agent.clone(),
                role: call.role,
                zones: call.zones.clone(),
                now: call.now,
            },
        ),
        offer(
            Capability::SkillLog,
            |linker| log::add_to_linker::<_, Of<LogCtx>>(linker, view::<LogCtx>),
            |call| LogCtx {
                skill: call.skill.clone(),
                lines_left: LINES,
            },
        ),
    ]
}
