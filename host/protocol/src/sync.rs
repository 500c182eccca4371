//! [`SyncMachine`]: one sync of content: from the remote's tip to a work tree that has it, and a
//! remote that has what is new here.
//!
//! The machine says what to do ([`SyncStep`]); the driver does it and says what came of it:
//!
//! | step | the driver | then calls |
//! |---|---|---|
//! | [`SyncStep::Fetch`] | fetches and verifies the tip | [`fetched`](SyncMachine::fetched) or [`fetch_failed`](SyncMachine::fetch_failed) |
//! | [`SyncStep::Prepare`] | merges the work tree with that tip, and commits what only we have | [`prepared`](SyncMachine::prepared) |
//! | [`SyncStep::Push`] | pushes that commit, expecting that tip | [`pushed`](SyncMachine::pushed) |
//! | [`SyncStep::Pause`] | waits, longer with each round and with jitter | [`paused`](SyncMachine::paused) |
//! | [`SyncStep::TakeIn`] | brings what was prepared last to the work tree | [`taken_in`](SyncMachine::taken_in) |
//! | [`SyncStep::End`] | stops | nothing |
//!
//! Lives elsewhere: what a merge comes to is [`crate::merge`]'s; ownership of tasks is
//! [`crate::ClaimMachine`]'s.
//! Invariants: the work tree changes only after the remote certainly has our side of the merge, so
//! that a crash or a lost answer in between leaves everything as it was, to be merged again; a
//! commit is pushed only onto the tip it was built on; an unknown outcome is looked up, and the
//! very same commit is pushed again, or nothing at all, until it is known what became of it.

use crate::PushOutcome;

/// What the driver does next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum SyncStep {
    /// Fetch the tip and verify it.
    Fetch,
    /// Merge with this tip.
    Prepare {
        /// The tip in hex; none if the remote has no commit yet.
        on_tip: Option<String>,
    },
    /// Push the commit that was prepared last.
    Push {
        /// The commit, in hex.
        commit: String,
        /// The tip that it expects, in hex.
        on_tip: Option<String>,
    },
    /// Wait, so that contenders come apart.
    Pause {
        /// How many rounds failed so far.
        round: u32,
    },
    /// Change the work tree as prepared.
    TakeIn {
        /// The tip that the work tree then holds, in hex.
        tip: Option<String>,
    },
    /// Over.
    End(Synced),
}

/// How a sync ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Synced {
    /// Both sides have everything.
    Done {
        /// The tip that both have, in hex.
        tip: Option<String>,
    },
    /// The remote could not be asked. Nothing changed.
    Away(String),
    /// It is not known whether the remote took our commit. The next sync finds out.
    InDoubt(String),
    /// Others were faster every time, or the remote declined.
    Contended {
        /// How often it was tried.
        rounds: u32,
        /// The remote's last answer.
        reason: String,
    },
}

/// One sync. See the module for how it is driven.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SyncMachine {
    max_rounds: u32,
    max_pushes: u32,
    /// Rounds begun, without the one that goes first.
    round: u32,
    /// Pushes of the commit that was prepared last.
    pushes: u32,
    /// Whether it is the push before the first fetch.
    is_first: bool,
    /// The tip that the last round builds on.
    on_tip: Option<String>,
    /// The commit of the last round, if it has one.
    commit: Option<String>,
    /// Why it is unknown what became of that commit.
    doubt: Option<String>,
    step: SyncStep,
}

impl SyncMachine {
    /// A machine that is about to fetch. It builds at most `max_rounds` times, and pushes each
    /// commit at most `max_pushes` times (at least once, both).
    pub fn new(max_rounds: u32, max_pushes: u32) -> Self {
        Self {
            max_rounds: max_rounds.max(1),
            max_pushes: max_pushes.max(1),
            round: 0,
            pushes: 0,
            is_first: false,
            on_tip: None,
            commit: None,
            doubt: None,
            step: SyncStep::Fetch,
        }
    }

    /// A machine for a remote that answered a moment ago, with this tip: if there is something to
    /// give it, it is given without asking again. The push compares: that it lands proves that
    /// nothing new was there.
    pub fn push_first(max_rounds: u32, max_pushes: u32, tip: Option<String>) -> Self {
        Self {
            is_first: true,
            on_tip: tip.clone(),
            step: SyncStep::Prepare { on_tip: tip },
            ..Self::new(max_rounds, max_pushes)
        }
    }

