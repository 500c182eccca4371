//! The end of a task's ownership: filed in `Done/`, or given back.
//!
//! Invariants: both go the way of a claim, as a tree edit on the tip and a compare-and-swap push,
//! so that a task is never in two places; asking again for what is done already succeeds. An owner
//! that is cut off may file its own task here: no other host can move it meanwhile.

use platinum_core::{AgentName, Role, TaskId, Timestamp, VaultPath, ZoneId, layout};
use platinum_protocol::{
    PushOutcome, TaskPlace,
    reconcile::{Intent, Replay, replay},
};
use platinum_repo::{Oid, RefName};
use platinum_tasks::{LAST_EPOCH, MAX_NOTE, TaskLocation, TaskNoteError};
use platinum_vault::note::{Note, ReceiptRecord, finish};

use super::{
    claim,
    offline::{filing, place},
    task_move,
    types::{KNOWN, TaskMove, mark},
};
use crate::{
    ClaimError, SyncError, Synchronizer,
    content::ingest,
    remote::{self, MAX_PUSHES, backoff},
    replica::Replica,
};

/// How a push ended, once that is known.
enum Landing {
    /// The commit is the tip.
    Landed,
    /// The tip is another now: build anew on it.
    Superseded(String),
}

/// How often an end is rebuilt on a new tip.
const MAX_ATTEMPTS: u32 = 12;

/// How a task ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// `done`, `filed` or `failed`.
    pub outcome: &'static str,
    /// One line for the owner.
    pub summary: String,
    /// What the other side answered.
    pub receipts: Vec<ReceiptRecord>,
    /// Whether only the task's owner may say so, on local too.
    pub is_owners: bool,
}

impl Finish {
    /// Its action was carried out.
    pub fn done(summary: &str, receipts: Vec<ReceiptRecord>) -> Self {
        Self {
            outcome: "done",
            summary: summary.to_owned(),
            receipts,
            is_owners: false,
        }
    }

    /// It needed none.
    pub fn filed(reason: &str) -> Self {
        Self {
            outcome: "filed",
            summary: reason.to_owned(),
            receipts: Vec::new(),
            is_owners: false,
        }
    }

    /// The same, of a task of this agent alone.
    #[must_use]
    pub fn by_owner(self) -> Self {
        Self {
            is_owners: true,
            ..self
        }
    }

    /// It could not be done.
    pub fn failed(reason: &str) -> Self {
        Self {
            outcome: "failed",
            summary: reason.to_owned(),
            receipts: Vec::new(),
            is_owners: false,
        }
    }
}

/// Where a task goes.
#[derive(Debug, Clone)]
pub(crate) enum End {
    Finish(Finish, Timestamp),
    Release(String),
}

/// Ends a task: at the remote, or here if the remote cannot know of it.
pub(crate) async fn end(sync: &Synchronizer, task: TaskId, end: End) -> Result<(), SyncError> {
    // Filed here before, at another time: once is enough, and the next sync pushes it.
    if matches!(end, End::Finish(..))
        && sync
            .blocking(move |replica| filing::is_filed(replica, task))
            .await?
    {
        return Ok(());
    }
    if is_unacknowledged(sync, task) {
        // No other host may have it, so no lock is waited for; the next sync pushes all at once.
        let here = end.clone();
        if sync
            .blocking(move |replica| end_locally(replica, task, &here))
            .await?
        {
            return Ok(());
        }
    }
    sync.run_exclusive(move |sync| async move { end_exclusively(&sync, task, end).await })
        .await
}

async fn end_exclusively(sync: &Synchronizer, task: TaskId, end: End) -> Result<(), SyncError> {
    match end_by_push(sync, task, &end).await {
        Ok(()) => {
            fail::fail_point!("end-told");
            sync.blocking(move |replica| replica.intents.set(task, None))
                .await
        }
        // What the remote holds now is not known, for whichever reason.
        Err(error @ (SyncError::Remote(_) | SyncError::Faulty(_) | SyncError::InDoubt(_))) => {
            let kept = sync
                .blocking(move |replica| end_locally(replica, task, &end))
                .await?;
            if !kept {
                return Err(error);
            }
            tracing::info!(%task, "Task finished locally; it will be pushed when the remote is reachable.");
            Ok(())
        }
        other => other,
    }
}

/// Whether a task is this machine's alone and the remote, when it last answered, did not have that.
fn is_unacknowledged(sync: &Synchronizer, task: TaskId) -> bool {
    matches!(
        sync.replica.intents.get(task),
        Some(
            Intent::Own { .. }
                | Intent::Finish {
                    published: false,
                    ..
                }
        )
    )
}

