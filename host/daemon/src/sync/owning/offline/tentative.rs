//! Claims that are tentative, and every intent held against the remote's tip when it is back.
//!
//! Lives elsewhere: what becomes of each intent is decided in `protocol::reconcile`; whether a
//! draft goes out is asked where edits are gathered.
//! Invariant: what was made on a task that turned out to be another's is set aside, never deleted,
//! and the owner reads of it.

use platinum_core::{AgentName, ClaimId, TaskId, VaultPath, layout};
use platinum_protocol::{
    Claimed, TaskPlace,
    reconcile::{Intent, Replay, replay},
};
use platinum_repo::{Oid, RefName};
use platinum_vault::note::{DraftNote, Note};

use super::{
    super::places::{self, MAX_NOTE},
    UNCONFIRMED,
};
use crate::sync::{SyncError, Synchronizer, side::Side};

impl Synchronizer {
    /// Holds every intent against the remote's tip; answers how many are settled now.
    pub(in crate::sync) async fn settle(&self) -> Result<usize, SyncError> {
        let mut settled = 0;
        let intents = self.side.decided.all();
        if intents.is_empty() {
            return Ok(0);
        }
        let tip = self.fetch_and_verify().await?;
        for (task, intent) in intents {
            let done = match self.settle_one(tip, task, intent).await {
                // Only the owner's machine works there by now: it can never be claimed.
                Err(SyncError::ZoneDenied(_)) => {
                    let lost = self.blocking(move |side| side.lost(task, None)).await;
                    lost.map(|()| true)
                }
                done => done,
            };
            let done = match done {
                // It stays with its task: everything else goes on.
                Err(error) if error.is_about_one_task() => {
                    tracing::warn!(%task, "What was decided offline stays undone: {error}.");
                    false
                }
                done => done?,
            };
            settled += usize::from(done);
        }
        Ok(settled)
    }

    /// Holds one intent against a tip; whether it is settled now.
    async fn settle_one(
        &self,
        tip: Option<Oid>,
        task: TaskId,
        intent: Intent,
    ) -> Result<bool, SyncError> {
        let place = self.blocking(move |side| side.place_at(tip, task)).await?;
        let answer = replay(&intent, &place);
        match answer {
            // One that the remote has not heard of is told first. If it is not here any more either,
            // there is nothing to claim.
            Replay::ClaimNow if place == TaskPlace::Absent => {
                return self
                    .blocking(move |side| {
                        let is_gone = side.waiting_here(task)?.is_none();
                        if is_gone {
                            side.lost(task, None)?;
                        }
                        Ok(is_gone)
                    })
                    .await;
            }
            Replay::ClaimNow => {
                let claimed = self.claim_by_push(task).await?;
                return Ok(!matches!(claimed, Claimed::Tentative | Claimed::GaveUp));
            }
            Replay::Publish => {
                self.blocking(move |side| side.go_on(task, &intent)).await?;
                return Ok(false);
            }
            Replay::UpToDate => {
                let confirmed = match (&intent, place) {
                    (Intent::Claim { .. }, TaskPlace::Owned(record)) => Some(record.epoch),
                    _ => None,
                };
                self.blocking(move |side| {
                    let _hands = side.hands();
                    match confirmed {
                        Some(epoch) => side.confirmed(task, epoch),
                        // What was decided while the remote was asked is not settled by that.
                        None if side.decided.get(task).as_ref() != Some(&intent) => Ok(()),
                        None => side.decided.set(task, None),
                    }
                })
                .await?;
            }
            Replay::Lost { owner } => {
                self.blocking(move |side| side.lost(task, owner.as_ref()))
                    .await?;
            }
            Replay::Gone => self.blocking(move |side| side.lost(task, None)).await?,
        }
        Ok(true)
    }

    /// The tasks on which this agent may draft although their claims are not confirmed.
    pub fn tentative(&self) -> Vec<TaskId> {
        self.side.decided.tentative()
    }

