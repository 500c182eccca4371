//! The end of a task's ownership: filed in `Done/`, or given back.
//!
//! Invariants: both go the way of a claim, as a tree edit on the tip and a compare-and-swap push,
//! so that a task is never in two places; asking again for what is done already succeeds. An owner
//! that is cut off may file its own task here: nobody else can move it meanwhile.

use platinum_core::{AgentName, Role, TaskId, Timestamp, VaultPath, ZoneId, layout};
use platinum_protocol::{
    TaskPlace,
    reconcile::{Intent, Replay, replay},
};
use platinum_repo::{Oid, RefName};
use platinum_vault::{
    VaultError,
    note::{Note, ReceiptRecord, finish},
};

use super::{
    super::{SyncError, Synchronizer, apply::Arrival, pausing::pause, rounds::Landing, side::Side},
    claiming::KNOWN,
    moving::{Moved, mark},
    places::{self, Found, LAST_EPOCH, MAX_NOTE},
};

/// How often an end is rebuilt on a new tip.
const MAX_ATTEMPTS: u32 = 12;

/// How a task ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finish {
    /// `done`, `filed` or `failed`.
    pub outcome: &'static str,
    /// One line for the owner.
    pub summary: String,
    /// What the outside answered.
    pub receipts: Vec<ReceiptRecord>,
}

impl Finish {
    /// Its action was carried out.
    pub fn done(summary: &str, receipts: Vec<ReceiptRecord>) -> Self {
        Self {
            outcome: "done",
            summary: summary.to_owned(),
            receipts,
        }
    }

    /// It needed none.
    pub fn filed(reason: &str) -> Self {
        Self {
            outcome: "filed",
            summary: reason.to_owned(),
            receipts: Vec::new(),
        }
    }

    /// It could not be done.
    pub fn failed(reason: &str) -> Self {
        Self {
            outcome: "failed",
            summary: reason.to_owned(),
            receipts: Vec::new(),
        }
    }
}

/// Where a task goes.
#[derive(Debug, Clone)]
enum End {
    Finish(Finish, Timestamp),
    Release(String),
}

impl Synchronizer {
    /// Files an owned task in `Done/`. A task that is there already is left as it is. Local may
    /// file the tasks of any agent, cloud its own.
    ///
    /// # Errors
    /// If the task is not owned or another's, or the remote cannot be asked and the task is not
    /// this agent's.
    pub async fn finish(&self, task: TaskId, how: Finish) -> Result<(), SyncError> {
        self.end(task, End::Finish(how, Timestamp::now())).await
    }

    /// Gives a task of this agent back to `Needs_Action/`.
    ///
    /// # Errors
    /// As [`Synchronizer::finish`].
    pub async fn release(&self, task: TaskId, reason: &str) -> Result<(), SyncError> {
        self.end(task, End::Release(reason.to_owned())).await
    }

    async fn end(&self, task: TaskId, end: End) -> Result<(), SyncError> {
        // Filed here before, under another time: once is enough, and the next sync tells of it.
        if matches!(end, End::Finish(..)) && self.blocking(move |side| side.is_filed(task)).await? {
            return Ok(());
        }
        if self.is_untold(task) {
            // Nobody else may have it, so nobody is waited for; the next sync tells all at once.
            let here = end.clone();
            if self
                .blocking(move |side| side.end_here(task, &here))
                .await?
            {
                return Ok(());
            }
        }
        self.in_turn(move |sync| async move { sync.end_in_turn(task, end).await })
            .await
    }

    async fn end_in_turn(&self, task: TaskId, end: End) -> Result<(), SyncError> {
        match self.end_by_push(task, &end).await {
            Ok(()) => {
                fail::fail_point!("end-told");
                self.blocking(move |side| side.decided.set(task, None))
                    .await
            }
            // What the remote holds now is not known, for whichever reason.
            Err(error @ (SyncError::Remote(_) | SyncError::Faulty(_) | SyncError::InDoubt(_))) => {
                let kept = self.blocking(move |side| side.end_here(task, &end)).await?;
                if !kept {
                    return Err(error);
                }
                tracing::info!(%task, "The task is filed here; the remote learns of it later.");
                Ok(())
            }
            other => other,
        }
    }

