//! What was decided while the remote was away: kept over restarts, and held against the remote's
//! tip when it is back.
//!
//! A claim of a shared task without the remote is *tentative*: drafts may be made on it, and stay
//! on this machine (their epoch is [`UNCONFIRMED`]); effects are refused. In a zone that only the
//! owner's machine works in, a claim counts at once.
//!
//! Lives elsewhere: what becomes of each intent is decided in `protocol::reconcile`; whether a
//! draft goes out is asked where edits are gathered.
//! Invariants: an intent is on the disk before anything is done on it, and is forgotten only after
//! everything that follows from its end was done; what was made on a task that turned out to be
//! another's is set aside, never deleted, and the owner reads of it.

use platinum_core::{AgentName, ClaimId, Role, TaskId, Timestamp, VaultPath, Zone, layout};
use platinum_protocol::{
    ClaimRecord, Claimed, TaskPlace,
    reconcile::{Intent, Replay, replay},
};
use platinum_repo::{Oid, RefName};
use platinum_vault::{
    VaultError,
    note::{DraftNote, Note},
};

use super::{
    super::{SyncError, Synchronizer, apply::Arrival, side::Side},
    ending,
    moving::Moved,
    places::{self, MAX_NOTE},
};

/// The epoch in a draft that was made on a claim which nobody has confirmed yet. Real ones start
/// at 1.
pub(in crate::sync) const UNCONFIRMED: u64 = 0;
/// Why such a draft stays here.
pub(in crate::sync) const HELD: &str = "its task's claim is not confirmed";

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
            Replay::Tell => {
                self.blocking(move |side| side.go_on(task, &intent)).await?;
                return Ok(false);
            }
            Replay::Settled => {
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

impl Synchronizer {
    /// Whether a task is this agent's in a zone that nobody else works in, so that no remote has to
    /// be asked about it.
    ///
    /// # Errors
    /// If the repository or the note cannot be read.
    pub async fn is_ours_alone(&self, task: TaskId) -> Result<bool, SyncError> {
        self.blocking(move |side| Ok(side.owned_alone(task)?.is_some()))
            .await
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
        let stands = matches!(replay(&intent, &place), Replay::Tell | Replay::Settled);
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

    /// The claim of a task that is this agent's in a zone that nobody else works in.
    fn owned_alone(&self, task: TaskId) -> Result<Option<ClaimRecord>, SyncError> {
        let TaskPlace::Owned(record) = self.place(task)? else {
            return Ok(None);
        };
        let path = layout::in_progress(&self.agent, task);
        let is_ours = record.agent == self.agent
            && self.role == Role::Local
            && self.vault.exists(&path)?
            && self.task(task)?.zone.is_local_only();
        Ok(is_ours.then_some(record))
    }

    /// Claims a task of a zone that only this machine works in; nothing if it is not one.
    pub(in crate::sync) fn claim_here(&self, task: TaskId) -> Result<Option<Claimed>, SyncError> {
        if self.role != Role::Local {
            return Ok(None);
        }
        let _hands = self.hands();
        self.catch_up()?;
        let from = self.waiting_alone(task)?;
        let earlier = match self.decided.get(task) {
            // It waits for another claim, or is nowhere.
            Some(Intent::Own { record }) if self.is_taken_back(task, &record)? => None,
            Some(Intent::Own { record }) => Some(record),
            _ => None,
        };
        let Some(from) = from else {
            let owned = match earlier {
                Some(record) => Some(record),
                // The remote has been told of it since.
                None => self.owned_alone(task)?,
            };
            return Ok(owned.map(|record| Claimed::Won {
                epoch: record.epoch,
            }));
        };
        if let Some(record) = &earlier
            && let Some(from) = self.left_behind(task, &from, record)?
        {
            self.apply(&[], &[from])?;
            return Ok(Some(Claimed::Won {
                epoch: record.epoch,
            }));
        }
        let tip = self.repo.tip(RefName::Verified)?;
        let found = match tip {
            Some(tip) => Some(places::find(&self.repo, tip, task)?),
            None => None,
        };
        let mut epoch = found.as_ref().map_or(0, |found| found.epoch);
        if let Some(found) = &found
            && !matches!(found.place, TaskPlace::Waiting | TaskPlace::Absent)
        {
            return Ok(None);
        }
        let bytes = self.vault.read(&from, MAX_NOTE as u64)?;
        let from = (from, self.repo.write_blob(&bytes)?);
        let mut note = self.note_in(&from)?;
        epoch = epoch.max(places::epoch_in(&note));
        let record = match (earlier, epoch.checked_add(1)) {
            (Some(record), _) => record,
            (None, Some(epoch)) => ClaimRecord {
                id: ClaimId::generate(),
                agent: self.agent.clone(),
                epoch,
                at: Timestamp::now(),
                base: tip.map(|tip| tip.to_string()).unwrap_or_default(),
                beat: 0,
            },
            (None, None) => {
                return Err(SyncError::Refused(format!(
                    "the note {} says that the epochs of its claims are used up; write a smaller \
                     `{}`",
                    from.0,
                    places::LAST_EPOCH
                )));
            }
        };
        places::write_claim(&mut note, &from.0, &record)?;
        let epoch = record.epoch;
        self.decided.set(task, Some(Intent::Own { record }))?;
        fail::fail_point!("claim-decided-here");
        let blob = self.repo.write_blob(note.to_text().as_bytes())?;
        // Not noted as applied: the next sync finds it as an edit, and tells the remote.
        self.do_move(&Moved {
            from,
            to: (layout::in_progress(&self.agent, task), blob),
            replaces: None,
        })?;
        tracing::info!(%task, epoch, "The task is claimed; its zone is this machine's alone.");
        Ok(Some(Claimed::Won { epoch }))
    }

    /// Where the work tree has a task that waits in a zone that only this machine works in.
    fn waiting_alone(&self, task: TaskId) -> Result<Option<VaultPath>, SyncError> {
        for zone in Zone::ALL.into_iter().filter(|zone| zone.is_local_only()) {
            let path = layout::waiting(zone, task);
            if self.vault.exists(&path)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// What is left to do of a claim that stopped between the two halves of its move: nobody has
    /// changed the file that waits, and the claim is in the other one, whatever else is in it.
    fn left_behind(
        &self,
        task: TaskId,
        from: &VaultPath,
        record: &ClaimRecord,
    ) -> Result<Option<Arrival>, SyncError> {
        let own = layout::in_progress(&self.agent, task);
        if self.claim_here_in(&own) != Some(record.id) {
            return Ok(None);
        }
        let expected = self.unedited(from)?;
        Ok(expected.map(|blob| Arrival {
            path: from.clone(),
            expected: Some(blob),
            new: None,
        }))
    }

    /// Whether what was claimed here has ended by hand: the file is gone, or somewhere else, or waits
    /// and speaks of that claim. A move that stopped halfway leaves the file that waits as it was.
    fn is_taken_back(&self, task: TaskId, record: &ClaimRecord) -> Result<bool, SyncError> {
        if self.vault.exists(&layout::in_progress(&self.agent, task))? {
            return Ok(false);
        }
        Ok(match self.waiting_alone(task)? {
            Some(from) => self
                .note_here(&from)
                .is_some_and(|note| places::epoch_in(&note) >= record.epoch),
            None => true,
        })
    }

    /// The claim in a note of the work tree, as far as that can be read.
    fn claim_here_in(&self, path: &VaultPath) -> Option<ClaimId> {
        let note = self.note_here(path);
        places::claim_in(note.as_ref(), &self.agent).map(|record| record.id)
    }

    fn note_here(&self, path: &VaultPath) -> Option<Note> {
        let text = self.vault.read_text(path, MAX_NOTE as u64).ok()?;
        Note::parse(&text).ok()
    }

    /// Does what is left of something that was decided here and stopped halfway.
    fn go_on(&self, task: TaskId, intent: &Intent) -> Result<(), SyncError> {
        let record = match intent {
            Intent::Own { record } => record,
            Intent::Finish { .. } => return self.go_on_filing(task, intent),
            Intent::Claim { .. } => return Ok(()),
        };
        {
            let _hands = self.hands();
            self.catch_up()?;
            if self.is_taken_back(task, record)? {
                return self.forget(task, intent, None);
            }
        }
        match self.waiting_alone(task)? {
            // Moved back by hand, with its claim in it: that is no move that stopped.
            Some(from) if self.claim_here_in(&from) == Some(record.id) => Ok(()),
            // What was decided while the remote was asked is gone on with by the next sync.
            Some(_) if self.decided.get(task).as_ref() == Some(intent) => {
                self.claim_here(task).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// The same for an end. One that a person has taken back is forgotten: there is nothing to tell
    /// of it but what the files say.
    fn go_on_filing(&self, task: TaskId, intent: &Intent) -> Result<(), SyncError> {
        let Intent::Finish { record, told } = intent else {
            return Ok(());
        };
        if self.is_filed(task)? {
            return Ok(());
        }
        let _hands = self.hands();
        let own = layout::in_progress(&self.agent, task);
        match self.vault.read_text(&own, MAX_NOTE as u64) {
            Err(VaultError::NotFound(_)) => self.forget(task, intent, None),
            // Killed before it was filed: it is finished once more.
            Ok(text) if !ending::has_end(&text) => Ok(()),
            // Moved back to where it was. If nobody has heard of its claim, that is untold again.
            Ok(_) => {
                let record = record.clone();
                let own = (!told).then_some(Intent::Own { record });
                self.forget(task, intent, own)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Puts another intent, or none, in the place of one that came to nothing; unless something
    /// was decided meanwhile.
    fn forget(&self, task: TaskId, past: &Intent, now: Option<Intent>) -> Result<(), SyncError> {
        if self.decided.get(task).as_ref() != Some(past) {
            return Ok(());
        }
        tracing::info!(%task, "What was decided here about it was taken back by hand.");
        self.decided.set(task, now)
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
