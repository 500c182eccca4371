//! Claiming the tasks whose files were moved into this agent's folder by hand.

use platinum_core::{TaskId, layout};
use platinum_protocol::Claimed;
use platinum_worktree::Withheld;

use super::{
    driver,
    manual_moves::{self, ManualMove},
};
use crate::{ClaimError, SyncError, SyncReport, Synchronizer};

/// Claims what was moved into this agent's folder; rejects what is another agent's.
pub(crate) async fn claim_moved_tasks(
    sync: &Synchronizer,
    tasks: Vec<TaskId>,
    report: &mut SyncReport,
) -> Result<(), SyncError> {
    for task in tasks {
        let owner = match claim_moved_task(sync, task).await {
            Ok(Claimed::Won { .. }) => {
                report.pushed = report.pushed.saturating_add(1);
                continue;
            }
            // It stays where it is, and requests again with the next sync.
            Ok(Claimed::Tentative | Claimed::GaveUp) => continue,
            Ok(Claimed::Lost { owner }) => owner,
            Err(SyncError::Claim(ClaimError::ZoneDenied(_))) => None,
            // Nothing else has to wait for it.
            Err(error) if error.is_about_one_task() => {
                report.withheld.push(Withheld {
                    path: layout::in_progress(&sync.replica.agent, task),
                    reason: format!("the task cannot be claimed: {error}"),
                });
                continue;
            }
            Err(error) => return Err(error),
        };
        report.conflicts = report.conflicts.saturating_add(1);
        sync.blocking(move |replica| manual_moves::reject(replica, task, owner.as_ref()))
            .await?;
    }
    Ok(())
}

async fn claim_moved_task(sync: &Synchronizer, task: TaskId) -> Result<Claimed, SyncError> {
    match sync
        .blocking(move |replica| manual_moves::classify(replica, task))
        .await?
    {
        ManualMove::Lost(owner) => Ok(Claimed::Lost { owner }),
        ManualMove::Claim => driver::claim_moved_by_hand(sync, task, None).await,
        ManualMove::TakeOver(record) => driver::claim_moved_by_hand(sync, task, Some(record)).await,
    }
}
