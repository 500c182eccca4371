//! Each transition by itself, and many agents against one register with lost acknowledgements,
//! late pushes and dead connections.

use std::collections::BTreeMap;

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
        beat: 0,
    }
}

fn machine(max: u32) -> ClaimMachine {
    ClaimMachine::new(
        TaskId::from_parts(0, 1),
        agent(1),
        ClaimId::from_parts(0, 1),
        max,
    )
}

fn tip(n: usize) -> Option<String> {
    Some(format!("{n:040x}"))
}

fn lost() -> PushOutcome {
    PushOutcome::Indeterminate("time-out".into())
}

fn rejected() -> PushOutcome {
    PushOutcome::Rejected("stale info".into())
}

#[test]
fn a_waiting_task_is_proposed_on_the_tip_and_won_when_the_push_lands() {
    let mut m = machine(3);
    assert_eq!(m.step(), &Step::Fetch);
    assert_eq!(
        m.fetched(tip(1), TaskPlace::Waiting, None),
        &Step::Propose {
            on_tip: tip(1),
            epoch: 1
        }
    );
    assert_eq!(
        m.pushed(PushOutcome::Landed),
        &Step::End(Claimed::Won { epoch: 1 })
    );
}

#[test]
fn a_task_that_already_has_this_claim_is_won() {
    let mut m = machine(3);
    let place = TaskPlace::Owned(record(1, m.claim(), 7, ""));
    assert_eq!(
        m.fetched(tip(1), place, None),
        &Step::End(Claimed::Won { epoch: 7 })
    );
}

#[test]
fn an_equal_agent_name_with_another_claim_is_not_this_claim() {
    let mut m = machine(3);
    let place = TaskPlace::Owned(record(1, ClaimId::from_parts(0, 2), 1, ""));
    assert_eq!(
        m.fetched(tip(1), place, None),
        &Step::End(Claimed::Lost {
            owner: Some(agent(1))
        })
    );
}

#[test]
fn a_finished_or_absent_task_is_lost_to_nobody() {
    for place in [TaskPlace::Finished, TaskPlace::Absent] {
        let mut m = machine(3);
        assert_eq!(
            m.fetched(tip(1), place, None),
            &Step::End(Claimed::Lost { owner: None })
        );
    }
}

#[test]
fn a_rejected_claim_backs_off_and_is_built_anew_on_the_new_tip() {
    let mut m = machine(3);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    assert_eq!(m.pushed(rejected()), &Step::BackOff { attempt: 1 });
    assert_eq!(m.reason(), Some("stale info"));
    assert_eq!(
        m.fetched(tip(2), TaskPlace::Waiting, Some(false)),
        &Step::Propose {
            on_tip: tip(2),
            epoch: 1
        }
    );
}

#[test]
fn a_claim_that_is_rejected_too_often_gives_up() {
    let mut m = machine(2);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    m.pushed(rejected());
    m.fetched(tip(2), TaskPlace::Waiting, Some(false));
    assert_eq!(m.pushed(rejected()), &Step::End(Claimed::GaveUp));
}

#[test]
fn an_unknown_outcome_is_looked_up_and_not_guessed() {
    let mut m = machine(5);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    assert_eq!(m.pushed(lost()), &Step::Fetch);
    // The tip is still the one it was built on: the push may be under way, so the same again.
    assert_eq!(
        m.fetched(tip(1), TaskPlace::Waiting, Some(false)),
        &Step::PushAgain
    );
    assert_eq!(m.pushed(lost()), &Step::Fetch);
    // It landed.
    let place = TaskPlace::Owned(record(1, m.claim(), 1, ""));
    assert_eq!(
        m.fetched(tip(2), place, Some(true)),
        &Step::End(Claimed::Won { epoch: 1 })
    );
}

#[test]
fn an_unknown_outcome_on_a_tip_that_moved_on_is_built_anew() {
    let mut m = machine(5);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    m.pushed(lost());
    assert_eq!(
        m.fetched(tip(2), TaskPlace::Waiting, Some(false)),
        &Step::Propose {
            on_tip: tip(2),
            epoch: 1
        }
    );
}

#[test]
fn a_claim_that_landed_and_was_taken_back_is_not_won() {
    let mut m = machine(5);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    m.pushed(lost());
    let taken = TaskPlace::Owned(record(2, ClaimId::from_parts(0, 9), 2, ""));
    assert_eq!(
        m.fetched(tip(3), taken, Some(true)),
        &Step::End(Claimed::Lost {
            owner: Some(agent(2))
        })
    );
    let mut m = machine(5);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    m.pushed(lost());
    // Released since: a new claim, with a higher epoch than the one that was taken back.
    assert_eq!(
        m.fetched(tip(3), TaskPlace::Waiting, Some(true)),
        &Step::Propose {
            on_tip: tip(3),
            epoch: 2
        }
    );
}

