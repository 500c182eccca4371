//! Tentative claims: recorded, confirmed when they are won, abandoned when they are lost.
//!
//! Lives elsewhere: what becomes of each intent is decided in `protocol::reconcile`; whether a
//! draft goes out is checked by `content::merge`.
//! Invariant: what was made on a task that turned out to be another agent's is preserved, never
//! deleted, and the owner is notified on the dashboard.

use platinum_core::{AgentName, ClaimId, TaskId, VaultPath, layout};
use platinum_protocol::{TaskPlace, reconcile::Intent};
use platinum_repo::{Oid, RefName};
use platinum_tasks::{DRAFT_FOLDERS, MAX_NOTE, TaskNoteError};
use platinum_vault::note::{DraftNote, Note};

use super::{UNCONFIRMED, place};
use crate::{SyncError, claims::preserve::preserve_and_notify, replica::Replica};

/// Records the intent to claim a task, which could not be done as the remote is away.
pub(crate) fn record_intent(
    replica: &Replica,
    task: TaskId,
    claim: ClaimId,
) -> Result<(), SyncError> {
    if replica.intents.get(task).is_some() {
        return Ok(());
    }
    let place = place::place_at(replica, replica.repo.tip(RefName::Verified)?, task)?;
    let known = match place {
        TaskPlace::Waiting => true,
        TaskPlace::Absent => false,
        // The last known state is that it is another's.
        TaskPlace::Owned(_) | TaskPlace::Finished => return Ok(()),
    };
    replica
        .intents
        .set(task, Some(Intent::Claim { claim, known }))
}

/// A claim that was tentative is won: its drafts get its epoch, and may go out.
pub(crate) fn confirm(replica: &Replica, task: TaskId, epoch: u64) -> Result<(), SyncError> {
    if !matches!(replica.intents.get(task), Some(Intent::Claim { .. })) {
        return Ok(());
    }
    for (path, text) in unconfirmed_drafts(replica, task)? {
        confirm_draft(replica, task, epoch, &path, &text)?;
    }
    replica.intents.set(task, None)
}

/// A draft gets the epoch of its task's claim, and may go out.
fn confirm_draft(
    replica: &Replica,
    task: TaskId,
    epoch: u64,
    path: &VaultPath,
    text: &str,
) -> Result<(), SyncError> {
    let failed = |source| TaskNoteError::Note {
        path: path.clone(),
        source,
    };
    let mut note = Note::parse(text).map_err(failed)?;
    note.set("epoch", epoch).map_err(failed)?;
    replica.worktree.touch([path].into_iter());
    replica
        .vault
        .replace(path, note.to_text().as_bytes(), Some(text.as_bytes()))?;
    fail::fail_point!("draft-confirmed");
    replica.notifier.post_update(
        Some(task),
        &format!("The claim of a task is confirmed; its draft {path} waits for you"),
    );
    Ok(())
}

/// Decides about a draft that is withheld although no claim of its task is tentative: it was
/// written in the moment in which that claim was won or lost.
pub(crate) fn reconcile_draft(replica: &Replica, path: &VaultPath) -> Result<(), SyncError> {
    let text = replica.vault.read_text(path, MAX_NOTE as u64)?;
    let Some(task) = unconfirmed(&text) else {
        return Ok(());
    };
    if matches!(replica.intents.get(task), Some(Intent::Claim { .. })) {
        return Ok(());
    }
    match place::place(replica, task)? {
        TaskPlace::Owned(record) if record.agent == replica.agent => {
            let epoch = record.epoch.max(UNCONFIRMED + 1);
            confirm_draft(replica, task, epoch, path, &text)
        }
        // It may be claimed yet.
        TaskPlace::Waiting => Ok(()),
        place => {
            let owner = match &place {
                TaskPlace::Owned(record) => Some(&record.agent),
                _ => None,
            };
            preserve_and_notify(replica, task, path, owner)
        }
    }
}

/// A task that was worked on offline is another's: the work is preserved.
pub(crate) fn abandon(
    replica: &Replica,
    task: TaskId,
    owner: Option<&AgentName>,
) -> Result<(), SyncError> {
    let _lock = replica.worktree.lock();
    let intent = replica.intents.get(task);
    let mut made: Vec<VaultPath> = match &intent {
        Some(Intent::Claim { .. }) => {
            let drafts = unconfirmed_drafts(replica, task)?.into_iter();
            drafts.map(|(path, _)| path).collect()
        }
        _ => Vec::new(),
    };
    if matches!(intent, Some(Intent::Finish { .. })) {
        let filed = replica.vault.walk_in(layout::DONE)?.into_iter();
        let name = task.to_string();
        made.extend(filed.map(|e| e.path).filter(|path| path.stem() == name));
    }
    if matches!(intent, Some(Intent::Own { .. })) {
        let path = layout::in_progress(&replica.agent, task);
        made.extend(replica.vault.exists(&path)?.then_some(path));
    }
    for path in made {
        preserve_and_notify(replica, task, &path, owner)?;
    }
    replica.intents.set(task, None)
}

/// The drafts for a task that were made without a confirmed claim.
fn unconfirmed_drafts(
    replica: &Replica,
    task: TaskId,
) -> Result<Vec<(VaultPath, String)>, SyncError> {
    let mut drafts = Vec::new();
    for folder in DRAFT_FOLDERS {
        for entry in replica.vault.list(folder)? {
            let Ok(text) = replica.vault.read_text(&entry.path, MAX_NOTE as u64) else {
                continue;
            };
            if unconfirmed(&text) == Some(task) {
                drafts.push((entry.path, text));
            }
        }
    }
    Ok(drafts)
}

/// Whether an edit is a draft that may not leave this machine yet.
pub(crate) fn is_unconfirmed(replica: &Replica, path: &VaultPath, blob: Oid) -> bool {
    if !DRAFT_FOLDERS.contains(&path.top()) {
        return false;
    }
    let text = replica.repo.read_blob(blob, MAX_NOTE).ok();
    text.and_then(|bytes| String::from_utf8(bytes).ok())
        .is_some_and(|text| unconfirmed(&text).is_some())
}

/// The task of a draft that was made without a confirmed claim, if it is one.
fn unconfirmed(text: &str) -> Option<TaskId> {
    let draft = DraftNote::parse(text).ok()?;
    (draft.epoch == Some(UNCONFIRMED)).then_some(draft.task)
}
