//! [`JournalDrafts`]: which files waited for the owner, kept in the journal.

use std::sync::Arc;

use platinum_core::{DraftId, FileIdentity};
use platinum_journal::{Journal, approvals::PendingFile};
use platinum_worktree::PendingDrafts;

/// The table in the journal, as the work tree writes it.
pub(crate) struct JournalDrafts(pub(crate) Arc<Journal>);

impl PendingDrafts for JournalDrafts {
    fn note(
        &self,
        draft: DraftId,
        identity: FileIdentity,
        sha256: &str,
        is_placed: bool,
    ) -> Result<(), String> {
        let file = PendingFile {
            identity,
            sha256: sha256.to_owned(),
            is_placed,
        };
        let noted = self.0.note_pending(draft, &file);
        noted.map_err(|error| error.to_string())
    }

    fn has_waited(&self, draft: DraftId) -> Result<bool, String> {
        let file = self.0.pending_file(draft);
        let file = file.map_err(|error| error.to_string())?;
        Ok(file.is_some_and(|file| file.is_placed))
    }
}
