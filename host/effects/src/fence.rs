//! [`Fence`]: whether this host still owns a task at the moment of an effect.

use async_trait::async_trait;
use platinum_core::TaskId;

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
