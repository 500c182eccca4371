//! Tasks of zones that only the owner's machine works in: claimed here without the remote, filed here,
//! and taken back by hand.
//!
//! Lives elsewhere: filing is [`super::super::ending`]'s; telling the remote is the sync's, which
//! finds the moved files as edits.
//! Invariant: such a claim lasts as long as its file: deleted or moved back, it is over, and the next
//! one has another id and a higher epoch.

use platinum_core::{ClaimId, Role, TaskId, Timestamp, VaultPath, layout};
use platinum_protocol::{ClaimRecord, Claimed, TaskPlace, reconcile::Intent};
use platinum_repo::RefName;
use platinum_vault::{VaultError, note::Note};

use super::super::{
    ending,
    moving::Moved,
    places::{self, MAX_NOTE},
};
use crate::sync::{SyncError, Synchronizer, apply::Arrival, side::Side};

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
    /// The claim of a task that is this agent's in a zone that nobody else works in.
    fn owned_alone(&self, task: TaskId) -> Result<Option<ClaimRecord>, SyncError> {
        let TaskPlace::Owned(record) = self.place(task)? else {
            return Ok(None);
        };
        let path = layout::in_progress(&self.agent, task);
        let is_ours = record.agent == self.agent
            && self.role == Role::Local
            && self.vault.exists(&path)?
            && platinum_policy::is_local_only(self.task(task)?.zone);
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
        for zone in platinum_policy::local_only_zones() {
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
    pub(super) fn go_on(&self, task: TaskId, intent: &Intent) -> Result<(), SyncError> {
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
        let Intent::Finish { record, published } = intent else {
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
                let own = (!published).then_some(Intent::Own { record });
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
}
