//! [`Syncer`]: what `sync/run` needs from the floor above.

use async_trait::async_trait;

/// Pulls and pushes the vault: the daemon's sync driver implements it.
#[async_trait]
pub trait Syncer: Send + Sync {
    /// Pulls, then pushes what changed here.
    async fn run(&self) -> Result<SyncReport, SyncRunError>;
}

/// What a sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Files taken from the remote.
    pub pulled: u32,
    /// Files given to the remote.
    pub pushed: u32,
    /// Files kept a second time because both sides changed them.
    pub conflicts: u32,
    /// The remote's tip that the vault now holds, in hex; empty while the remote is.
    pub tip: String,
}

/// Why a sync did not finish. Nothing is lost in any of these.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SyncRunError {
    /// The remote is away.
    #[error("the remote is away: {0}")]
    Unavailable(String),
    /// The remote has a commit that its author may not make.
    #[error("the remote has a commit that its author may not make: {0}")]
    Violation(String),
    /// The disk or the repository failed.
    #[error("the sync failed: {0}")]
    Failed(String),
}
