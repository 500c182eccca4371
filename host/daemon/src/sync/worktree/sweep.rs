//! Tidying after writers that were killed: nothing hidden stays, and nothing is lost with it.
//!
//! Invariant: bytes that could be somebody's edit are removed only if they are in the history at
//! the file they were; else they come back as a conflict copy beside it.

use platinum_core::{Timestamp, VaultPath};
use platinum_protocol::conflict_name;
use platinum_repo::{Oid, RefName, Repo};
use platinum_vault::{Leftover, VaultError};

use super::super::{MAX_FILE, SyncError, side::Side};

impl Side {
    /// Removes what killed writers left, or brings it back; answers what came back.
    pub(in crate::sync) fn sweep(
        &self,
        leftovers: &[Leftover],
    ) -> Result<Vec<VaultPath>, SyncError> {
        let mut back = Vec::new();
        for leftover in leftovers {
            match self.sweep_one(leftover) {
                Ok(came) => back.extend(came),
                Err(SyncError::Vault(error)) => {
                    tracing::warn!("What a killed program left cannot be tidied: {error}.");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(back)
    }

    fn sweep_one(&self, leftover: &Leftover) -> Result<Option<VaultPath>, SyncError> {
        if leftover.is_unfinished_write() {
            self.vault.remove_leftover(leftover)?;
            return Ok(None);
        }
        let blob = match self.vault.read_leftover(leftover, MAX_FILE as u64) {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => Some(Repo::blob_oid_of(&bytes)?),
            // Too large to be synced, but an edit all the same.
            Err(_) => None,
        };
        if let Some(blob) = blob
            && self.is_in_history(leftover.target(), blob)?
        {
            fail::fail_point!("sweep-known");
            self.vault.remove_leftover(leftover)?;
            return Ok(None);
        }
        let of = match leftover.target() {
            Some(target) => target.clone(),
            None => VaultPath::new("Inbox/found.md").map_err(VaultError::from)?,
        };
        let to = self.copy_name(&of, blob);
        tracing::warn!(
            "A program that was killed left an edit in {}; it is {to} now.",
            leftover.shown()
        );
        fail::fail_point!("sweep-unknown");
        self.vault.restore_leftover(leftover, &to)?;
        fail::fail_point!("sweep-brought-back");
        Ok(Some(to))
    }

    /// Whether a version of a file is among those that are certainly kept.
    fn is_in_history(&self, path: Option<&VaultPath>, blob: Oid) -> Result<bool, SyncError> {
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

    /// Where a version that lost its place goes.
    pub(super) fn copy_name(&self, path: &VaultPath, blob: Option<Oid>) -> VaultPath {
        let at = Timestamp::now().as_millisecond();
        let hex = blob.map_or_else(|| "unread".to_owned(), |oid| oid.to_string());
        conflict_name(path, &self.agent, at, &hex)
    }
}
