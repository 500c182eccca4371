//! What becomes of the drafts the owner decided on: what was carried out is put away, what never will be is reported,
//! what may have been is asked after.

use std::sync::Arc;

use platinum_core::{TaskId, VaultPath, layout};
use platinum_effects::approvals::EntryState;
use platinum_protocol::TaskPlace;
use platinum_sync::Finish;

use super::{
    ApprovalLoop, read,
    rejected::{NextStep, Rejected, next_step, reason_of, rejected_and_open},
};

impl ApprovalLoop {
    /// Asks the other side after outcomes in doubt.
    pub(super) async fn reconcile_doubts(&mut self) -> bool {
        let found = match self.executor.reconcile().await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!("Cannot ask after outcomes in doubt: {error}.");
                return false;
            }
        };
        for doubt in &found.in_doubt {
            tracing::info!(draft = %doubt.draft, "{}", doubt.why);
        }
        found.confirmed > 0
    }

    /// Puts away what happened and reports what never will.
    pub(super) async fn finish_approved(&mut self, is_paused: bool) -> bool {
        let entries = match self.executor.approvals().entries().await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!("Cannot read Approved/: {error}.");
                return false;
            }
        };
        let mut changed = false;
        for entry in entries {
            let draft = entry.outgoing.map(|outgoing| outgoing.note);
            match (entry.state, draft) {
                (EntryState::Done(receipt), Some(draft)) => {
                    let happened = Finish::done(&draft.summary, self.receipts(draft.task).await);
                    let filed = match self.place(draft.task).await {
                        Some(TaskPlace::Owned(_) | TaskPlace::Waiting) => {
                            self.sync.finish(draft.task, happened).await
                        }
                        Some(TaskPlace::Finished | TaskPlace::Absent) => Ok(()),
                        // Put away now, its task would stay open for ever.
                        None => continue,
                    };
                    if let Err(error) = filed {
                        tracing::warn!(task = %draft.task, "Cannot finish the task yet: {error}.");
                        continue;
                    }
                    changed |= self.put_away(&entry.path, receipt.at).await;
                    let text = format!("Done: {}; {}", draft.summary, receipt.answer);
                    self.notify_once(Some(draft.task), &text).await;
                }
                // No effect here will ever do it.
                (EntryState::Ready, Some(draft))
                    if !self.executor.can_perform(draft.action.kind()) =>
                {
                    let kind = draft.action.kind();
                    let text = format!(
                        "{}: nothing on this host carries out {kind}; set its zone up under \
                         [zones] in the configuration",
                        entry.path
                    );
                    changed |= self.notify_once(Some(draft.task), &text).await;
                }
                (
                    EntryState::Done(_)
                    | EntryState::Ready
                    | EntryState::Moved
                    | EntryState::Scheduled { .. }
                    | EntryState::Returning(_),
                    _,
                ) => {}
                // The owner was told once that everything is.
                (EntryState::Held(_), _) if is_paused => {}
                // Reported once the other side was asked after it.
                (EntryState::InDoubt(_), Some(draft))
                    if self.executor.can_perform(draft.action.kind()) => {}
                (EntryState::Waiting { reason, .. }, draft) => {
                    let text = format!("Not sent yet, tried again by itself: {reason}");
                    changed |= self.notify_once(draft.map(|draft| draft.task), &text).await;
                }
                (state, draft) => {
                    let text = format!("{}: {state}", entry.path);
                    changed |= self.notify_once(draft.map(|draft| draft.task), &text).await;
                }
            }
        }
        changed
    }

    pub(super) async fn receipts(&self, task: TaskId) -> Vec<platinum_vault::note::ReceiptRecord> {
        let journal = Arc::clone(self.executor.approvals().journal());
        match read(move || crate::run::receipts_of(&journal, task)).await {
            Ok(receipts) => receipts,
            Err(error) => {
                tracing::warn!(%task, "Cannot read its receipts: {error}.");
                Vec::new()
            }
        }
    }

    /// Moves a draft that was carried out from `Approved/` to the month's folder in `Done/`.
    async fn put_away(&self, path: &VaultPath, at: platinum_core::Timestamp) -> bool {
        let (vault, from) = (self.vault.clone(), path.clone());
        let moved = read(move || {
            let to = VaultPath::new(format!("{}/{}", layout::done_month(at), from.file_name()))
                .map_err(|error| error.to_string())?;
            vault.rename(&from, &to).map_err(|error| error.to_string())
        })
        .await;
        match moved {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("Cannot move {path} to Done/: {error}.");
                false
            }
        }
    }

    /// Files the tasks of drafts in `Rejected/`, unless another draft of theirs is still open, or
    /// they were claimed again since.
    pub(super) async fn finish_rejected(&mut self) -> bool {
        let vault = self.vault.clone();
        let closed = self.closed.clone();
        let (rejected, open) = read(move || rejected_and_open(&vault, &closed)).await;
        let mut changed = false;
        for rejected in rejected {
            let task = rejected.draft.task;
            let Some(place) = self.place(task).await else {
                continue;
            };
            match next_step(&rejected.draft, &place, &open) {
                NextStep::Finish => {}
                NextStep::Nothing => {
                    self.closed.insert(rejected.draft.id);
                    continue;
                }
                NextStep::Wait => continue,
            }
            let reason = self.rejection_reason(&rejected).await;
            match self.sync.finish(task, Finish::filed(&reason)).await {
                Ok(()) => changed = true,
                Err(error) => {
                    tracing::warn!(%task, "Cannot finish the task yet: {error}.");
                }
            }
        }
        changed
    }

    /// One line for the owner: why a draft in `Rejected/` is not carried out.
    async fn rejection_reason(&self, rejected: &Rejected) -> String {
        let (journal, id) = (
            Arc::clone(self.executor.approvals().journal()),
            rejected.draft.id,
        );
        let known = read(move || journal.state(id)).await;
        reason_of(rejected, known.ok().as_ref())
    }
}
