//! Driving [`ClaimMachine`]: a claim as a tree edit on the tip, and a compare-and-swap push.
//!
//! Invariants: nothing in the work tree moves before the claim is won; a claim is told apart from
//! every other by its random id, and known as ours by a mark in the repository, which is set
//! before the push: after a crash it is found again, and no other host of our name can take it
//! for its own.

use jiff::SignedDuration;
use platinum_core::{ClaimId, Role, TaskId, Timestamp, VaultPath, layout};
use platinum_policy::{Change, check};
use platinum_protocol::{
    ClaimMachine, ClaimRecord, Claimed, PushOutcome, Step, TaskPlace, reconcile::Intent,
};
use platinum_repo::{Edit, Oid, RefName, Repo};
use platinum_vault::note::Note;

use super::{
    SyncError, Synchronizer,
    apply::Arrival,
    pause, pause_away,
    places::{self, Found, MAX_NOTE},
    side::Side,
};

/// How often one claim is pushed at most.
pub(super) const MAX_ATTEMPTS: u32 = 12;
/// A remote that answered this recently is not asked before the first push of a claim or an end.
pub(super) const KNOWN: SignedDuration = SignedDuration::from_secs(1);
/// The trailer with the claim's id.
const TRAILER_CLAIM: &str = "Platinum-Claim";
/// The trailer with its epoch.
const TRAILER_EPOCH: &str = "Platinum-Epoch";

/// The claim that was pushed last.
#[derive(Debug, Clone)]
struct Proposal {
    commit: Oid,
    on_tip: Option<Oid>,
    moved: Moved,
}

/// What a claim has to know of a tip.
struct Seen {
    tip: Option<Oid>,
    found: Found,
    /// Whether the commit that was proposed is in its history.
    landed: Option<bool>,
    /// Whether the task is owned by an earlier claim of this host.
    is_earlier: bool,
}

/// One file that changes its place, and maybe its text.
#[derive(Debug, Clone)]
pub(super) struct Moved {
    pub(super) from: (VaultPath, Oid),
    pub(super) to: (VaultPath, Oid),
    /// What is at the new place already, if somebody moved the file by hand.
    pub(super) replaces: Option<Oid>,
}

/// Where a claim takes a task from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// From `Needs_Action/`.
    Waiting,
    /// From `Needs_Action/`, but somebody moved the file into this agent's folder by hand already.
    Hand,
    /// From the folder of an owner that is stuck.
    Stuck,
}

impl Synchronizer {
    /// Claims a task. Asking again for a task that this host has claimed answers
    /// [`Claimed::Won`]. In a zone of this machine alone it counts at once; otherwise, if the
    /// remote is away, the wish is kept, and the claim is made for real at the next contact.
    ///
    /// # Errors
    /// If this agent may not own it, its note cannot be read, or the remote has what may not be
    /// applied.
    pub async fn claim(&self, task: TaskId) -> Result<Claimed, SyncError> {
        let _turn = self.turn.lock().await;
        if let Some(claimed) = self.blocking(move |side| side.claim_here(task)).await? {
            return Ok(claimed);
        }
        self.claim_by_push(task).await
    }

    /// The claim by compare-and-swap, and what follows from its end for a wish that was kept.
    pub(super) async fn claim_by_push(&self, task: TaskId) -> Result<Claimed, SyncError> {
        let synced = match self.push_edits_of(task).await {
            Ok(synced) => synced,
            // The machine finds out for itself whether the remote is away.
            Err(error) if error.is_away() => false,
            Err(error) => return Err(error),
        };
        let machine = self.machine_for(task);
        let claim = machine.claim();
        // Who has just won asks like everybody: else it would win again before others have looked.
        let known = synced || (!self.contact().won && self.asked_within(KNOWN));
        let end = self.drive(machine, From::Waiting, known).await?;
        let told = end.clone();
        self.blocking(move |side| match told {
            Claimed::Won { epoch } => side.confirmed(task, epoch),
            Claimed::Lost { owner } if side.decided.get(task).is_some() => {
                side.lost(task, owner.as_ref())
            }
            Claimed::Tentative => side.wish(task, claim),
            Claimed::Lost { .. } | Claimed::GaveUp => Ok(()),
        })
        .await?;
        Ok(end)
    }

