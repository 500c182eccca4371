//! What a claim or an end does to a tree and to the work tree: one task's file moves, and its text
//! may change.
//!
//! Lives elsewhere: when, and against which tip, is `driver`'s and `finish`'s.
//! Invariants: a claim is recognized as ours by a mark in the repository, which is set before the push;
//! the work tree is changed only after the push has landed, path by path, over nothing that was
//! not seen.

use std::collections::BTreeSet;

use platinum_core::{ClaimId, Role, TaskId, Timestamp, VaultPath, layout, whole_second};
use platinum_policy::{Change, check};
use platinum_protocol::{ClaimRecord, TaskPlace, reconcile::Intent};
use platinum_repo::{Edit, Oid, RefName};
use platinum_tasks::{MAX_NOTE, TaskLocation};
use platinum_vault::note::{Note, check_carried};
use platinum_worktree::WorktreeUpdate;

use super::types::{ClaimSource, Proposal, TaskMove, TipView, mark};
use crate::{ClaimError, SyncError, replica::Replica};

/// The trailer with the claim's id.
const TRAILER_CLAIM: &str = "Platinum-Claim";
/// The trailer with its epoch.
const TRAILER_EPOCH: &str = "Platinum-Epoch";

/// What a claim has to know of a tip.
pub(crate) fn observe_tip(
    replica: &Replica,
    tip: Option<Oid>,
    task: TaskId,
    claim: ClaimId,
    commit: Option<Oid>,
) -> Result<TipView, SyncError> {
    let Some(at) = tip else {
        let found = TaskLocation {
            place: TaskPlace::Absent,
            file: None,
            zone: None,
            epoch: 0,
        };
        return Ok(TipView {
            tip,
            found,
            landed: None,
            is_earlier: false,
        });
    };
    let found = platinum_tasks::find(&replica.repo, at, task)?;
    let landed = commit.map(|commit| replica.repo.is_ancestor(commit, at));
    let is_earlier = match &found.place {
        // With nothing proposed, a claim of this id is one of before, too: its push came late.
        TaskPlace::Owned(record) if record.id != claim || commit.is_none() => {
            is_own_claim(replica, task, record)?
        }
        _ => false,
    };
    Ok(TipView {
        tip,
        found,
        landed: landed.transpose()?,
        is_earlier,
    })
}

/// The claim of a task as a commit on `tip`.
pub(crate) fn build_claim(
    replica: &Replica,
    task: TaskId,
    tip: Option<Oid>,
    (claim, epoch): (ClaimId, u64),
    how: ClaimSource,
) -> Result<Proposal, SyncError> {
    let on_tip = tip.ok_or(ClaimError::NoTask(task))?;
    let found = platinum_tasks::find(&replica.repo, on_tip, task)?;
    let Some(from) = found.file else {
        return Err(ClaimError::NoTask(task).into());
    };
    if let Some(zone) = found.zone
        && platinum_policy::is_local_only(zone)
        && replica.role == Role::Cloud
    {
        return Err(ClaimError::ZoneDenied(zone).into());
    }
    if replica.role == Role::Cloud && found.epoch.checked_add(1) != Some(epoch) {
        // It was set back by hand between two fetches: the others would refuse it as forged.
        return Err(SyncError::Refused(format!(
            "the task {task} has another epoch than a moment ago; it is claimed anew"
        )));
    }
    let record = ClaimRecord {
        id: claim,
        agent: replica.agent.clone(),
        epoch,
        at: whole_second(Timestamp::now()),
        base: on_tip.to_string(),
        heartbeats: 0,
    };
    let to = layout::in_progress(&replica.agent, task);
    let in_hand = match how {
        ClaimSource::MovedByHand => {
            let bytes = replica.vault.read(&to, MAX_NOTE as u64)?;
            Some(replica.repo.write_blob(&bytes)?)
        }
        ClaimSource::Waiting | ClaimSource::Expired => None,
    };
    let mut note = match in_hand {
        Some(blob) => platinum_tasks::read_note(&replica.repo, &(to.clone(), blob))?,
        None => platinum_tasks::read_note(&replica.repo, &from)?,
    };
    platinum_tasks::write_claim(&mut note, &from.0, &record)?;
    let trailers = vec![
        (TRAILER_CLAIM.to_owned(), claim.to_string()),
        (TRAILER_EPOCH.to_owned(), epoch.to_string()),
    ];
    let message = match how {
        ClaimSource::Waiting | ClaimSource::MovedByHand => format!("Claim {task}"),
        ClaimSource::Expired => format!("Take over {task}"),
    };
    let (commit, mut moved) = commit_move(replica, on_tip, from, to, &note, message, trailers)?;
    moved.replaces = in_hand;
    fail::fail_point!("claim-made");
    // Before the push: whatever happens after it, this claim is recognised as ours.
    replica.repo.set_mark(&mark(task), Some(commit))?;
    fail::fail_point!("claim-marked");
    Ok(Proposal {
        commit,
        on_tip: Some(on_tip),
        moved,
    })
}

