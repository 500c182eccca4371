//! One sync of content: doing what [`SyncMachine`] says, with the remote, the repository and the
//! work tree.
//!
//! Lives here: `merge` prepares a commit, `ingest` verifies what the remote has, `rounds` puts a
//! whole sync together.
//! Lives elsewhere: the order of the steps is decided in `protocol`.

mod approved;
pub(crate) mod ingest;
mod merge;
pub(crate) mod prepared;
pub(crate) mod rounds;

use jiff::SignedDuration;
use platinum_core::VaultPath;
use platinum_protocol::{PushOutcome, SyncMachine, SyncStep, Synced};
use platinum_repo::{Edit, Oid, RefName, Repo};
use platinum_vault::VaultError;
use platinum_worktree::Withheld;

use crate::{
    SyncError, SyncReport, Synchronizer,
    claims::moved_tasks,
    remote::{self, MAX_PUSHES, backoff},
    replica::Replica,
};
use prepared::Prepared;

/// A remote that answered this recently is pushed to without being asked first.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// How often a sync is rebuilt on a new tip before it releases the lock.
const MAX_ROUNDS: u32 = 8;

/// One sync of content, as the machine says.
pub(crate) async fn sync_content(sync: &Synchronizer) -> Result<SyncReport, SyncError> {
    let mut machine = new_machine(sync).await?;
    let mut prepared = Prepared::default();
    let mut report = SyncReport::default();
    let mut away = None;
    loop {
        match machine.step().clone() {
            SyncStep::Fetch => match ingest::fetch_and_verify(sync).await {
                Ok(tip) => drop(machine.fetched(tip.map(hex)).clone()),
                Err(error @ SyncError::Remote(_)) => {
                    machine.fetch_failed(error.to_string());
                    away = Some(error);
                }
                Err(error) => return Err(error),
            },
            SyncStep::Prepare { on_tip } => {
                let tip = oid(on_tip.as_deref())?;
                prepared = sync
                    .blocking(move |replica| merge::prepare(replica, tip))
                    .await?;
                fail::fail_point!("sync-prepared");
                machine.prepared(prepared.commit.map(hex));
            }
            SyncStep::Push { commit, on_tip } => {
                let (on_tip, commit) = (oid(on_tip.as_deref())?, Repo::oid(&commit)?);
                let outcome = remote::push(sync, commit, on_tip).await?;
                if let PushOutcome::Rejected(reason) = &outcome {
                    remote::note_refused(sync, (on_tip, commit), reason.clone()).await?;
                }
                machine.pushed(outcome);
            }
            SyncStep::Pause { round } => {
                tokio::time::sleep(backoff::contended(round)).await;
                machine.paused();
            }
            SyncStep::TakeIn { tip } => {
                let tip = oid(tip.as_deref())?;
                let mut prepared = std::mem::take(&mut prepared);
                let requests = std::mem::take(&mut prepared.claim_requests);
                report = apply_prepared(sync, prepared, tip).await?;
                moved_tasks::claim_moved_tasks(sync, requests, &mut report).await?;
                machine.taken_in();
            }
            SyncStep::End(end) => {
                return match end {
                    Synced::Done { .. } => Ok(report),
                    Synced::Away(reason) => Err(away.unwrap_or(SyncError::InDoubt(reason))),
                    Synced::InDoubt(reason) => Err(SyncError::InDoubt(reason)),
                    Synced::Contended { rounds, reason } => Err(SyncError::Contended {
                        times: rounds,
                        reason,
                    }),
                };
            }
        }
    }
}

/// A remote that was asked a moment ago is pushed to without being asked again.
async fn new_machine(sync: &Synchronizer) -> Result<SyncMachine, SyncError> {
    if !sync.answered_within(FRESH) {
        return Ok(SyncMachine::new(MAX_ROUNDS, MAX_PUSHES));
    }
    let tip = sync.blocking(|replica| Ok(replica.repo.tip(RefName::Verified)?));
    let tip = tip.await?.map(hex);
    Ok(SyncMachine::push_first(MAX_ROUNDS, MAX_PUSHES, tip))
}

/// Applies what was prepared to the work tree.
async fn apply_prepared(
    sync: &Synchronizer,
    prepared: Prepared,
    landed: Option<Oid>,
) -> Result<SyncReport, SyncError> {
    sync.blocking(move |replica| {
        let _lock = replica.worktree.lock();
        let changes = !(prepared.copies.is_empty() && prepared.updates.is_empty());
        if let Some(tip) = landed.filter(|_| changes) {
            replica.worktree.begin_apply(tip)?;
            fail::fail_point!("sync-bringing");
        }
        let (more, failed) = replica
            .worktree
            .apply_each(&prepared.copies, &prepared.updates)?;
        fail::fail_point!("sync-files-changed");
        if let Some(tip) = landed {
            note_applied_except(replica, tip, &failed)?;
        }
        if changes {
            replica.worktree.end_apply()?;
        }
        fail::fail_point!("sync-taken-in");
        if let Some(message) = approved::message(&prepared.asked_again) {
            replica.notifier.post_update(None, &message);
        }
        let conflicts = prepared.copies.len().saturating_add(more as usize);
        let mut withheld = prepared.withheld;
        let mut brought = Vec::new();
        for update in prepared.updates {
            match failed.iter().find(|(path, _)| *path == update.path) {
                Some((path, error)) => withheld.push(Withheld {
                    path: path.clone(),
                    reason: error.to_string(),
                }),
                None => brought.push(update.path),
            }
        }
        Ok(SyncReport {
            pulled: u32::try_from(brought.len()).unwrap_or(u32::MAX),
            pushed: prepared.edits,
            conflicts: u32::try_from(conflicts).unwrap_or(u32::MAX),
            tip: landed.map(|oid| oid.to_string()),
            brought,
            withheld,
            waiting: prepared.waiting,
        })
    })
    .await
}

/// Notes that the work tree holds a commit, but these paths stay as they were before: the work tree could not
/// take the tip's version, which is no edit of the owner's, and is tried again next time.
fn note_applied_except(
    replica: &Replica,
    tip: Oid,
    failed: &[(VaultPath, VaultError)],
) -> Result<(), SyncError> {
    if failed.is_empty() {
        return Ok(replica.outbox.note_applied(tip)?);
    }
    let before = replica.repo.tip(RefName::Applied)?;
    let mut edits = Vec::new();
    for (path, _) in failed {
        let old = match before {
            Some(before) => replica.repo.blob_at(before, path)?,
            None => None,
        };
        match old {
            Some(blob) => edits.push((path.clone(), Edit::PutBlob(blob))),
            None if replica.repo.blob_at(tip, path)?.is_some() => {
                edits.push((path.clone(), Edit::Delete));
            }
            None => {}
        }
    }
    let meta = replica.clock.meta("Applied in part".to_owned(), Vec::new());
    let commit = replica.repo.commit(Some(tip), &edits, &meta)?;
    Ok(replica.outbox.note_applied(commit)?)
}

fn hex(oid: Oid) -> String {
    oid.to_string()
}

fn oid(hex: Option<&str>) -> Result<Option<Oid>, SyncError> {
    Ok(hex.map(Repo::oid).transpose()?)
}
