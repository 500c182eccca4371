//! Reconciling every intent with the remote's tip, when it is back.
//!
//! Lives elsewhere: what becomes of each intent is decided in `protocol::reconcile`.

use platinum_core::TaskId;
use platinum_protocol::{
    Claimed, TaskPlace,
    reconcile::{Intent, Replay, replay},
};
use platinum_repo::Oid;

use super::{local_zones, place, tentative};
use crate::{ClaimError, SyncError, Synchronizer, claims::claim, content::ingest, replica::tasks};

/// Reconciles every intent with the remote's tip; returns how many are done.
pub(crate) async fn reconcile_intents(sync: &Synchronizer) -> Result<usize, SyncError> {
    let mut done_count = 0;
    let intents = sync.replica.intents.all();
    if intents.is_empty() {
        return Ok(0);
    }
    let tip = ingest::fetch_and_verify(sync).await?;
    for (task, intent) in intents {
        let done = match reconcile_intent(sync, tip, task, intent).await {
            // Only the owner's machine works there by now: it can never be claimed.
            Err(SyncError::Claim(ClaimError::ZoneDenied(_))) => {
                let lost = sync
                    .blocking(move |replica| tentative::abandon(replica, task, None))
                    .await;
                lost.map(|()| true)
            }
            done => done,
        };
        let done = match done {
            // It stays with its task: everything else goes on.
            Err(error) if error.is_about_one_task() => {
                tracing::warn!(%task, "Cannot reconcile an offline intent: {error}.");
                false
            }
            done => done?,
        };
        done_count += usize::from(done);
    }
    Ok(done_count)
}

/// Reconciles one intent with a tip; whether it is done.
async fn reconcile_intent(
    sync: &Synchronizer,
    tip: Option<Oid>,
    task: TaskId,
    intent: Intent,
) -> Result<bool, SyncError> {
    let place = sync
        .blocking(move |replica| place::place_at(replica, tip, task))
        .await?;
    let next = replay(&intent, &place);
    match next {
        // One that was not pushed yet is pushed first. If it is not here any more either,
        // there is nothing to claim.
        Replay::ClaimNow if place == TaskPlace::Absent => {
            return sync
                .blocking(move |replica| {
                    let is_gone = tasks::find_on_disk(replica, task)?.is_none();
                    if is_gone {
                        tentative::abandon(replica, task, None)?;
                    }
                    Ok(is_gone)
                })
                .await;
        }
        Replay::ClaimNow => {
            let claimed = claim::claim_by_push(sync, task).await?;
            return Ok(!matches!(claimed, Claimed::Tentative | Claimed::GaveUp));
        }
        Replay::Publish => {
            sync.blocking(move |replica| local_zones::resume(replica, task, &intent))
                .await?;
            return Ok(false);
        }
        Replay::UpToDate => {
            let confirmed = match (&intent, place) {
                (Intent::Claim { .. }, TaskPlace::Owned(record)) => Some(record.epoch),
                _ => None,
            };
            sync.blocking(move |replica| {
                let _lock = replica.worktree.lock();
                match confirmed {
                    Some(epoch) => tentative::confirm(replica, task, epoch),
                    // What was decided while the remote was asked is not done by that.
                    None if replica.intents.get(task).as_ref() != Some(&intent) => Ok(()),
                    None => replica.intents.set(task, None),
                }
            })
            .await?;
        }
        Replay::Lost { owner } => {
            sync.blocking(move |replica| tentative::abandon(replica, task, owner.as_ref()))
                .await?;
        }
        Replay::Gone => {
            sync.blocking(move |replica| tentative::abandon(replica, task, None))
                .await?;
        }
    }
    Ok(true)
}
