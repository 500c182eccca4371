//! Ingesting the remote's tip: fetched, verified, and reverted where a commit breaks a rule.
//!
//! Lives elsewhere: verifying commits is `verify`'s.
//! Invariants: `verified` never moves over a violation that was not reverted; the local host alone
//! reverts, by a commit on the remote's tip like any other; until it has landed the work tree stays
//! with the last verified tip.

use platinum_core::{Role, Timestamp};
use platinum_protocol::PushOutcome;
use platinum_repo::{Oid, RefName, RepoError};
use platinum_verify::{
    BATCH, IncomingSecrets, Perspective, Recovery, Verifier, VerifyError,
    revert::{Revert, Reverter},
};

use crate::{
    SyncError, Synchronizer, held,
    remote::{self, backoff},
    replica::Replica,
};

/// How often a revert is rebuilt on a new tip before the lock is released.
const MAX_REVERTS: u32 = 8;

/// What becomes of a fetched tip.
enum Verdict {
    /// It is verified.
    Verified,
    /// It is not, but with this commit on it it would be.
    Revert {
        revert: Revert,
        /// What the owner is notified of: secrets that came with it.
        secrets: Vec<String>,
    },
}

/// The remote's tip, verified. Without a remote, our own.
pub(crate) async fn fetch_and_verify(sync: &Synchronizer) -> Result<Option<Oid>, SyncError> {
    let Some(remote) = &sync.remote else {
        return sync
            .blocking(|replica| Ok(replica.repo.tip(RefName::Verified)?))
            .await;
    };
    sync.blocking(|replica| Ok(replica.locks.remove_stale()?))
        .await?;
    // Its answer is of some moment after this one, however long it takes.
    let asked_at = Timestamp::now();
    let tip = remote::fetch(sync, remote.as_ref()).await?;
    fail::fail_point!("sync-fetched");
    let verified = ingest_tip(sync, tip).await;
    let mut state = sync.remote_state();
    match &verified {
        Ok(_) => {
            state.at = Some(asked_at);
            state.error = None;
            state.has_won_last = false;
        }
        Err(error) => state.error = Some(error.to_string()),
    }
    drop(state);
    verified
}

/// Verifies a fetched tip. On local, violations are reverted on the remote first; returns the tip
/// that is verified then.
///
/// # Errors
/// If the remote has what may not be applied and this host may not, or cannot, revert it.
async fn ingest_tip(sync: &Synchronizer, mut tip: Option<Oid>) -> Result<Option<Oid>, SyncError> {
    let mut reason = String::new();
    for round in 1..=MAX_REVERTS {
        let at = tip;
        let verdict = sync
            .blocking(move |replica| match at {
                Some(tip) => verify_tip(replica, tip),
                None => match replica.repo.tip(RefName::Verified)? {
                    Some(had) => Err(SyncError::RemoteLost(had.to_string())),
                    None => {
                        replica.outbox.reconcile(None)?;
                        Ok(Verdict::Verified)
                    }
                },
            })
            .await?;
        let (revert, secrets) = match verdict {
            Verdict::Verified => return Ok(tip),
            Verdict::Revert { revert, secrets } => (revert, secrets),
        };
        let commit = revert.commit;
        fail::fail_point!("undo-made");
        let notify = move |replica: &Replica| {
            fail::fail_point!("undo-landed");
            let messages = held::messages(replica, &revert.violations, revert.asked_again);
            replica.notifier.notify_reverted(&messages);
            replica.notifier.post_updates(&secrets);
        };
        match remote::push_and(sync, commit, tip, notify).await? {
            PushOutcome::Landed => return Ok(Some(commit)),
            PushOutcome::Rejected(why) | PushOutcome::Indeterminate(why) => reason = why,
        }
        tokio::time::sleep(backoff::contended(round)).await;
        if let Some(remote) = &sync.remote {
            tip = remote::fetch(sync, remote.as_ref()).await?;
        }
    }
    Err(SyncError::Contended {
        times: MAX_REVERTS,
        reason,
    })
}

