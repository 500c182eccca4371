//! Many agents against one register: lost acknowledgements, late and repeated pushes, dead
//! connections, crashes, and owners that are taken for silent, rightly or not.

use platinum_core::{AgentName, ClaimId, TaskId, Timestamp};
use proptest::prelude::*;

use crate::{ClaimMachine, ClaimRecord, Claimed, PushOutcome, Step, TaskPlace};

fn agent(n: usize) -> AgentName {
    format!("cloud-{n}").parse().unwrap()
}

fn record(n: usize, claim: ClaimId, epoch: u64, base: &str) -> ClaimRecord {
    ClaimRecord {
        id: claim,
        agent: agent(n),
        epoch,
        at: Timestamp::UNIX_EPOCH,
        base: base.into(),
        heartbeats: 0,
    }
}

fn lost() -> PushOutcome {
    PushOutcome::Indeterminate("time-out".into())
}

fn rejected() -> PushOutcome {
    PushOutcome::Rejected("stale info".into())
}

/// A remote: commits in a chain, and a compare-and-swap of its tip.
#[derive(Default)]
struct Register {
    commits: Vec<Commit>,
    tip: Option<usize>,
}

#[derive(Clone)]
struct Commit {
    parent: Option<usize>,
    /// Which task it is about, if it is about one, and what it says of it.
    says: Option<(usize, Says)>,
}

#[derive(Clone)]
enum Says {
    Owned(ClaimRecord),
    /// Given back, with the highest epoch so far.
    Released(u64),
    Finished,
}

impl Register {
    fn build(&mut self, parent: Option<usize>, says: Option<(usize, Says)>) -> usize {
        self.commits.push(Commit { parent, says });
        self.commits.len() - 1
    }

    /// What receive-pack does: expected tip, or already there.
    fn swap(&mut self, commit: usize) -> bool {
        if self.tip == self.commits[commit].parent {
            self.tip = Some(commit);
        }
        self.tip == Some(commit)
    }

    fn history(&self) -> Vec<usize> {
        let mut at = self.tip;
        let mut chain = vec![];
        while let Some(commit) = at {
            chain.push(commit);
            at = self.commits[commit].parent;
        }
        chain
    }

    /// What commits say of a task, newest first.
    fn entries_of(&self, task: usize) -> Vec<Says> {
        self.history()
            .into_iter()
            .filter_map(|commit| self.commits[commit].says.clone())
            .filter(|(of, _)| *of == task)
            .map(|(_, says)| says)
            .collect()
    }

    /// Where the task is, and the highest epoch its note speaks of.
    fn place(&self, task: usize) -> (TaskPlace, u64) {
        match self.entries_of(task).into_iter().next() {
            None => (TaskPlace::Waiting, 0),
            Some(Says::Owned(record)) => {
                let epoch = record.epoch;
                (TaskPlace::Owned(record), epoch)
            }
            Some(Says::Released(epoch)) => (TaskPlace::Waiting, epoch),
            Some(Says::Finished) => (TaskPlace::Finished, 0),
        }
    }

    fn owner(&self, task: usize) -> Option<ClaimRecord> {
        match self.place(task).0 {
            TaskPlace::Owned(record) => Some(record),
            _ => None,
        }
    }
}

/// One agent that wants one task.
struct Runner {
    machine: ClaimMachine,
    number: usize,
    task: usize,
    /// Claims of this agent, as its marks say.
    made: Vec<ClaimId>,
    commit: Option<usize>,
}

/// What happens to one exchange.
#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    /// The request never arrives.
    LostRequest,
    /// It arrives and is done, but the answer is lost.
    LostAnswer,
    /// It is done later, at some other agent's turn, and the answer is lost.
    Late,
    /// It arrives twice; the answer is that of the second.
    Twice,
    /// It arrives, is done, and once more later.
    Duplicate,
    /// The agent is killed, maybe while the push is under way, and starts again.
    Crash,
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        5 => Just(Fault::None),
        1 => Just(Fault::LostRequest),
        2 => Just(Fault::LostAnswer),
        2 => Just(Fault::Late),
        1 => Just(Fault::Twice),
        1 => Just(Fault::Duplicate),
        1 => Just(Fault::Crash),
    ]
}

