//! Driving [`ClaimMachine`]: a claim as a tree edit on the tip, and a compare-and-swap push.
//!
//! Invariants: nothing in the work tree moves before the claim is won; a claim is told apart from
//! every other by its random id, and known as ours by a mark in the repository, which is set
//! before the push: after a crash it is found again, and no other host of our name can take it
//! for its own.

use jiff::SignedDuration;
use platinum_core::{ClaimId, Role, TaskId};
use platinum_protocol::{ClaimMachine, ClaimRecord, Claimed, PushOutcome, Step, TaskPlace};
use platinum_repo::{Oid, RefName, Repo};

use super::{
    super::{
        SyncError, Synchronizer,
        pausing::{pause, pause_away},
    },
    moving::{Moved, mark},
    places::Found,
};

/// How often one claim is pushed at most.
pub(in crate::sync) const MAX_ATTEMPTS: u32 = 12;
/// A remote that answered this recently is not asked before the first push of a claim or an end.
pub(in crate::sync) const KNOWN: SignedDuration = SignedDuration::from_secs(1);
/// The claim that was pushed last.
#[derive(Debug, Clone)]
pub(in crate::sync) struct Proposal {
    pub(in crate::sync) commit: Oid,
    pub(in crate::sync) on_tip: Option<Oid>,
    pub(in crate::sync) moved: Moved,
}

/// What a claim has to know of a tip.
pub(in crate::sync) struct Seen {
    pub(in crate::sync) tip: Option<Oid>,
    pub(in crate::sync) found: Found,
    /// Whether the commit that was proposed is in its history.
    pub(in crate::sync) landed: Option<bool>,
    /// Whether the task is owned by an earlier claim of this host.
    pub(in crate::sync) is_earlier: bool,
}

/// Where a claim takes a task from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum From {
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
        // Nobody is asked about it, so nobody is waited for who asks the remote just now.
        if let Some(claimed) = self.blocking(move |side| side.claim_here(task)).await? {
            return Ok(claimed);
        }
        self.in_turn(move |sync| async move { sync.claim_by_push(task).await })
            .await
    }

    /// The claim by compare-and-swap, and what follows from its end for a wish that was kept.
    pub(in crate::sync) async fn claim_by_push(&self, task: TaskId) -> Result<Claimed, SyncError> {
        let synced = match self.silence() {
            Some(_) => false,
            None => match self.push_edits_of(task).await {
                Ok(synced) => synced,
                // The machine finds out for itself whether the remote is away.
                Err(error) if error.is_away() => false,
                Err(error) => return Err(error),
            },
        };
        let machine = self.machine_for(task).await?;
        let claim = machine.claim();
        // Who has just won asks like everybody: else it would win again before others have looked.
        let known = synced || (!self.contact().won && self.asked_within(KNOWN));
        let end = self.drive(machine, From::Waiting, known).await?;
        let told = end.clone();
        self.blocking(move |side| match told {
            Claimed::Won { epoch } => {
                let _hands = side.hands();
                side.confirmed(task, epoch)
            }
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
    pub(in crate::sync) async fn claim_in_hand(
        &self,
        task: TaskId,
        owner: Option<ClaimRecord>,
    ) -> Result<Claimed, SyncError> {
        let machine = match owner {
            None => self.machine_for(task).await?,
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

    async fn machine_for(&self, task: TaskId) -> Result<ClaimMachine, SyncError> {
        let claim = self.blocking(move |side| side.claim_id(task)).await?;
        let agent = self.side.agent.clone();
        Ok(ClaimMachine::new(task, agent, claim, MAX_ATTEMPTS))
    }

    /// Does what a machine says till it ends. `synced`: the verified tip was the remote's just now.
    pub(in crate::sync) async fn drive(
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
                    if from == From::Stuck && !self.is_still_stuck(task, on_tip).await? {
                        let lost = Claimed::Lost { owner: None };
                        return self.ended(task, &machine, lost, proposal).await;
                    }
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
        // Something that was pushed is worth every look.
        let asked = match self.silence().filter(|_| proposal.is_none()) {
            Some(error) => Err(error),
            None => self.fetch_and_verify().await,
        };
        let tip = match asked {
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
            self.blocking(move |side| side.bring(tip, &found, task))
                .await?;
            return Ok(Some(Claimed::Won { epoch }));
        }
        if let Some(zone) = found.zone
            && platinum_policy::is_local_only(zone)
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
                self.blocking(move |side| side.apply_move(made.commit, &made.moved))
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
    pub(in crate::sync) async fn push_edits_of(&self, task: TaskId) -> Result<bool, SyncError> {
        let edited = self.blocking(move |side| side.is_edited(task)).await?;
        if edited {
            self.content().await?;
        }
        Ok(edited)
    }
}
