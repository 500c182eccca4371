//! What a claim or an end does to a tree and to the work tree: one task's file moves, and its text
//! may change.
//!
//! Lives elsewhere: when, and against which tip, is [`super::claiming`]'s and [`super::ending`]'s.
//! Invariants: a claim is known as ours by a mark in the repository, which is set before the push;
//! the work tree is changed only after the push has landed, path by path, over nothing that was
//! not seen.

use std::collections::BTreeSet;

use platinum_core::{ClaimId, Role, TaskId, Timestamp, VaultPath, layout};
use platinum_policy::{Change, check};
use platinum_protocol::{ClaimRecord, TaskPlace, reconcile::Intent};
use platinum_repo::{Edit, Oid, RefName, RepoError};
use platinum_vault::note::Note;

use super::{
    super::{SyncError, apply::Arrival, side::Side},
    claiming::{From, Proposal, Seen},
    places::{self, Found, MAX_NOTE},
};

/// The trailer with the claim's id.
const TRAILER_CLAIM: &str = "Platinum-Claim";
/// The trailer with its epoch.
const TRAILER_EPOCH: &str = "Platinum-Epoch";

/// One file that changes its place, and maybe its text.
#[derive(Debug, Clone)]
pub(in crate::sync) struct Moved {
    pub(in crate::sync) from: (VaultPath, Oid),
    pub(in crate::sync) to: (VaultPath, Oid),
    /// What is at the new place already, if somebody moved the file by hand.
    pub(in crate::sync) replaces: Option<Oid>,
}

/// The name of the mark under which a host remembers its claim of a task.
pub(in crate::sync) fn mark(task: TaskId) -> String {
    format!("claims/{task}")
}

impl Side {
    pub(in crate::sync) fn see(
        &self,
        tip: Option<Oid>,
        task: TaskId,
        claim: ClaimId,
        commit: Option<Oid>,
    ) -> Result<Seen, SyncError> {
        let Some(at) = tip else {
            let found = Found {
                place: TaskPlace::Absent,
                file: None,
                zone: None,
                epoch: 0,
            };
            return Ok(Seen {
                tip,
                found,
                landed: None,
                is_earlier: false,
            });
        };
        let found = places::find(&self.repo, at, task)?;
        let landed = commit.map(|commit| self.repo.is_ancestor(commit, at));
        let is_earlier = match &found.place {
            // With nothing proposed, a claim of this id is one of before, too: its push came late.
            TaskPlace::Owned(record) if record.id != claim || commit.is_none() => {
                self.made(task, record)?
            }
            _ => false,
        };
        Ok(Seen {
            tip,
            found,
            landed: landed.transpose()?,
            is_earlier,
        })
    }

    /// The claim of a task as a commit on `tip`.
    pub(in crate::sync) fn build_claim(
        &self,
        task: TaskId,
        tip: Option<Oid>,
        (claim, epoch): (ClaimId, u64),
        how: From,
    ) -> Result<Proposal, SyncError> {
        let on_tip = tip.ok_or(SyncError::NoTask(task))?;
        let found = places::find(&self.repo, on_tip, task)?;
        let Some(from) = found.file else {
            return Err(SyncError::NoTask(task));
        };
        if let Some(zone) = found.zone
            && platinum_policy::is_local_only(zone)
            && self.role == Role::Cloud
        {
            return Err(SyncError::ZoneDenied(zone));
        }
        if self.role == Role::Cloud && found.epoch.checked_add(1) != Some(epoch) {
            // Somebody set it back by hand between two looks: the others would take it for forged.
            return Err(SyncError::Refused(format!(
                "the task {task} has another epoch than a moment ago; it is claimed anew"
            )));
        }
        let record = ClaimRecord {
            id: claim,
            agent: self.agent.clone(),
            epoch,
            at: Timestamp::now(),
            base: on_tip.to_string(),
            beat: 0,
        };
        let to = layout::in_progress(&self.agent, task);
        let in_hand = match how {
            From::Hand => {
                let bytes = self.vault.read(&to, MAX_NOTE as u64)?;
                Some(self.repo.write_blob(&bytes)?)
            }
            From::Waiting | From::Stuck => None,
        };
        let mut note = match in_hand {
            Some(blob) => self.note_in(&(to.clone(), blob))?,
            None => self.note_in(&from)?,
        };
        places::write_claim(&mut note, &from.0, &record)?;
        let trailers = vec![
            (TRAILER_CLAIM.to_owned(), claim.to_string()),
            (TRAILER_EPOCH.to_owned(), epoch.to_string()),
        ];
        let message = match how {
            From::Waiting | From::Hand => format!("Claim {task}"),
            From::Stuck => format!("Take over {task}"),
        };
        let (commit, mut moved) = self.commit_move(on_tip, from, to, &note, message, trailers)?;
        moved.replaces = in_hand;
        fail::fail_point!("claim-made");
        // Before the push: whatever happens after it, this claim is recognised as ours.
        self.repo.set_mark(&mark(task), Some(commit))?;
        fail::fail_point!("claim-marked");
        Ok(Proposal {
            commit,
            on_tip: Some(on_tip),
            moved,
        })
    }

