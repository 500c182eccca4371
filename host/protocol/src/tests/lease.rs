//! Nobody is called stuck who gave a sign of life, or who was not watched for a whole lease.

use platinum_core::AgentName;
use proptest::prelude::*;

use crate::Leases;

const LEASE: u64 = 30_000;

fn agent(name: &str) -> AgentName {
    name.parse().unwrap()
}

fn look(leases: &mut Leases, signs: &[(&str, &str)], now: u64) {
    let owners: Vec<_> = signs
        .iter()
        .map(|(who, commit)| (agent(who), *commit))
        .collect();
    leases.look(owners.iter().map(|(who, commit)| (who, Some(*commit))), now);
}

#[test]
fn an_owner_that_is_silent_for_a_whole_lease_is_stuck() {
    let mut leases = Leases::new(LEASE);
    for now in (0..LEASE).step_by(5000) {
        look(&mut leases, &[("cloud", "a")], now);
        assert!(!leases.is_stuck(&agent("cloud")), "{now}");
    }
    look(&mut leases, &[("cloud", "a")], LEASE);
    assert!(leases.is_stuck(&agent("cloud")));
    assert_eq!(leases.stuck().collect::<Vec<_>>(), [&agent("cloud")]);
    // A late sign of life clears it.
    look(&mut leases, &[("cloud", "b")], LEASE + 1);
    assert_eq!(leases.stuck().count(), 0);
}

#[test]
fn one_owner_of_several_is_stuck_alone() {
    let mut leases = Leases::new(LEASE);
    for round in 0..7_u64 {
        let commit = format!("{round}");
        look(
            &mut leases,
            &[("dead", "a"), ("well", &commit)],
            round * 5000,
        );
    }
    assert_eq!(leases.stuck().collect::<Vec<_>>(), [&agent("dead")]);
}

#[test]
fn an_owner_without_any_commit_has_its_lease_too() {
    let mut leases = Leases::new(LEASE);
    let dead = agent("dead");
    for round in 0..6_u64 {
        leases.look([(&dead, None)], round * 5000);
        assert!(!leases.is_stuck(&dead));
    }
    leases.look([(&dead, None)], LEASE);
    assert!(leases.is_stuck(&dead));
}

#[test]
fn time_in_which_nobody_could_look_does_not_count() {
    let mut leases = Leases::new(LEASE);
    look(&mut leases, &[("cloud", "a")], 0);
    look(&mut leases, &[("cloud", "a")], 5000);
    // The line was cut for a day; the owner may have been cut off as well.
    look(&mut leases, &[("cloud", "a")], 86_400_000);
    assert!(!leases.is_stuck(&agent("cloud")));
}

#[test]
fn who_owns_nothing_any_more_is_measured_anew_when_it_does_again() {
    let mut leases = Leases::new(LEASE);
    look(&mut leases, &[("cloud", "a")], 0);
    for now in (5000..=LEASE).step_by(5000) {
        look(&mut leases, &[], now);
    }
    look(&mut leases, &[("cloud", "a")], LEASE + 1);
    assert!(!leases.is_stuck(&agent("cloud")));
}

#[test]
fn a_beat_is_due_after_a_third_of_the_lease() {
    assert!(!Leases::is_beat_due(LEASE, 1000, 1000));
    assert!(!Leases::is_beat_due(LEASE, 1000, 10_999));
    assert!(Leases::is_beat_due(LEASE, 1000, 11_000));
    // A monotonic clock does not go back; if one does, nothing is due.
    assert!(!Leases::is_beat_due(LEASE, 1000, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Against the plain rule: stuck is who had the same newest commit in every look of an
    /// unbroken row of looks as long as a lease, none of them from before a restart.
    #[test]
    fn stuck_means_one_unbroken_lease_without_a_sign(
        looks in prop::collection::vec((0_u64..12_000, 0_u8..10, prop::bool::weighted(0.03)), 1..60),
    ) {
        let who = agent("cloud");
        let mut leases = Leases::new(LEASE);
        let mut now = 0;
        let mut commit = 0_u32;
        let mut row: Vec<(u64, u32)> = vec![];
        for (passed, news, restart) in looks {
            now += passed;
            if restart {
                leases = Leases::new(LEASE);
                row.clear();
            }
            commit += u32::from(news == 0);
            let hex = commit.to_string();
            leases.look([(&who, Some(hex.as_str()))], now);
            if row.last().is_some_and(|(at, was)| *was != commit || now - at > LEASE / 3) {
                row.clear();
            }
            row.push((now, commit));
            prop_assert_eq!(leases.is_stuck(&who), now - row[0].0 >= LEASE);
        }
    }
}