#[test]
fn a_rejection_after_doubt_is_looked_up_before_anything_is_said() {
    let mut m = machine(2);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    m.pushed(lost());
    assert_eq!(
        m.fetched(tip(1), TaskPlace::Waiting, Some(false)),
        &Step::PushAgain
    );
    // The first push landed after all and others went on from there.
    assert_eq!(m.pushed(rejected()), &Step::Fetch);
    let place = TaskPlace::Owned(record(1, m.claim(), 1, ""));
    assert_eq!(
        m.fetched(tip(5), place, Some(true)),
        &Step::End(Claimed::Won { epoch: 1 })
    );
}

#[test]
fn a_remote_that_is_away_leaves_the_claim_tentative() {
    let mut m = machine(3);
    assert_eq!(m.fetch_failed("no route"), &Step::End(Claimed::Tentative));
    assert_eq!(m.reason(), Some("no route"));
}

#[test]
fn with_a_push_in_doubt_a_failed_look_is_tried_again_a_few_times() {
    let mut m = machine(3);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    m.pushed(lost());
    assert_eq!(m.fetch_failed("no route"), &Step::BackOff { attempt: 2 });
    assert_eq!(m.fetch_failed("no route"), &Step::BackOff { attempt: 3 });
    assert_eq!(m.fetch_failed("no route"), &Step::End(Claimed::Tentative));
}

#[test]
fn a_released_task_is_claimed_with_a_higher_epoch() {
    let mut m = machine(3);
    m.saw_epoch(4);
    assert_eq!(
        m.fetched(tip(1), TaskPlace::Waiting, None),
        &Step::Propose {
            on_tip: tip(1),
            epoch: 5
        }
    );
}

#[test]
fn an_input_that_was_not_asked_for_changes_nothing() {
    let mut m = machine(3);
    assert_eq!(m.pushed(PushOutcome::Landed), &Step::Fetch);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    let proposed = m.step().clone();
    assert_eq!(m.fetch_failed("late"), &proposed);
    assert_eq!(m.fetched(tip(9), TaskPlace::Absent, None), &proposed);
    m.pushed(PushOutcome::Landed);
    assert_eq!(
        m.fetch_failed("late"),
        &Step::End(Claimed::Won { epoch: 1 })
    );
}

/// A remote: commits in a chain, and a compare-and-swap of its tip. Commit `n + 1` may say that
/// it put a claim on a task (or took it off again).
#[derive(Default)]
struct Register {
    commits: Vec<Commit>,
    tip: Option<usize>,
}

#[derive(Clone)]
struct Commit {
    parent: Option<usize>,
    task: usize,
    claim: Option<ClaimRecord>,
}

impl Register {
    fn build(&mut self, parent: Option<usize>, task: usize, claim: Option<ClaimRecord>) -> usize {
        self.commits.push(Commit {
            parent,
            task,
            claim,
        });
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

    fn place(&self, task: usize) -> TaskPlace {
        match self
            .history()
            .into_iter()
            .find(|&commit| self.commits[commit].task == task)
        {
            Some(commit) => match &self.commits[commit].claim {
                Some(record) => TaskPlace::Owned(record.clone()),
                None => TaskPlace::Waiting,
            },
            None => TaskPlace::Waiting,
        }
    }
}

/// One agent that wants one task.
struct Runner {
    machine: ClaimMachine,
    number: usize,
    task: usize,
    commit: Option<usize>,
}

/// What the network does to one exchange.
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
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::None),
        1 => Just(Fault::LostRequest),
        2 => Just(Fault::LostAnswer),
        2 => Just(Fault::Late),
        1 => Just(Fault::Twice),
    ]
}

impl Runner {
    fn turn(&mut self, register: &mut Register, late: &mut Vec<usize>, fault: Fault) {
        match self.machine.step().clone() {
            Step::End(_) => {}
            Step::Fetch | Step::BackOff { .. } => {
                if matches!(fault, Fault::LostRequest) {
                    self.machine.fetch_failed("no route");
                    return;
                }
                let landed = self
                    .commit
                    .map(|commit| register.history().contains(&commit));
                let tip = register.tip.map(|tip| format!("{tip:040x}"));
                self.machine.fetched(tip, register.place(self.task), landed);
            }
            Step::Propose { on_tip, epoch } => {
                let parent = on_tip
                    .as_deref()
                    .map(|hex| usize::from_str_radix(hex, 16).unwrap());
                let base = on_tip.unwrap_or_default();
                let claim = record(self.number, self.machine.claim(), epoch, &base);
                self.commit = Some(register.build(parent, self.task, Some(claim)));
                self.push(register, late, fault);
            }
            Step::PushAgain => self.push(register, late, fault),
        }
    }