    /// What to do now.
    pub fn step(&self) -> &SyncStep {
        &self.step
    }

    /// The remote's tip, verified.
    pub fn fetched(&mut self, tip: Option<String>) -> &SyncStep {
        if self.step != SyncStep::Fetch {
            return &self.step;
        }
        self.step = match self.doubt.take() {
            Some(_) if tip.is_some() && tip == self.commit => SyncStep::TakeIn { tip },
            // The push may still be under way: only the same commit can be pushed beside it.
            Some(doubt) if tip == self.on_tip => self.push_again(doubt),
            // It landed and others went on, or it never will. A merge with the new tip sees which.
            _ => self.next_round(tip),
        };
        &self.step
    }

    /// The tip could not be fetched, or not be verified.
    pub fn fetch_failed(&mut self, reason: impl Into<String>) -> &SyncStep {
        if self.step != SyncStep::Fetch {
            return &self.step;
        }
        self.step = SyncStep::End(match self.doubt.take() {
            Some(doubt) => Synced::InDoubt(doubt),
            None => Synced::Away(reason.into()),
        });
        &self.step
    }

    /// The merge is ready: with this commit if only we have something, in hex.
    pub fn prepared(&mut self, commit: Option<String>) -> &SyncStep {
        if !matches!(self.step, SyncStep::Prepare { .. }) {
            return &self.step;
        }
        self.commit.clone_from(&commit);
        self.pushes = 1;
        self.step = match commit {
            Some(commit) => SyncStep::Push {
                commit,
                on_tip: self.on_tip.clone(),
            },
            // Nothing to give, so that nothing shows whether the remote has news.
            None if self.is_first => {
                self.is_first = false;
                SyncStep::Fetch
            }
            None => SyncStep::TakeIn {
                tip: self.on_tip.clone(),
            },
        };
        &self.step
    }

    /// What came of the push.
    pub fn pushed(&mut self, outcome: PushOutcome) -> &SyncStep {
        if !matches!(self.step, SyncStep::Push { .. }) {
            return &self.step;
        }
        self.step = match outcome {
            PushOutcome::Landed => SyncStep::TakeIn {
                tip: self.commit.clone(),
            },
            PushOutcome::Rejected(_) if self.is_first => {
                self.is_first = false;
                SyncStep::Fetch
            }
            PushOutcome::Rejected(reason) if self.round >= self.max_rounds => {
                SyncStep::End(Synced::Contended {
                    rounds: self.round,
                    reason,
                })
            }
            PushOutcome::Rejected(_) => SyncStep::Pause { round: self.round },
            PushOutcome::Indeterminate(reason) => {
                self.is_first = false;
                self.doubt = Some(reason);
                SyncStep::Fetch
            }
        };
        &self.step
    }

    /// The wait is over.
    pub fn paused(&mut self) -> &SyncStep {
        if matches!(self.step, SyncStep::Pause { .. }) {
            self.step = SyncStep::Fetch;
        }
        &self.step
    }

    /// The work tree has what was prepared.
    pub fn taken_in(&mut self) -> &SyncStep {
        if let SyncStep::TakeIn { tip } = &self.step {
            self.step = SyncStep::End(Synced::Done { tip: tip.clone() });
        }
        &self.step
    }

    fn push_again(&mut self, doubt: String) -> SyncStep {
        match &self.commit {
            Some(commit) if self.pushes < self.max_pushes => {
                self.pushes += 1;
                SyncStep::Push {
                    commit: commit.clone(),
                    on_tip: self.on_tip.clone(),
                }
            }
            _ => SyncStep::End(Synced::InDoubt(doubt)),
        }
    }

    fn next_round(&mut self, tip: Option<String>) -> SyncStep {
        if self.round >= self.max_rounds {
            return SyncStep::End(Synced::Contended {
                rounds: self.round,
                reason: "the remote's tip moved on every time".to_owned(),
            });
        }
        self.round += 1;
        self.commit = None;
        self.on_tip.clone_from(&tip);
        SyncStep::Prepare { on_tip: tip }
    }
}