/// Verifies a fetched tip, and moves `verified` there if nothing is left to revert.
fn verify_tip(replica: &Replica, tip: Oid) -> Result<Verdict, SyncError> {
    let verified = replica.repo.tip(RefName::Verified)?;
    if verified == Some(tip) {
        replica.outbox.reconcile(verified)?;
        return Ok(Verdict::Verified);
    }
    let signers = replica
        .identity
        .signers()
        .map_err(|error| SyncError::Refused(error.to_string()))?;
    let mut base = verified;
    let verifier = Verifier {
        repo: &replica.repo,
        perspective: match replica.role {
            Role::Local => Perspective::Local,
            Role::Cloud => Perspective::Cloud,
        },
        signers: &signers,
        own: Some(&replica.identity.own().key),
        batch: BATCH,
    };
    let report = verifier.verify_range(verified, tip, &mut |end, own| {
        note_own(replica, own)?;
        advance_verified(replica, base.replace(end), end)
    })?;
    note_own(replica, &report.own)?;
    let stays = |recovery: Recovery| replica.role == Role::Cloud || recovery != Recovery::Revert;
    let stopping = report.open.iter().find(|v| stays(v.recovery));
    if let Some(violation) = stopping {
        return Err(SyncError::Violation(violation.clone()));
    }
    if !report.open.is_empty() || !report.unproven.is_empty() {
        let base = report.base;
        let reverter = Reverter {
            repo: &replica.repo,
            agent: &replica.agent,
            meta: &|message, trailers| replica.clock.meta(message, trailers),
        };
        let revert = match (reverter.revert(tip, report), base) {
            // No rule saw it coming, but no commit of another host stops this one.
            (Err(VerifyError::Violation(left)), Some(base)) => {
                tracing::warn!("Reverting every commit of other hosts since {base}: {left}.");
                reverter.revert(tip, verifier.verify_for_local_alone(base, tip)?)
            }
            (revert, _) => revert,
        }?;
        // Before the push: the owner loses sight of nothing, whatever happens then.
        replica.held.record(&revert)?;
        // Also before it: they are known when they come back, also if no answer does.
        for made in replica
            .repo
            .commits_between(Some(tip), revert.commit, usize::MAX)?
        {
            replica.repo.record_outgoing(made)?;
        }
        let secrets = incoming_secrets(replica, base, tip);
        return Ok(Verdict::Revert { revert, secrets });
    }
    // Reverted before a crash, maybe: then the owner was not notified yet.
    let messages = held::messages(replica, &report.reverted, 0);
    replica.notifier.notify_reverted(&messages);
    advance_verified(replica, base, tip)?;
    replica.outbox.reconcile(Some(tip))?;
    Ok(Verdict::Verified)
}

/// What the owner is notified of: secrets that `tip` has and `verified` has not.
fn incoming_secrets(replica: &Replica, verified: Option<Oid>, tip: Oid) -> Vec<String> {
    IncomingSecrets {
        repo: &replica.repo,
        role: replica.role,
        gate: &replica.gate,
        identity: &replica.identity,
    }
    .messages(verified, tip)
}

/// Notes what the own key signed elsewhere, before the tip that has it counts.
fn note_own(replica: &Replica, own: &[Oid]) -> Result<(), RepoError> {
    replica.elsewhere.note(&replica.repo, own)
}

/// Moves `verified` to where everything is right.
fn advance_verified(replica: &Replica, before: Option<Oid>, tip: Oid) -> Result<(), RepoError> {
    let secrets = incoming_secrets(replica, before, tip);
    replica.notifier.post_updates(&secrets);
    replica.clock.observe(before, tip)?;
    if replica.role == Role::Cloud {
        let messages = replica.witness.observe(&replica.repo, before, tip)?;
        replica.notifier.post_updates(&messages);
    }
    replica.repo.set_ref(RefName::Verified, tip)?;
    fail::fail_point!("sync-verified");
    Ok(())
}
