//! Claiming a task that waits, and what follows for an offline claim.

use platinum_core::TaskId;
use platinum_protocol::Claimed;

use super::{
    driver,
    offline::{local_zones, tentative},
    task_move,
    types::{ClaimSource, KNOWN},
};
use crate::{SyncError, Synchronizer, content};

/// Claims a task. Asking again for a task that this host has claimed answers
/// [`Claimed::Won`]. In a zone of this machine alone it counts at once; otherwise, if the
/// remote is away, the wish is kept, and the claim is made for real at the next state.
///
/// # Errors
/// If this agent may not own it, its note cannot be read, or the remote has what may not be
/// applied.
pub async fn claim(sync: &Synchronizer, task: TaskId) -> Result<Claimed, SyncError> {
    // Nobody is asked about it, so nobody is waited for who asks the remote just now.
    if let Some(claimed) = sync.blocking(move |replica| local_zones::claim(replica, task)).await? {
        return Ok(claimed);
    }
    sync.run_exclusive(move |sync| async move { claim_by_push(sync, task).await })
        .await
}

/// The claim by compare-and-swap, and what follows from its end for a wish that was kept.
pub(crate) async fn claim_by_push(sync: &Synchronizer, task: TaskId) -> Result<Claimed, SyncError> {
    let synced = match sync.remote_state().silence() {
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
    // Who has just won asks like everybody: else it would win again before others have looked.
    let known = synced || (!sync.remote_state().has_won_last && sync.answered_within(KNOWN));
    let end = driver::drive(sync, machine, ClaimSource::Waiting, known).await?;
    let told = end.clone();
    sync.blocking(move |replica| match told {
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

/// Syncs first if the work tree has edits of this task that the remote has not; answers
/// whether it did.
pub(crate) async fn push_edits_of(sync: &Synchronizer, task: TaskId) -> Result<bool, SyncError> {
    let edited = sync.blocking(move |replica| task_move::is_edited(replica, task)).await?;
    if edited {
        content::sync_content(sync).await?;
    }
    Ok(edited)
}

