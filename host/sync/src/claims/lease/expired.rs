//! Expired leases: local takes over the tasks of silent owners; as an owner, a host gives a heartbeat.
//!
//! Lives elsewhere: whose lease has expired is decided by `protocol::Leases`; when this is called is
//! the pipeline's.
//! Invariants: only the owner's machine takes over, by a compare-and-swap with a higher epoch, so
//! that whatever the old owner still does is refused; a task with a draft is left alone, as it
//! waits for a person; owners are observed at the remote's tip, never at what was known before.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use platinum_core::{AgentName, ClaimId, Role, TaskId, VaultPath, ZoneId, layout};
use platinum_protocol::{ClaimMachine, ClaimRecord, Claimed, Leases, TaskPlace};
use platinum_repo::{Oid, RefName};
use platinum_tasks::{Drafts, MAX_NOTE, TaskNoteError};
use platinum_vault::{VaultError, note::Note};

use super::state::ms;
use crate::{
    SyncError, Synchronizer,
    claims::{
        activity::{self, ForeignTask},
        driver,
        offline::place,
        types::{ClaimSource, MAX_ATTEMPTS},
    },
    content::{ingest, rounds},
    replica::Replica,
};

/// How long marks of claims may outlive their tasks.
const PRUNE: Duration = Duration::from_secs(600);

