//! [`last_commits`]: when every other host last committed.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    path::Path,
};

use platinum_core::{AgentName, text::one_line};
use platinum_repo::{RefName, Repo, RepoError, TRAILER_AGENT, TRAILER_ROLE};
use serde::Serialize;

/// How far back the newest commit of another host is looked for.
pub const MAX_COMMITS: usize = 500;

/// The newest commit of another host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AgentSeen {
    /// Which host.
    pub agent: AgentName,
    /// Its role, as it says.
    pub role: String,
    /// When it says that it made the commit, in seconds since 1970.
    pub committed_at_second: i64,
}

/// The newest commit of every other agent among the last commits of the verified history. They
/// were judged before, so that their trailers say the truth.
///
/// # Errors
/// If the repository cannot be read.
pub fn last_commits(git_dir: &Path, me: Option<&AgentName>) -> Result<Vec<AgentSeen>, RepoError> {
    let repo = Repo::open_or_init(git_dir)?;
    let mut open: VecDeque<_> = repo.tip(RefName::Verified)?.into_iter().collect();
    let mut walked = HashSet::new();
    let mut seen: BTreeMap<AgentName, AgentSeen> = BTreeMap::new();
    while let Some(oid) = open.pop_front() {
        if walked.len() >= MAX_COMMITS || !walked.insert(oid) {
            continue;
        }
        let info = repo.commit_info(oid)?;
        let agent = info
            .trailer(TRAILER_AGENT)
            .and_then(|name| name.parse().ok());
        if let Some(agent) = agent.filter(|agent| Some(agent) != me) {
            let role = one_line(info.trailer(TRAILER_ROLE).unwrap_or("unknown"), 20);
            let found = AgentSeen {
                agent: AgentName::clone(&agent),
                role,
                committed_at_second: info.seconds,
            };
            let newest = seen.entry(agent).or_insert_with(|| found.clone());
            if newest.committed_at_second < info.seconds {
                *newest = found;
            }
        }
        open.extend(info.parents);
    }
    Ok(seen.into_values().collect())
}
