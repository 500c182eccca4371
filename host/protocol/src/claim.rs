//! [`ClaimMachine`]: one attempt of one agent to own one task, by compare-and-swap pushes; also to
//! take it over from an owner whose lease has expired.
//!
//! The machine says what to do ([`Step`]); the driver does it and says what came of it:
//!
//! | step | the driver | then calls |
//! |---|---|---|
//! | [`Step::Fetch`] | fetches and verifies the tip | [`fetched`](ClaimMachine::fetched) or [`fetch_failed`](ClaimMachine::fetch_failed) |
//! | [`Step::Propose`] | builds a claim commit on that tip and pushes it, expecting that tip | [`pushed`](ClaimMachine::pushed) |
//! | [`Step::PushAgain`] | pushes the very same commit again, expecting the same tip | [`pushed`](ClaimMachine::pushed) |
//! | [`Step::BackOff`] | waits, longer with each attempt and with jitter, then fetches | as for `Fetch` |
//! | [`Step::End`] | stops | nothing |
//!
//! Invariants, which the tests of `tests/claim.rs` try with several agents, lost
//! acknowledgements and late pushes: a task has at most one winner; a claim is never rebased, only
//! built anew on a new tip; an unknown outcome is never taken for a failure or a success, but
//! looked up; [`Claimed::Won`] is answered only if the tip has, or the remote acknowledged, this claim
//! (or one that this host is known to have made before); a take-over is proposed only on a tip
//! that still has exactly the claim that had expired, and its epoch is above that claim's, so
//! that whatever the old owner still does is refused.
//! The remote must refuse non-fast-forward pushes, so that a tip that went never comes back.

use platinum_core::{AgentName, ClaimId, TaskId};

use crate::{ClaimRecord, TaskPlace};

/// What came of a push, as the remote answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PushOutcome {
    /// The remote moved its branch to the commit, or already had it there.
    Landed,
    /// The remote answered that it did not take this push: the tip was another, or a hook declined.
    /// Not that the commit is not there: over https git's client may send a push twice by itself,
    /// and is refused for what it sent first. The next fetch shows it.
    Rejected(String),
    /// Unknown: a time-out, a broken connection, a killed process.
    Indeterminate(String),
}

/// What the driver does next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Step {
    /// Fetch the tip, verify it, and look where it has the task.
    Fetch,
    /// Build the claim on this tip with this epoch and push it, expecting this tip.
    Propose {
        /// The tip in hex; none if the remote has no commit yet.
        on_tip: Option<String>,
        /// For the claim's record.
        epoch: u64,
    },
    /// Push the commit of the last proposal once more, unchanged.
    PushAgain,
    /// Wait, then fetch.
    BackOff {
        /// How many proposals were made so far; the wait grows with it.
        attempt: u32,
    },
    /// Over.
    End(Claimed),
}

/// How a claim ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Claimed {
    /// The task is this agent's.
    Won {
        /// The epoch to show when acting.
        epoch: u64,
    },
    /// It is not: it is another's, finished, or gone.
    Lost {
        /// Whose it is, if it is anybody's.
        owner: Option<AgentName>,
    },
    /// The remote could not be asked. Drafting is allowed, acting is not, until a claim is won.
    Tentative,
    /// The remote was there, but others were always faster, or it declined. The task is not ours.
    GaveUp,
}

/// One attempt to own one task. See the module for how it is driven.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClaimMachine {
    task: TaskId,
    agent: AgentName,
    claim: ClaimId,
    max_attempts: u32,
    attempts: u32,
    last_epoch: u64,
    /// The claim to take the task over from; none to claim a task that waits.
    expired: Option<ClaimRecord>,
    /// Earlier claims of this host.
    earlier: Vec<ClaimId>,
    /// The last proposal: the tip it was built on and its epoch.
    proposed: Option<(Option<String>, u64)>,
    /// Whether a push of that proposal may have landed without our knowing.
    in_doubt: bool,
    step: Step,
    reason: Option<String>,
}

impl ClaimMachine {
    /// A machine that is about to fetch. `claim` must be random: new, or that of an attempt of this
    /// host for the same task of which it is unknown whether it landed. It pushes at most
    /// `max_attempts` times (at least once).
    pub fn new(task: TaskId, agent: AgentName, claim: ClaimId, max_attempts: u32) -> Self {
        Self {
            task,
            agent,
            claim,
            max_attempts: max_attempts.max(1),
            attempts: 0,
            last_epoch: 0,
            expired: None,
            earlier: Vec::new(),
            proposed: None,
            in_doubt: false,
            step: Step::Fetch,
            reason: None,
        }
    }

    /// A machine that takes the task over from the owner by this claim, which shows no sign of
    /// life any more (see [`crate::Leases`]). If the owner beats, ends the task or loses it before
    /// the take-over lands, it ends as [`Claimed::Lost`].
    pub fn take_over(
        task: TaskId,
        agent: AgentName,
        claim: ClaimId,
        max_attempts: u32,
        expired: ClaimRecord,
    ) -> Self {
        Self {
            last_epoch: expired.epoch,
            expired: Some(expired),
            ..Self::new(task, agent, claim, max_attempts)
        }
    }

    /// What to do now.
    pub fn step(&self) -> &Step {
        &self.step
    }

    /// The task it is about.
    pub fn task(&self) -> TaskId {
        self.task
    }

