//! A whole sync: edits are kept, offline claims are reconciled, content goes both ways.
//!
//! Invariant: what was decided without the remote is held against its tip before any content goes
//! out.

use crate::{
    SyncError, SyncReport, Synchronizer,
    claims::{lease, offline::reconcile},
    content,
};

/// One sync of everything. What was decided without the remote is held against its tip before
/// any content goes out.
pub(crate) async fn sync_all(sync: &Synchronizer) -> Result<SyncReport, SyncError> {
    // First: a lock that was left behind keeps edits from being kept, too.
    sync.blocking(|replica| {
        replica.locks.remove_stale()?;
        Ok(replica.worktree.begin_sync()?)
    })
    .await?;
    lease::prune_marks_now_and_then(sync).await?;
    if sync.replica.intents.is_empty() {
        return content::sync_content(sync).await;
    }
    reconcile::reconcile_intents(sync).await?;
    let report = content::sync_content(sync).await?;
    // Tasks that were not pushed before can be claimed now, and drafts go out that had to wait for
    // that.
    if reconcile::reconcile_intents(sync).await? == 0 {
        return Ok(report);
    }
    Ok(report.and(content::sync_content(sync).await?))
}
