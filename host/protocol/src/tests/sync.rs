//! Each transition of a sync by itself, and several machines against one register under faults.

use std::collections::BTreeSet;

use proptest::prelude::*;

use crate::{PushOutcome, SyncMachine, SyncStep, Synced};

fn hex(n: usize) -> Option<String> {
    Some(format!("{n:040x}"))
}

fn lost() -> PushOutcome {
    PushOutcome::Indeterminate("time-out".into())
}

fn rejected() -> PushOutcome {
    PushOutcome::Rejected("stale info".into())
}

fn prepare(n: usize) -> SyncStep {
    SyncStep::Prepare { on_tip: hex(n) }
}

fn push(commit: usize, on_tip: usize) -> SyncStep {
    SyncStep::Push {
        commit: hex(commit).unwrap(),
        on_tip: hex(on_tip),
    }
}

fn take_in(n: usize) -> SyncStep {
    SyncStep::TakeIn { tip: hex(n) }
}

fn machine() -> SyncMachine {
    SyncMachine::new(3, 2)
}

/// A machine that has pushed commit 2 on tip 1.
fn pushing() -> SyncMachine {
    let mut m = machine();
    m.fetched(hex(1));
    m.prepared(hex(2));
    m
}

#[test]
fn sync_without_local_edits_applies_the_tip() {
    let mut m = machine();
    assert_eq!(m.step(), &SyncStep::Fetch);
    assert_eq!(m.fetched(hex(1)), &prepare(1));
    assert_eq!(m.prepared(None), &take_in(1));
    assert_eq!(m.taken_in(), &SyncStep::End(Synced::Done { tip: hex(1) }));
}

#[test]
fn sync_pushes_before_the_work_tree_changes() {
    let mut m = machine();
    m.fetched(hex(1));
    assert_eq!(m.prepared(hex(2)), &push(2, 1));
    assert_eq!(m.pushed(PushOutcome::Landed), &take_in(2));
    assert_eq!(m.taken_in(), &SyncStep::End(Synced::Done { tip: hex(2) }));
}

#[test]
fn sync_empty_remote_gets_its_first_commit() {
    let mut m = machine();
    assert_eq!(m.fetched(None), &SyncStep::Prepare { on_tip: None });
    assert_eq!(
        m.prepared(hex(1)),
        &SyncStep::Push {
            commit: hex(1).unwrap(),
            on_tip: None
        }
    );
    assert_eq!(m.pushed(lost()), &SyncStep::Fetch);
    // Still empty: that is the tip it was built on, not the commit.
    assert_eq!(
        m.fetched(None),
        &SyncStep::Push {
            commit: hex(1).unwrap(),
            on_tip: None
        }
    );
}

#[test]
fn sync_unreachable_remote_changes_nothing() {
    let mut m = machine();
    assert_eq!(
        m.fetch_failed("no route"),
        &SyncStep::End(Synced::Away("no route".into()))
    );
}

#[test]
fn sync_rejected_push_is_rebuilt_after_a_pause() {
    let mut m = pushing();
    assert_eq!(m.pushed(rejected()), &SyncStep::Pause { round: 1 });
    assert_eq!(m.paused(), &SyncStep::Fetch);
    assert_eq!(m.fetched(hex(5)), &prepare(5));
}

#[test]
fn sync_yields_after_the_most_rounds() {
    let mut m = machine();
    for round in 1..=3 {
        m.fetched(hex(round));
        m.prepared(hex(round + 100));
        m.pushed(rejected());
        m.paused();
    }
    assert_eq!(
        m.step(),
        &SyncStep::End(Synced::Contended {
            rounds: 3,
            reason: "stale info".into()
        })
    );
}

#[test]
fn sync_indeterminate_push_is_looked_up() {
    // It landed.
    let mut m = pushing();
    assert_eq!(m.pushed(lost()), &SyncStep::Fetch);
    assert_eq!(m.fetched(hex(2)), &take_in(2));
    // It has not landed yet: the same commit again.
    let mut m = pushing();
    m.pushed(lost());
    assert_eq!(m.fetched(hex(1)), &push(2, 1));
    // Another push did, or others went on from ours: merge with what is there.
    let mut m = pushing();
    m.pushed(lost());
    assert_eq!(m.fetched(hex(7)), &prepare(7));
}

