//! When every other host last committed, as a row.

use platinum_core::Timestamp;
use platinum_daemon::doctor::AgentSeen;

use crate::{Check, Level, text::span};

pub(crate) fn check(seen: &AgentSeen, now: Timestamp) -> Check {
    let ago = span((now.as_second() - seen.committed_at_second).max(0));
    Check::new(
        seen.agent.as_str(),
        Level::Dim,
        format!("role {}, last commit {ago}", seen.role),
    )
}
