//! The apply journal: what an interrupted apply has left in the work tree.
//!
//! A daemon that dies while it applies a commit leaves some of its files in the work tree, and the base of
//! the next merge behind them. To that merge the remote's own versions would look like edits made
//! here, and, found last, they would win over what the remote has by now: a deleted note comes
//! back, a claim that was given up replaces a newer one.
//!
//! Lives elsewhere: writing the files is `apply`'s.
//! Invariants: which commit is being applied is recorded before its first file, and forgotten only
//! after the base has what came of it; a file counts as applied only if it is exactly as that
//! commit has it.

use platinum_core::{Timestamp, VaultPath, layout};
use platinum_repo::{Edit, Oid, RefName};
use platinum_vault::PathEntry;

use crate::{Worktree, WorktreeError};

/// The mark with the commit that is being applied.
const APPLYING: &str = "bringing";

impl Worktree {
    /// A sync begins: finds what changed here, and keeps it in the history.
    ///
    /// # Errors
    /// If the vault or the repository cannot be read or written.
    pub fn begin_sync(&self) -> Result<(), WorktreeError> {
        let _lock = self.lock();
        self.state().begin();
        self.resume_apply()?;
        let applied = self.repo.tip(RefName::Applied)?;
        self.scan(applied, &mut std::iter::empty()).map(drop)
    }

    /// Records the commit whose files are applied next.
    ///
    /// # Errors
    /// If the repository cannot be written.
    pub fn begin_apply(&self, commit: Oid) -> Result<(), WorktreeError> {
        self.resume_apply()?;
        Ok(self.repo.set_mark(APPLYING, Some(commit))?)
    }

    /// All of them were applied, or are recorded as failed.
    ///
    /// # Errors
    /// If the repository cannot be written.
    pub fn end_apply(&self) -> Result<(), WorktreeError> {
        Ok(self.repo.set_mark(APPLYING, None)?)
    }

    /// Takes into the base what an interrupted apply has written. To be called before the base is
    /// read, and before a file that may have come that way is moved on.
    ///
    /// # Errors
    /// If the vault or the repository cannot be used.
    pub fn resume_apply(&self) -> Result<(), WorktreeError> {
        let Some(commit) = self.repo.mark(APPLYING)? else {
            return Ok(());
        };
        let applied = self.repo.tip(RefName::Applied)?;
        let mut edits = Vec::new();
        for changed in self.repo.changes(applied, commit)? {
            let there = match self.blob_on_disk(&changed.path) {
                Ok(there) => there,
                // A link, say: that was not applied.
                Err(WorktreeError::Vault(_)) => continue,
                Err(error) => return Err(error),
            };
            let is_moved = there.is_none() && self.is_moved_draft(&changed.path);
            if there == changed.blob || is_moved {
                let edit = changed.blob.map_or(Edit::Delete, Edit::PutBlob);
                edits.push((changed.path, edit));
            }
        }
        if !edits.is_empty() {
            let meta = self.clock.meta("Applied in part".to_owned(), Vec::new());
            let caught_up = self.repo.commit(applied, &edits, &meta)?;
            self.repo.set_ref(RefName::Applied, caught_up)?;
        }
        self.end_apply()
    }

    /// Whether a path is that of a draft which the interrupted apply had put before the owner, and which
    /// the owner has moved on since. Applied once more, it would wait for a second answer.
    ///
    /// Who keeps the drafts knows it, unless this process was killed between giving the file its place and
    /// noting that: then only the file itself, where it was moved to, says so.
    fn is_moved_draft(&self, path: &VaultPath) -> bool {
        if path.top() != layout::PENDING_APPROVAL {
            return false;
        }
        if self.vault.has_waited(path) {
            return true;
        }
        let done = layout::done_month(Timestamp::now());
        for folder in [layout::APPROVED, layout::REJECTED, &done] {
            // Too long a path is one that nothing was moved to.
            let Ok(moved) = VaultPath::new(format!("{folder}/{}", path.file_name())) else {
                continue;
            };
            // What cannot be looked at, a link say, is no moved draft, and must not stop the sync.
            if matches!(self.vault.stat(&moved), Ok(PathEntry::File(_))) {
                return true;
            }
        }
        false
    }
}
