//! Driving [`ClaimMachine`]: a claim as a tree edit on the tip, and a compare-and-swap push.
//!
//! Invariants: nothing in the work tree moves before the claim is won; a claim is distinguished from
//! every other by its random id, and recognized as ours by a mark in the repository, which is set
//! before the push: after a crash it is found again, and no other host of our name can mistake it
//! for its own.

use platinum_core::{ClaimId, Role, TaskId};
use platinum_protocol::{ClaimMachine, ClaimRecord, Claimed, PushOutcome, Step, TaskPlace};
use platinum_repo::{RefName, Repo};

use super::{
    activity, task_move,
    types::{ClaimSource, MAX_ATTEMPTS, Proposal, TipView, mark},
};
use crate::{
    ClaimError, SyncError, Synchronizer,
    content::ingest,
    remote::{self, backoff},
};

/// Claims a task whose file was moved into this agent's folder by hand, maybe out of the folder of
/// its owner.
pub(crate) async fn claim_moved_by_hand(
    sync: &Synchronizer,
    task: TaskId,
    owner: Option<ClaimRecord>,
) -> Result<Claimed, SyncError> {
    let machine = match owner {
        None => new_machine(sync, task).await?,
        Some(owner) => {
            let (agent, claim) = (sync.replica.agent.clone(), ClaimId::generate());
            ClaimMachine::take_over(task, agent, claim, MAX_ATTEMPTS, owner)
        }
    };
    drive(sync, machine, ClaimSource::MovedByHand, true).await
}

/// Whether the remote did not answer when it was last asked.
fn is_away(sync: &Synchronizer) -> bool {
    sync.remote_state().error.is_some()
}

/// The machine of a claim of a task that waits.
pub(crate) async fn new_machine(
    sync: &Synchronizer,
    task: TaskId,
) -> Result<ClaimMachine, SyncError> {
    let claim = sync
        .blocking(move |replica| task_move::next_claim_id(replica, task))
        .await?;
    let agent = sync.replica.agent.clone();
    Ok(ClaimMachine::new(task, agent, claim, MAX_ATTEMPTS))
}

/// Does what a machine says until it ends. `synced`: the verified tip was the remote's just now.
pub(crate) async fn drive(
    sync: &Synchronizer,
    mut machine: ClaimMachine,
    from: ClaimSource,
    mut synced: bool,
) -> Result<Claimed, SyncError> {
    let task = machine.task();
    let mut proposal: Option<Proposal> = None;
    loop {
        match machine.step().clone() {
            Step::Fetch => {
                // Straight after a sync the tip is known. If it is not the tip any more, the
                // push finds out.
                let known = std::mem::take(&mut synced);
                if let Some(won) = observe(sync, &mut machine, proposal.as_ref(), known).await? {
                    return Ok(won);
                }
            }
            Step::BackOff { attempt } => {
                let wait = match is_away(sync) {
                    true => sync.while_away.jittered(attempt),
                    false => backoff::contended(attempt),
                };
                tokio::time::sleep(wait).await;
                if let Some(won) = observe(sync, &mut machine, proposal.as_ref(), false).await? {
                    return Ok(won);
                }
            }
            Step::Propose { on_tip, epoch } => {
                let on_tip = on_tip.as_deref().map(Repo::oid).transpose()?;
                if from == ClaimSource::Expired
                    && !activity::is_still_expired(sync, task, on_tip).await?
                {
                    let lost = Claimed::Lost { owner: None };
                    return conclude(sync, task, &machine, lost, proposal).await;
                }
                let claim = machine.claim();
                let made = sync
                    .blocking(move |replica| {
                        task_move::build_claim(replica, task, on_tip, (claim, epoch), from)
                    })
                    .await?;
                let outcome = remote::push(sync, made.commit, made.on_tip).await?;
                proposal = Some(made);
                machine.pushed(outcome);
            }
            Step::PushAgain => {
                let outcome = match &proposal {
                    Some(made) => remote::push(sync, made.commit, made.on_tip).await?,
                    None => PushOutcome::Rejected("nothing was proposed".to_owned()),
                };
                machine.pushed(outcome);
            }
            Step::End(end) => return conclude(sync, task, &machine, end, proposal).await,
        }
    }
}

/// Observes a tip for the machine: the known one, if a push follows from it, else the remote's.
/// Returns the end at once if an earlier claim of this host is found.
async fn observe(
    sync: &Synchronizer,
    machine: &mut ClaimMachine,
    proposal: Option<&Proposal>,
    is_known: bool,
) -> Result<Option<Claimed>, SyncError> {
    let (task, id) = (machine.task(), machine.claim());
    if is_known {
        let view = sync.blocking(move |replica| {
            let tip = replica.repo.tip(RefName::Verified)?;
            task_move::observe_tip(replica, tip, task, id, None)
        });
        let view = view.await?;
        // A push would find out if it is not the tip any more. Everything else depends on
        // the remote as it is now.
        if view.found.place == TaskPlace::Waiting {
            return feed(sync, machine, view).await;
        }
    }
    // Something that was pushed is worth every fetch.
    let fetched = match sync.silence().filter(|_| proposal.is_none()) {
        Some(error) => Err(error),
        None => ingest::fetch_and_verify(sync).await,
    };
    let tip = match fetched {
        Ok(tip) => tip,
        Err(error) if error.is_away() => {
            machine.fetch_failed(error.to_string());
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let commit = proposal.map(|proposal| proposal.commit);
    let view = sync
        .blocking(move |replica| task_move::observe_tip(replica, tip, task, id, commit))
        .await?;
    feed(sync, machine, view).await
}

async fn feed(
    sync: &Synchronizer,
    machine: &mut ClaimMachine,
    view: TipView,
) -> Result<Option<Claimed>, SyncError> {
    let TipView {
        tip,
        found,
        landed,
        is_earlier,
    } = view;
    let task = machine.task();
    if is_earlier && let TaskPlace::Owned(record) = &found.place {
        let epoch = record.epoch;
        sync.blocking(move |replica| task_move::apply_won_claim(replica, tip, &found, task))
            .await?;
        return Ok(Some(Claimed::Won { epoch }));
    }
    if let Some(zone) = found.zone
        && platinum_policy::is_local_only(zone)
        && sync.replica.role == Role::Cloud
    {
        return Err(ClaimError::ZoneDenied(zone).into());
    }
    machine.saw_epoch(found.epoch);
    machine.fetched(tip.map(|oid| oid.to_string()), found.place, landed);
    Ok(None)
}

async fn conclude(
    sync: &Synchronizer,
    task: TaskId,
    machine: &ClaimMachine,
    end: Claimed,
    proposal: Option<Proposal>,
) -> Result<Claimed, SyncError> {
    match (&end, proposal) {
        (Claimed::Won { epoch }, Some(made)) => {
            tracing::info!(%task, epoch, "The task is claimed.");
            sync.remote_state().has_won_last = true;
            fail::fail_point!("claim-won");
            sync.blocking(move |replica| task_move::apply_move(replica, made.commit, &made.moved))
                .await?;
        }
        (Claimed::Lost { .. }, Some(_)) => {
            sync.blocking(move |replica| Ok(replica.repo.set_mark(&mark(task), None)?))
                .await?;
        }
        (Claimed::Tentative | Claimed::GaveUp, _) => {
            let reason = machine.reason().unwrap_or("no reason given");
            tracing::warn!(%task, ?end, reason, "The task could not be claimed.");
        }
        _ => {}
    }
    Ok(end)
}