/// One file moved and rewritten, as a commit on `tip` that the policy allows.
pub(crate) fn commit_move(
    replica: &Replica,
    tip: Oid,
    from: (VaultPath, Oid),
    to: VaultPath,
    note: &Note,
    message: String,
    trailers: Vec<(String, String)>,
) -> Result<(Oid, TaskMove), SyncError> {
    let changes = [
        (from.0.clone(), Change::Delete),
        (to.clone(), Change::Create),
    ];
    if let Err(violations) = check(replica.role, &replica.agent, &changes) {
        let text: Vec<_> = violations.iter().map(ToString::to_string).collect();
        return Err(SyncError::Refused(text.join("; ")));
    }
    let text = note.to_text();
    if replica.role == Role::Cloud {
        // Edited by hand on this host: the others would refuse it.
        let before = replica.repo.read_blob(from.1, MAX_NOTE)?;
        check_carried(&before, text.as_bytes())
            .map_err(|fault| SyncError::Refused(format!("{to}: {fault}")))?;
    }
    let blob = replica.repo.write_blob(text.as_bytes())?;
    let edits = [
        (from.0.clone(), Edit::Delete),
        (to.clone(), Edit::PutBlob(blob)),
    ];
    let commit = replica
        .repo
        .commit(Some(tip), &edits, &replica.clock.meta(message, trailers))?;
    fail::fail_point!("move-committed");
    replica.repo.record_outgoing(commit)?;
    Ok((
        commit,
        TaskMove {
            from,
            to: (to, blob),
            replaces: None,
        },
    ))
}

/// Does in the work tree what a commit that landed did, and notes it as applied, so that what
/// happens to the file from here on is an edit of it.
pub(crate) fn apply_move(
    replica: &Replica,
    commit: Oid,
    moved: &TaskMove,
) -> Result<(), SyncError> {
    let _lock = replica.worktree.lock();
    // The tip may be a later one by now, with another version of the file.
    replica.worktree.begin_apply(commit)?;
    move_on_disk(replica, moved)?;
    fail::fail_point!("move-done");
    note_applied(replica, Some(&moved.from.0), &moved.to)?;
    replica.worktree.end_apply()?;
    fail::fail_point!("move-noted");
    Ok(())
}

/// Moves the file in the work tree alone. What is at either place as the applied commit has it
/// is no edit, however old it is: a task can have been claimed and released, or edited elsewhere,
/// since the last sync of content. An interrupted apply is resumed before.
pub(crate) fn move_on_disk(replica: &Replica, moved: &TaskMove) -> Result<(), SyncError> {
    let updates = [
        WorktreeUpdate {
            path: moved.to.0.clone(),
            expected: match moved.replaces {
                Some(replaces) => Some(replaces),
                None => unedited_blob(replica, &moved.to.0)?,
            },
            new: Some(moved.to.1),
        },
        WorktreeUpdate {
            path: moved.from.0.clone(),
            expected: unedited_blob(replica, &moved.from.0)?.or(Some(moved.from.1)),
            new: None,
        },
    ];
    replica.worktree.apply(&[], &updates)?;
    Ok(())
}

/// The blob of a file of the work tree that is as the applied commit has it.
pub(crate) fn unedited_blob(replica: &Replica, path: &VaultPath) -> Result<Option<Oid>, SyncError> {
    let Some(applied) = replica.repo.tip(RefName::Applied)? else {
        return Ok(None);
    };
    let Some(blob) = replica.repo.blob_at(applied, path)? else {
        return Ok(None);
    };
    // An unreadable file is reported by the move itself.
    let there = replica.worktree.blob_on_disk(path).ok().flatten();
    Ok(there.filter(|there| *there == blob))
}

