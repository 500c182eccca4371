//! Claiming a task that waits, and what follows for its intent.

use platinum_core::TaskId;
use platinum_protocol::Claimed;

use super::{
    driver,
    offline::tentative,
    task_move,
    types::{ClaimSource, KNOWN},
};
use crate::{SyncError, Synchronizer, content};

/// The claim by compare-and-swap, and what follows from its end for an intent that was recorded.
pub(crate) async fn claim_by_push(sync: &Synchronizer, task: TaskId) -> Result<Claimed, SyncError> {
    let synced = match sync.silence() {
        Some(_) => false,
        None => match push_edits_of(sync, task).await {
            Ok(synced) => synced,
            // The machine finds out for itself whether the remote is away.
            Err(error) if error.is_away() => false,
            Err(error) => return Err(error),
        },
    };
    let machine = driver::new_machine(sync, task).await?;
    let claim = machine.claim();
    // A host that has just won asks first, as all do: else it would win again before others see the tip.
    let known = synced || (!sync.remote_state().has_won_last && sync.answered_within(KNOWN));
    let end = driver::drive(sync, machine, ClaimSource::Waiting, known).await?;
    let outcome = end.clone();
    sync.blocking(move |replica| match outcome {
        Claimed::Won { epoch } => {
            let _lock = replica.worktree.lock();
            tentative::confirm(replica, task, epoch)
        }
        Claimed::Lost { owner } if replica.intents.get(task).is_some() => {
            tentative::abandon(replica, task, owner.as_ref())
        }
        Claimed::Tentative => tentative::record_intent(replica, task, claim),
        Claimed::Lost { .. } | Claimed::GaveUp => Ok(()),
    })
    .await?;
    Ok(end)
}

/// Syncs first if the work tree has edits of this task that the remote has not; returns
/// whether it did.
pub(crate) async fn push_edits_of(sync: &Synchronizer, task: TaskId) -> Result<bool, SyncError> {
    let edited = sync
        .blocking(move |replica| task_move::is_edited(replica, task))
        .await?;
    if edited {
        content::sync_content(sync).await?;
    }
    Ok(edited)
}
