//! Setting aside what was made on a task that is somebody else's, and telling the owner.
//!
//! Invariants: every byte stays in the vault, under a name that follows from it; nothing is
//! overwritten.

use platinum_core::{TaskId, Timestamp, UpdateId, VaultPath, layout, text::one_line};
use platinum_repo::Repo;
use platinum_vault::{VaultError, note::UpdateNote};

use super::{
    super::{SyncError, side::Side},
    places::MAX_NOTE,
};

impl Side {
    /// Moves a file of a task that is not ours to this agent's updates, under a name that follows
    /// from what is in it: `<task>.conflict-<agent>-<first 8 of the blob>.md`.
    pub(in crate::sync) fn set_by(
        &self,
        task: TaskId,
        path: &VaultPath,
    ) -> Result<Option<VaultPath>, SyncError> {
        let bytes = match self.vault.read(path, MAX_NOTE as u64) {
            Ok(bytes) => bytes,
            Err(VaultError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let blob = Repo::blob_oid_of(&bytes)?.to_string();
        let oid = blob.get(..8).unwrap_or(&blob);
        let agent = &self.agent;
        let name = format!(
            "{}/{agent}/{task}.conflict-{agent}-{oid}.md",
            layout::UPDATES
        );
        let kept = VaultPath::new(name).map_err(|error| SyncError::Vault(error.into()))?;
        self.touch([path, &kept].into_iter());
        match self.vault.rename(path, &kept) {
            Ok(()) => {}
            // Kept before a crash: the same bytes.
            Err(VaultError::Exists(_)) if self.vault.read(&kept, MAX_NOTE as u64)? == bytes => {
                match self.vault.remove_if(path, &bytes) {
                    Ok(()) | Err(VaultError::NotFound(_)) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Err(VaultError::NotFound(_)) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        tracing::warn!(%task, "What was made on a task of somebody else's is kept as {kept}.");
        Ok(Some(kept))
    }

    /// An update for the owner's dashboard. That it fails is logged, and changes nothing.
    pub(in crate::sync) fn tell(&self, task: Option<TaskId>, headline: &str) {
        let note = UpdateNote {
            id: UpdateId::generate(),
            created: Timestamp::now(),
            by: self.agent.to_string(),
            task,
            headline: one_line(headline, 300),
        };
        let path = layout::update(&self.agent, note.id);
        self.touch([&path].into_iter());
        if let Err(error) = self.vault.create(&path, note.render().as_bytes()) {
            tracing::warn!("The owner cannot be told: {error}.");
        }
    }
}