async fn end_by_push(sync: &Synchronizer, task: TaskId, end: &End) -> Result<(), SyncError> {
    claim::push_edits_of(sync, task).await?;
    let mut reason = String::new();
    let mut pushed = None;
    for attempt in 1..=MAX_ATTEMPTS {
        let is_known = attempt == 1 && sync.answered_within(KNOWN);
        let tip = match is_known {
            true => {
                sync.blocking(|replica| Ok(replica.repo.tip(RefName::Verified)?))
                    .await?
            }
            false => ingest::fetch_and_verify(sync).await?,
        };
        let tip = tip.ok_or(ClaimError::NoTask(task))?;
        let build = end.clone();
        let built = sync
            .blocking(move |replica| {
                // Its answer was lost, or it came late: it has landed, and others went on from it.
                if let Some(pushed) = pushed
                    && replica.repo.is_ancestor(pushed, tip)?
                {
                    return Ok(None);
                }
                build_end(replica, task, tip, &build)
            })
            .await;
        // An end without a push depends on the remote as it is now.
        if is_known && !matches!(built, Ok(Some(_))) {
            continue;
        }
        let Some((commit, moved)) = built? else {
            return Ok(());
        };
        pushed = Some(commit);
        match land(sync, commit, Some(tip)).await? {
            Landing::Landed => {
                return sync
                    .blocking(move |replica| {
                        fail::fail_point!("end-landed");
                        task_move::apply_move(replica, commit, &moved)?;
                        Ok(replica.repo.set_mark(&mark(task), None)?)
                    })
                    .await;
            }
            Landing::Superseded(why) => {
                reason = why;
                tokio::time::sleep(backoff::contended(attempt)).await;
            }
        }
    }
    Err(SyncError::Contended {
        times: MAX_ATTEMPTS,
        reason,
    })
}

/// The end as a commit on `tip`; nothing if the task has come to it already.
fn build_end(
    replica: &Replica,
    task: TaskId,
    tip: Oid,
    end: &End,
) -> Result<Option<(Oid, TaskMove)>, SyncError> {
    let found = platinum_tasks::find(&replica.repo, tip, task)?;
    let owner = match (&found.place, end) {
        (TaskPlace::Finished, End::Finish(..)) | (TaskPlace::Waiting, End::Release(_)) => {
            return Ok(None);
        }
        (TaskPlace::Absent, _) => return Err(ClaimError::NoTask(task).into()),
        (TaskPlace::Finished, End::Release(_)) => {
            return Err(not_owner(task, "no agent: it is finished"));
        }
        // Given back or taken back since; what was carried out stays so.
        (TaskPlace::Waiting, End::Finish(how, _))
            if replica.role == Role::Local && !how.receipts.is_empty() =>
        {
            replica.agent.clone()
        }
        (TaskPlace::Waiting, End::Finish(..)) => {
            return Err(not_owner(task, "no agent: it waits"));
        }
        (TaskPlace::Owned(record), _) => record.agent.clone(),
    };
    check_may_end(replica, task, &owner, end)?;
    forget_acknowledged(replica, task, &found.place)?;
    let Some(file) = found.file.clone() else {
        return Err(ClaimError::NoTask(task).into());
    };
    let mut note = platinum_tasks::read_note(&replica.repo, &file)?;
    let to = write_end(task, &found, &file.0, &mut note, end)?;
    let message = match end {
        End::Finish(how, _) => format!("Finish {task}: {}", how.outcome),
        End::Release(_) => format!("Release {task}"),
    };
    task_move::commit_move(replica, tip, file, to, &note, message, Vec::new()).map(Some)
}