    /// One file moved and rewritten, as a commit on `tip` that the policy allows.
    pub(in crate::sync) fn commit_move(
        &self,
        tip: Oid,
        from: (VaultPath, Oid),
        to: VaultPath,
        note: &Note,
        message: String,
        trailers: Vec<(String, String)>,
    ) -> Result<(Oid, Moved), SyncError> {
        let changes = [
            (from.0.clone(), Change::Delete),
            (to.clone(), Change::Create),
        ];
        if let Err(violations) = check(self.role, &self.agent, &changes) {
            let text: Vec<_> = violations.iter().map(ToString::to_string).collect();
            return Err(SyncError::Refused(text.join("; ")));
        }
        let blob = self.repo.write_blob(note.to_text().as_bytes())?;
        let edits = [
            (from.0.clone(), Edit::Delete),
            (to.clone(), Edit::PutBlob(blob)),
        ];
        let commit = self
            .repo
            .commit(Some(tip), &edits, &self.meta(message, trailers))?;
        fail::fail_point!("move-committed");
        self.repo.record_outgoing(commit)?;
        Ok((
            commit,
            Moved {
                from,
                to: (to, blob),
                replaces: None,
            },
        ))
    }

    /// Does in the work tree what a commit that landed did, and notes it as applied, so that what
    /// happens to the file from here on is an edit of it.
    pub(in crate::sync) fn apply_move(&self, commit: Oid, moved: &Moved) -> Result<(), SyncError> {
        let _hands = self.hands();
        // The tip may be a later one by now, with another version of the file.
        self.begin_bringing(commit)?;
        self.do_move(moved)?;
        fail::fail_point!("move-done");
        self.note_applied(Some(&moved.from.0), &moved.to)?;
        self.end_bringing()?;
        fail::fail_point!("move-noted");
        Ok(())
    }

    /// Moves the file in the work tree alone. What is at either place as the applied commit has it
    /// is nobody's edit, however old it is: a task can have been claimed and given back, or edited
    /// elsewhere, since the last sync of content. What an interrupted take-in has left is caught up
    /// with before.
    pub(in crate::sync) fn do_move(&self, moved: &Moved) -> Result<(), SyncError> {
        let arrivals = [
            Arrival {
                path: moved.to.0.clone(),
                expected: match moved.replaces {
                    Some(replaces) => Some(replaces),
                    None => self.unedited(&moved.to.0)?,
                },
                new: Some(moved.to.1),
            },
            Arrival {
                path: moved.from.0.clone(),
                expected: self.unedited(&moved.from.0)?.or(Some(moved.from.1)),
                new: None,
            },
        ];
        self.apply(&[], &arrivals).map(drop)
    }

    /// The blob of a file of the work tree that is as the applied commit has it.
    pub(in crate::sync) fn unedited(&self, path: &VaultPath) -> Result<Option<Oid>, SyncError> {
        let Some(applied) = self.repo.tip(RefName::Applied)? else {
            return Ok(None);
        };
        let Some(blob) = self.repo.blob_at(applied, path)? else {
            return Ok(None);
        };
        // What cannot be read is met, and told of, where it is moved.
        let there = self.blob_there(path).ok().flatten();
        Ok(there.filter(|there| *there == blob))
    }

    /// The base of the next merge gets these two paths of the tip ahead of the others. That makes
    /// a commit which nobody else ever sees.
    fn note_applied(
        &self,
        from: Option<&VaultPath>,
        to: &(VaultPath, Oid),
    ) -> Result<(), SyncError> {
        let applied = self.repo.tip(RefName::Applied)?;
        let mut edits = vec![(to.0.clone(), Edit::PutBlob(to.1))];
        if let (Some(applied), Some(from)) = (applied, from)
            && self.repo.blob_at(applied, from)?.is_some()
        {
            edits.push((from.clone(), Edit::Delete));
        }
        let meta = self.meta("Applied ahead".to_owned(), Vec::new());
        let commit = self.repo.commit(applied, &edits, &meta)?;
        Ok(self.repo.set_ref(RefName::Applied, commit)?)
    }

