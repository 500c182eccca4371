//! Tasks of zones that only the owner's machine works in: claimed here without the remote, filed here,
//! and taken back by hand.
//!
//! Lives elsewhere: filing is `finish`'s; pushing it is the sync's, which finds the moved files as
//! edits.
//! Invariant: such a claim lasts as long as its file: deleted or moved back, it is over, and the next
//! one has another id and a higher epoch.

use platinum_core::{ClaimId, Role, TaskId, Timestamp, VaultPath, layout, whole_second};
use platinum_protocol::{ClaimRecord, Claimed, TaskPlace, reconcile::Intent};
use platinum_repo::RefName;
use platinum_tasks::MAX_NOTE;
use platinum_vault::{VaultError, note::Note};
use platinum_worktree::WorktreeUpdate;

use super::{filing, place};
use crate::{
    SyncError,
    claims::{task_move, types::TaskMove},
    replica::{Replica, tasks},
};

/// The claim of a task that is this agent's in a zone of this machine alone.
pub(crate) fn owned_claim(
    replica: &Replica,
    task: TaskId,
) -> Result<Option<ClaimRecord>, SyncError> {
    let TaskPlace::Owned(record) = place::place(replica, task)? else {
        return Ok(None);
    };
    let path = layout::in_progress(&replica.agent, task);
    let is_ours = record.agent == replica.agent
        && replica.role == Role::Local
        && replica.vault.exists(&path)?
        && platinum_policy::is_local_only(tasks::read(replica, task)?.zone);
    Ok(is_ours.then_some(record))
}

/// Claims a task of a zone that only this machine works in; nothing if it is not one.
pub(crate) fn claim(replica: &Replica, task: TaskId) -> Result<Option<Claimed>, SyncError> {
    if replica.role != Role::Local {
        return Ok(None);
    }
    let _lock = replica.worktree.lock();
    replica.worktree.resume_apply()?;
    let from = find_waiting(replica, task)?;
    let earlier = match replica.intents.get(task) {
        // It waits for another claim, or is nowhere.
        Some(Intent::Own { record }) if is_taken_back(replica, task, &record)? => None,
        Some(Intent::Own { record }) => Some(record),
        _ => None,
    };
    let Some(from) = from else {
        let owned = match earlier {
            Some(record) => Some(record),
            // It was pushed since.
            None => owned_claim(replica, task)?,
        };
        return Ok(owned.map(|record| Claimed::Won {
            epoch: record.epoch,
        }));
    };
    if let Some(record) = &earlier
        && let Some(from) = unfinished_move(replica, task, &from, record)?
    {
        replica.worktree.apply(&[], &[from])?;
        return Ok(Some(Claimed::Won {
            epoch: record.epoch,
        }));
    }
    let tip = replica.repo.tip(RefName::Verified)?;
    let found = match tip {
        Some(tip) => Some(platinum_tasks::find(&replica.repo, tip, task)?),
        None => None,
    };
    let mut epoch = found.as_ref().map_or(0, |found| found.epoch);
    if let Some(found) = &found
        && !matches!(found.place, TaskPlace::Waiting | TaskPlace::Absent)
    {
        return Ok(None);
    }
    let bytes = replica.vault.read(&from, MAX_NOTE as u64)?;
    let from = (from, replica.repo.write_blob(&bytes)?);
    let mut note = platinum_tasks::read_note(&replica.repo, &from)?;
    epoch = epoch.max(platinum_tasks::epoch_in(&note));
    let record = match (earlier, epoch.checked_add(1)) {
        (Some(record), _) => record,
        (None, Some(epoch)) => ClaimRecord {
            id: ClaimId::generate(),
            agent: replica.agent.clone(),
            epoch,
            at: whole_second(Timestamp::now()),
            base: tip.map(|tip| tip.to_string()).unwrap_or_default(),
            heartbeats: 0,
        },
        (None, None) => {
            return Err(SyncError::Refused(format!(
                "the note {} says that the epochs of its claims are used up; write a smaller \
                 `{}`",
                from.0,
                platinum_tasks::LAST_EPOCH
            )));
        }
    };
    platinum_tasks::write_claim(&mut note, &from.0, &record)?;
    let epoch = record.epoch;
    replica.intents.set(task, Some(Intent::Own { record }))?;
    fail::fail_point!("claim-decided-here");
    let blob = replica.repo.write_blob(note.to_text().as_bytes())?;
    // Not noted as applied: the next sync finds it as an edit, and pushes it.
    task_move::move_on_disk(
        replica,
        &TaskMove {
            from,
            to: (layout::in_progress(&replica.agent, task), blob),
            replaces: None,
        },
    )?;
    tracing::info!(%task, epoch, "The task is claimed; its zone is this machine's alone.");
    Ok(Some(Claimed::Won { epoch }))
}

