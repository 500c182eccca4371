//! A host is killed (`kill -9`) at every fail point there is, started again on what it left, and
//! must come to agree with the other host: nothing lost, no task with two owners.
//!
//! Lives here: `points` has the names and holds them against the sources, `estate` is two hosts
//! and their remote, `workload` what they do, `disk` the same on a disk that is full or may not be
//! written.
//! Lives elsewhere: kills at random moments of the whole programs are in `crashes`.
//!
//! The test command kills once at each point, in a part of the work that differs from run to run,
//! several times in one life of a vault. `PLATINUM_EVERY_HIT=1` kills at every hit of every point,
//! each in a life of its own.

mod disk;
mod estate;
mod points;
mod workload;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use platinum_host_tests::worker;
use rand::seq::IndexedRandom as _;

use points::POINTS;
use workload::Kill;

/// As many hosts are killed at once as this machine has hands for.
const AT_ONCE: usize = 2;
/// How long a host that was killed may take till it is in sync again.
const RECOVERY: Duration = Duration::from_secs(2);
/// The test that the workers are copies of.
pub(crate) const NAME: &str =
    "a_host_that_is_killed_at_any_fail_point_comes_back_and_nothing_is_lost";

#[test]
fn a_host_that_is_killed_at_any_fail_point_comes_back_and_nothing_is_lost() {
    if let Some(asked) = worker::asked() {
        return worker::serve(asked);
    }
    let began = Instant::now();
    let counts = workload::count();
    let missed: Vec<_> = POINTS
        .iter()
        .filter(|point| !counts.iter().any(|part| part.contains_key(**point)))
        .collect();
    assert!(missed.is_empty(), "nobody comes by these: {missed:?}");

    let runs = if std::env::var_os("PLATINUM_EVERY_HIT").is_some() {
        every_hit(&counts)
    } else {
        once_each(&counts)
    };
    let (recovery, missed) = run_all(runs);
    // Killed before, a host may go another way: what it did not come by has a run of its own.
    let alone = missed.iter().map(|kill| vec![*kill]).collect();
    let (alone_recovery, missed) = run_all(alone);
    assert!(missed.is_empty(), "nobody was killed there: {missed:?}");
    let slowest = recovery.max(alone_recovery);
    println!(
        "{} points in {:.0} s; the slowest was in sync again after {} ms",
        POINTS.len(),
        began.elapsed().as_secs_f64(),
        slowest.as_millis(),
    );
    assert!(slowest < RECOVERY, "{slowest:?}");
}

/// Runs with these kills in each, as many as there are hands at a time.
fn run_all(runs: Vec<Vec<Kill>>) -> (Duration, Vec<Kill>) {
    let left = Mutex::new(VecDeque::from(runs));
    let outcome = Mutex::new((Duration::ZERO, Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(kills) = next(&left) {
                    println!("{kills:?}");
                    let (recovery, mut missed) = workload::killed(kills[0].part, &kills);
                    let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                    outcome.0 = outcome.0.max(recovery);
                    outcome.1.append(&mut missed);
                }
            });
        }
    });
    outcome.into_inner().unwrap()
}

fn next<T>(left: &Mutex<VecDeque<T>>) -> Option<T> {
    left.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop_front()
}

/// A run for every hit of every point.
fn every_hit(counts: &[BTreeMap<String, u32>]) -> Vec<Vec<Kill>> {
    let mut runs = Vec::new();
    for point in POINTS {
        for (part, counts) in counts.iter().enumerate() {
            let most = counts.get(point).copied().unwrap_or(0);
            runs.extend((1..=most).map(|hit| vec![Kill { part, point, hit }]));
        }
    }
    runs
}

/// A few runs: in each a host dies again and again in one part of the work, also while it comes
/// back; once at every point.
fn once_each(counts: &[BTreeMap<String, u32>]) -> Vec<Vec<Kill>> {
    let mut runs: Vec<Vec<Kill>> = vec![Vec::new(); counts.len()];
    for point in POINTS {
        let parts: Vec<_> = (0..counts.len())
            .filter(|part| counts[*part].contains_key(point))
            .collect();
        if let Some(&part) = parts.choose(&mut rand::rng()) {
            let hit = 1;
            runs[part].push(Kill { part, point, hit });
        }
    }
    runs.retain(|kills| !kills.is_empty());
    runs
}