    /// Whether a change of this task that was made here may still land: then who owns it is not
    /// known, whatever the last tip says.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn is_in_doubt(&self, task: TaskId) -> Result<bool, SyncError> {
        self.blocking(move |side| side.may_still_move(task)).await
    }

    /// Whether a task is this machine's alone and the remote, when it was last there, had not heard
    /// of that.
    fn is_untold(&self, task: TaskId) -> bool {
        matches!(
            self.side.decided.get(task),
            Some(
                Intent::Own { .. }
                    | Intent::Finish {
                        published: false,
                        ..
                    }
            )
        )
    }

    async fn end_by_push(&self, task: TaskId, end: &End) -> Result<(), SyncError> {
        self.push_edits_of(task).await?;
        let mut reason = String::new();
        for attempt in 1..=MAX_ATTEMPTS {
            let is_known = attempt == 1 && self.asked_within(KNOWN);
            let tip = match is_known {
                true => {
                    self.blocking(|side| Ok(side.repo.tip(RefName::Verified)?))
                        .await?
                }
                false => self.fetch_and_verify().await?,
            };
            let tip = tip.ok_or(SyncError::NoTask(task))?;
            let build = end.clone();
            let built = self
                .blocking(move |side| side.build_end(task, tip, &build))
                .await;
            // What is said of the task without a push is said of the remote as it is now.
            if is_known && !matches!(built, Ok(Some(_))) {
                continue;
            }
            let Some((commit, moved)) = built? else {
                return Ok(());
            };
            match self.land(commit, Some(tip)).await? {
                Landing::Landed => {
                    return self
                        .blocking(move |side| {
                            fail::fail_point!("end-landed");
                            side.apply_move(commit, &moved)?;
                            Ok(side.repo.set_mark(&mark(task), None)?)
                        })
                        .await;
                }
                Landing::Moved(why) => {
                    reason = why;
                    tokio::time::sleep(pause(attempt)).await;
                }
            }
        }
        Err(SyncError::Contended {
            times: MAX_ATTEMPTS,
            reason,
        })
    }
}

impl Side {
    /// The end as a commit on `tip`; nothing if the task has come to it already.
    fn build_end(
        &self,
        task: TaskId,
        tip: Oid,
        end: &End,
    ) -> Result<Option<(Oid, Moved)>, SyncError> {
        let found = places::find(&self.repo, tip, task)?;
        let owner = match (&found.place, end) {
            (TaskPlace::Finished, End::Finish(..)) | (TaskPlace::Waiting, End::Release(_)) => {
                return Ok(None);
            }
            (TaskPlace::Absent, _) => return Err(SyncError::NoTask(task)),
            (TaskPlace::Finished, End::Release(_)) => {
                return Err(not_owner(task, "nobody: it is finished"));
            }
            (TaskPlace::Waiting, End::Finish(..)) => {
                return Err(not_owner(task, "nobody: it waits"));
            }
            (TaskPlace::Owned(record), _) => record.agent.clone(),
        };
        self.may_end(task, &owner, end)?;
        self.forget_told(task, &found.place)?;
        let Some(file) = found.file.clone() else {
            return Err(SyncError::NoTask(task));
        };
        let mut note = self.note_in(&file)?;
        let to = self.write_end(task, &found, &file.0, &mut note, end)?;
        let message = match end {
            End::Finish(how, _) => format!("Finish {task}: {}", how.outcome),
            End::Release(_) => format!("Release {task}"),
        };
        self.commit_move(tip, file, to, &note, message, Vec::new())
            .map(Some)
    }