/// Where the work tree has a task that waits in a zone that only this machine works in.
fn find_waiting(replica: &Replica, task: TaskId) -> Result<Option<VaultPath>, SyncError> {
    for zone in platinum_policy::local_only_zones() {
        let path = layout::waiting(zone, task);
        if replica.vault.exists(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// What is left to do of a claim that stopped between the two halves of its move: the file that
/// waits is unedited, and the claim is in the other one, whatever else is in it.
fn unfinished_move(
    replica: &Replica,
    task: TaskId,
    from: &VaultPath,
    record: &ClaimRecord,
) -> Result<Option<WorktreeUpdate>, SyncError> {
    let own = layout::in_progress(&replica.agent, task);
    if claim_on_disk(replica, &own) != Some(record.id) {
        return Ok(None);
    }
    let expected = task_move::unedited_blob(replica, from)?;
    Ok(expected.map(|blob| WorktreeUpdate {
        path: from.clone(),
        expected: Some(blob),
        new: None,
    }))
}

/// Whether what was claimed here has ended by hand: the file is gone, or somewhere else, or waits
/// and speaks of that claim. A move that stopped halfway leaves the file that waits as it was.
fn is_taken_back(replica: &Replica, task: TaskId, record: &ClaimRecord) -> Result<bool, SyncError> {
    if replica
        .vault
        .exists(&layout::in_progress(&replica.agent, task))?
    {
        return Ok(false);
    }
    Ok(match find_waiting(replica, task)? {
        Some(from) => note_on_disk(replica, &from)
            .is_some_and(|note| platinum_tasks::epoch_in(&note) >= record.epoch),
        None => true,
    })
}

/// The claim in a note of the work tree, as far as that can be read.
fn claim_on_disk(replica: &Replica, path: &VaultPath) -> Option<ClaimId> {
    let note = note_on_disk(replica, path);
    platinum_tasks::claim_in(note.as_ref(), &replica.agent).map(|record| record.id)
}

fn note_on_disk(replica: &Replica, path: &VaultPath) -> Option<Note> {
    let text = replica.vault.read_text(path, MAX_NOTE as u64).ok()?;
    Note::parse(&text).ok()
}

/// Does what is left of something that was decided here and stopped halfway.
pub(crate) fn resume(replica: &Replica, task: TaskId, intent: &Intent) -> Result<(), SyncError> {
    let record = match intent {
        Intent::Own { record } => record,
        Intent::Finish { .. } => return resume_finish(replica, task, intent),
        Intent::Claim { .. } => return Ok(()),
    };
    {
        let _lock = replica.worktree.lock();
        replica.worktree.resume_apply()?;
        if is_taken_back(replica, task, record)? {
            return replace_intent(replica, task, intent, None);
        }
    }
    match find_waiting(replica, task)? {
        // Moved back by hand, with its claim in it: that is no move that stopped.
        Some(from) if claim_on_disk(replica, &from) == Some(record.id) => Ok(()),
        // What was decided while the remote was asked is resumed by the next sync.
        Some(_) if replica.intents.get(task).as_ref() == Some(intent) => {
            claim(replica, task).map(drop)
        }
        _ => Ok(()),
    }
}

/// The same for an end. One that a person has taken back is forgotten: the files alone count.
fn resume_finish(replica: &Replica, task: TaskId, intent: &Intent) -> Result<(), SyncError> {
    let Intent::Finish { record, published } = intent else {
        return Ok(());
    };
    if filing::is_filed(replica, task)? {
        return Ok(());
    }
    let _lock = replica.worktree.lock();
    let own = layout::in_progress(&replica.agent, task);
    match replica.vault.read_text(&own, MAX_NOTE as u64) {
        Err(VaultError::NotFound(_)) => replace_intent(replica, task, intent, None),
        // Killed before it was filed: it is finished once more.
        Ok(text) if !filing::has_end(&text) => Ok(()),
        // Moved back to where it was. If its claim was not pushed, that is still to be done.
        Ok(_) => {
            let record = record.clone();
            let own = (!published).then_some(Intent::Own { record });
            replace_intent(replica, task, intent, own)
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts another intent, or none, in the place of one that came to nothing; unless something
/// was decided meanwhile.
fn replace_intent(
    replica: &Replica,
    task: TaskId,
    past: &Intent,
    now: Option<Intent>,
) -> Result<(), SyncError> {
    if replica.intents.get(task).as_ref() != Some(past) {
        return Ok(());
    }
    tracing::info!(%task, "An offline intent was taken back by hand.");
    replica.intents.set(task, now)
}
