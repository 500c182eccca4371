//! Each transition of a claim by itself.

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

/// An epoch is never given twice not even the last there is.
#[test]
fn epoch_is_never_reused_not_even_the_last() {
    let mut m = machine(3);
    m.saw_epoch(u64::MAX - 1);
    let step = m.fetched(tip(1), TaskPlace::Waiting, None).clone();
    let epoch = u64::MAX;
    let on_tip = tip(1);
    assert_eq!(step, Step::Propose { on_tip, epoch });
    let mut m = machine(3);
    m.saw_epoch(u64::MAX);
    let step = m.fetched(tip(1), TaskPlace::Waiting, None).clone();
    assert_eq!(step, Step::End(Claimed::GaveUp));
    assert_eq!(m.reason(), Some("the epochs of its claims are used up"));
}

/// A waiting task is proposed on the tip and won when the push lands.
#[test]
fn claim_waiting_task_is_won_when_the_push_lands() {
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
fn claim_already_in_the_tip_is_won() {
    let mut m = machine(3);
    let place = TaskPlace::Owned(record(1, m.claim(), 7, ""));
    assert_eq!(
        m.fetched(tip(1), place, None),
        &Step::End(Claimed::Won { epoch: 7 })
    );
}

/// An equal agent name with another claim is not this claim.
#[test]
fn claim_same_agent_other_claim_id_is_lost() {
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
fn claim_finished_or_absent_task_is_lost() {
    for place in [TaskPlace::Finished, TaskPlace::Absent] {
        let mut m = machine(3);
        assert_eq!(
            m.fetched(tip(1), place, None),
            &Step::End(Claimed::Lost { owner: None })
        );
    }
}

/// A rejected claim backs off and is built anew on the new tip.
#[test]
fn claim_rejected_push_is_rebuilt_on_the_new_tip() {
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
fn claim_rejected_too_often_gives_up() {
    let mut m = machine(2);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    m.pushed(rejected());
    m.fetched(tip(2), TaskPlace::Waiting, Some(false));
    assert_eq!(m.pushed(rejected()), &Step::End(Claimed::GaveUp));
}

#[test]
fn claim_indeterminate_push_is_looked_up() {
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

/// An unknown outcome on a tip that moved on is built anew.
#[test]
fn claim_indeterminate_on_a_moved_tip_is_rebuilt() {
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
fn claim_landed_and_reverted_is_not_won() {
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
fn claim_rejection_after_doubt_is_looked_up_first() {
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
fn claim_unreachable_remote_is_tentative() {
    let mut m = machine(3);
    assert_eq!(m.fetch_failed("no route"), &Step::End(Claimed::Tentative));
    assert_eq!(m.reason(), Some("no route"));
}

#[test]
fn claim_in_doubt_retries_a_failed_lookup() {
    let mut m = machine(3);
    m.fetched(tip(1), TaskPlace::Waiting, None);
    m.pushed(lost());
    assert_eq!(m.fetch_failed("no route"), &Step::BackOff { attempt: 2 });
    assert_eq!(m.fetch_failed("no route"), &Step::BackOff { attempt: 3 });
    assert_eq!(m.fetch_failed("no route"), &Step::End(Claimed::Tentative));
}

#[test]
fn claim_released_task_gets_a_higher_epoch() {
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
fn claim_unexpected_input_changes_nothing() {
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

fn take_over_machine(max: u32) -> (ClaimMachine, ClaimRecord) {
    let expired = record(2, ClaimId::from_parts(0, 2), 4, "");
    let m = ClaimMachine::take_over(
        TaskId::from_parts(0, 1),
        agent(1),
        ClaimId::from_parts(0, 1),
        max,
        expired.clone(),
    );
    (m, expired)
}

#[test]
fn take_over_expired_claim_gets_a_higher_epoch() {
    let (mut m, expired) = take_over_machine(3);
    assert_eq!(m.step(), &Step::Fetch);
    assert_eq!(
        m.fetched(tip(1), TaskPlace::Owned(expired), None),
        &Step::Propose {
            on_tip: tip(1),
            epoch: 5
        }
    );
    assert_eq!(
        m.pushed(PushOutcome::Landed),
        &Step::End(Claimed::Won { epoch: 5 })
    );
}

#[test]
fn take_over_ends_if_the_owner_moved() {
    let (_, expired) = take_over_machine(3);
    let beaten = ClaimRecord {
        heartbeats: 1,
        ..expired.clone()
    };
    let claimed_again = record(2, ClaimId::from_parts(0, 3), 5, "");
    let by_other = record(3, ClaimId::from_parts(0, 4), 5, "");
    for (place, owner) in [
        (TaskPlace::Owned(beaten), Some(agent(2))),
        (TaskPlace::Owned(claimed_again), Some(agent(2))),
        (TaskPlace::Owned(by_other), Some(agent(3))),
        (TaskPlace::Waiting, None),
        (TaskPlace::Finished, None),
        (TaskPlace::Absent, None),
    ] {
        // At the first fetch, and at one after a push that was rejected.
        let (mut m, _) = take_over_machine(3);
        let lost = Step::End(Claimed::Lost { owner });
        assert_eq!(m.fetched(tip(1), place.clone(), None), &lost);
        let (mut m, _) = take_over_machine(3);
        m.fetched(tip(1), TaskPlace::Owned(expired.clone()), None);
        m.pushed(rejected());
        assert_eq!(m.fetched(tip(2), place, Some(false)), &lost);
    }
}

#[test]
fn take_over_in_doubt_is_looked_up() {
    let (mut m, expired) = take_over_machine(5);
    m.fetched(tip(1), TaskPlace::Owned(expired.clone()), None);
    assert_eq!(m.pushed(lost()), &Step::Fetch);
    assert_eq!(
        m.fetched(tip(1), TaskPlace::Owned(expired.clone()), Some(false)),
        &Step::PushAgain
    );
    m.pushed(lost());
    // Others wrote something else meanwhile: built anew.
    assert_eq!(
        m.fetched(tip(2), TaskPlace::Owned(expired), Some(false)),
        &Step::Propose {
            on_tip: tip(2),
            epoch: 5
        }
    );
}

/// The old owner finds a task that was taken over lost.
#[test]
fn take_over_old_owner_finds_the_task_lost() {
    let taken = TaskPlace::Owned(record(1, ClaimId::from_parts(0, 1), 5, ""));
    let mut old = ClaimMachine::new(
        TaskId::from_parts(0, 1),
        agent(2),
        ClaimId::from_parts(0, 7),
        3,
    );
    old.made_before(ClaimId::from_parts(0, 2));
    assert_eq!(
        old.fetched(tip(2), taken, None),
        &Step::End(Claimed::Lost {
            owner: Some(agent(1))
        })
    );
}

#[test]
fn claim_made_before_a_restart_is_won() {
    let mut m = machine(3);
    m.made_before(ClaimId::from_parts(0, 9));
    let place = TaskPlace::Owned(record(1, ClaimId::from_parts(0, 9), 3, ""));
    assert_eq!(
        m.fetched(tip(1), place, None),
        &Step::End(Claimed::Won { epoch: 3 })
    );
    // Only under its own name.
    let mut m = machine(3);
    m.made_before(ClaimId::from_parts(0, 9));
    let place = TaskPlace::Owned(record(2, ClaimId::from_parts(0, 9), 3, ""));
    assert_eq!(
        m.fetched(tip(1), place, None),
        &Step::End(Claimed::Lost {
            owner: Some(agent(2))
        })
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn claim_any_answers_push_count_is_bounded(
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
