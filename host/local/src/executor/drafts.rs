//! [`JournalDrafts`]: which files waited for the owner, kept in the journal; and [`note_drafts`], the
//! loop that sees to it.

use std::{sync::Arc, time::Duration};

use platinum_core::{DraftId, FileIdentity};
use platinum_daemon::Shutdown;
use platinum_journal::{Journal, approvals::PendingFile};
use platinum_vault::{PendingDrafts, Vault};
use platinum_watch::{Wake, WakeUps};

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

/// Notes what waits after every change, at once: an editor that saves by a new file changes which
/// file waits, and its owner may move it in the next second. Runs until the host stops.
pub(crate) async fn note_drafts(
    vault: Vault,
    mut wake_ups: WakeUps,
    every: Duration,
    mut shutdown: Shutdown,
) {
    while !shutdown.is_stopping() {
        let noting = vault.clone();
        let noted = tokio::task::spawn_blocking(move || noting.note_drafts()).await;
        if let Err(error) = noted {
            tracing::error!("Cannot note which drafts wait: {error}.");
        }
        tokio::select! {
            () = shutdown.stopped() => {}
            wake = wake_ups.wait(every) => if wake == Wake::Closed {
                tokio::time::sleep(every).await;
            }
        }
    }
}