/// Something beside the claims.
#[derive(Debug, Clone, Copy)]
enum Event {
    Nothing,
    /// Another agent writes something else.
    Other,
    /// The owner gives the task back, or ends it, under the claim that it holds.
    Release,
    Finish,
    /// The owner says that it is alive.
    Beat,
    /// An agent finds the lease of the owner expired, rightly or not.
    TakeOver,
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => Just(Event::Nothing),
        2 => Just(Event::Other),
        2 => Just(Event::Release),
        1 => Just(Event::Finish),
        1 => Just(Event::Beat),
        3 => Just(Event::TakeOver),
    ]
}

/// How a machine ended, and what the register held at that moment.
struct Ending {
    end: Claimed,
    owner: Option<ClaimRecord>,
    /// Whether a push of this very machine is still under way that would be taken. (One of an
    /// earlier life may be: then the agent's marks tell it that the claim is its own.)
    may_land: bool,
}

impl Runner {
    fn new(number: usize, task: usize) -> Self {
        let mut runner = Self {
            machine: ClaimMachine::new(
                TaskId::from_parts(0, 0),
                agent(number),
                ClaimId::from_parts(0, 0),
                1,
            ),
            number,
            task,
            made: vec![],
            commit: None,
        };
        runner.start(None);
        runner
    }

    /// A new life, or a new wish: it knows its marks, and nothing else.
    fn start(&mut self, expired: Option<ClaimRecord>) {
        let nonce = (self.number * 10 + self.task) * 1000 + self.made.len();
        let claim = ClaimId::from_parts(1, nonce as u128);
        let task = TaskId::from_parts(0, self.task as u128);
        self.machine = match expired {
            None => ClaimMachine::new(task, agent(self.number), claim, 4),
            Some(expired) => ClaimMachine::take_over(task, agent(self.number), claim, 4, expired),
        };
        for &made in &self.made {
            self.machine.made_before(made);
        }
        self.commit = None;
    }

    fn turn(&mut self, register: &mut Register, late: &mut Vec<usize>, fault: Fault) {
        match self.machine.step().clone() {
            Step::End(_) => {}
            Step::Fetch | Step::BackOff { .. } => match fault {
                Fault::LostRequest | Fault::LostAnswer => {
                    self.machine.fetch_failed("no route");
                }
                Fault::Crash => self.start(None),
                _ => {
                    let history = register.history();
                    let landed = self.commit.map(|commit| history.contains(&commit));
                    let tip = register.tip.map(|tip| format!("{tip:040x}"));
                    let (place, epoch) = register.place(self.task);
                    self.machine.saw_epoch(epoch);
                    self.machine.fetched(tip, place, landed);
                }
            },
            Step::Propose { on_tip, epoch } => {
                let parent = on_tip
                    .as_deref()
                    .map(|hex| usize::from_str_radix(hex, 16).unwrap());
                let base = on_tip.unwrap_or_default();
                let claim = record(self.number, self.machine.claim(), epoch, &base);
                self.made.push(claim.id);
                let says = Some((self.task, Says::Owned(claim)));
                self.commit = Some(register.build(parent, says));
                self.push(register, late, fault);
            }
            Step::PushAgain => self.push(register, late, fault),
        }
    }

    fn push(&mut self, register: &mut Register, late: &mut Vec<usize>, fault: Fault) {
        let commit = self.commit.unwrap();
        let answer = |landed| match landed {
            true => PushOutcome::Landed,
            false => rejected(),
        };
        let outcome = match fault {
            Fault::LostRequest => lost(),
            Fault::LostAnswer => {
                register.swap(commit);
                lost()
            }
            Fault::Late => {
                late.push(commit);
                lost()
            }
            Fault::Crash => {
                late.push(commit);
                return self.start(None);
            }
            Fault::None => answer(register.swap(commit)),
            Fault::Twice => {
                register.swap(commit);
                answer(register.swap(commit))
            }
            Fault::Duplicate => {
                late.push(commit);
                answer(register.swap(commit))
            }
        };
        self.machine.pushed(outcome);
    }

    /// The end, if this turn came to it.
    fn ending(&self, register: &Register, late: &[usize], before: &Step) -> Option<Ending> {
        let lands = |commit: &&usize| register.commits[**commit].parent == register.tip;
        let ours = |commit: &usize| match &register.commits[*commit].says {
            Some((_, Says::Owned(record))) => record.id == self.machine.claim(),
            _ => false,
        };
        match self.machine.step() {
            Step::End(end) if self.machine.step() != before => Some(Ending {
                end: end.clone(),
                owner: register.owner(self.task),
                may_land: late.iter().filter(lands).any(ours),
            }),
            _ => None,
        }
    }
}

