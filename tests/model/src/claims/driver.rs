//! How an agent drives its claim: what the synchronizer does around the same machine.
//!
//! A look, the proposal it leads to and the sending of it are one step here. No agent can tell: what
//! is between them touches the agent's own memory alone, and a crash in between is a crash after
//! it whose push never arrives. For the same reason an answer arrives with the push: an agent that
//! waits does nothing that others see, and an answer that is lost is a time-out before a push that
//! arrives late.

use std::sync::Arc;

use platinum_core::TaskId;
use platinum_protocol::{ClaimMachine, Claimed, PushOutcome, Step};

use super::{
    Claims, Mutation,
    register::{Commit, File, Record, Slot, claim_id, hex},
    state::{Claiming, Doing, State},
};

impl Claims {
    /// Begins a claim, or a take-over. The owner is found stuck in the moment of the fetch: had it
    /// been before, and had anything changed since, nothing would come of it.
    pub(super) fn begin_claim(&self, state: &mut State, agent: usize, task: u8, take_over: bool) {
        let claim = match self.is(Mutation::NoNonce) {
            true => 40 + self.folder(agent),
            // An earlier claim of this host may still land: this one is the same.
            false => state.agents[agent].disk[usize::from(task)]
                .mark
                .filter(|_| !self.is(Mutation::ForgetsClaims))
                .unwrap_or_else(|| state.new_claim(agent)),
        };
        // All machines get the same id: it decides nothing, and tasks stay exchangeable.
        let id = TaskId::from_parts(0, 0);
        let name = self.names[agent].clone();
        let record = state.tasks[usize::from(task)].record();
        let machine = match (take_over, record) {
            (true, Some(record)) => ClaimMachine::take_over(
                id,
                name,
                claim_id(claim),
                self.attempts,
                record.to_claim_record(&self.names),
            ),
            _ => ClaimMachine::new(id, name, claim_id(claim), self.attempts),
        };
        state.agents[agent].doing = Doing::Claim(Claiming {
            task,
            claim,
            machine: Arc::new(machine),
            commit: None,
            sent: false,
        });
        self.look_for_claim(state, agent);
    }

    /// Fetches for the machine, and goes on until it waits for an answer or wants another look.
    pub(super) fn look_for_claim(&self, state: &mut State, agent: usize) {
        let Doing::Claim(mut claiming) = state.agents[agent].doing.clone() else {
            return;
        };
        let task = &state.tasks[usize::from(claiming.task)];
        let mark = state.agents[agent].disk[usize::from(claiming.task)].mark;
        let machine = Arc::make_mut(&mut claiming.machine);
        if state.agents[agent].cut {
            machine.fetch_failed("");
        } else {
            if let Some(claim) = mark {
                machine.made_before(claim_id(claim));
            }
            machine.saw_epoch(u64::from(task.epoch()));
            let landed = claiming.commit.map(|(_, landed)| landed);
            machine.fetched(Some(hex(state.tip)), task.place(&self.names), landed);
        }
        self.go_on(state, agent, claiming);
    }

    /// The answer to a claim's push, or none in time.
    pub(super) fn claim_answered(&self, state: &mut State, agent: usize, answer: Option<bool>) {
        let Doing::Claim(mut claiming) = state.agents[agent].doing.clone() else {
            return;
        };
        claiming.sent = false;
        if answer == Some(false)
            && self.is(Mutation::Rebase)
            && let Some((old, _)) = claiming.commit
        {
            let base = state.tip;
            let commit = state.named(Commit { base, ..old });
            claiming.commit = Some((commit, false));
            self.send(state, agent, &mut claiming);
            state.agents[agent].doing = Doing::Claim(claiming);
            return;
        }
        if answer.is_none() && self.is(Mutation::TimeoutIsLost) {
            let end = Claimed::Lost { owner: None };
            self.claim_ended(state, agent, &claiming, &end);
            return;
        }
        let outcome = match answer {
            Some(true) => PushOutcome::Landed,
            Some(false) => PushOutcome::Rejected(String::new()),
            None => PushOutcome::Indeterminate(String::new()),
        };
        Arc::make_mut(&mut claiming.machine).pushed(outcome);
        self.go_on(state, agent, claiming);
    }

    fn go_on(&self, state: &mut State, agent: usize, mut claiming: Claiming) {
        loop {
            match claiming.machine.step().clone() {
                Step::Fetch | Step::BackOff { .. } => break,
                Step::Propose { epoch, .. } => {
                    let epoch = u8::try_from(epoch).unwrap_or(u8::MAX);
                    self.propose(state, agent, &mut claiming, epoch);
                }
                Step::PushAgain => self.send(state, agent, &mut claiming),
                Step::End(end) => {
                    self.claim_ended(state, agent, &claiming, &end);
                    return;
                }
            }
            if claiming.sent {
                break;
            }
        }
        state.agents[agent].doing = Doing::Claim(claiming);
    }

    /// Builds the claim on the tip, and notes it on the disk before it goes out.
    fn propose(&self, state: &mut State, agent: usize, claiming: &mut Claiming, epoch: u8) {
        let task = &state.tasks[usize::from(claiming.task)];
        let stuck = task.record();
        let folder = self.folder(agent);
        let epoch = match stuck {
            Some(stuck) if self.is(Mutation::SameEpoch) => stuck.epoch,
            _ => epoch,
        };
        let commit = state.named(Commit {
            id: 0,
            base: state.tip,
            task: claiming.task,
            author: folder,
            from: task.file().map_or(Slot::Waiting, File::slot),
            to: File::Owned(Record {
                folder,
                claim: claiming.claim,
                epoch,
            }),
        });
        claiming.commit = Some((commit, false));
        state.agents[agent].disk[usize::from(claiming.task)].mark = Some(claiming.claim);
        self.send(state, agent, claiming);
    }

    fn send(&self, state: &mut State, agent: usize, claiming: &mut Claiming) {
        if state.agents[agent].cut {
            let machine = Arc::make_mut(&mut claiming.machine);
            machine.pushed(PushOutcome::Indeterminate(String::new()));
        } else {
            claiming.sent = true;
        }
    }

    fn claim_ended(&self, state: &mut State, agent: usize, claiming: &Claiming, end: &Claimed) {
        state.agents[agent].doing = Doing::Nothing;
        let task = usize::from(claiming.task);
        match end {
            Claimed::Won { epoch } => {
                let confirmed = Record {
                    folder: self.folder(agent),
                    claim: claiming.claim,
                    epoch: u8::try_from(*epoch).unwrap_or(u8::MAX),
                };
                // A look may have found an earlier claim of this host instead.
                let earlier = state.agents[agent].disk[task]
                    .mark
                    .map(|claim| Record { claim, ..confirmed });
                let found = state.tasks[task].record();
                let confirmed = earlier.filter(|_| found == earlier).unwrap_or(confirmed);
                state.agents[agent].disk[task].mark = Some(confirmed.claim);
                state.confirm(agent, claiming.task, confirmed);
            }
            Claimed::Lost { .. } if claiming.commit.is_some() => {
                state.agents[agent].disk[task].mark = None;
            }
            Claimed::Lost { .. } | Claimed::Tentative | Claimed::GaveUp => {}
        }
    }
}
