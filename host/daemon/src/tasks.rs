//! [`Tasks`]: what the interfaces need of tasks and the sync, over a [`Synchronizer`].

use async_trait::async_trait;
use platinum_capabilities::{
    sync::{SyncReport, SyncRunError, Syncer},
    tasks::{Owner, TaskError, TaskStore},
};
use platinum_core::{TaskId, ZoneId};
use platinum_protocol::{Claimed, TaskPlace};
use platinum_sync::{ClaimError, Finish, SyncError, Synchronizer};
use platinum_vault::note::{ReceiptRecord, TaskNote};

/// A [`TaskStore`] and a [`Syncer`] over a synchronizer.
#[derive(Debug, Clone)]
pub struct Tasks(pub Synchronizer);

#[async_trait]
impl TaskStore for Tasks {
    async fn waiting(&self, zone: ZoneId) -> Result<Vec<TaskNote>, TaskError> {
        self.0.waiting(zone).await.map_err(task_error)
    }

    async fn get(&self, id: TaskId) -> Result<TaskNote, TaskError> {
        self.0.task(id).await.map_err(task_error)
    }

    async fn owner_of(&self, id: TaskId) -> Result<Owner, TaskError> {
        match self.0.place(id).await.map_err(task_error)? {
            TaskPlace::Waiting => Ok(Owner::Unowned),
            TaskPlace::Owned(record) if record.agent == *self.0.agent() => Ok(Owner::ThisAgent),
            TaskPlace::Owned(record) => Ok(Owner::Other(record.agent)),
            TaskPlace::Finished => Ok(Owner::Finished),
            // Made here and not pushed yet: no other agent can have claimed it.
            TaskPlace::Absent => self
                .0
                .find_on_disk(id)
                .await
                .map_err(task_error)?
                .map(|_| Owner::Unowned)
                .ok_or(TaskError::NotFound),
        }
    }

    async fn drafting_epoch(&self, id: TaskId) -> Result<Option<u64>, TaskError> {
        self.0.drafting_epoch(id).await.map_err(task_error)
    }

    async fn claim(&self, id: TaskId) -> Result<Claimed, TaskError> {
        self.0.claim(id).await.map_err(task_error)
    }

    async fn complete(
        &self,
        id: TaskId,
        summary: &str,
        receipts: Vec<ReceiptRecord>,
    ) -> Result<(), TaskError> {
        // It has one for each network: the host files it with the last of them.
        let ended = receipts.iter().map(|receipt| receipt.draft).collect();
        let undecided = self.0.has_undecided_post(id, ended).await;
        if undecided.map_err(task_error)? {
            return Ok(());
        }
        // What was done for a task of another agent's finishes it; a skill's word alone does not.
        let finish = match receipts.is_empty() {
            true => Finish::done(summary, receipts).by_owner(),
            false => Finish::done(summary, receipts),
        };
        self.0.finish(id, finish).await.map_err(task_error)
    }

    async fn release(&self, id: TaskId, reason: &str) -> Result<(), TaskError> {
        self.0.release(id, reason).await.map_err(task_error)
    }

    async fn fail(&self, id: TaskId, reason: &str) -> Result<(), TaskError> {
        let finish = Finish::failed(reason).by_owner();
        self.0.finish(id, finish).await.map_err(task_error)
    }
}

#[async_trait]
impl Syncer for Tasks {
    async fn run(&self) -> Result<SyncReport, SyncRunError> {
        match self.0.sync_and_record().await {
            Ok(report) => Ok(SyncReport {
                pulled: report.pulled,
                pushed: report.pushed,
                conflicts: report.conflicts,
                tip: report.tip.unwrap_or_default(),
            }),
            Err(error) if error.stops_all() => Err(SyncRunError::Violation(error.to_string())),
            Err(error) if error.is_away() => Err(SyncRunError::Unavailable(error.to_string())),
            Err(error) => Err(SyncRunError::Failed(error.to_string())),
        }
    }
}

fn task_error(error: SyncError) -> TaskError {
    match error {
        SyncError::Claim(ClaimError::NoTask(_)) => TaskError::NotFound,
        SyncError::Claim(ClaimError::ZoneDenied(zone)) => TaskError::ZoneDenied(zone),
        SyncError::Claim(ClaimError::NotOwner { owner, .. }) => TaskError::NotOwner(owner),
        SyncError::Claim(ClaimError::Note(_)) | SyncError::Refused(_) => {
            TaskError::Broken(error.to_string())
        }
        other => TaskError::Unavailable(other.to_string()),
    }
}
