//! [`Fence`]: whether this host still owns a task at the moment of an effect.

use async_trait::async_trait;
use platinum_core::{DraftId, TaskId};

/// Asked before an approved action is handed out, and again right before it is carried out. The
/// daemon answers from the epoch of its claim in a confirmed state of the remote.
#[async_trait]
pub trait Fence: Send + Sync {
    /// Whether an effect for this task may happen now; if not, why, in one line. `epoch` is the
    /// one of the claim under which its draft was made, if the draft says.
    ///
    /// # Errors
    /// The reason.
    async fn may_act(&self, task: TaskId, epoch: Option<u64>) -> Result<(), String>;

    /// Claims that this machine carries a draft out, so that of all copies of it one does. Answers
    /// why another copy may have carried it out already, in one line, as far as that is known.
    ///
    /// # Errors
    /// Why it may not be carried out now, in one line.
    async fn claim_effect(&self, task: TaskId, draft: DraftId) -> Result<Option<String>, String> {
        let _ = (task, draft);
        Ok(None)
    }
}

/// A fence that is always open: for a vault without a remote, which no other host can own.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFence;

#[async_trait]
impl Fence for NoFence {
    async fn may_act(&self, _: TaskId, _: Option<u64>) -> Result<(), String> {
        Ok(())
    }
}
