//! Reading tasks: from the work tree, or, where it has not got them, from the verified tip.

use platinum_core::{TaskId, VaultPath, layout};
use platinum_repo::{Oid, RefName};
use platinum_tasks::{MAX_NOTE, TaskNoteError};
use platinum_vault::{VaultError, note::TaskNote};

use crate::{ClaimError, SyncError, replica::Replica};

/// The tasks in a folder of the work tree, oldest first. A note that is none is skipped with a
/// warning.
pub(crate) fn list_in(replica: &Replica, folder: &str) -> Result<Vec<TaskNote>, SyncError> {
    let mut tasks = Vec::new();
    for entry in replica.vault.list(folder)? {
        // Identity is the file name: a conflict copy of a task is no second task.
        let Ok(id) = entry.path.stem().parse::<TaskId>() else {
            continue;
        };
        let text = match replica.vault.read_text(&entry.path, MAX_NOTE as u64) {
            Ok(text) => text,
            Err(VaultError::NotFound(_)) => continue,
            Err(error) => {
                tracing::warn!("Cannot read a task: {error}.");
                continue;
            }
        };
        match TaskNote::parse(&text) {
            Ok(task) if task.id == id => tasks.push(task),
            Ok(task) => {
                tracing::warn!(path = %entry.path, id = %task.id, "Skipped a note whose id is not its file's name.");
            }
            Err(error) => {
                tracing::warn!(path = %entry.path, "Skipped a note that is no task: {error}.");
            }
        }
    }
    tasks.sort_by_key(|task| (task.created, task.id));
    Ok(tasks)
}

/// A task, in the work tree if it is there, as the remote has it otherwise.
pub(crate) fn read(replica: &Replica, id: TaskId) -> Result<TaskNote, SyncError> {
    let here = match find_at_tip(replica, id)? {
        Some((path, blob)) => match replica.vault.read(&path, MAX_NOTE as u64) {
            Ok(bytes) => Some((path, bytes)),
            Err(VaultError::NotFound(_)) => {
                let bytes = replica.repo.read_blob(blob, MAX_NOTE)?;
                Some((path, bytes))
            }
            Err(error) => return Err(error.into()),
        },
        None => match find_on_disk(replica, id)? {
            Some(path) => {
                let bytes = replica.vault.read(&path, MAX_NOTE as u64)?;
                Some((path, bytes))
            }
            None => None,
        },
    };
    let (path, bytes) = here.ok_or(ClaimError::NoTask(id))?;
    let text = String::from_utf8(bytes).map_err(|_| TaskNoteError::NotText(path.clone()))?;
    Ok(TaskNote::parse(&text).map_err(|source| TaskNoteError::Note { path, source })?)
}

fn find_at_tip(replica: &Replica, id: TaskId) -> Result<Option<(VaultPath, Oid)>, SyncError> {
    let Some(tip) = replica.repo.tip(RefName::Verified)? else {
        return Ok(None);
    };
    Ok(platinum_tasks::find(&replica.repo, tip, id)?.file)
}

/// Where the work tree has a task that waits or is this agent's.
pub(crate) fn find_on_disk(replica: &Replica, id: TaskId) -> Result<Option<VaultPath>, SyncError> {
    let zones = platinum_tasks::zones_in(&replica.vault)?.into_iter();
    let waiting = zones.map(|zone| layout::waiting(zone, id));
    for path in waiting.chain([layout::in_progress(&replica.agent, id)]) {
        if replica.vault.exists(&path)? {
            return Ok(Some(path));
        }
    }
    Ok(None)
}
