//! The simulator, over many seeds; each known mistake, found by the same oracle.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use platinum_model::sim::{Failure, Mistake, Seen, run};

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

fn told(failure: &Failure) -> String {
    format!(
        "{}\n\nseed {}: {}\nRun it alone with PLATINUM_SEED={}.",
        failure.trace.join("\n"),
        failure.seed,
        failure.what,
        failure.seed
    )
}

/// Runs these seeds on all processors; stops at the first that fails, and gives the lowest.
fn sweep(seeds: std::ops::Range<u64>) -> Result<Seen, Failure> {
    let next = AtomicU64::new(seeds.start);
    let end = seeds.end;
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let worker = || {
        let mut seen = Seen::default();
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
                .fold(Seen::default(), Seen::and)),
        }
    })
}

#[test]
fn no_house_loses_a_task_or_a_byte_or_acts_without_a_claim() {
    let seeds = match number("PLATINUM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("PLATINUM_SEEDS").unwrap_or(SHARE),
    };
    let began = Instant::now();
    let count = seeds.end - seeds.start;
    let seen = sweep(seeds).unwrap_or_else(|failure| panic!("{}", told(&failure)));
    println!("FIGURE: {count} seeds in {:.1?}: {seen:?}", began.elapsed());
    if count >= SHARE {
        // What never happened was not tried.
        let Seen {
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
fn seeds_that_once_failed_do_not_fail_again() {
    let list = include_str!("../../seeds.txt");
    let seeds = list
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    let mut count = 0;
    for line in seeds {
        let seed = line.split_whitespace().next().unwrap().parse().unwrap();
        if let Err(failure) = run(seed, None) {
            panic!("{line}: {}", told(&failure));
        }
        count += 1;
    }
    assert!(count > 0, "seeds.txt names no seed");
}

#[test]
fn a_seed_gives_the_same_house_every_time() {
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
        .unwrap_or_else(|| panic!("{mistake:?} shows in none of {SOON} houses"))
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

#[test]
fn without_a_random_id_two_hosts_of_one_name_own_one_task() {
    shows(Mistake::NoNonce, &["has two owners"]);
}

#[test]
fn a_claim_that_is_rebased_owns_a_task_twice() {
    shows(Mistake::Rebase, &["places of the remote's tree", "again"]);
}

#[test]
fn a_time_out_taken_for_a_loss_leaves_a_task_with_an_owner_that_does_not_know() {
    shows(Mistake::TimeoutIsLost, &["was told that it is lost"]);
}

#[test]
fn without_a_look_at_the_epoch_an_effect_happens_without_a_claim() {
    shows(Mistake::NoEpochCheck, &["without its confirmed claim"]);
}

#[test]
fn without_an_intent_in_the_journal_an_effect_happens_twice() {
    shows(Mistake::NoIntent, &["happened twice"]);
}

#[test]
fn a_file_that_is_replaced_blindly_loses_an_edit() {
    shows(Mistake::ApplyBlind, &["is lost", "from under its writer"]);
}

#[test]
fn a_conflict_without_a_copy_loses_an_edit() {
    shows(Mistake::CopyDropped, &["is lost"]);
}

#[test]
fn what_counts_as_applied_too_early_is_undone_after_a_crash() {
    shows(
        Mistake::AppliedFirst,
        &["is lost", "places of the remote's tree"],
    );
}

#[test]
fn a_take_in_that_is_forgotten_brings_old_claims_back() {
    shows(Mistake::TakeInForgotten, &["again", "places", "in the end"]);
}

#[test]
fn a_delete_that_beats_an_edit_loses_it() {
    shows(Mistake::DeleteWins, &["is lost"]);
}

#[test]
fn work_of_a_cut_off_host_that_is_not_held_against_the_tip_is_caught() {
    shows(Mistake::CommitsReplayed, &["task"]);
}
