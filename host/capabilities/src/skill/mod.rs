//! `skill/context` and `skill/log`: who the skill is, and lines for the host's log.

mod host;

use std::sync::Arc;

use platinum_core::{AgentName, Capability, Role, Timestamp, ZoneId};
use platinum_engine::Interface;

use crate::{
    bindings::platinum::skill::{context, log},
    context::{HasCtx, context_of},
    registry::Offer,
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

pub(crate) const CONTEXT: Offer<ContextCtx> = Offer::new(Capability::SkillContext, |linker| {
    context::add_to_linker::<_, HasCtx<ContextCtx>>(
        linker,
        context_of::<_, { Capability::SkillContext as usize }>,
    )
});
pub(crate) const LOG: Offer<LogCtx> = Offer::new(Capability::SkillLog, |linker| {
    log::add_to_linker::<_, HasCtx<LogCtx>>(
        linker,
        context_of::<_, { Capability::SkillLog as usize }>,
    )
});

/// The two interfaces every skill's world includes.
pub fn interfaces() -> Vec<Box<dyn Interface>> {
    vec![
        CONTEXT.with(|call| ContextCtx {
            instructions: Arc::clone(&call.instructions),
            agent: call.agent.clone(),
            role: call.role,
            zones: call.zones.clone(),
            now: call.now,
        }),
        LOG.with(|call| LogCtx {
            skill: call.skill.clone(),
            lines_left: LINES,
        }),
    ]
}