/// A commit made here that is still built on the tip may land; one on another tip never will.
pub(crate) fn may_still_move(replica: &Replica, task: TaskId) -> Result<bool, SyncError> {
    let Some(tip) = replica.repo.tip(RefName::Verified)? else {
        return Ok(false);
    };
    let name = task.to_string();
    for commit in replica.repo.outgoing()? {
        if replica.repo.commit_info(commit)?.parents.contains(&tip)
            && replica
                .repo
                .changes(Some(tip), commit)?
                .iter()
                .any(|changed| changed.path.stem() == name)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A claim in a zone of this machine alone that the remote has by now needs no push. Its intent is
/// forgotten before its end is pushed: if this host died in between, it would outlive the
/// claim, and give the next one the same epoch.
fn forget_acknowledged(
    replica: &Replica,
    task: TaskId,
    place: &TaskPlace,
) -> Result<(), SyncError> {
    match replica.intents.get(task) {
        Some(intent @ Intent::Own { .. }) if replay(&intent, place) == Replay::UpToDate => {
            replica.intents.set(task, None)
        }
        _ => Ok(()),
    }
}

fn check_may_end(
    replica: &Replica,
    task: TaskId,
    owner: &AgentName,
    end: &End,
) -> Result<(), SyncError> {
    let any = replica.role == Role::Local && matches!(end, End::Finish(how, _) if !how.is_owners);
    if any || *owner == replica.agent {
        Ok(())
    } else {
        Err(not_owner(task, owner.as_str()))
    }
}

/// Edits the note; returns where it goes.
fn write_end(
    task: TaskId,
    found: &TaskLocation,
    path: &VaultPath,
    note: &mut Note,
    end: &End,
) -> Result<VaultPath, SyncError> {
    let failed = |source| TaskNoteError::Note {
        path: path.clone(),
        source,
    };
    match end {
        End::Finish(how, at) => {
            finish(note, how.outcome, &how.summary, *at, &how.receipts).map_err(failed)?;
            Ok(layout::done(*at, task))
        }
        End::Release(reason) => {
            let zone: ZoneId = note
                .get_text("zone")
                .and_then(|z| z.parse().ok())
                .ok_or_else(|| {
                    SyncError::Refused(format!("the note {path} has no zone to go back to"))
                })?;
            note.remove_claim().map_err(failed)?;
            note.set(LAST_EPOCH, found.epoch).map_err(failed)?;
            note.set("released", reason.as_str()).map_err(failed)?;
            Ok(layout::waiting(zone, task))
        }
    }
}

/// Files an own task in the work tree alone, or releases one whose claim the remote never had;
/// whether it could. The next sync pushes it.
fn end_locally(replica: &Replica, task: TaskId, end: &End) -> Result<bool, SyncError> {
    let _lock = replica.worktree.lock();
    replica.worktree.resume_apply()?;
    let path = layout::in_progress(&replica.agent, task);
    let own = replica.intents.get(task);
    if !replica.vault.exists(&path)? {
        // Asked again for what is done.
        let filed = matches!(own, Some(Intent::Finish { .. }));
        return Ok(filed && matches!(end, End::Finish(..)));
    }
    let record = match (&own, place::place(replica, task)?) {
        // Only if the last known state of the task is that it is ours.
        (None | Some(Intent::Own { .. } | Intent::Finish { .. }), TaskPlace::Owned(record))
            if record.agent == replica.agent =>
        {
            record
        }
        _ => return Ok(false),
    };
    let is_published = matches!(
        own,
        None | Some(Intent::Finish {
            published: true,
            ..
        })
    );
    if matches!(end, End::Release(_)) && is_published {
        return Ok(false);
    }
    let bytes = replica.vault.read(&path, MAX_NOTE as u64)?;
    let from = (path.clone(), replica.repo.write_blob(&bytes)?);
    let mut note = platinum_tasks::read_note(&replica.repo, &from)?;
    let found = TaskLocation {
        epoch: record.epoch,
        place: TaskPlace::Owned(record.clone()),
        file: Some(from.clone()),
        zone: None,
    };
    let to = write_end(task, &found, &path, &mut note, end)?;
    let blob = replica.repo.write_blob(note.to_text().as_bytes())?;
    let finish = Intent::Finish {
        record,
        published: is_published,
    };
    if matches!(end, End::Finish(..)) {
        replica.intents.set(task, Some(finish))?;
    }
    fail::fail_point!("end-decided");
    // Not noted as applied: the next sync finds it as an edit, and pushes it.
    task_move::move_on_disk(
        replica,
        &TaskMove {
            from,
            to: (to, blob),
            replaces: None,
        },
    )?;
    fail::fail_point!("end-filed-here");
    if matches!(end, End::Release(_)) {
        replica.intents.set(task, None)?;
    }
    Ok(true)
}

fn not_owner(task: TaskId, owner: &str) -> SyncError {
    ClaimError::NotOwner {
        task,
        owner: owner.to_owned(),
    }
    .into()
}

/// Pushes until it is known what became of the commit.
async fn land(sync: &Synchronizer, commit: Oid, tip: Option<Oid>) -> Result<Landing, SyncError> {
    let mut doubt = String::new();
    for _ in 0..MAX_PUSHES {
        match remote::push(sync, commit, tip).await? {
            PushOutcome::Landed => return Ok(Landing::Landed),
            PushOutcome::Rejected(reason) => return Ok(Landing::Superseded(reason)),
            PushOutcome::Indeterminate(reason) => doubt = reason,
        }
        let now = match ingest::fetch_and_verify(sync).await {
            Ok(now) => now,
            Err(SyncError::Remote(_)) => return Err(SyncError::InDoubt(doubt)),
            Err(error) => return Err(error),
        };
        if now == Some(commit) {
            return Ok(Landing::Landed);
        }
        if now != tip {
            // It landed and others went on, or it never will: the caller's next round sees which.
            return Ok(Landing::Superseded(doubt));
        }
    }
    Err(SyncError::InDoubt(doubt))
}
