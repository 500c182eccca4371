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
    let told: Vec<_> = found.iter().map(|(what, path)| told(what, path)).collect();
    assert!(found.is_empty(), "{}", told.concat());
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
    println!("{}", told(promise, path));
}

fn told(
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

#[test]
fn three_tasks_are_safe_with_one_fault_of_any_kind_and_a_task_claimed_again() {
    holds_everywhere(Claims::new(3, 1, 1).with_attempts(1));
}

#[test]
fn three_tasks_are_safe_with_two_faults_of_any_kinds() {
    holds_everywhere(Claims::new(3, 2, 0).with_attempts(1));
}

#[test]
fn two_tasks_are_safe_with_a_fault_and_claims_that_are_pushed_again() {
    holds_everywhere(Claims::new(2, 1, 1).with_attempts(2));
}

#[test]
fn a_task_is_safe_with_two_faults_whatever_others_push_meanwhile() {
    holds_everywhere(Claims::new(1, 2, 1).with_attempts(2).with_others());
}

#[test]
fn a_task_is_always_finished_in_the_end_once_the_faults_stop() {
    holds_everywhere(Claims::new(1, 3, 1).with_attempts(2).with_healing());
}

#[test]
fn two_hosts_of_one_name_never_own_one_task() {
    holds_everywhere(Claims::new(2, 1, 0).with_attempts(2).with_one_name());
}

#[test]
fn without_a_random_id_two_hosts_of_one_name_own_one_task() {
    is_caught(
        Claims::new(1, 1, 0).with_one_name().with(Mutation::NoNonce),
        OWNER,
    );
}

#[test]
fn a_claim_that_is_rebased_owns_a_task_twice() {
    is_caught(Claims::new(1, 0, 0).with(Mutation::Rebase), PLACE);
    is_caught(Claims::new(1, 0, 0).with(Mutation::Rebase), EPOCHS);
}

#[test]
fn a_time_out_taken_for_a_loss_leaves_a_task_with_an_owner_that_does_not_know() {
    is_caught(Claims::new(1, 1, 0).with(Mutation::TimeoutIsLost), KNOWS);
}

#[test]
fn without_a_look_at_the_epoch_an_effect_happens_on_a_task_of_another() {
    is_caught(Claims::new(1, 1, 1).with(Mutation::NoEpochCheck), EFFECT);
}

#[test]
fn a_take_over_that_keeps_the_epoch_is_seen() {
    is_caught(Claims::new(1, 0, 1).with(Mutation::SameEpoch), EPOCHS);
}

#[test]
fn an_effect_that_does_not_wait_for_a_release_in_doubt_happens_without_a_claim() {
    is_caught(Claims::new(1, 2, 1).with(Mutation::DoubtIgnored), EFFECT);
}

#[test]
fn without_an_intent_in_the_journal_an_effect_happens_twice() {
    is_caught(Claims::new(1, 1, 0).with(Mutation::NoIntent), ONCE);
}

#[test]
fn a_host_that_forgets_a_claim_which_may_still_land_owns_what_it_does_not_know() {
    is_caught(Claims::new(1, 1, 0).with(Mutation::ForgetsClaims), KNOWS);
}

#[test]
fn nothing_of_this_is_seen_without_the_mistakes() {
    // The bounds of all mistakes above, as one.
    holds_everywhere(Claims::new(1, 2, 1).with_attempts(2));
    let alike = Claims::new(1, 2, 0).with_attempts(2).with_one_name();
    let checker = alike.checker().threads(2).spawn_bfs().join();
    assert!(checker.is_done());
    checker.assert_no_discovery(OWNER);
}
