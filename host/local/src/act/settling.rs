//! Settling what the owner decided: what was carried out is put away, what never will be is told,
//! what may have been is asked after.

use std::sync::Arc;

use platinum_core::{ActionKind, Clock, SystemClock, TaskId, VaultPath, layout};
use platinum_effects::{approvals::EntryState, email::reconcile};
use platinum_protocol::TaskPlace;
use platinum_sync::Finish;

use super::{
    Actor, read,
    rejected::{Asks, Rejected, asks, reason_of, rejected_and_open},
};

impl Actor {
    /// Asks the mailbox after outcomes in doubt; what is still not known is told to the owner.
    pub(super) async fn settle_doubts(&mut self) -> bool {
        let Some(sent) = &self.sent else { return false };
        let now = SystemClock.now();
        let found = match reconcile(self.approvals.journal(), sent.as_ref(), now).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!("Outcomes in doubt cannot be settled: {error}");
                return false;
            }
        };
        let mut changed = !found.confirmed.is_empty();
        for doubt in found.in_doubt {
            let (vault, put_aside) = (self.vault.clone(), layout::rejected(doubt.draft));
            // The owner knows and has closed it.
            if read(move || vault.exists(&put_aside).unwrap_or(false)).await {
                continue;
            }
            let text = format!(
                "Not known whether {} was sent; it is not sent again. {}",
                doubt.draft, doubt.why
            );
            changed |= self.tell_once(Some(doubt.task), &text).await;
        }
        changed
    }

    /// Puts away what happened and tells the owner what never will.
    pub(super) async fn settle_approved(&mut self) -> bool {
        let entries = match self.approvals.entries().await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!("Approved/ cannot be looked at: {error}");
                return false;
            }
        };
        let mut changed = false;
        for entry in entries {
            let draft = entry.leaving.map(|leaving| leaving.note);
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
                        tracing::warn!(task = %draft.task, "It cannot be filed yet: {error}.");
                        continue;
                    }
                    changed |= self.put_away(&entry.path, receipt.at).await;
                    let text = format!("Done: {}; {}", draft.summary, receipt.answer);
                    self.tell_once(Some(draft.task), &text).await;
                }
                // Nobody here will ever do it.
                (EntryState::Ready, Some(draft))
                    if self.sent.is_none() || draft.action.kind() != ActionKind::EMAIL_SEND =>
                {
                    let kind = draft.action.kind();
                    let text = format!(
                        "{}: this host has nothing that does {kind}; a mail needs an account \
                         under [mail] in the configuration",
                        entry.path
                    );
                    changed |= self.tell_once(Some(draft.task), &text).await;
                }
                (EntryState::Done(_) | EntryState::Ready, _) => {}
                // Told once its mailbox was asked after it.
                (EntryState::InDoubt(_), _) if self.sent.is_some() => {}
                (EntryState::Waiting { reason, .. }, draft) => {
                    let text = format!("Not sent yet, tried again by itself: {reason}");
                    changed |= self.tell_once(draft.map(|draft| draft.task), &text).await;
                }
                (state, draft) => {
                    let text = format!("{}: {state}", entry.path);
                    changed |= self.tell_once(draft.map(|draft| draft.task), &text).await;
                }
            }
        }
        changed
    }

    async fn receipts(&self, task: TaskId) -> Vec<platinum_vault::note::ReceiptRecord> {
        let journal = Arc::clone(self.approvals.journal());
        match read(move || crate::run::receipts_of(&journal, task)).await {
            Ok(receipts) => receipts,
            Err(error) => {
                tracing::warn!(%task, "Its receipts cannot be read: {error}");
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
                tracing::warn!("{path} cannot be put away: {error}");
                false
            }
        }
    }

    /// Files the tasks of drafts in `Rejected/`, unless another draft of theirs is still open, or
    /// they were claimed again since.
    pub(super) async fn settle_rejected(&mut self) -> bool {
        let vault = self.vault.clone();
        let closed = self.closed.clone();
        let (rejected, open) = read(move || rejected_and_open(&vault, &closed)).await;
        let mut changed = false;
        for rejected in rejected {
            let task = rejected.draft.task;
            let Some(place) = self.place(task).await else {
                continue;
            };
            match asks(&rejected.draft, &place, &open) {
                Asks::Filing => {}
                Asks::Nothing => {
                    self.closed.insert(rejected.draft.id);
                    continue;
                }
                Asks::Waiting => continue,
            }
            let reason = self.why_not(&rejected).await;
            match self.sync.finish(task, Finish::filed(&reason)).await {
                Ok(()) => changed = true,
                Err(error) => {
                    tracing::warn!(%task, "It cannot be filed yet: {error}.");
                }
            }
        }
        changed
    }

    /// One line for the owner: why a draft in `Rejected/` is not carried out.
    async fn why_not(&self, rejected: &Rejected) -> String {
        let (journal, id) = (Arc::clone(self.approvals.journal()), rejected.draft.id);
        let known = read(move || journal.state(id)).await;
        reason_of(rejected, known.ok().as_ref())
    }
}