    /// Whether this host made the claim, as its mark says.
    pub(in crate::sync) fn made(
        &self,
        task: TaskId,
        record: &ClaimRecord,
    ) -> Result<bool, SyncError> {
        if record.agent != self.agent {
            return Ok(false);
        }
        let Some(commit) = self.repo.mark(&mark(task))? else {
            return Ok(false);
        };
        let info = self.repo.commit_info(commit)?;
        Ok(info.trailer(TRAILER_CLAIM) == Some(record.id.to_string().as_str()))
    }

    /// The id for the next claim of a task: a wish that was kept has one already, and so has a
    /// claim that was pushed before. Its push may still arrive, late; under another id this host
    /// would not know that claim for its own, and own a task without ever finding out.
    pub(in crate::sync) fn claim_id(&self, task: TaskId) -> Result<ClaimId, SyncError> {
        if let Some(Intent::Claim { claim, .. }) = self.decided.get(task) {
            return Ok(claim);
        }
        let pushed = match self.repo.mark(&mark(task))? {
            Some(commit) => self
                .repo
                .commit_info(commit)?
                .trailer(TRAILER_CLAIM)
                .and_then(|id| id.parse().ok()),
            None => None,
        };
        Ok(pushed.unwrap_or_else(ClaimId::generate))
    }

    /// Brings the file of a claim that was won before, but not applied before a crash.
    pub(in crate::sync) fn bring(
        &self,
        tip: Option<Oid>,
        found: &Found,
        task: TaskId,
    ) -> Result<(), SyncError> {
        let (Some(tip), Some((path, blob))) = (tip, &found.file) else {
            return Ok(());
        };
        let _hands = self.hands();
        if self.vault.exists(path)? {
            return Ok(());
        }
        self.begin_bringing(tip)?;
        let to = (path.clone(), *blob);
        let mut arrivals = vec![Arrival {
            path: path.clone(),
            expected: None,
            new: Some(*blob),
        }];
        let mut left = None;
        if let Some(applied) = self.repo.tip(RefName::Applied)? {
            let before = places::find(&self.repo, applied, task)?;
            if let (TaskPlace::Waiting, Some((from, blob))) = (before.place, before.file) {
                arrivals.push(Arrival {
                    path: from.clone(),
                    expected: Some(blob),
                    new: None,
                });
                left = Some(from);
            }
        }
        self.apply(&[], &arrivals)?;
        fail::fail_point!("claim-brought");
        self.note_applied(left.as_ref(), &to)?;
        self.end_bringing()
    }

    /// The note at a path of a tree.
    pub(in crate::sync) fn note_in(&self, file: &(VaultPath, Oid)) -> Result<Note, SyncError> {
        let bytes = self.repo.read_blob(file.1, MAX_NOTE);
        let bytes = bytes.map_err(|error| match error {
            // That is about this note: it stops nothing else.
            RepoError::TooLarge { len, .. } => SyncError::Refused(format!(
                "the note {} is too long to be worked on: it has {len} bytes, and {MAX_NOTE} is the \
                 most; shorten it",
                file.0
            )),
            error => error.into(),
        })?;
        let text = String::from_utf8(bytes).map_err(|_| SyncError::NotText(file.0.clone()))?;
        Note::parse(&text).map_err(|source| SyncError::Note {
            path: file.0.clone(),
            source,
        })
    }

    /// Whether the work tree has this task otherwise than the applied commit.
    pub(in crate::sync) fn is_edited(&self, task: TaskId) -> Result<bool, SyncError> {
        let applied = self.repo.tip(RefName::Applied)?;
        let mut zones: BTreeSet<_> = places::zones_in(&self.vault)?.into_iter().collect();
        if let Some(applied) = applied {
            zones.extend(places::zones_at(&self.repo, applied)?);
        }
        let waiting: Vec<_> = zones
            .into_iter()
            .map(|zone| layout::waiting(zone, task))
            .collect();
        let own = layout::in_progress(&self.agent, task);
        for path in waiting.iter().chain([&own]) {
            let base = match applied {
                Some(applied) => self.repo.blob_at(applied, path)?,
                None => None,
            };
            if !self.vault.exists(path)? {
                // A person took it away where it waits: a claim would bring it back.
                if *path != own && base.is_some() {
                    return Ok(true);
                }
                continue;
            }
            if self.blob_there(path)? != base {
                // Not an edit if a claim put it there ahead of the sync.
                let verified = self.repo.tip(RefName::Verified)?;
                let there = match verified {
                    Some(tip) => self.repo.blob_at(tip, path)?,
                    None => None,
                };
                if there.is_none() || self.blob_there(path)? != there {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