    /// Who wants it.
    pub fn agent(&self) -> &AgentName {
        &self.agent
    }

    /// The id for the claim's record, the same in every proposal of this machine.
    pub fn claim(&self) -> ClaimId {
        self.claim
    }

    /// The remote's last answer when it did not take a push or could not be asked.
    pub fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Tells the highest epoch that the task's note has carried, for a task that was released
    /// before; call it before [`fetched`](Self::fetched). The next claim's epoch is above it.
    pub fn saw_epoch(&mut self, epoch: u64) {
        self.last_epoch = self.last_epoch.max(epoch);
    }

    /// Tells of a claim that this host made before, and remembers by itself: if the tip has that
    /// one, the task is won. Call it before [`fetched`](Self::fetched).
    pub fn made_before(&mut self, claim: ClaimId) {
        if !self.earlier.contains(&claim) {
            self.earlier.push(claim);
        }
    }

    /// The remote's tip, what its tree says of the task, and, if there was a proposal, whether
    /// that commit is in the tip's history (`None`: not known).
    pub fn fetched(
        &mut self,
        tip: Option<String>,
        place: TaskPlace,
        is_ancestor_of_tip: Option<bool>,
    ) -> &Step {
        if !matches!(self.step, Step::Fetch | Step::BackOff { .. }) {
            return &self.step;
        }
        self.step = match place {
            TaskPlace::Owned(record) if self.is_ours(&record) => Step::End(Claimed::Won {
                epoch: record.epoch,
            }),
            TaskPlace::Owned(record) if self.expired.as_ref() == Some(&record) => {
                self.free(tip, is_ancestor_of_tip)
            }
            TaskPlace::Owned(record) => Step::End(Claimed::Lost {
                owner: Some(record.agent),
            }),
            TaskPlace::Finished | TaskPlace::Absent => Step::End(Claimed::Lost { owner: None }),
            // The silent owner gave it back: it is claimed like any other.
            TaskPlace::Waiting if self.expired.is_some() => {
                Step::End(Claimed::Lost { owner: None })
            }
            TaskPlace::Waiting => self.free(tip, is_ancestor_of_tip),
        };
        &self.step
    }

    fn is_ours(&self, record: &ClaimRecord) -> bool {
        record.agent == self.agent && (record.id == self.claim || self.earlier.contains(&record.id))
    }

    /// The task can be had at `tip`: push the same commit again if it may still land, else build
    /// anew.
    fn free(&mut self, tip: Option<String>, is_ancestor_of_tip: Option<bool>) -> Step {
        let same_base = self
            .proposed
            .as_ref()
            .is_some_and(|(on_tip, _)| *on_tip == tip);
        let landed_before = is_ancestor_of_tip == Some(true);
        if self.in_doubt && same_base && !landed_before {
            // The push may still be under way: only the same commit can be pushed beside it.
            if self.attempts >= self.max_attempts {
                return Step::End(Claimed::Tentative);
            }
            self.attempts += 1;
            return Step::PushAgain;
        }
        // The tip moved on, so the old commit can never land; or it landed and was released since.
        self.in_doubt = false;
        if self.attempts >= self.max_attempts {
            return Step::End(Claimed::GaveUp);
        }
        if let Some((_, epoch)) = &self.proposed
            && landed_before
        {
            self.last_epoch = self.last_epoch.max(*epoch);
        }
        // The same epoch twice would let what was made under the earlier claim count again.
        let Some(epoch) = self.last_epoch.checked_add(1) else {
            self.reason = Some("the epochs of its claims are used up".to_owned());
            return Step::End(Claimed::GaveUp);
        };
        self.attempts += 1;
        self.proposed = Some((tip.clone(), epoch));
        Step::Propose { on_tip: tip, epoch }
    }

    /// The tip could not be fetched, or not be verified.
    pub fn fetch_failed(&mut self, reason: impl Into<String>) -> &Step {
        if !matches!(self.step, Step::Fetch | Step::BackOff { .. }) {
            return &self.step;
        }
        self.reason = Some(reason.into());
        // With a push in doubt it is worth asking again; each failed fetch counts as an attempt.
        self.step = if self.in_doubt && self.attempts < self.max_attempts {
            self.attempts += 1;
            Step::BackOff {
                attempt: self.attempts,
            }
        } else {
            Step::End(Claimed::Tentative)
        };
        &self.step
    }

    /// What came of the push.
    pub fn pushed(&mut self, outcome: PushOutcome) -> &Step {
        if !matches!(self.step, Step::Propose { .. } | Step::PushAgain) {
            return &self.step;
        }
        let epoch = self.proposed.as_ref().map_or(0, |(_, epoch)| *epoch);
        self.step = match outcome {
            PushOutcome::Landed => Step::End(Claimed::Won { epoch }),
            // An earlier push of the same commit may have landed and be the reason: look.
            PushOutcome::Rejected(reason) if self.in_doubt => {
                self.reason = Some(reason);
                Step::Fetch
            }
            PushOutcome::Rejected(reason) => {
                self.reason = Some(reason);
                if self.attempts >= self.max_attempts {
                    Step::End(Claimed::GaveUp)
                } else {
                    Step::BackOff {
                        attempt: self.attempts,
                    }
                }
            }
            PushOutcome::Indeterminate(reason) => {
                self.reason = Some(reason);
                self.in_doubt = true;
                Step::Fetch
            }
        };
        &self.step
    }
}