    /// Under which epoch this agent may draft for a task now: the one of its claim, 0 while that is
    /// tentative, none if the task is not its own.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn drafting_epoch(&self, task: TaskId) -> Result<Option<u64>, SyncError> {
        if let TaskPlace::Owned(record) = self.place(task).await?
            && record.agent == self.side.agent
        {
            // One that was made by hand, without a record, has no epoch to compare.
            return Ok(Some(record.epoch.max(UNCONFIRMED + 1)));
        }
        Ok(
            matches!(self.side.decided.get(task), Some(Intent::Claim { .. }))
                .then_some(UNCONFIRMED),
        )
    }
}

impl Side {
    /// What a tip says of a task.
    pub(in crate::sync) fn place_at(
        &self,
        tip: Option<Oid>,
        task: TaskId,
    ) -> Result<TaskPlace, SyncError> {
        match tip {
            Some(tip) => Ok(places::find(&self.repo, tip, task)?.place),
            None => Ok(TaskPlace::Absent),
        }
    }

    /// What the last verified tip says of a task, with what was decided here since that counts
    /// without the remote.
    pub(in crate::sync) fn place(&self, task: TaskId) -> Result<TaskPlace, SyncError> {
        let place = self.place_at(self.repo.tip(RefName::Verified)?, task)?;
        let Some(intent) = self.decided.get(task) else {
            return Ok(place);
        };
        let stands = matches!(replay(&intent, &place), Replay::Publish | Replay::UpToDate);
        let own = layout::in_progress(&self.agent, task);
        Ok(match intent {
            _ if !stands => place,
            // For as long as its file is there: it may have been taken back by hand since.
            Intent::Own { record }
                if !matches!(place, TaskPlace::Owned(_)) && self.vault.exists(&own)? =>
            {
                TaskPlace::Owned(record)
            }
            // Killed before it was filed: to be finished once more.
            Intent::Finish { record, .. } if self.vault.exists(&own)? => TaskPlace::Owned(record),
            Intent::Finish { .. } => TaskPlace::Finished,
            Intent::Own { .. } | Intent::Claim { .. } => place,
        })
    }

    /// Keeps the wish for a task that could not be claimed as the remote is away.
    pub(in crate::sync) fn wish(&self, task: TaskId, claim: ClaimId) -> Result<(), SyncError> {
        if self.decided.get(task).is_some() {
            return Ok(());
        }
        let place = self.place_at(self.repo.tip(RefName::Verified)?, task)?;
        let known = match place {
            TaskPlace::Waiting => true,
            TaskPlace::Absent => false,
            // The last that was heard is that it is another's.
            TaskPlace::Owned(_) | TaskPlace::Finished => return Ok(()),
        };
        self.decided.set(task, Some(Intent::Claim { claim, known }))
    }

    /// A claim that was tentative is won: its drafts get its epoch, and may go out.
    pub(in crate::sync) fn confirmed(&self, task: TaskId, epoch: u64) -> Result<(), SyncError> {
        if !matches!(self.decided.get(task), Some(Intent::Claim { .. })) {
            return Ok(());
        }
        for (path, text) in self.unconfirmed_drafts(task)? {
            self.confirm_draft(task, epoch, &path, &text)?;
        }
        self.decided.set(task, None)
    }

    /// A draft gets the epoch of its task's claim, and may go out.
    fn confirm_draft(
        &self,
        task: TaskId,
        epoch: u64,
        path: &VaultPath,
        text: &str,
    ) -> Result<(), SyncError> {
        let failed = |source| SyncError::Note {
            path: path.clone(),
            source,
        };
        let mut note = Note::parse(text).map_err(failed)?;
        note.set("epoch", epoch).map_err(failed)?;
        self.touch([path].into_iter());
        self.vault
            .replace(path, note.to_text().as_bytes(), Some(text.as_bytes()))?;
        fail::fail_point!("draft-confirmed");
        self.tell(
            Some(task),
            &format!("The claim of a task is confirmed; its draft {path} waits for you"),
        );
        Ok(())
    }

