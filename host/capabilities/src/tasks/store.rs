//! [`TaskStore`]: what the task interfaces need from the floor above.

use async_trait::async_trait;
use platinum_core::{AgentName, TaskId, ZoneId};
use platinum_protocol::Claimed;
use platinum_vault::note::{ReceiptRecord, TaskNote};

/// Tasks, wherever they are: the daemon's sync driver implements it.
#[async_trait]
pub trait TaskStore: Send + Sync {
    /// Tasks of a zone that have no owner, oldest first.
    async fn waiting(&self, zone: ZoneId) -> Result<Vec<TaskNote>, TaskError>;
    /// One task, wherever it is now.
    async fn get(&self, id: TaskId) -> Result<TaskNote, TaskError>;
    /// Who owns it, as the last verified state of the remote has it.
    async fn owner_of(&self, id: TaskId) -> Result<Owner, TaskError>;
    /// Under which epoch this agent may draft for a task now: the one of its claim, 0 while that
    /// is tentative, none if the task is not its own.
    async fn drafting_epoch(&self, id: TaskId) -> Result<Option<u64>, TaskError>;
    /// Claims it by a compare-and-swap push.
    async fn claim(&self, id: TaskId) -> Result<Claimed, TaskError>;
    /// Files it in `Done/` with its receipts.
    async fn complete(
        &self,
        id: TaskId,
        summary: &str,
        receipts: Vec<ReceiptRecord>,
    ) -> Result<(), TaskError>;
    /// Gives it back to `Needs_Action/`.
    async fn release(&self, id: TaskId, reason: &str) -> Result<(), TaskError>;
    /// Files it in `Done/` as failed.
    async fn fail(&self, id: TaskId, reason: &str) -> Result<(), TaskError>;
}

/// Who has a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// It waits and has no owner.
    Unowned,
    /// This agent.
    ThisAgent,
    /// Another agent.
    Other(AgentName),
    /// It is finished.
    Finished,
}

/// Why a call about a task failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// No task has this id.
    #[error("no task has this id")]
    NotFound,
    /// The zone is not granted.
    #[error("the zone {0} is not granted to this agent")]
    ZoneDenied(ZoneId),
    /// Another agent owns it.
    #[error("the task is owned by {0}")]
    NotOwner(String),
    /// The note is broken.
    #[error("the task's note is broken: {0}")]
    Broken(String),
    /// The remote or the disk is away.
    #[error("{0}; it is tried again later")]
    Unavailable(String),
}
