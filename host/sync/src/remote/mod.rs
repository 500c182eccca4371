//! Talking to the remote: one fetch, one push, and what is remembered of its answers.
//!
//! Lives here: `state` is what is known of it, `events` waits for changes, `backoff` says how long
//! to wait before another attempt.
//! Lives elsewhere: how a remote is reached is `repo`'s; verifying what it has is `content::ingest`'s.
//! Invariant: nothing is pushed that the gate did not pass.

pub(crate) mod backoff;
pub(crate) mod events;
pub(crate) mod state;

use std::time::Instant;

use platinum_core::Timestamp;
use platinum_protocol::PushOutcome;
use platinum_repo::{Oid, Remote, RemoteError};

use crate::{SyncError, Synchronizer, replica::Replica};

/// How often the same commit is pushed while it is not known whether it landed.
pub(crate) const MAX_PUSHES: u32 = 3;

/// One fetch. What it brings is not verified yet.
pub(crate) async fn fetch(
    sync: &Synchronizer,
    remote: &dyn Remote,
) -> Result<Option<Oid>, SyncError> {
    let git = sync.replica.locks.git_started();
    let fetched = remote.fetch().await;
    if fetched.is_ok() {
        sync.replica.locks.git_ended(git);
    }
    let mut state = sync.remote_state();
    match &fetched {
        Ok(tip) => {
            state.is_tip_known = true;
            state.tip = *tip;
            state.silent = None;
        }
        Err(error) => {
            state.error = Some(error.to_string());
            state.silent = matches!(error, RemoteError::TimedOut { .. })
                .then(|| (Instant::now(), error.clone()));
        }
    }
    drop(state);
    Ok(fetched?)
}

/// One push. Without a remote the commit is simply our tip.
pub(crate) async fn push(
    sync: &Synchronizer,
    commit: Oid,
    tip: Option<Oid>,
) -> Result<PushOutcome, SyncError> {
    push_and(sync, commit, tip, |_| ()).await
}

/// As [`push`]; when it has landed, `then` is done before that is recorded: a crash in between does
/// it once more.
pub(crate) async fn push_and(
    sync: &Synchronizer,
    commit: Oid,
    tip: Option<Oid>,
    then: impl FnOnce(&Replica) + Send + 'static,
) -> Result<PushOutcome, SyncError> {
    let mut asked_at = Timestamp::now();
    let outcome = match &sync.remote {
        Some(remote) => {
            let publishable = move |replica: &Replica| {
                // What is never sent cannot land.
                let published = replica.gate.ensure_publishable(&replica.repo, tip, commit);
                Ok(published.inspect_err(|_| replica.outbox.note_rejected(commit))?)
            };
            sync.blocking(publishable).await?;
            asked_at = Timestamp::now();
            fail::fail_point!("sync-before-push");
            let git = sync.replica.locks.git_started();
            let outcome = remote.push(commit, tip).await;
            if !matches!(outcome, PushOutcome::Indeterminate(_)) {
                sync.replica.locks.git_ended(git);
            }
            outcome
        }
        None => PushOutcome::Landed,
    };
    fail::fail_point!("sync-after-push");
    match &outcome {
        PushOutcome::Landed => {
            {
                let mut state = sync.remote_state();
                state.is_tip_known = true;
                state.tip = Some(commit);
            }
            sync.leases.note_pushed();
            let landed = move |replica: &Replica| {
                then(replica);
                Ok(replica.outbox.note_landed(commit)?)
            };
            sync.blocking(landed).await?;
            sync.remote_state().at = Some(asked_at);
        }
        PushOutcome::Rejected(_) => sync.replica.outbox.note_rejected(commit),
        PushOutcome::Indeterminate(_) => sync.replica.outbox.note_indeterminate(commit),
    }
    Ok(outcome)
}

/// Notes the files that the server names in its refusal of content, and notifies the owner of each: they
/// stay here from now on, so that the rest can go.
pub(crate) async fn note_refused(
    sync: &Synchronizer,
    pushed: (Option<Oid>, Oid),
    reason: String,
) -> Result<(), SyncError> {
    sync.blocking(move |replica| {
        for path in replica.refusals.note(&replica.repo, pushed, &reason)? {
            let message = format!("{path} stays on this machine alone: {reason}");
            replica.notifier.notify_owner(&message);
        }
        Ok(())
    })
    .await
}