    /// What becomes of a draft that is held back although no claim of its task is tentative: it was
    /// written in the moment in which that claim was won or lost.
    pub(in crate::sync) fn settle_draft(&self, path: &VaultPath) -> Result<(), SyncError> {
        let text = self.vault.read_text(path, MAX_NOTE as u64)?;
        let Some(task) = unconfirmed(&text) else {
            return Ok(());
        };
        if matches!(self.decided.get(task), Some(Intent::Claim { .. })) {
            return Ok(());
        }
        match self.place(task)? {
            TaskPlace::Owned(record) if record.agent == self.agent => {
                let epoch = record.epoch.max(UNCONFIRMED + 1);
                self.confirm_draft(task, epoch, path, &text)
            }
            // It may be claimed yet.
            TaskPlace::Waiting => Ok(()),
            place => {
                let owner = match &place {
                    TaskPlace::Owned(record) => Some(&record.agent),
                    _ => None,
                };
                self.set_by_and_tell(task, path, owner)
            }
        }
    }

    /// A task that was worked on without the remote is another's: what was made is set aside.
    pub(in crate::sync) fn lost(
        &self,
        task: TaskId,
        owner: Option<&AgentName>,
    ) -> Result<(), SyncError> {
        let _hands = self.hands();
        let intent = self.decided.get(task);
        let mut made: Vec<VaultPath> = match &intent {
            Some(Intent::Claim { .. }) => {
                let drafts = self.unconfirmed_drafts(task)?.into_iter();
                drafts.map(|(path, _)| path).collect()
            }
            _ => Vec::new(),
        };
        if matches!(intent, Some(Intent::Finish { .. })) {
            let filed = self.vault.walk_in(layout::DONE)?.into_iter();
            let name = task.to_string();
            made.extend(filed.map(|e| e.path).filter(|path| path.stem() == name));
        }
        if matches!(intent, Some(Intent::Own { .. })) {
            let path = layout::in_progress(&self.agent, task);
            made.extend(self.vault.exists(&path)?.then_some(path));
        }
        for path in made {
            self.set_by_and_tell(task, &path, owner)?;
        }
        self.decided.set(task, None)
    }

    fn set_by_and_tell(
        &self,
        task: TaskId,
        path: &VaultPath,
        owner: Option<&AgentName>,
    ) -> Result<(), SyncError> {
        let Some(kept) = self.set_by(task, path)? else {
            return Ok(());
        };
        fail::fail_point!("lost-work-set-by");
        let who = match owner {
            Some(owner) => format!("{owner} was faster with its task"),
            None => "its task was ended or taken back elsewhere".to_owned(),
        };
        self.tell(
            Some(task),
            &format!("What was made here while the line was cut is kept as {kept}: {who}"),
        );
        Ok(())
    }

    /// The drafts for a task that were made without a confirmed claim.
    fn unconfirmed_drafts(&self, task: TaskId) -> Result<Vec<(VaultPath, String)>, SyncError> {
        let mut drafts = Vec::new();
        for folder in [layout::PENDING_APPROVAL, layout::APPROVED, layout::REJECTED] {
            for entry in self.vault.list(folder)? {
                let Ok(text) = self.vault.read_text(&entry.path, MAX_NOTE as u64) else {
                    continue;
                };
                if unconfirmed(&text) == Some(task) {
                    drafts.push((entry.path, text));
                }
            }
        }
        Ok(drafts)
    }

    /// Whether an edit is a draft that may not leave this machine yet.
    pub(in crate::sync) fn is_unconfirmed(&self, path: &VaultPath, blob: Oid) -> bool {
        let folders = [layout::PENDING_APPROVAL, layout::APPROVED, layout::REJECTED];
        if !folders.contains(&path.top()) {
            return false;
        }
        let text = self.repo.read_blob(blob, MAX_NOTE).ok();
        text.and_then(|bytes| String::from_utf8(bytes).ok())
            .is_some_and(|text| unconfirmed(&text).is_some())
    }
}

/// The task of a draft that was made without a confirmed claim, if it is one.
fn unconfirmed(text: &str) -> Option<TaskId> {
    let draft = DraftNote::parse(text).ok()?;
    (draft.epoch == Some(UNCONFIRMED)).then_some(draft.task)
}