    /// The claim of a task whose file was moved into this agent's folder by hand, maybe out of the
    /// folder of its owner.
    pub(super) async fn claim_in_hand(
        &self,
        task: TaskId,
        owner: Option<ClaimRecord>,
    ) -> Result<Claimed, SyncError> {
        let machine = match owner {
            None => self.machine_for(task),
            Some(owner) => {
                let (agent, claim) = (self.side.agent.clone(), ClaimId::generate());
                ClaimMachine::take_over(task, agent, claim, MAX_ATTEMPTS, owner)
            }
        };
        self.drive(machine, From::Hand, true).await
    }

    /// Whether the remote did not answer when it was last asked.
    fn is_away(&self) -> bool {
        self.contact().error.is_some()
    }

    /// A wish that was kept has its claim's id already.
    fn machine_for(&self, task: TaskId) -> ClaimMachine {
        let claim = match self.side.decided.get(task) {
            Some(Intent::Claim { claim, .. }) => claim,
            _ => ClaimId::generate(),
        };
        ClaimMachine::new(task, self.side.agent.clone(), claim, MAX_ATTEMPTS)
    }

    /// Does what a machine says till it ends. `synced`: the verified tip was the remote's just now.
    pub(super) async fn drive(
        &self,
        mut machine: ClaimMachine,
        from: From,
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
                    if let Some(won) = self.look_at(&mut machine, proposal.as_ref(), known).await? {
                        return Ok(won);
                    }
                }
                Step::BackOff { attempt } => {
                    let wait = match self.is_away() {
                        true => pause_away(attempt),
                        false => pause(attempt),
                    };
                    tokio::time::sleep(wait).await;
                    if let Some(won) = self.look_at(&mut machine, proposal.as_ref(), false).await? {
                        return Ok(won);
                    }
                }
                Step::Propose { on_tip, epoch } => {
                    let on_tip = on_tip.as_deref().map(Repo::oid).transpose()?;
                    let claim = machine.claim();
                    let made = self
                        .blocking(move |side| side.build_claim(task, on_tip, (claim, epoch), from))
                        .await?;
                    let outcome = self.push(made.commit, made.on_tip).await?;
                    proposal = Some(made);
                    machine.pushed(outcome);
                }
                Step::PushAgain => {
                    let outcome = match &proposal {
                        Some(made) => self.push(made.commit, made.on_tip).await?,
                        None => PushOutcome::Rejected("nothing was proposed".to_owned()),
                    };
                    machine.pushed(outcome);
                }
                Step::End(end) => return self.ended(task, &machine, end, proposal).await,
            }
        }
    }

    /// Looks for the machine: at the tip that is known, if a push follows from it, else at the
    /// remote. Answers at once if an earlier claim of this host is found.
    async fn look_at(
        &self,
        machine: &mut ClaimMachine,
        proposal: Option<&Proposal>,
        is_known: bool,
    ) -> Result<Option<Claimed>, SyncError> {
        let (task, id) = (machine.task(), machine.claim());
        if is_known {
            let seen = self.blocking(move |side| {
                let tip = side.repo.tip(RefName::Verified)?;
                side.see(tip, task, id, None)
            });
            let seen = seen.await?;
            // A push would find out if it is not the tip any more. Everything else is said of the
            // remote as it is now.
            if seen.found.place == TaskPlace::Waiting {
                return self.hand_over(machine, seen).await;
            }
        }
        let tip = match self.fetch_and_verify().await {
            Ok(tip) => tip,
            Err(error) if error.is_away() => {
                machine.fetch_failed(error.to_string());
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let commit = proposal.map(|proposal| proposal.commit);
        let seen = self
            .blocking(move |side| side.see(tip, task, id, commit))
            .await?;
        self.hand_over(machine, seen).await
    }

    async fn hand_over(
        &self,
        machine: &mut ClaimMachine,
        seen: Seen,
    ) -> Result<Option<Claimed>, SyncError> {
        let Seen {
            tip,
            found,
            landed,
            is_earlier,
        } = seen;
        let task = machine.task();
        if is_earlier && let TaskPlace::Owned(record) = &found.place {
            let epoch = record.epoch;
            self.blocking(move |side| side.bring(&found, task)).await?;
            return Ok(Some(Claimed::Won { epoch }));
        }
        if let Some(zone) = found.zone
            && zone.is_local_only()
            && self.side.role == Role::Cloud
        {
            return Err(SyncError::ZoneDenied(zone));
        }
        machine.saw_epoch(found.epoch);
        machine.fetched(tip.map(|oid| oid.to_string()), found.place, landed);
        Ok(None)
    }

    async fn ended(
        &self,
        task: TaskId,
        machine: &ClaimMachine,
        end: Claimed,
        proposal: Option<Proposal>,
    ) -> Result<Claimed, SyncError> {
        match (&end, proposal) {
            (Claimed::Won { epoch }, Some(made)) => {
                tracing::info!(%task, epoch, "The task is claimed.");
                self.contact().won = true;
                fail::fail_point!("claim-won");
                self.blocking(move |side| side.apply_move(&made.moved))
                    .await?;
            }
            (Claimed::Lost { .. }, Some(_)) => {
                self.blocking(move |side| Ok(side.repo.set_mark(&mark(task), None)?))
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

    /// Syncs first if the work tree has edits of this task that the remote has not; answers
    /// whether it did.
    pub(super) async fn push_edits_of(&self, task: TaskId) -> Result<bool, SyncError> {
        let edited = self.blocking(move |side| side.is_edited(task)).await?;
        if edited {
            self.content().await?;
        }
        Ok(edited)
    }
}

/// The name of the mark under which a host remembers its claim of a task.
pub(super) fn mark(task: TaskId) -> String {
    format!("claims/{task}")
}

impl Side {
    fn see(
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
            TaskPlace::Owned(record) if record.id != claim => self.made(task, record)?,
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
    fn build_claim(
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
            && zone.is_local_only()
            && self.role == Role::Cloud
        {
            return Err(SyncError::ZoneDenied(zone));
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
    pub(super) fn commit_move(
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
        self.repo.note_outgoing(commit)?;
        Ok((
            commit,
            Moved {
                from,
                to: (to, blob),
                replaces: None,
            },
        ))
    }

    /// Does in the work tree what a commit did, and notes it as applied, so that what happens to
    /// the file from here on is an edit of it.
    pub(super) fn apply_move(&self, moved: &Moved) -> Result<(), SyncError> {
        self.do_move(moved)?;
        fail::fail_point!("move-done");
        self.note_applied(Some(&moved.from.0), &moved.to)?;
        fail::fail_point!("move-noted");
        Ok(())
    }

    /// Moves the file in the work tree alone.
    pub(super) fn do_move(&self, moved: &Moved) -> Result<(), SyncError> {
        let arrivals = [
            Arrival {
                path: moved.to.0.clone(),
                expected: moved.replaces,
                new: Some(moved.to.1),
            },
            Arrival {
                path: moved.from.0.clone(),
                expected: Some(moved.from.1),
                new: None,
            },
        ];
        self.apply(&[], &arrivals).map(drop)
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
    fn made(&self, task: TaskId, record: &ClaimRecord) -> Result<bool, SyncError> {
        if record.agent != self.agent {
            return Ok(false);
        }
        let Some(commit) = self.repo.mark(&mark(task))? else {
            return Ok(false);
        };
        let info = self.repo.commit_info(commit)?;
        Ok(info.trailer(TRAILER_CLAIM) == Some(record.id.to_string().as_str()))
    }

    /// Brings the file of a claim that was won before, but not applied before a crash.
    fn bring(&self, found: &Found, task: TaskId) -> Result<(), SyncError> {
        let Some((path, blob)) = &found.file else {
            return Ok(());
        };
        if self.vault.exists(path)? {
            return Ok(());
        }
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
        self.note_applied(left.as_ref(), &to)
    }

    /// The note at a path of a tree.
    pub(super) fn note_in(&self, file: &(VaultPath, Oid)) -> Result<Note, SyncError> {
        let text = String::from_utf8(self.repo.read_blob(file.1, MAX_NOTE)?)
            .map_err(|_| SyncError::NotText(file.0.clone()))?;
        Note::parse(&text).map_err(|source| SyncError::Note {
            path: file.0.clone(),
            source,
        })
    }

    /// Whether the work tree has this task otherwise than the applied commit.
    fn is_edited(&self, task: TaskId) -> Result<bool, SyncError> {
        let applied = self.repo.tip(RefName::Applied)?;
        let waiting = platinum_core::Zone::ALL.map(|zone| layout::waiting(zone, task));
        let own = layout::in_progress(&self.agent, task);
        for path in waiting.iter().chain([&own]) {
            if !self.vault.exists(path)? {
                continue;
            }
            let base = match applied {
                Some(applied) => self.repo.blob_at(applied, path)?,
                None => None,
            };
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