    /// A commit made here that is still built on the tip may land; one on another tip never will.
    fn may_still_move(&self, task: TaskId) -> Result<bool, SyncError> {
        let Some(tip) = self.repo.tip(RefName::Verified)? else {
            return Ok(false);
        };
        let name = task.to_string();
        for commit in self.repo.outgoing()? {
            if self.repo.commit_info(commit)?.parents.contains(&tip)
                && self
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

    /// A claim in a zone of this machine alone that the remote has by now needs no telling. It is
    /// forgotten before its end is pushed: if this host died in between, it would outlive the
    /// claim, and give the next one the same epoch.
    fn forget_told(&self, task: TaskId, place: &TaskPlace) -> Result<(), SyncError> {
        match self.decided.get(task) {
            Some(intent @ Intent::Own { .. }) if replay(&intent, place) == Replay::UpToDate => {
                self.decided.set(task, None)
            }
            _ => Ok(()),
        }
    }

    fn may_end(&self, task: TaskId, owner: &AgentName, end: &End) -> Result<(), SyncError> {
        let any = self.role == Role::Local && matches!(end, End::Finish(..));
        if any || *owner == self.agent {
            Ok(())
        } else {
            Err(not_owner(task, owner.as_str()))
        }
    }

    /// Edits the note; answers where it goes.
    fn write_end(
        &self,
        task: TaskId,
        found: &Found,
        path: &VaultPath,
        note: &mut Note,
        end: &End,
    ) -> Result<VaultPath, SyncError> {
        let failed = |source| SyncError::Note {
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
                note.remove("claim").map_err(failed)?;
                note.set(LAST_EPOCH, found.epoch).map_err(failed)?;
                note.set("released", reason.as_str()).map_err(failed)?;
                Ok(layout::waiting(zone, task))
            }
        }
    }

    /// Whether a task was filed here and the remote has not heard of it yet. What is left to do of
    /// that, if it stopped between the two halves of its move, is done.
    pub(in crate::sync) fn is_filed(&self, task: TaskId) -> Result<bool, SyncError> {
        if !matches!(self.decided.get(task), Some(Intent::Finish { .. })) {
            return Ok(false);
        }
        let _hands = self.hands();
        self.catch_up()?;
        let name = task.to_string();
        let mut filed = self.vault.walk_in(layout::DONE)?.into_iter();
        let Some(filed) = filed.find(|entry| entry.path.stem() == name) else {
            return Ok(false);
        };
        let path = layout::in_progress(&self.agent, task);
        let bytes = match self.vault.read(&path, MAX_NOTE as u64) {
            Ok(bytes) => bytes,
            Err(VaultError::NotFound(_)) => return Ok(true),
            Err(error) => return Err(error.into()),
        };
        let filed = self.vault.read(&filed.path, MAX_NOTE as u64)?;
        // One that was edited since is set aside, beside it.
        let expected = match self.unedited(&path)? {
            None if without_end(&filed).is_some_and(|it| Some(it) == without_end(&bytes)) => {
                Some(self.repo.write_blob(&bytes)?)
            }
            unedited => unedited,
        };
        let rest = Arrival {
            path,
            expected,
            new: None,
        };
        self.apply(&[], &[rest])?;
        Ok(true)
    }

    /// Files an own task in the work tree alone, or gives one back that the remote never heard was
    /// taken; whether it could. The next sync tells the remote.
    fn end_here(&self, task: TaskId, end: &End) -> Result<bool, SyncError> {
        let _hands = self.hands();
        self.catch_up()?;
        let path = layout::in_progress(&self.agent, task);
        let own = self.decided.get(task);
        if !self.vault.exists(&path)? {
            // Asked again for what is done.
            let filed = matches!(own, Some(Intent::Finish { .. }));
            return Ok(filed && matches!(end, End::Finish(..)));
        }
        let record = match (&own, self.place(task)?) {
            // Only if the last that was heard of the task is that it is ours.
            (None | Some(Intent::Own { .. } | Intent::Finish { .. }), TaskPlace::Owned(record))
                if record.agent == self.agent =>
            {
                record
            }
            _ => return Ok(false),
        };
        let published = matches!(
            own,
            None | Some(Intent::Finish {
                published: true,
                ..
            })
        );
        if matches!(end, End::Release(_)) && published {
            return Ok(false);
        }
        let bytes = self.vault.read(&path, MAX_NOTE as u64)?;
        let from = (path.clone(), self.repo.write_blob(&bytes)?);
        let mut note = self.note_in(&from)?;
        let found = Found {
            epoch: record.epoch,
            place: TaskPlace::Owned(record.clone()),
            file: Some(from.clone()),
            zone: None,
        };
        let to = self.write_end(task, &found, &path, &mut note, end)?;
        let blob = self.repo.write_blob(note.to_text().as_bytes())?;
        let finish = Intent::Finish { record, published };
        if matches!(end, End::Finish(..)) {
            self.decided.set(task, Some(finish))?;
        }
        fail::fail_point!("end-decided");
        // Not noted as applied: the next sync finds it as an edit, and tells the remote.
        self.do_move(&Moved {
            from,
            to: (to, blob),
            replaces: None,
        })?;
        fail::fail_point!("end-filed-here");
        if matches!(end, End::Release(_)) {
            self.decided.set(task, None)?;
        }
        Ok(true)
    }
}

/// Whether a task's note says how it ended.
pub(in crate::sync) fn has_end(text: &str) -> bool {
    Note::parse(text).is_ok_and(|note| note.get("finished").is_some())
}

/// A task's note without what its end has written into it.
fn without_end(bytes: &[u8]) -> Option<String> {
    let mut note = Note::parse(std::str::from_utf8(bytes).ok()?).ok()?;
    for key in ["outcome", "summary", "finished", "receipts"] {
        note.remove(key).ok()?;
    }
    Some(note.to_text())
}

fn not_owner(task: TaskId, owner: &str) -> SyncError {
    SyncError::NotOwner {
        task,
        owner: owner.to_owned(),
    }
}
