//! The model of claims, searched whole; and each known mistake, found by the same search.

use std::{fmt::Write, time::Instant};

use platinum_model::claims::{Claims, Mutation};
use stateright::{Checker, HasDiscoveries, Model, Path};

const OWNER: &str = "one confirmed owner a task and epoch";
const EPOCHS: &str = "epochs only grow";
const EFFECT: &str = "no effect without the confirmed claim";
const ONCE: &str = "an effect happens at most once";
const PLACE: &str = "a task is in exactly one place";
const KNOWS: &str = "an owner knows what is its own";
const POSSIBLE: &str = "all tasks are done, each acted on once";

/// Searches every state there is. Nothing may be broken anywhere, and the good end must be
/// reachable: else nothing was tried.
fn holds_everywhere(model: Claims) {
    let bounds = format!("{model:?}");
    let began = Instant::now();
    let checker = model.checker().threads(2).spawn_bfs().join();
    println!(
        "FIGURE: {} states, {} steps deep, in {:.1?}: {bounds}",
        checker.unique_state_count(),
        checker.max_depth(),
        began.elapsed(),
    );
    assert!(checker.is_done(), "not searched to the end");
    let mut found = checker.discoveries();
    assert!(
        found.remove(POSSIBLE).is_some(),
        "the good end is not reachable"
    );
    let lines: Vec<_> = found
        .iter()
        .map(|(what, path)| report(what, path))
        .collect();
    assert!(found.is_empty(), "{}", lines.concat());
}

/// Searches until a promise is broken, which must be this one.
fn is_caught(model: Claims, promise: &'static str) {
    let bounds = format!("{model:?}");
    let only = HasDiscoveries::AllOf([promise].into());
    let checker = model
        .checker()
        .threads(2)
        .finish_when(only)
        .spawn_bfs()
        .join();
    let found = checker.discoveries();
    let path = found.get(promise);
    let path = path.unwrap_or_else(|| panic!("`{promise}` holds in spite of {bounds}"));
    println!("{}", report(promise, path));
}

fn report(
    what: &str,
    path: &Path<platinum_model::claims::State, platinum_model::claims::Action>,
) -> String {
    let mut text = format!("`{what}`:\n");
    for action in path.clone().into_actions() {
        writeln!(text, "  {action:?}").unwrap();
    }
    writeln!(text, "  {:?}", path.last_state()).unwrap();
    text
}

/// Three tasks are safe with one fault of any kind and a task claimed again.
#[test]
fn three_tasks_one_fault_is_safe() {
    holds_everywhere(Claims::new(3, 1, 1).with_attempts(1));
}

#[test]
fn three_tasks_two_faults_is_safe() {
    holds_everywhere(Claims::new(3, 2, 0).with_attempts(1));
}

/// Two tasks are safe with a fault and claims that are pushed again.
#[test]
fn two_tasks_fault_and_repushed_claims_is_safe() {
    holds_everywhere(Claims::new(2, 1, 1).with_attempts(2));
}

/// A task is safe with two faults whatever others push meanwhile.
#[test]
fn one_task_two_faults_foreign_pushes_is_safe() {
    holds_everywhere(Claims::new(1, 2, 1).with_attempts(2).with_others());
}

/// A task is always finished in the end once the faults stop.
#[test]
fn task_is_finished_once_faults_stop() {
    holds_everywhere(Claims::new(1, 3, 1).with_attempts(2).with_healing());
}

#[test]
fn two_hosts_of_one_name_never_own_one_task() {
    holds_everywhere(Claims::new(2, 1, 0).with_attempts(2).with_one_name());
}

/// Without a random id two hosts of one name own one task.
#[test]
fn mistake_no_random_id_gives_two_owners() {
    is_caught(
        Claims::new(1, 1, 0).with_one_name().with(Mutation::NoNonce),
        OWNER,
    );
}

#[test]
fn mistake_rebased_claim_gives_two_owners() {
    is_caught(Claims::new(1, 0, 0).with(Mutation::Rebase), PLACE);
    is_caught(Claims::new(1, 0, 0).with(Mutation::Rebase), EPOCHS);
}

/// A time out taken for a loss leaves a task with an owner that does not know.
#[test]
fn mistake_time_out_as_loss_gives_unaware_owner() {
    is_caught(Claims::new(1, 1, 0).with(Mutation::TimeoutIsLost), KNOWS);
}

#[test]
fn mistake_no_epoch_check_acts_on_foreign_task() {
    is_caught(Claims::new(1, 1, 1).with(Mutation::NoEpochCheck), EFFECT);
}

#[test]
fn mistake_take_over_without_epoch_is_found() {
    is_caught(Claims::new(1, 0, 1).with(Mutation::SameEpoch), EPOCHS);
}

/// An effect that does not wait for a release in doubt happens without a claim.
#[test]
fn mistake_effect_during_doubted_release_is_found() {
    is_caught(Claims::new(1, 2, 1).with(Mutation::DoubtIgnored), EFFECT);
}

/// Without an intent in the journal an effect happens twice.
#[test]
fn mistake_no_intent_repeats_an_effect() {
    is_caught(Claims::new(1, 1, 0).with(Mutation::NoIntent), ONCE);
}

#[test]
fn mistake_forgotten_claim_gives_unaware_owner() {
    is_caught(Claims::new(1, 1, 0).with(Mutation::ForgetsClaims), KNOWS);
}

#[test]
fn no_mistake_finds_nothing() {
    // The bounds of all mistakes above, as one.
    holds_everywhere(Claims::new(1, 2, 1).with_attempts(2));
    let alike = Claims::new(1, 2, 0).with_attempts(2).with_one_name();
    let checker = alike.checker().threads(2).spawn_bfs().join();
    assert!(checker.is_done());
    checker.assert_no_discovery(OWNER);
}
