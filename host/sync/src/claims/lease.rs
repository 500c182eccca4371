//! Owners that are stuck: this machine looks for them, and takes their tasks over; as an owner, it
//! gives signs of life.
//!
//! Lives elsewhere: who counts as stuck is intents by `protocol::Leases`; when this is called is
//! the pipeline's.
//! Invariants: only the owner's machine takes over, by a compare-and-swap with a higher epoch, so
//! that whatever the old owner still does is refused; a task with a draft is left alone, as it
//! waits for a person; a look is a look at the remote, never at what was known before.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use platinum_core::{AgentName, ClaimId, Role, TaskId, VaultPath, Zone, layout};
use platinum_protocol::{ClaimMachine, ClaimRecord, Claimed, Leases, TaskPlace};
use platinum_repo::{Oid, RefName};
use platinum_tasks::{Drafts, MAX_NOTE, TaskNoteError};
use platinum_vault::{VaultError, note::Note};

use super::{
    activity::{self, ForeignTask, ms},
    driver,
    offline::place,
    types::{ClaimSource, MAX_ATTEMPTS},
};
use crate::{
    SyncError, Synchronizer,
    content::{ingest, rounds},
    replica::Replica,
};

/// How long marks of claims may outlive their tasks.
const PRUNE: Duration = Duration::from_secs(600);






async fn take_over_exclusively(sync: &Synchronizer, zones: &[Zone]) -> Result<Vec<(TaskId, Zone)>, SyncError> {
    let Some(tip) = ingest::fetch_and_verify(sync).await? else {
        return Ok(Vec::new());
    };
    let mut held = observe_owners(sync, tip).await?;
    held.retain(|owner, _| sync.leases.state().leases.is_stuck(owner));
    let mut taken = Vec::new();
    if held.is_empty() {
        return Ok(taken);
    }
    // What comes in does so in a turn: till the end of this one there are no others here.
    let drafts = sync.blocking(|replica| Ok(Drafts::of(&replica.vault))).await?;
    for (owner, held) in held {
        for ForeignTask { task, zone, record } in held {
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
                    tracing::warn!(%task, %owner, epoch, "The owner shows no sign of life; its task is taken over.");
                    taken.push((task, zone));
                }
                // It has done something since the look, and the next one measures anew.
                Ok(Claimed::Lost { .. }) => break,
                Ok(Claimed::Tentative | Claimed::GaveUp) => {}
                // The others can be taken over all the same.
                Err(error) if error.is_about_one_task() => {
                    tracing::warn!(%task, %owner, "The owner shows no sign of life; its task cannot be taken over: {error}.");
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(taken)
}


/// Whether the last look is so long ago that the next one is due.
fn is_check_due(sync: &Synchronizer) -> bool {
    let watch = sync.leases.state();
    let every = Duration::from_millis(watch.leases.longest_gap_ms() / 2);
    watch.looked.is_none_or(|at| at.elapsed() >= every)
}

/// One look at all owners, at a tip that the remote has just given.
async fn observe_owners(sync: &Synchronizer, tip: Oid) -> Result<BTreeMap<AgentName, Vec<ForeignTask>>, SyncError> {
    let (walked, signs) = {
        let watch = sync.leases.state();
        (watch.walked, watch.signs.clone())
    };
    let (held, signs) = sync
        .blocking(move |replica| {
            let held = activity::foreign_tasks(replica, tip)?;
            let signs = activity::last_commits(replica, walked, tip, signs, held.keys().cloned().collect())?;
            Ok((held, signs))
        })
        .await?;
    let mut watch = sync.leases.state();
    let now = Instant::now();
    let now_ms = ms(now.duration_since(watch.began));
    let owners = held
        .keys()
        .map(|owner| (owner, signs.get(owner).map(String::as_str)));
    watch.leases.look(owners, now_ms);
    watch.looked = Some(now);
    watch.walked = Some(tip);
    watch.signs = signs;
    Ok(held)
}


async fn heartbeat_exclusively(sync: &Synchronizer) -> Result<bool, SyncError> {
    // Cut off, a sign of life reaches nobody: after a take-over it would be an edit of a task
    // that is another's.
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
        let mut watch = sync.leases.state();
        if watch.pruned.elapsed() < PRUNE.min(watch.lease) {
            return Ok(());
        }
        watch.pruned = Instant::now();
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

fn write_heartbeat_in(replica: &Replica, path: &VaultPath, record: ClaimRecord) -> Result<bool, SyncError> {
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
    let beat = record.beat.saturating_add(1);
    platinum_tasks::write_claim(&mut note, path, &ClaimRecord { beat, ..record })?;
    replica.worktree.touch([path].into_iter());
    match replica
        .vault
        .replace(path, note.to_text().as_bytes(), Some(text.as_bytes()))
    {
        Ok(()) => Ok(true),
        // Somebody edits it: that is a sign of life soon enough.
        Err(VaultError::Changed(_) | VaultError::NotFound(_)) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Forgets the marks of claims that no longer say anything; answers how many.
pub(crate) fn prune_marks(replica: &Replica) -> Result<usize, SyncError> {
    let Some(tip) = replica.repo.tip(RefName::Verified)? else {
        return Ok(0);
    };
    let mut pruned = 0;
    for name in replica.repo.marks("claims")? {
        let task = name.rsplit('/').next().and_then(|id| id.parse().ok());
        let keep = match task {
            Some(task) => match place::place_at(replica, Some(tip), task)? {
                // A push may still be under way, or this is what tells our claim.
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

/// Looks, now and then, for owners that have been silent for a lease, and takes over their
/// tasks of these zones that have no draft of their claim. Answers what is this agent's now.
///
/// # Errors
/// If the remote is away, or the repository cannot be read.
pub async fn take_over_stuck(sync: &Synchronizer, zones: &[Zone]) -> Result<Vec<(TaskId, Zone)>, SyncError> {
    let may = sync.replica.role == Role::Local && sync.remote.is_some();
    if !may || !is_check_due(sync) || sync.remote_state().silence().is_some() {
        return Ok(Vec::new());
    }
    let zones = zones.to_vec();
    sync.run_exclusive(move |sync| async move { take_over_exclusively(sync, &zones).await })
        .await
}

/// A sign of life, if this agent owns tasks and has had nothing to push for a third of the
/// lease: a count in the record of one of its claims. Answers whether one was given.
///
/// # Errors
/// If the note cannot be edited, or the remote is away.
pub async fn beat(sync: &Synchronizer) -> Result<bool, SyncError> {
    if sync.remote.is_none() || sync.remote_state().silence().is_some() {
        return Ok(false);
    }
    let is_due = {
        let watch = sync.leases.state();
        let now = ms(watch.began.elapsed());
        let pushed = now.saturating_sub(ms(watch.pushed.elapsed()));
        Leases::is_beat_due(ms(watch.lease), pushed, now)
    };
    if !is_due {
        return Ok(false);
    }
    sync.run_exclusive(|sync| async move { heartbeat_exclusively(sync).await })
        .await
}