#[test]
fn sync_lasting_doubt_is_reported() {
    let mut m = pushing();
    m.pushed(lost());
    m.fetched(hex(1));
    m.pushed(lost());
    assert_eq!(
        m.fetched(hex(1)),
        &SyncStep::End(Synced::InDoubt("time-out".into()))
    );
    let mut m = pushing();
    m.pushed(lost());
    assert_eq!(
        m.fetch_failed("no route"),
        &SyncStep::End(Synced::InDoubt("time-out".into()))
    );
}

/// A remote that answered a moment ago is pushed to at once.
#[test]
fn sync_known_tip_is_pushed_to_without_a_fetch() {
    let first = || SyncMachine::push_first(3, 2, hex(1));
    let mut m = first();
    assert_eq!(m.step(), &prepare(1));
    assert_eq!(m.prepared(hex(2)), &push(2, 1));
    assert_eq!(m.pushed(PushOutcome::Landed), &take_in(2));
    // Others were faster: fetch at once, and all rounds are left.
    let mut m = first();
    m.prepared(hex(2));
    assert_eq!(m.pushed(rejected()), &SyncStep::Fetch);
    // Nothing to give: the remote may have news.
    let mut m = first();
    assert_eq!(m.prepared(None), &SyncStep::Fetch);
    assert_eq!(m.fetched(hex(1)), &prepare(1));
    assert_eq!(m.prepared(None), &take_in(1));
    // The answer was lost.
    let mut m = first();
    m.prepared(hex(2));
    assert_eq!(m.pushed(lost()), &SyncStep::Fetch);
    assert_eq!(m.fetched(hex(1)), &push(2, 1));
}

#[test]
fn sync_unexpected_input_changes_nothing() {
    let inputs: [fn(&mut SyncMachine); 6] = [
        |m| drop(m.fetched(hex(9)).clone()),
        |m| drop(m.fetch_failed("late").clone()),
        |m| drop(m.prepared(hex(9)).clone()),
        |m| drop(m.pushed(PushOutcome::Landed).clone()),
        |m| drop(m.paused().clone()),
        |m| drop(m.taken_in().clone()),
    ];
    let mut taking_in = pushing();
    taking_in.pushed(PushOutcome::Landed);
    let mut ended = taking_in.clone();
    ended.taken_in();
    let mut pausing = pushing();
    pausing.pushed(rejected());
    let mut preparing = machine();
    preparing.fetched(hex(1));
    for (state, asked) in [
        (machine(), &[0, 1][..]),
        (preparing, &[2]),
        (pushing(), &[3]),
        (pausing, &[4]),
        (taking_in, &[5]),
        (ended, &[]),
    ] {
        for (n, input) in inputs.iter().enumerate() {
            let mut m = state.clone();
            input(&mut m);
            assert_eq!(m == state, !asked.contains(&n), "input {n} in {state:?}");
        }
    }
}

/// A remote as a compare-and-swap register of commits, each with the files it has.
#[derive(Default)]
struct Register {
    commits: Vec<(Option<usize>, BTreeSet<u32>)>,
    tip: Option<usize>,
}

impl Register {
    fn build(&mut self, parent: Option<usize>, files: BTreeSet<u32>) -> usize {
        self.commits.push((parent, files));
        self.commits.len() - 1
    }

    fn swap(&mut self, commit: usize) -> bool {
        if self.tip == self.commits[commit].0 {
            self.tip = Some(commit);
        }
        self.tip == Some(commit)
    }

    fn files(&self, tip: Option<usize>) -> BTreeSet<u32> {
        tip.map(|tip| self.commits[tip].1.clone())
            .unwrap_or_default()
    }
}

#[derive(Debug, Clone, Copy)]
enum Fault {
    None,
    LostRequest,
    LostAnswer,
    Late,
    Restart,
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        5 => Just(Fault::None),
        1 => Just(Fault::LostRequest),
        1 => Just(Fault::LostAnswer),
        1 => Just(Fault::Late),
        1 => Just(Fault::Restart),
    ]
}

/// One machine with its work tree.
struct Runner {
    machine: SyncMachine,
    tree: BTreeSet<u32>,
    asked: Option<Option<usize>>,
}

