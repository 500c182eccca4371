//! [`ApprovalContext`]: what every step works with, and what several of them do: finish a task, tell the owner.

use std::{collections::BTreeSet, sync::Arc};

use platinum_capabilities::in_background;
use platinum_core::{DraftId, TaskId};
use platinum_daemon::OwnerUpdates;
use platinum_effects::Executor;
use platinum_journal::{Journal, State};
use platinum_protocol::TaskPlace;
use platinum_sync::{Finish, SyncError, Synchronizer};
use platinum_vault::{Vault, note::ReceiptRecord};

use crate::run::receipts_of;

/// What became of a task that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TaskEnd {
    /// It is finished now, or was already.
    Finished,
    /// It stays open for another post of it that is not decided yet.
    HeldOpen,
    /// Where it is cannot be found out now.
    Unknown,
}

/// The parts of the host that the steps use.
pub(super) struct ApprovalContext {
    pub(super) vault: Vault,
    pub(super) sync: Synchronizer,
    pub(super) executor: Arc<Executor>,
    pub(super) updates: OwnerUpdates,
    /// What was reported to the owner since this daemon started.
    pub(super) notified: BTreeSet<String>,
}

impl ApprovalContext {
    pub(super) fn journal(&self) -> Arc<Journal> {
        Arc::clone(self.executor.approvals().journal())
    }

    /// Writes an update for the dashboard, once in this life of the daemon.
    pub(super) async fn notify_once(&mut self, task: Option<TaskId>, text: &str) -> bool {
        if !self.notified.insert(text.to_owned()) {
            return false;
        }
        tracing::info!("{text}");
        self.updates.publish(task, text).await
    }

    /// What the journal knows of a draft; none if it cannot be read now.
    pub(super) async fn state_of(&self, draft: DraftId) -> Option<State> {
        let journal = self.journal();
        match in_background(move || journal.state(draft)).await {
            Ok(state) => Some(state),
            Err(error) => {
                tracing::warn!(%draft, "Cannot read what became of it: {error}.");
                None
            }
        }
    }

    /// Where a task is; nothing if that cannot be found out now.
    pub(super) async fn place(&self, task: TaskId) -> Option<TaskPlace> {
        match self.sync.place(task).await {
            Ok(place) => Some(place),
            Err(error) => {
                tracing::warn!(%task, "Cannot determine where the task is: {error}.");
                None
            }
        }
    }

    /// Files a task without an answer, and has what its drafts left elsewhere cleared away; whether it did.
    pub(super) async fn file(&self, task: TaskId, reason: &str) -> bool {
        if let Err(error) = self.sync.finish(task, Finish::filed(reason)).await {
            tracing::warn!(%task, "Cannot finish the task yet: {error}.");
            return false;
        }
        self.executor.close(task, None).await;
        true
    }

    /// Finishes a task that was done, with its receipts and `further`, unless another post of it than `draft` is not
    /// decided yet.
    ///
    /// # Errors
    /// If it is open and cannot be finished yet.
    pub(super) async fn finish_done(
        &self,
        task: TaskId,
        draft: DraftId,
        summary: &str,
        further: Option<ReceiptRecord>,
    ) -> Result<TaskEnd, SyncError> {
        match self.place(task).await {
            Some(TaskPlace::Owned(_) | TaskPlace::Waiting) => {
                let mut receipts = self.receipts(task).await;
                receipts.extend(further);
                let mut ended: Vec<DraftId> = receipts.iter().map(|one| one.draft).collect();
                ended.push(draft);
                if self.sync.has_undecided_post(task, ended).await? {
                    return Ok(TaskEnd::HeldOpen);
                }
                let finish = Finish::done(summary, receipts);
                self.sync.finish(task, finish).await?;
                Ok(TaskEnd::Finished)
            }
            Some(TaskPlace::Finished | TaskPlace::Absent) => Ok(TaskEnd::Finished),
            None => Ok(TaskEnd::Unknown),
        }
    }

    async fn receipts(&self, task: TaskId) -> Vec<ReceiptRecord> {
        let journal = self.journal();
        match in_background(move || receipts_of(&journal, task)).await {
            Ok(receipts) => receipts,
            Err(error) => {
                tracing::warn!(%task, "Cannot read its receipts: {error}.");
                Vec::new()
            }
        }
    }
}
