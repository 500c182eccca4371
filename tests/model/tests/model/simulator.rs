//! The simulator, over many seeds; each known mistake, found by the same oracle.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use platinum_model::sim::{Coverage, Failure, Mistake, run};

/// How many seeds the test command runs; `PLATINUM_SEEDS` says otherwise.
const SHARE: u64 = 20_000;
/// A mistake must show within so many seeds.
const SOON: u64 = 5_000;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable} is no number: {text}")),
    )
}

fn report(failure: &Failure) -> String {
    format!(
        "{}\n\nseed {}: {}\nRun it alone with PLATINUM_SEED={}.",
        failure.trace.join("\n"),
        failure.seed,
        failure.what,
        failure.seed
    )
}

/// Runs these seeds on all processors; stops at the first that fails, and gives the lowest.
fn sweep(seeds: std::ops::Range<u64>) -> Result<Coverage, Failure> {
    let next = AtomicU64::new(seeds.start);
    let end = seeds.end;
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let worker = || {
        let mut seen = Coverage::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return Ok(seen);
            }
            match run(seed, None) {
                Ok(more) => seen = seen.and(more),
                Err(failure) => {
                    next.store(end, Ordering::Relaxed);
                    return Err(failure);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        let ends: Vec<_> = workers.into_iter().map(|w| w.join().unwrap()).collect();
        let first = ends.iter().filter_map(|end| end.as_ref().err());
        match first.min_by_key(|failure| failure.seed) {
            Some(failure) => Err(failure.clone()),
            None => Ok(ends
                .into_iter()
                .filter_map(Result::ok)
                .fold(Coverage::default(), Coverage::and)),
        }
    })
}

#[test]
fn simulator_seeds_lose_nothing_and_act_only_with_a_claim() {
    let seeds = match number("PLATINUM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PLATINUM_SEEDS").unwrap_or(SHARE),
    };
    let began = Instant::now();
    let count = seeds.end - seeds.start;
    let seen = sweep(seeds).unwrap_or_else(|failure| panic!("{}", report(&failure)));
    println!("FIGURE: {count} seeds in {:.1?}: {seen:?}", began.elapsed());
    if count >= SHARE {
        // What never happened was not tried.
        let Coverage {
            landed,
            late,
            conflicts,
            aside,
            crashes,
            claims,
            taken_over,
            effects,
            tentative,
            offline,
            lost_offline,
            distrusted,
            edits,
        } = seen;
        let all = [
            landed,
            late,
            conflicts,
            aside,
            crashes,
            claims,
            taken_over,
            effects,
            tentative,
            offline,
            lost_offline,
            distrusted,
            edits,
        ];
        assert!(all.iter().all(|&times| times > 100), "{seen:?}");
    }
}

#[test]
fn simulator_earlier_failing_seeds_pass() {
    let list = include_str!("../../seeds.txt");
    let seeds = list
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut count = 0;
    for line in seeds {
        let seed = line.split_whitespace().next().unwrap().parse().unwrap();
        if let Err(failure) = run(seed, None) {
            panic!("{line}: {}", report(&failure));
        }
        count += 1;
    }
    assert!(count > 0, "seeds.txt names no seed");
}

#[test]
fn simulator_seed_is_deterministic() {
    for seed in 0..50 {
        let once = run(seed, None).map_err(|failure| failure.trace);
        assert_eq!(once, run(seed, None).map_err(|failure| failure.trace));
    }
    let once = first(Mistake::Rebase);
    let again = run(once.seed, Some(Mistake::Rebase)).unwrap_err();
    assert_eq!(once.trace, again.trace);
}

/// The first seed in which a mistake shows.
fn first(mistake: Mistake) -> Failure {
    (0..SOON)
        .find_map(|seed| run(seed, Some(mistake)).err())
        .unwrap_or_else(|| panic!("{mistake:?} shows in none of {SOON} seeds"))
}

/// A mistake must show, and as what it is.
fn shows(mistake: Mistake, as_one_of: &[&str]) {
    let failure = first(mistake);
    println!("{mistake:?} at seed {}: {}", failure.seed, failure.what);
    assert!(!failure.trace.is_empty());
    assert!(
        as_one_of.iter().any(|what| failure.what.contains(what)),
        "{mistake:?} shows as something else: {}",
        failure.what
    );
}

/// Without a random id two hosts of one name own one task.
#[test]
fn mistake_no_random_id_gives_two_owners() {
    shows(Mistake::NoNonce, &["has two owners"]);
}

#[test]
fn mistake_rebased_claim_gives_two_owners() {
    shows(Mistake::Rebase, &["places of the remote's tree", "again"]);
}

/// A time out taken for a loss leaves a task with an owner that does not know.
#[test]
fn mistake_time_out_as_loss_gives_unaware_owner() {
    shows(Mistake::TimeoutIsLost, &["learned that it is lost"]);
}

#[test]
fn mistake_no_epoch_check_acts_without_a_claim() {
    shows(Mistake::NoEpochCheck, &["without its confirmed claim"]);
}

/// Without an intent in the journal an effect happens twice.
#[test]
fn mistake_no_intent_repeats_an_effect() {
    shows(Mistake::NoIntent, &["happened twice"]);
}

#[test]
fn mistake_blind_replace_loses_an_edit() {
    shows(Mistake::ApplyBlind, &["is lost", "from under its writer"]);
}

#[test]
fn mistake_conflict_without_copy_loses_an_edit() {
    shows(Mistake::CopyDropped, &["is lost"]);
}

/// What counts as applied too early is undone after a crash.
#[test]
fn mistake_early_applied_mark_is_found() {
    shows(
        Mistake::AppliedFirst,
        &["is lost", "places of the remote's tree"],
    );
}

#[test]
fn mistake_forgotten_apply_brings_old_claims_back() {
    shows(Mistake::TakeInForgotten, &["again", "places", "in the end"]);
}

#[test]
fn mistake_delete_beats_edit_loses_it() {
    shows(Mistake::DeleteWins, &["is lost"]);
}

/// Work of a cut off host that is not held against the tip is caught.
#[test]
fn mistake_unreconciled_offline_work_is_found() {
    shows(Mistake::CommitsReplayed, &["task"]);
}