/// Whether a machine ended as the register was at that moment.
fn check_ending(runner: &Runner, ending: &Ending) -> Result<(), TestCaseError> {
    let Ending { end, owner, .. } = ending;
    let ours = owner
        .as_ref()
        .is_some_and(|record| runner.made.contains(&record.id));
    match end {
        Claimed::Won { epoch } => {
            prop_assert!(ours, "a winner is the one the tip names");
            prop_assert_eq!(*epoch, owner.as_ref().unwrap().epoch);
        }
        Claimed::Lost { owner: named } => {
            prop_assert!(!ours, "a loser does not own the task");
            let owner = owner.as_ref().map(|record| record.agent.clone());
            prop_assert!(named.is_none() || *named == owner);
        }
        Claimed::GaveUp => prop_assert!(!ours, "who gave up does not own the task"),
        // In doubt, or cut off: it may be anybody's.
        Claimed::Tentative => return Ok(()),
    }
    prop_assert!(
        !ending.may_land || matches!(end, Claimed::Won { .. }),
        "a claim that was given up may still land"
    );
    Ok(())
}

/// The owner's own steps and other people's, each a compare-and-swap on the tip.
fn happen(event: Event, register: &mut Register, runners: &mut [Runner], who: usize) {
    let count = runners.len();
    let runner = &mut runners[who % count];
    let owner = register.owner(runner.task);
    let says = match (event, owner) {
        (Event::Nothing, _) => return,
        (Event::Other, _) => None,
        (Event::Release, Some(owner)) => Some((runner.task, Says::Released(owner.epoch))),
        (Event::Finish, Some(_)) => Some((runner.task, Says::Finished)),
        (Event::Beat, Some(owner)) => {
            let heartbeats = owner.heartbeats + 1;
            Some((
                runner.task,
                Says::Owned(ClaimRecord {
                    heartbeats,
                    ..owner
                }),
            ))
        }
        (Event::TakeOver, Some(owner)) => {
            // Only at rest: a driver runs one machine for a task at a time.
            if matches!(runner.machine.step(), Step::End(_)) {
                runner.start(Some(owner));
            }
            return;
        }
        (_, None) => return,
    };
    let commit = register.build(register.tip, says);
    register.swap(commit);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn contest_task_has_one_owner_and_every_agent_knows(
        agents in 2_usize..5,
        tasks in 1_usize..3,
        turns in prop::collection::vec((0_usize..8, any_fault(), any_event()), 1..150),
    ) {
        let mut register = Register::default();
        let root = register.build(None, None);
        register.swap(root);
        let mut late = vec![];
        let mut runners: Vec<_> = (0..agents)
            .flat_map(|number| (0..tasks).map(move |task| Runner::new(number, task)))
            .collect();
        for (who, fault, event) in turns {
            happen(event, &mut register, &mut runners, who);
            if who % 3 == 0 && let Some(commit) = late.pop() {
                register.swap(commit);
            }
            let count = runners.len();
            let runner = &mut runners[who % count];
            let before = runner.machine.step().clone();
            runner.turn(&mut register, &mut late, fault);
            if let Some(ending) = runner.ending(&register, &late, &before) {
                check_ending(runner, &ending)?;
            }
        }
        // Then the network is well, and every run comes to its end.
        while let Some(commit) = late.pop() {
            register.swap(commit);
        }
        for _ in 0..40 {
            for runner in &mut runners {
                let before = runner.machine.step().clone();
                runner.turn(&mut register, &mut late, Fault::None);
                if let Some(ending) = runner.ending(&register, &late, &before) {
                    check_ending(runner, &ending)?;
                }
            }
        }
        for runner in &runners {
            prop_assert!(matches!(runner.machine.step(), Step::End(_)), "a run did not end");
        }
        // Epochs of a task only grow, and no two claims have the same: who acts under an old
        // one can be refused.
        for task in 0..tasks {
            let mut last = (0, None);
            for says in register.entries_of(task).into_iter().rev() {
                if let Says::Owned(record) = says {
                    prop_assert!(
                        record.epoch > last.0 || last.1 == Some(record.id),
                        "epoch {} after {}", record.epoch, last.0
                    );
                    last = (record.epoch, Some(record.id));
                }
            }
        }
    }
}
