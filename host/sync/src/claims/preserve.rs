//! Preserving work on a task that is another agent's, and notifying the owner.
//!
//! Invariants: every byte stays in the vault, under a name that follows from it; nothing is
//! overwritten.

use platinum_core::{AgentName, TaskId, VaultPath, layout};
use platinum_repo::Repo;
use platinum_tasks::MAX_NOTE;
use platinum_vault::VaultError;

use crate::{SyncError, replica::Replica};

/// Moves a file of a task that is not ours to this agent's updates, under a name that follows
/// from what is in it: `<task>.conflict-<agent>-<first 8 of the blob>.md`.
pub(crate) fn preserve(
    replica: &Replica,
    task: TaskId,
    path: &VaultPath,
) -> Result<Option<VaultPath>, SyncError> {
    let bytes = match replica.vault.read(path, MAX_NOTE as u64) {
        Ok(bytes) => bytes,
        Err(VaultError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let blob = Repo::blob_oid_of(&bytes)?.to_string();
    let oid = blob.get(..8).unwrap_or(&blob);
    let agent = &replica.agent;
    let name = format!(
        "{}/{agent}/{task}.conflict-{agent}-{oid}.md",
        layout::UPDATES
    );
    let kept = VaultPath::new(name).map_err(|error| SyncError::Vault(error.into()))?;
    replica.worktree.touch([path, &kept].into_iter());
    match replica.vault.rename(path, &kept) {
        Ok(()) => {}
        // Kept before a crash: the same bytes.
        Err(VaultError::Exists(_)) if replica.vault.read(&kept, MAX_NOTE as u64)? == bytes => {
            match replica.vault.remove_if(path, &bytes) {
                Ok(()) | Err(VaultError::NotFound(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(VaultError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    }
    tracing::warn!(%task, "Preserved work on a task of another agent as {kept}.");
    Ok(Some(kept))
}

/// As [`preserve`], and notifies the owner on the dashboard.
pub(crate) fn preserve_and_notify(
    replica: &Replica,
    task: TaskId,
    path: &VaultPath,
    owner: Option<&AgentName>,
) -> Result<(), SyncError> {
    let Some(kept) = preserve(replica, task, path)? else {
        return Ok(());
    };
    fail::fail_point!("lost-work-set-by");
    let who = match owner {
        Some(owner) => format!("{owner} was faster with its task"),
        None => "its task was ended or taken back elsewhere".to_owned(),
    };
    replica.notifier.post_update(
        Some(task),
        &format!("Work that was done here offline is kept as {kept}: {who}"),
    );
    Ok(())
}