    fn push(&mut self, register: &mut Register, late: &mut Vec<usize>, fault: Fault) {
        let commit = self.commit.unwrap();
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
            Fault::None | Fault::Twice => {
                let first = register.swap(commit);
                let landed = first || (matches!(fault, Fault::Twice) && register.swap(commit));
                if landed {
                    PushOutcome::Landed
                } else {
                    rejected()
                }
            }
        };
        self.machine.pushed(outcome);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_task_has_at_most_one_owner_and_every_agent_is_told_right(
        agents in 2_usize..5,
        tasks in 1_usize..3,
        releases in prop::collection::vec(any::<bool>(), 40),
        turns in prop::collection::vec((0_usize..8, any_fault()), 1..120),
    ) {
        let mut register = Register::default();
        let root = register.build(None, usize::MAX, None);
        register.swap(root);
        let mut late = vec![];
        let mut runners: Vec<_> = (0..agents)
            .flat_map(|number| (0..tasks).map(move |task| (number, task)))
            .map(|(number, task)| Runner {
                machine: ClaimMachine::new(
                    TaskId::from_parts(0, task as u128),
                    agent(number),
                    ClaimId::from_parts(1, (number * 10 + task) as u128),
                    6,
                ),
                number,
                task,
                commit: None,
            })
            .collect();
        let mut releases = releases.into_iter();
        for (who, fault) in turns {
            // Somebody writes something else now and then, and late pushes arrive.
            if releases.next() == Some(true) {
                let other = register.build(register.tip, usize::MAX, None);
                register.swap(other);
            }
            if who % 3 == 0 && let Some(commit) = late.pop() {
                register.swap(commit);
            }
            let count = runners.len();
            runners[who % count].turn(&mut register, &mut late, fault);
        }
        // Then the network is well, and every run comes to its end.
        while let Some(commit) = late.pop() {
            register.swap(commit);
        }
        for _ in 0..40 {
            for runner in &mut runners {
                runner.turn(&mut register, &mut late, Fault::None);
            }
        }
        let mut winners: BTreeMap<usize, usize> = BTreeMap::new();
        for runner in &runners {
            let Step::End(ended) = runner.machine.step() else {
                return Err(TestCaseError::fail("a run did not end"));
            };
            let owner = match register.place(runner.task) {
                TaskPlace::Owned(record) => Some(record),
                _ => None,
            };
            let ours = owner.as_ref().is_some_and(|record| record.id == runner.machine.claim());
            match ended {
                Claimed::Won { epoch } => {
                    prop_assert!(ours, "a winner is the one the tip names");
                    prop_assert_eq!(*epoch, owner.unwrap().epoch);
                    prop_assert!(winners.insert(runner.task, runner.number).is_none(), "two winners");
                }
                Claimed::Lost { owner: named } => {
                    prop_assert!(!ours, "a loser does not own the task");
                    prop_assert_eq!(named.clone(), owner.map(|record| record.agent));
                }
                Claimed::GaveUp => prop_assert!(!ours, "who gave up does not own the task"),
                Claimed::Tentative => {}
            }
        }
    }

    #[test]
    fn a_claim_never_pushes_more_often_than_it_may(
        max in 1_u32..6,
        inputs in prop::collection::vec((0_u8..5, 0_usize..3), 0..60),
    ) {
        let mut m = machine(max);
        let mut pushes = 0;
        for (input, n) in inputs {
            let was_push = matches!(m.step(), Step::Propose { .. } | Step::PushAgain);
            match input {
                0 => { m.fetched(tip(n), TaskPlace::Waiting, Some(false)); }
                1 => { m.fetch_failed("x"); }
                2 => { m.pushed(rejected()); }
                3 => { m.pushed(lost()); }
                _ => { m.fetched(tip(n), TaskPlace::Waiting, None); }
            }
            let is_push = matches!(m.step(), Step::Propose { .. } | Step::PushAgain);
            pushes += u32::from(is_push && !was_push);
        }
        prop_assert!(pushes <= max);
    }
}