async fn take_over_exclusively(
    sync: &Synchronizer,
    zones: &[ZoneId],
) -> Result<Vec<(TaskId, ZoneId)>, SyncError> {
    let Some(tip) = ingest::fetch_and_verify(sync).await? else {
        return Ok(Vec::new());
    };
    let mut foreign = observe_owners(sync, tip).await?;
    foreign.retain(|owner, _| sync.leases.state().leases.has_expired(owner));
    let mut taken = Vec::new();
    if foreign.is_empty() {
        return Ok(taken);
    }
    // Drafts come in under the sync lock, so until it is released there are no others here.
    let drafts = sync
        .blocking(|replica| Ok(Drafts::of(&replica.vault)?))
        .await?;
    for (owner, tasks) in foreign {
        for ForeignTask { task, zone, record } in tasks {
            let epoch = record.epoch;
            if !zones.contains(&zone) || drafts.has(task, epoch) {
                continue;
            }
            let has_draft = sync
                .blocking(move |replica| activity::has_draft(replica, tip, task, epoch))
                .await?;
            if has_draft {
                continue;
            }
            let agent = sync.replica.agent.clone();
            let id = ClaimId::generate();
            let machine = ClaimMachine::take_over(task, agent, id, MAX_ATTEMPTS, record);
            match driver::drive(sync, machine, ClaimSource::Expired, false).await {
                Ok(Claimed::Won { epoch }) => {
                    tracing::warn!(%task, %owner, epoch, "Took over the task: the owner's lease has expired.");
                    taken.push((task, zone));
                }
                // It has committed since it was observed; the next observation measures anew.
                Ok(Claimed::Lost { .. }) => break,
                Ok(Claimed::Tentative | Claimed::GaveUp) => {}
                // The others can be taken over all the same.
                Err(error) if error.is_about_one_task() => {
                    tracing::warn!(%task, %owner, "Cannot take over the task of an owner whose lease has expired: {error}.");
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(taken)
}

/// Whether the last observation is so long ago that the next one is due.
fn is_check_due(sync: &Synchronizer) -> bool {
    let state = sync.leases.state();
    let every = Duration::from_millis(state.leases.longest_gap_ms() / 2);
    state.observed_at.is_none_or(|at| at.elapsed() >= every)
}

/// Observes all owners at a tip that was just fetched.
async fn observe_owners(
    sync: &Synchronizer,
    tip: Oid,
) -> Result<BTreeMap<AgentName, Vec<ForeignTask>>, SyncError> {
    let (observed_tip, last_commits) = {
        let state = sync.leases.state();
        (state.observed_tip, state.last_commits.clone())
    };
    let (foreign, last_commits) = sync
        .blocking(move |replica| {
            let foreign = activity::foreign_tasks(replica, tip)?;
            let last_commits = activity::last_commits(
                replica,
                observed_tip,
                tip,
                last_commits,
                foreign.keys().cloned().collect(),
            )?;
            Ok((foreign, last_commits))
        })
        .await?;
    let mut state = sync.leases.state();
    let now = Instant::now();
    let now_ms = ms(now.duration_since(state.began));
    let owners = foreign
        .keys()
        .map(|owner| (owner, last_commits.get(owner).map(String::as_str)));
    state.leases.observe(owners, now_ms);
    state.observed_at = Some(now);
    state.observed_tip = Some(tip);
    state.last_commits = last_commits;
    Ok(foreign)
}

async fn heartbeat_exclusively(sync: &Synchronizer) -> Result<bool, SyncError> {
    // Cut off, a heartbeat reaches no one: after a take-over it would be an edit of a task that is
    // another agent's.
    ingest::fetch_and_verify(sync).await?;
    if !sync.blocking(write_heartbeat).await? {
        return Ok(false);
    }
    rounds::sync_all(sync).await?;
    Ok(true)
}

/// Forgets marks of claims whose tasks are finished or another's, now and then.
pub(crate) async fn prune_marks_now_and_then(sync: &Synchronizer) -> Result<(), SyncError> {
    {
        let mut state = sync.leases.state();
        if state.pruned.elapsed() < PRUNE.min(state.lease) {
            return Ok(());
        }
        state.pruned = Instant::now();
    }
    sync.blocking(prune_marks).await.map(drop)
}

/// Counts one up in the record of a claim of this agent; whether it has one.
fn write_heartbeat(replica: &Replica) -> Result<bool, SyncError> {
    let Some(tip) = replica.repo.tip(RefName::Verified)? else {
        return Ok(false);
    };
    let _lock = replica.worktree.lock();
    replica.worktree.resume_apply()?;
    for entry in replica
        .vault
        .list(&format!("{}/{}", layout::IN_PROGRESS, replica.agent))?
    {
        let Ok(task) = entry.path.stem().parse::<TaskId>() else {
            continue;
        };
        let found = platinum_tasks::find(&replica.repo, tip, task)?;
        let TaskPlace::Owned(record) = found.place else {
            continue;
        };
        if record.agent == replica.agent && record.epoch > 0 {
            return write_heartbeat_in(replica, &entry.path, record);
        }
    }
    Ok(false)
}

fn write_heartbeat_in(
    replica: &Replica,
    path: &VaultPath,
    record: ClaimRecord,
) -> Result<bool, SyncError> {
    let text = match replica.vault.read_text(path, MAX_NOTE as u64) {
        Ok(text) => text,
        Err(VaultError::NotFound(_)) => return Ok(false),
        Err(error) => return Err(error.into()),
    };
    let unreadable = |source| TaskNoteError::Note {
        path: path.clone(),
        source,
    };
    let mut note = Note::parse(&text).map_err(unreadable)?;
    let heartbeats = record.heartbeats.saturating_add(1);
    platinum_tasks::write_claim(
        &mut note,
        path,
        &ClaimRecord {
            heartbeats,
            ..record
        },
    )?;
    replica.worktree.touch([path].into_iter());
    match replica
        .vault
        .replace(path, note.to_text().as_bytes(), Some(text.as_bytes()))
    {
        Ok(()) => Ok(true),
        // It is being edited: the push of that edit is a heartbeat soon enough.
        Err(VaultError::Changed(_) | VaultError::NotFound(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Forgets the marks of claims that are of no use any more; returns how many.
fn prune_marks(replica: &Replica) -> Result<usize, SyncError> {
    let Some(tip) = replica.repo.tip(RefName::Verified)? else {
        return Ok(0);
    };
    let mut pruned = 0;
    for name in replica.repo.marks("claims")? {
        let task = name.rsplit('/').next().and_then(|id| id.parse().ok());
        let keep = match task {
            Some(task) => match place::place_at(replica, Some(tip), task)? {
                // A push may still be under way, or this is how our claim is recognized.
                TaskPlace::Waiting => true,
                TaskPlace::Owned(record) => record.agent == replica.agent,
                TaskPlace::Finished | TaskPlace::Absent => false,
            },
            None => false,
        };
        if !keep {
            replica.repo.set_mark(&name, None)?;
            pruned += 1;
        }
    }
    Ok(pruned)
}

/// Checks, now and then, for owners that have been silent for a lease, and takes over their
/// tasks of these zones that have no draft of their claim. Returns what is this agent's now.
///
/// # Errors
/// If the remote is away, or the repository cannot be read.
pub(crate) async fn take_over_expired(
    sync: &Synchronizer,
    zones: &[ZoneId],
) -> Result<Vec<(TaskId, ZoneId)>, SyncError> {
    let may = sync.replica.role == Role::Local && sync.remote.is_some();
    if !may || !is_check_due(sync) || sync.silence().is_some() {
        return Ok(Vec::new());
    }
    let zones = zones.to_vec();
    sync.run_exclusive(move |sync| async move { take_over_exclusively(&sync, &zones).await })
        .await
}

/// A heartbeat, if this agent owns tasks and has had nothing to push for a third of the
/// lease: a count in the record of one of its claims. Returns whether one was given.
///
/// # Errors
/// If the note cannot be edited, or the remote is away.
pub(crate) async fn heartbeat(sync: &Synchronizer) -> Result<bool, SyncError> {
    if sync.remote.is_none() || sync.silence().is_some() {
        return Ok(false);
    }
    let is_due = {
        let state = sync.leases.state();
        let now = ms(state.began.elapsed());
        let pushed = now.saturating_sub(ms(state.pushed.elapsed()));
        Leases::is_heartbeat_due(ms(state.lease), pushed, now)
    };
    if !is_due {
        return Ok(false);
    }
    sync.run_exclusive(|sync| async move { heartbeat_exclusively(&sync).await })
        .await
}
