//! [`PendingDrafts`]: which files wait for the owner in `Pending_Approval/`, noted for whoever has to
//! know that a file which is found in `Approved/` is the very one that waited.
//!
//! Lives elsewhere: what a move means is decided by the host's approvals; where it is kept, too.
//! Invariant: what is noted was seen in `Pending_Approval/` under that draft's name.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use platinum_core::{DraftId, FileIdentity, VaultPath, layout, sha256_hex};
use platinum_policy::MAX_FILE_BYTES;
use platinum_vault::{FileState, Vault, VaultError};

/// Where it is kept which files waited for the owner.
pub trait PendingDrafts: Send + Sync {
    /// This file waits under this draft's name, or is about to; `sha256` is that of its content, in
    /// hex.
    ///
    /// # Errors
    /// If it cannot be kept.
    fn note(
        &self,
        draft: DraftId,
        file: FileIdentity,
        sha256: &str,
        is_placed: bool,
    ) -> Result<(), String>;

    /// Whether a file has ever waited under this draft's name.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn has_waited(&self, draft: DraftId) -> Result<bool, String>;
}

/// Looks at `Pending_Approval/`, and has what is new there noted.
#[derive(Default)]
pub(crate) struct PendingFolder {
    kept_by: Mutex<Option<Arc<dyn PendingDrafts>>>,
    /// The files as they were when they were last noted.
    noted: Mutex<HashMap<VaultPath, FileState>>,
}

impl PendingFolder {
    pub(crate) fn keep_in(&self, drafts: Arc<dyn PendingDrafts>) {
        *self.kept_by.lock().unwrap_or_else(PoisonError::into_inner) = Some(drafts);
    }

    fn kept_by(&self) -> Option<Arc<dyn PendingDrafts>> {
        self.kept_by
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Whether a file that is to be in `Pending_Approval/` has waited there already.
    pub(crate) fn has_waited(&self, path: &VaultPath) -> bool {
        let (Some(drafts), Some(draft)) = (self.kept_by(), draft_at(path)) else {
            return false;
        };
        drafts.has_waited(draft).unwrap_or_else(|error| {
            tracing::warn!("Cannot find out whether {draft} has waited: {error}.");
            false
        })
    }

    /// Writes a new file. One that will wait is noted before it has its place: whoever moves it in
    /// this very moment, and whenever this process dies, moves a known one.
    pub(crate) fn create_file(
        &self,
        vault: &Vault,
        path: &VaultPath,
        bytes: &[u8],
    ) -> Result<(), VaultError> {
        let (Some(drafts), Some(draft)) = (self.kept_by(), draft_at(path)) else {
            return vault.create(path, bytes);
        };
        vault.create_announced(path, bytes, &mut |file| {
            if let Err(error) = drafts.note(draft, file, &sha256_hex(bytes), false) {
                tracing::warn!("Cannot note that {path} will wait: {error}.");
            }
        })
    }

    /// Notes every file that waits and is not as it was the last time. What cannot be noted now is
    /// tried again the next time: its move is held until it is confirmed.
    pub(crate) fn note_all(&self, vault: &Vault) {
        let Some(drafts) = self.kept_by() else { return };
        let listing = match vault.list_folder(layout::PENDING_APPROVAL) {
            Ok(listing) => listing.unwrap_or_default(),
            Err(error) => {
                tracing::warn!("Cannot list {}: {error}.", layout::PENDING_APPROVAL);
                return;
            }
        };
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|path, _| listing.files.iter().any(|(there, _)| there == path));
        for (path, state) in listing.files {
            let Some(draft) = draft_at(&path) else {
                continue;
            };
            if noted.get(&path) == Some(&state) {
                continue;
            }
            match note(vault, &*drafts, draft, &path) {
                Ok(true) => drop(noted.insert(path, state)),
                Ok(false) => {}
                Err(error) => tracing::warn!("Cannot note that {path} waits: {error}."),
            }
        }
    }
}

/// Notes one file; whether it was there, and the same file all the while.
fn note(
    vault: &Vault,
    drafts: &dyn PendingDrafts,
    draft: DraftId,
    path: &VaultPath,
) -> Result<bool, String> {
    let failed = |error: VaultError| error.to_string();
    let Some(before) = vault.identity(path).map_err(failed)? else {
        return Ok(false);
    };
    let bytes = match vault.read(path, MAX_FILE_BYTES as u64) {
        Err(VaultError::NotFound(_) | VaultError::Changed(_)) => return Ok(false),
        bytes => bytes.map_err(failed)?,
    };
    if vault.identity(path).map_err(failed)? != Some(before) {
        return Ok(false);
    }
    drafts.note(draft, before, &sha256_hex(bytes), true)?;
    Ok(true)
}

/// The draft whose place in `Pending_Approval/` this is.
fn draft_at(path: &VaultPath) -> Option<DraftId> {
    let draft = path.stem().parse().ok()?;
    (*path == layout::pending(draft)).then_some(draft)
}
