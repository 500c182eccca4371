//! Recovering what killed writers left: no hidden file stays, and no edit is lost with it.
//!
//! Invariant: bytes that could be an edit are removed only if they are in the history at
//! the file they were; else they come back as a conflict copy beside it.

use platinum_core::{AgentName, VaultPath};
use platinum_policy::MAX_FILE_BYTES;
use platinum_repo::{Oid, RefName, Repo};
use platinum_vault::{Leftover, Vault, VaultError};

use crate::{WorktreeError, conflict_copy::conflict_copy_path};

/// Recovers what killed writers left in a vault.
pub(crate) struct Recovery<'a> {
    pub(crate) vault: &'a Vault,
    pub(crate) repo: &'a Repo,
    pub(crate) agent: &'a AgentName,
}

impl Recovery<'_> {
    /// Removes what killed writers left, or brings it back; answers what came back.
    pub(crate) fn recover_all(
        &self,
        leftovers: &[Leftover],
    ) -> Result<Vec<VaultPath>, WorktreeError> {
        let mut back = Vec::new();
        for leftover in leftovers {
            match self.recover(leftover) {
                Ok(came) => back.extend(came),
                Err(WorktreeError::Vault(error)) => {
                    tracing::warn!("Cannot recover a file that a killed program left: {error}.");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(back)
    }

    fn recover(&self, leftover: &Leftover) -> Result<Option<VaultPath>, WorktreeError> {
        if leftover.is_unfinished_write() {
            leftover.remove(self.vault)?;
            return Ok(None);
        }
        let blob = match leftover.read(self.vault, MAX_FILE_BYTES as u64) {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => Some(Repo::blob_oid_of(&bytes)?),
            // Too large to be synced, but an edit all the same.
            Err(_) => None,
        };
        if let Some(blob) = blob
            && self.is_in_history(leftover.target(), blob)?
        {
            fail::fail_point!("sweep-known");
            leftover.remove(self.vault)?;
            return Ok(None);
        }
        let of = match leftover.target() {
            Some(target) => target.clone(),
            None => VaultPath::new("Inbox/found.md").map_err(VaultError::from)?,
        };
        let to = conflict_copy_path(self.agent, &of, blob);
        tracing::warn!(
            "Recovered an edit that a killed program left in {} as {to}.",
            leftover.shown()
        );
        fail::fail_point!("sweep-unknown");
        leftover.restore(self.vault, &to)?;
        fail::fail_point!("sweep-brought-back");
        Ok(Some(to))
    }

    /// Whether a version of a file is among those that are certainly kept.
    fn is_in_history(&self, path: Option<&VaultPath>, blob: Oid) -> Result<bool, WorktreeError> {
        let Some(path) = path else {
            return Ok(false);
        };
        let tips = [
            self.repo.tip(RefName::Applied)?,
            self.repo.tip(RefName::Verified)?,
            self.repo.last_snapshot()?,
        ];
        for tip in tips.into_iter().flatten() {
            if self.repo.blob_at(tip, path)? == Some(blob) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