fn number(hex: &Option<String>) -> Option<usize> {
    hex.as_ref()
        .map(|hex| usize::from_str_radix(hex, 16).unwrap())
}

impl Runner {
    fn again(&mut self) {
        self.machine = match self.asked {
            Some(tip) => SyncMachine::push_first(3, 2, tip.and_then(hex)),
            None => SyncMachine::new(3, 2),
        };
    }

    fn turn(&mut self, register: &mut Register, late: &mut Vec<usize>, fault: Fault) {
        if matches!(fault, Fault::Restart) {
            self.asked = None;
            return self.again();
        }
        match self.machine.step().clone() {
            SyncStep::Fetch => match fault {
                Fault::LostRequest | Fault::LostAnswer => {
                    self.asked = None;
                    self.machine.fetch_failed("no route");
                }
                _ => {
                    self.asked = Some(register.tip);
                    self.machine.fetched(register.tip.and_then(hex));
                }
            },
            SyncStep::Prepare { on_tip } => {
                let tip = number(&on_tip);
                let theirs = register.files(tip);
                let both: BTreeSet<u32> = theirs.union(&self.tree).copied().collect();
                let commit = (both != theirs).then(|| register.build(tip, both));
                self.machine.prepared(commit.and_then(hex));
            }
            SyncStep::Push { commit, on_tip } => {
                let commit = number(&Some(commit)).unwrap();
                assert_eq!(register.commits[commit].0, number(&on_tip), "never rebased");
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
                    _ if register.swap(commit) => PushOutcome::Landed,
                    _ => rejected(),
                };
                self.machine.pushed(outcome);
            }
            SyncStep::Pause { .. } => drop(self.machine.paused().clone()),
            SyncStep::TakeIn { tip } => {
                self.asked = Some(number(&tip));
                // What the work tree gets must be in the remote's history by now.
                let mut at = register.tip;
                while at.is_some() && at != number(&tip) {
                    at = register.commits[at.unwrap()].0;
                }
                assert_eq!(at, number(&tip), "what is taken in has landed");
                self.tree.extend(register.files(number(&tip)));
                self.machine.taken_in();
            }
            SyncStep::End(_) => self.again(),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Every edit reaches every side whatever the network does.
    #[test]
    fn sync_any_network_delivers_every_edit(
        sides in 2_usize..4,
        turns in prop::collection::vec((0_usize..8, any_fault(), any::<bool>()), 1..150),
    ) {
        let mut register = Register::default();
        let mut late = vec![];
        let mut runners: Vec<_> = (0..sides)
            .map(|_| Runner { machine: SyncMachine::new(3, 2), tree: BTreeSet::new(), asked: None })
            .collect();
        let mut made = 0;
        for (who, fault, edits) in turns {
            if who % 3 == 0 && let Some(commit) = late.pop() {
                register.swap(commit);
            }
            let runner = &mut runners[who % sides];
            if edits {
                runner.tree.insert(made);
                made += 1;
            }
            runner.turn(&mut register, &mut late, fault);
        }
        // The network is well again.
        while let Some(commit) = late.pop() {
            register.swap(commit);
        }
        for _ in 0..60 {
            for runner in &mut runners {
                runner.turn(&mut register, &mut late, Fault::None);
            }
        }
        let all: BTreeSet<u32> = (0..made).collect();
        prop_assert_eq!(&register.files(register.tip), &all);
        for runner in &runners {
            prop_assert_eq!(&runner.tree, &all);
        }
    }

    #[test]
    fn sync_any_answers_push_count_is_bounded(
        inputs in prop::collection::vec((0_u8..7, 0_usize..3), 0..200),
    ) {
        let mut m = machine();
        let mut pushes = 0;
        for (input, n) in inputs {
            let was = m.clone();
            match input {
                0 => { m.fetched(hex(n)); }
                1 => { m.fetch_failed("x"); }
                2 => { m.prepared((n > 0).then(|| format!("{n}"))); }
                3 => { m.pushed(rejected()); }
                4 => { m.pushed(lost()); }
                5 => { m.paused(); }
                _ => { m.taken_in(); }
            }
            pushes += u32::from(m != was && matches!(m.step(), SyncStep::Push { .. }));
        }
        prop_assert!(pushes <= 3 * 2);
    }
}