/// The base of the next merge gets these two paths of the tip ahead of the others. That makes
/// a commit that never leaves this machine.
fn note_applied(
    replica: &Replica,
    from: Option<&VaultPath>,
    to: &(VaultPath, Oid),
) -> Result<(), SyncError> {
    let applied = replica.repo.tip(RefName::Applied)?;
    let mut edits = vec![(to.0.clone(), Edit::PutBlob(to.1))];
    if let (Some(applied), Some(from)) = (applied, from)
        && replica.repo.blob_at(applied, from)?.is_some()
    {
        edits.push((from.clone(), Edit::Delete));
    }
    let meta = replica.clock.meta("Applied ahead".to_owned(), Vec::new());
    let commit = replica.repo.commit(applied, &edits, &meta)?;
    Ok(replica.repo.set_ref(RefName::Applied, commit)?)
}

/// Whether this host made the claim, as its mark says.
pub(crate) fn is_own_claim(
    replica: &Replica,
    task: TaskId,
    record: &ClaimRecord,
) -> Result<bool, SyncError> {
    if record.agent != replica.agent {
        return Ok(false);
    }
    let Some(commit) = replica.repo.mark(&mark(task))? else {
        return Ok(false);
    };
    let info = replica.repo.commit_info(commit)?;
    Ok(info.trailer(TRAILER_CLAIM) == Some(record.id.to_string().as_str()))
}

/// The id for the next claim of a task: an intent has one already, and so has a
/// claim that was pushed before. Its push may still arrive, late; under another id this host
/// would not recognize that claim as its own, and own a task without ever finding out.
pub(crate) fn next_claim_id(replica: &Replica, task: TaskId) -> Result<ClaimId, SyncError> {
    if let Some(Intent::Claim { claim, .. }) = replica.intents.get(task) {
        return Ok(claim);
    }
    let pushed = match replica.repo.mark(&mark(task))? {
        Some(commit) => replica
            .repo
            .commit_info(commit)?
            .trailer(TRAILER_CLAIM)
            .and_then(|id| id.parse().ok()),
        None => None,
    };
    Ok(pushed.unwrap_or_else(ClaimId::generate))
}

/// Applies the file of a claim that was won, but not applied before a crash.
pub(crate) fn apply_won_claim(
    replica: &Replica,
    tip: Option<Oid>,
    found: &TaskLocation,
    task: TaskId,
) -> Result<(), SyncError> {
    let (Some(tip), Some((path, blob))) = (tip, &found.file) else {
        return Ok(());
    };
    let _lock = replica.worktree.lock();
    if replica.vault.exists(path)? {
        return Ok(());
    }
    replica.worktree.begin_apply(tip)?;
    let to = (path.clone(), *blob);
    let mut updates = vec![WorktreeUpdate {
        path: path.clone(),
        expected: None,
        new: Some(*blob),
    }];
    let mut left = None;
    if let Some(applied) = replica.repo.tip(RefName::Applied)? {
        let before = platinum_tasks::find(&replica.repo, applied, task)?;
        if let (TaskPlace::Waiting, Some((from, blob))) = (before.place, before.file) {
            updates.push(WorktreeUpdate {
                path: from.clone(),
                expected: Some(blob),
                new: None,
            });
            left = Some(from);
        }
    }
    replica.worktree.apply(&[], &updates)?;
    fail::fail_point!("claim-brought");
    note_applied(replica, left.as_ref(), &to)?;
    Ok(replica.worktree.end_apply()?)
}

/// Whether the work tree has this task otherwise than the applied commit.
pub(crate) fn is_edited(replica: &Replica, task: TaskId) -> Result<bool, SyncError> {
    let applied = replica.repo.tip(RefName::Applied)?;
    let mut zones: BTreeSet<_> = platinum_tasks::zones_in(&replica.vault)?
        .into_iter()
        .collect();
    if let Some(applied) = applied {
        zones.extend(platinum_tasks::zones_at(&replica.repo, applied)?);
    }
    let waiting: Vec<_> = zones
        .into_iter()
        .map(|zone| layout::waiting(zone, task))
        .collect();
    let own = layout::in_progress(&replica.agent, task);
    for path in waiting.iter().chain([&own]) {
        let base = match applied {
            Some(applied) => replica.repo.blob_at(applied, path)?,
            None => None,
        };
        if !replica.vault.exists(path)? {
            // A person took it away where it waits: a claim would bring it back.
            if *path != own && base.is_some() {
                return Ok(true);
            }
            continue;
        }
        if replica.worktree.blob_on_disk(path)? != base {
            // Not an edit if a claim put it there ahead of the sync.
            let verified = replica.repo.tip(RefName::Verified)?;
            let there = match verified {
                Some(tip) => replica.repo.blob_at(tip, path)?,
                None => None,
            };
            if there.is_none() || replica.worktree.blob_on_disk(path)? != there {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
