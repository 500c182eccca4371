//! A host is killed (`kill -9`) at every fail point there is, started again on what it left, and
//! must come to agree with the other host: nothing lost, no task with two owners.
//!
//! Lives here: `points` has the names and holds them against the sources, `cluster` is two hosts
//! and their remote, `workload` what they do, `disk` the same on a disk that is full or may not be
//! written.
//! Lives elsewhere: kills at random moments of the whole programs are in `crashes`.
//!
//! The test command kills once at each point, in a part of the work that differs from run to run,
//! several times in one life of a vault. `PLATINUM_EVERY_HIT=1` kills at every hit of every point,
//! each in a life of its own; with the name of a point in place of the 1, at its hits alone.

mod cluster;
mod disk;
mod interrupted;
mod points;
mod workload;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use platinum_host_tests::worker;
use platinum_testkit::seed;
use rand::{SeedableRng as _, rngs::StdRng, seq::IndexedRandom as _};

use cluster::Outcome;
use points::POINTS;
use workload::Kill;

/// As many hosts are killed at once as this machine has hands for.
const AT_ONCE: usize = 2;
/// How long a host that was killed may take until it is in sync again.
pub(crate) const RECOVERY: Duration = Duration::from_secs(2);
/// The test that the workers are copies of.
pub(crate) const NAME: &str = "failpoints::kill_at_any_fail_point_loses_nothing";

/// A host that is killed at any fail point comes back and nothing is lost.
#[test]
fn kill_at_any_fail_point_loses_nothing() {
    if let Some(asked) = worker::asked() {
        return worker::serve(asked);
    }
    let began = Instant::now();
    let counts = workload::count();
    let missed: Vec<_> = POINTS
        .iter()
        .filter(|point| !counts.iter().any(|part| part.contains_key(**point)))
        .collect();
    assert!(missed.is_empty(), "never reached: {missed:?}");

    let runs = match std::env::var("PLATINUM_EVERY_HIT") {
        Ok(only) => every_hit(&counts, &only),
        Err(_) => once_each(&counts),
    };
    let kills: usize = runs.iter().map(Vec::len).sum();
    let first = run_all(runs);
    // Killed before, a host may go another way: what it did not come by has a run of its own.
    let alone = run_all(each_alone(&first.missed));
    assert!(
        alone.missed.is_empty(),
        "never killed at: {:?}",
        alone.missed
    );
    println!(
        "FIGURE: {} points, {} kills, in {:.0} s; the slowest was in sync again after {} ms",
        POINTS.len(),
        kills,
        began.elapsed().as_secs_f64(),
        first.slowest.max(alone.slowest).as_millis(),
    );
    // A machine that has other things to do is not slow at the same point three times.
    let mut slow = first.slow;
    slow.extend(alone.slow);
    for _ in 0..2 {
        slow = run_all(each_alone(&slow)).slow;
    }
    assert!(
        slow.is_empty(),
        "not in sync within {RECOVERY:?} after {slow:?}"
    );
}

fn each_alone(kills: &[Kill]) -> Vec<Vec<Kill>> {
    kills.iter().map(|kill| vec![*kill]).collect()
}

/// Runs with these kills in each, as many as there are hands at a time.
fn run_all(runs: Vec<Vec<Kill>>) -> Outcome {
    let left = Mutex::new(VecDeque::from(runs));
    let all = Mutex::new(Outcome::default());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(kills) = next(&left) {
                    println!("{kills:?}");
                    let outcome = workload::killed(kills[0].part, &kills);
                    let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                    all.slowest = all.slowest.max(outcome.slowest);
                    all.slow.extend(outcome.slow);
                    all.missed.extend(outcome.missed);
                }
            });
        }
    });
    all.into_inner().unwrap()
}

fn next<T>(left: &Mutex<VecDeque<T>>) -> Option<T> {
    left.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .pop_front()
}

/// A run for every hit of every point, or of the one of this name.
fn every_hit(counts: &[BTreeMap<String, u32>], only: &str) -> Vec<Vec<Kill>> {
    let mut runs = Vec::new();
    let is_asked = |point: &&str| !POINTS.contains(&only) || *point == only;
    for point in POINTS.into_iter().filter(is_asked) {
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
    let mut random = StdRng::seed_from_u64(seed());
    let mut runs: Vec<Vec<Kill>> = vec![Vec::new(); counts.len()];
    for point in POINTS {
        let parts: Vec<_> = (0..counts.len())
            .filter(|part| counts[*part].contains_key(point))
            .collect();
        if let Some(&part) = parts.choose(&mut random) {
            let hit = 1;
            runs[part].push(Kill { part, point, hit });
        }
    }
    runs.retain(|kills| !kills.is_empty());
    runs
}
