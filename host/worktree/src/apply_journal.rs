//! What a take-in that was interrupted has left in the work tree.
//!
//! A daemon that dies while it brings files leaves some of them in the work tree, and the base of
//! the next merge behind them. To that merge the remote's own versions would look like edits made
//! here, and, found last, they would win over what the remote has by now: a deleted note comes
//! back, a claim that was given up replaces a newer one.
//!
//! Lives elsewhere: bringing the files is [`super::apply`]'s.
//! Invariants: which commit is being brought is noted before its first file, and forgotten only
//! after the base says what came of it; a file counts as brought only if it is exactly as that
//! commit has it.

use platinum_repo::{Edit, Oid, RefName};

use crate::{WorktreeError, worktree::Worktree};

/// The mark with the commit whose files are being brought.
const APPLYING: &str = "bringing";

impl Worktree {
    /// Notes the commit whose files come to the work tree next.
    pub fn begin_apply(&self, commit: Oid) -> Result<(), WorktreeError> {
        self.resume_apply()?;
        Ok(self.repo.set_mark(APPLYING, Some(commit))?)
    }

    /// All of them came, or are noted as failed.
    pub fn end_apply(&self) -> Result<(), WorktreeError> {
        Ok(self.repo.set_mark(APPLYING, None)?)
    }

    /// Takes into the base what an interrupted take-in brought. To be called before the base is
    /// read, and before a file that may have come that way is moved on.
    pub fn resume_apply(&self) -> Result<(), WorktreeError> {
        let Some(commit) = self.repo.mark(APPLYING)? else {
            return Ok(());
        };
        let applied = self.repo.tip(RefName::Applied)?;
        let mut edits = Vec::new();
        for changed in self.repo.changes(applied, commit)? {
            let there = match self.blob_on_disk(&changed.path) {
                Ok(there) => there,
                // A link, say: that was not brought.
                Err(WorktreeError::Vault(_)) => continue,
                Err(error) => return Err(error),
            };
            if there == changed.blob {
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
}
