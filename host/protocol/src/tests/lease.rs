//! A lease expires only for an owner that was watched for a whole lease and gave no sign of life.

use platinum_core::AgentName;
use proptest::prelude::*;

use crate::Leases;

const LEASE: u64 = 30_000;

fn agent(name: &str) -> AgentName {
    name.parse().unwrap()
}

fn observe(leases: &mut Leases, signs: &[(&str, &str)], now: u64) {
    let owners: Vec<_> = signs
        .iter()
        .map(|(who, commit)| (agent(who), *commit))
        .collect();
    leases.observe(owners.iter().map(|(who, commit)| (who, Some(*commit))), now);
}

#[test]
fn lease_silent_owner_expires_after_one_lease() {
    let mut leases = Leases::new(LEASE);
    for now in (0..LEASE).step_by(5000) {
        observe(&mut leases, &[("cloud", "a")], now);
        assert!(!leases.has_expired(&agent("cloud")), "{now}");
    }
    observe(&mut leases, &[("cloud", "a")], LEASE);
    assert!(leases.has_expired(&agent("cloud")));
    assert_eq!(leases.expired().collect::<Vec<_>>(), [&agent("cloud")]);
    // A late sign of life clears it.
    observe(&mut leases, &[("cloud", "b")], LEASE + 1);
    assert_eq!(leases.expired().count(), 0);
}

#[test]
fn lease_expires_for_the_silent_owner_alone() {
    let mut leases = Leases::new(LEASE);
    for round in 0..7_u64 {
        let commit = format!("{round}");
        observe(
            &mut leases,
            &[("dead", "a"), ("well", &commit)],
            round * 5000,
        );
    }
    assert_eq!(leases.expired().collect::<Vec<_>>(), [&agent("dead")]);
}

#[test]
fn lease_owner_without_commits_has_one_too() {
    let mut leases = Leases::new(LEASE);
    let dead = agent("dead");
    for round in 0..6_u64 {
        leases.observe([(&dead, None)], round * 5000);
        assert!(!leases.has_expired(&dead));
    }
    leases.observe([(&dead, None)], LEASE);
    assert!(leases.has_expired(&dead));
}

#[test]
fn lease_unobserved_time_does_not_count() {
    let mut leases = Leases::new(LEASE);
    observe(&mut leases, &[("cloud", "a")], 0);
    observe(&mut leases, &[("cloud", "a")], 5000);
    // The line was cut for a day; the owner may have been cut off as well.
    observe(&mut leases, &[("cloud", "a")], 86_400_000);
    assert!(!leases.has_expired(&agent("cloud")));
}

/// Who owns nothing any more is measured anew when it does again.
#[test]
fn lease_restarts_when_an_agent_owns_again() {
    let mut leases = Leases::new(LEASE);
    observe(&mut leases, &[("cloud", "a")], 0);
    for now in (5000..=LEASE).step_by(5000) {
        observe(&mut leases, &[], now);
    }
    observe(&mut leases, &[("cloud", "a")], LEASE + 1);
    assert!(!leases.has_expired(&agent("cloud")));
}

#[test]
fn heartbeat_is_due_after_a_third_of_the_lease() {
    assert!(!Leases::is_heartbeat_due(LEASE, 1000, 1000));
    assert!(!Leases::is_heartbeat_due(LEASE, 1000, 10_999));
    assert!(Leases::is_heartbeat_due(LEASE, 1000, 11_000));
    // A monotonic clock does not go back; if one does, nothing is due.
    assert!(!Leases::is_heartbeat_due(LEASE, 1000, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Against the plain rule: a lease has expired for an owner with the same newest commit in every
    /// observation of an unbroken row as long as a lease, none of them from before a restart.
    #[test]
    fn lease_expires_only_after_unbroken_silence(
        observations in prop::collection::vec((0_u64..12_000, 0_u8..10, prop::bool::weighted(0.03)), 1..60),
    ) {
        let who = agent("cloud");
        let mut leases = Leases::new(LEASE);
        let mut now = 0;
        let mut commit = 0_u32;
        let mut row: Vec<(u64, u32)> = vec![];
        for (passed, news, restart) in observations {
            now += passed;
            if restart {
                leases = Leases::new(LEASE);
                row.clear();
            }
            commit += u32::from(news == 0);
            let hex = commit.to_string();
            leases.observe([(&who, Some(hex.as_str()))], now);
            if row.last().is_some_and(|(at, was)| *was != commit || now - at > LEASE / 3) {
                row.clear();
            }
            row.push((now, commit));
            prop_assert_eq!(leases.has_expired(&who), now - row[0].0 >= LEASE);
        }
    }
}
