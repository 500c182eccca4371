//! What is seen of other owners: their tasks, and the newest commit of each.
//!
//! Lives elsewhere: whose lease has expired is decided by `protocol::Leases`.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{AgentName, TaskId, ZoneId, layout};
use platinum_protocol::{ClaimRecord, TaskPlace};
use platinum_repo::{Oid, RefName};
use platinum_vault::note::Note;
use platinum_worktree::agent_of;

use super::offline::place;
use crate::{SyncError, Synchronizer, replica::Replica};

/// How far back the newest commit of an owner is observed for when this host starts.
const MAX_BACK: usize = 10_000;

/// A task of another agent, with the claim by which it is owned.
#[derive(Debug, Clone)]
pub(crate) struct ForeignTask {
    pub(crate) task: TaskId,
    pub(crate) zone: ZoneId,
    pub(crate) record: ClaimRecord,
}

/// The tasks that a tip has in the folders of other agents.
pub(crate) fn foreign_tasks(
    replica: &Replica,
    tip: Oid,
) -> Result<BTreeMap<AgentName, Vec<ForeignTask>>, SyncError> {
    let mut foreign: BTreeMap<AgentName, Vec<ForeignTask>> = BTreeMap::new();
    for folder in replica.repo.items(tip, layout::IN_PROGRESS)? {
        let Ok(owner) = folder.name.parse::<AgentName>() else {
            continue;
        };
        if owner == replica.agent {
            continue;
        }
        let path = format!("{}/{owner}", layout::IN_PROGRESS);
        for file in replica.repo.items(tip, &path)? {
            let name = file.name.strip_suffix(".md");
            let Some(task) = name.and_then(|name| name.parse().ok()) else {
                continue;
            };
            let found = platinum_tasks::find(&replica.repo, tip, task)?;
            let (TaskPlace::Owned(record), Some(file)) = (found.place, found.file) else {
                continue;
            };
            let zone = platinum_tasks::read_note(&replica.repo, &file)
                .ok()
                .and_then(|note| zone_of(&note));
            if let Some(zone) = zone
                && record.agent == owner
            {
                let one = ForeignTask { task, zone, record };
                foreign.entry(owner.clone()).or_default().push(one);
            }
        }
    }
    Ok(foreign)
}

/// Whether a task may still be taken over at a tip: since the last observation its owner has
/// committed nothing, and there is no draft of its claim.
pub(crate) async fn is_still_expired(
    sync: &Synchronizer,
    task: TaskId,
    tip: Option<Oid>,
) -> Result<bool, SyncError> {
    let observed = sync.leases.state().observed_tip;
    sync.blocking(move |replica| {
        let (Some(tip), TaskPlace::Owned(record)) = (tip, place::place_at(replica, tip, task)?)
        else {
            return Ok(false);
        };
        let new = last_commits(replica, observed, tip, BTreeMap::new(), BTreeSet::new())?;
        Ok(!new.contains_key(&record.agent) && !has_draft(replica, tip, task, record.epoch)?)
    })
    .await
}

/// The newest commit of each owner: what is new since the last observation, or, at the first, from
/// the tip back.
pub(crate) fn last_commits(
    replica: &Replica,
    observed: Option<Oid>,
    tip: Oid,
    mut commits: BTreeMap<AgentName, String>,
    owners: BTreeSet<AgentName>,
) -> Result<BTreeMap<AgentName, String>, SyncError> {
    if let Some(observed) = observed
        && replica.repo.is_ancestor(observed, tip)?
    {
        for commit in replica
            .repo
            .commits_between(Some(observed), tip, usize::MAX)?
        {
            if let Some(agent) = agent_of(&replica.repo.commit_info(commit)?) {
                commits.insert(agent, commit.to_string());
            }
        }
    }
    let mut missing = owners;
    missing.retain(|owner| !commits.contains_key(owner));
    let mut at = Some(tip);
    for _ in 0..MAX_BACK {
        let Some(commit) = at.filter(|_| !missing.is_empty()) else {
            break;
        };
        let info = replica.repo.commit_info(commit)?;
        if let Some(agent) = agent_of(&info)
            && missing.remove(&agent)
        {
            commits.insert(agent, commit.to_string());
        }
        at = info.parents.first().copied();
    }
    Ok(commits)
}

/// The zone that a task's note names.
fn zone_of(note: &Note) -> Option<ZoneId> {
    note.get_text("zone")?.parse().ok()
}

/// Whether a tip has a draft of a task, made under this claim, that the work tree has not yet.
pub(crate) fn has_draft(
    replica: &Replica,
    tip: Oid,
    task: TaskId,
    epoch: u64,
) -> Result<bool, SyncError> {
    let applied = replica.repo.tip(RefName::Applied)?;
    Ok(platinum_tasks::has_new_draft(
        &replica.repo,
        (applied, tip),
        task,
        epoch,
    )?)
}
