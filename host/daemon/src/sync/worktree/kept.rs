//! Reading the work tree for a sync: what differs, kept as soon as it is known.
//!
//! Invariant: every version that a look found settled is in the repository's history before
//! anybody is asked about it, also while the remote is away.

use std::sync::{MutexGuard, PoisonError};

use platinum_core::{Timestamp, VaultPath};
use platinum_repo::{CommitMeta, Edit, Oid, RefName, RepoError};
use platinum_watch::DirtyPaths;

use super::{
    super::{SyncError, side::Side},
    Edits, WorkTree,
};

impl Side {
    /// A sync begins: what changed here is found, and kept.
    pub(in crate::sync) fn begin(&self) -> Result<(), SyncError> {
        let _hands = self.hands();
        self.tree().begin();
        self.catch_up()?;
        let applied = self.repo.tip(RefName::Applied)?;
        self.edits(applied, &mut std::iter::empty()).map(drop)
    }

    /// What the work tree has otherwise than the applied commit, looking also at these paths.
    pub(in crate::sync) fn edits(
        &self,
        applied: Option<Oid>,
        more: &mut dyn Iterator<Item = &VaultPath>,
    ) -> Result<Edits, SyncError> {
        let mut tree = self.tree();
        let sources = (&self.vault, &self.repo, &self.gate);
        let (mut edits, leftovers) = tree.edits(sources, applied, more)?;
        let back = self.sweep(&leftovers)?;
        if !back.is_empty() {
            let mut back = back.iter();
            edits = tree.edits(sources, applied, &mut back)?.0;
        }
        drop(tree);
        self.keep(applied, &edits)?;
        fail::fail_point!("keep-after");
        self.first_seen(&edits.files)?;
        Ok(edits)
    }

    fn keep(&self, applied: Option<Oid>, edits: &Edits) -> Result<(), SyncError> {
        if edits.files.values().all(Option::is_none) {
            return Ok(());
        }
        let list: Vec<(VaultPath, Edit)> = edits
            .files
            .iter()
            .map(|(path, blob)| (path.clone(), blob.map_or(Edit::Delete, Edit::PutBlob)))
            .collect();
        let meta = CommitMeta {
            agent: self.agent.clone(),
            role: self.role,
            message: format!("Kept {} files", list.len()),
            trailers: Vec::new(),
            at: Timestamp::now(),
        };
        fail::fail_point!("keep-before");
        match self.repo.save_snapshot(applied, &list, &meta) {
            Ok(_) => Ok(()),
            // A file where a folder is going away: it is kept when that has happened.
            Err(error @ (RepoError::InTheWay(_) | RepoError::Absent(_))) => {
                tracing::debug!(%error, "The edits are kept at the next look.");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// These paths are about to be changed: the next look goes there.
    pub(in crate::sync) fn touch<'a>(&self, paths: impl Iterator<Item = &'a VaultPath>) {
        self.tree().touch(paths);
    }

    /// From now on this says which paths changed.
    pub(in crate::sync) fn watched_by(&self, dirty: DirtyPaths) {
        self.tree().watched_by(dirty);
    }

    fn tree(&self) -> MutexGuard<'_, WorkTree> {
        self.tree.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
