//! Tasks that were filed here and not pushed yet.

use platinum_core::{TaskId, layout};
use platinum_protocol::reconcile::Intent;
use platinum_tasks::MAX_NOTE;
use platinum_vault::{VaultError, note::Note};
use platinum_worktree::WorktreeUpdate;

use crate::{SyncError, claims::task_move, replica::Replica};

/// Whether a task was filed here and not pushed yet. If that stopped between the two halves of its
/// move, the rest is done.
pub(crate) fn is_filed(replica: &Replica, task: TaskId) -> Result<bool, SyncError> {
    if !matches!(replica.intents.get(task), Some(Intent::Finish { .. })) {
        return Ok(false);
    }
    let _lock = replica.worktree.lock();
    replica.worktree.resume_apply()?;
    let name = task.to_string();
    let mut filed = replica.vault.walk_in(layout::DONE)?.into_iter();
    let Some(filed) = filed.find(|entry| entry.path.stem() == name) else {
        return Ok(false);
    };
    let path = layout::in_progress(&replica.agent, task);
    let bytes = match replica.vault.read(&path, MAX_NOTE as u64) {
        Ok(bytes) => bytes,
        Err(VaultError::NotFound(_)) => return Ok(true),
        Err(error) => return Err(error.into()),
    };
    let filed = replica.vault.read(&filed.path, MAX_NOTE as u64)?;
    // One that was edited since becomes a conflict copy.
    let expected = match task_move::unedited_blob(replica, &path)? {
        None if without_end(&filed).is_some_and(|it| Some(it) == without_end(&bytes)) => {
            Some(replica.repo.write_blob(&bytes)?)
        }
        unedited => unedited,
    };
    let rest = WorktreeUpdate {
        path,
        expected,
        new: None,
    };
    replica.worktree.apply(&[], &[rest])?;
    Ok(true)
}

/// Whether a task's note says how it ended.
pub(crate) fn has_end(text: &str) -> bool {
    Note::parse(text).is_ok_and(|note| note.get("finished").is_some())
}

/// A task's note without what its end has written into it.
fn without_end(bytes: &[u8]) -> Option<String> {
    let mut note = Note::parse(std::str::from_utf8(bytes).ok()?).ok()?;
    for key in ["outcome", "summary", "finished", "receipts"] {
        note.remove(key).ok()?;
    }
    Some(note.to_text())
}
