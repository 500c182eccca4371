//! Deaths while a payment is under way, at every request that the bank sees, with a bank that books before it answers.
//!
//! What a host does is done here as it does it: the hand-over is recorded before the last click; after a death before
//! it the payment is tried again, after one behind it the bank's list is asked and nothing is paid on a guess.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use platinum_browser::{Listed, Outcome, prepare};
use platinum_testkit::bank::BankFault;

use crate::{Person, Safe, World, payment};

/// What became of one attempt.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Ended(Outcome),
    /// It died, and whether the hand-over was recorded before.
    Died(bool),
}

/// Pays, and dies once the bank has seen so many requests.
async fn attempt(world: &World, requests: usize) -> Attempt {
    let before = world.bank.requests().len();
    let mut is_handed_over = false;
    let paying = async {
        let owner = Arc::new(Person::default());
        let (settings, state) = (&world.settings, world.state.path());
        match prepare(settings, state, &world.recipe(), &payment(), &Safe, owner).await {
            Ok(prepared) => {
                is_handed_over = true;
                prepared.pay().await.outcome
            }
            Err(report) => report.outcome,
        }
    };
    let dying = async {
        let deadline = Instant::now() + Duration::from_secs(60);
        while world.bank.requests().len() < before + requests && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::select! {
        outcome = paying => Attempt::Ended(outcome),
        () = dying => Attempt::Died(is_handed_over),
    }
}

#[tokio::test]
async fn payment_is_made_at_most_once_whenever_it_dies() -> anyhow::Result<()> {
    let Some(mut world) = World::new()? else {
        return Ok(());
    };
    world.settings.step_seconds = 5;
    let mut deaths_after = 0;
    for requests in 1.. {
        let count = world.bank.payments().len();
        world.bank.set(BankFault::StallsAfterBooking);
        let first = attempt(&world, requests).await;
        world.bank.set(BankFault::None);
        let booked = world.bank.payments().len() - count;
        println!("after {requests} requests: {first:?}, {booked} booked");
        match first {
            // Tried again: nothing was clicked.
            Attempt::Died(false) => {
                assert_eq!(booked, 0);
                if requests == 3 {
                    let again = world.pay().await;
                    assert!(matches!(again.outcome, Outcome::Paid { .. }), "{again:?}");
                    assert_eq!(world.bank.payments().len(), count + 1);
                }
            }
            // Not tried again; the list says what it knows.
            Attempt::Died(true) => {
                deaths_after += 1;
                let listed = world.listed().await.outcome;
                assert_eq!(
                    matches!(listed, Listed::Found(_)),
                    !world.bank.payments().is_empty(),
                    "{listed:?}"
                );
                assert!(booked <= 1);
            }
            Attempt::Ended(Outcome::Unknown { problem, check }) => {
                assert!(booked == 1 && !problem.why.is_empty() && !check.is_empty());
                assert!(
                    deaths_after > 0,
                    "no death between the last click and its answer"
                );
                return Ok(());
            }
            other => panic!("{other:?}"),
        }
        assert!(requests < 60, "it never ends");
    }
    Ok(())
}

/// The browser and its server die, and the host does not.
#[tokio::test]
async fn browser_that_dies_at_any_request_pays_at_most_once() -> anyhow::Result<()> {
    let Some(mut world) = World::new()? else {
        return Ok(());
    };
    world.settings.step_seconds = 3;
    world.bank.set(BankFault::StallsAfterBooking);
    for requests in 1..=10 {
        let (before, count) = (world.bank.requests().len(), world.bank.payments().len());
        let killing = async {
            let deadline = Instant::now() + Duration::from_secs(60);
            while world.bank.requests().len() < before + requests && Instant::now() < deadline {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            for program in crate::programs(world.state.path()) {
                let number = i32::try_from(program)
                    .ok()
                    .and_then(rustix::process::Pid::from_raw);
                let kill =
                    |number| rustix::process::kill_process(number, rustix::process::Signal::KILL);
                number.map(kill);
            }
        };
        let (report, ()) = tokio::join!(world.pay(), killing);
        let booked = world.bank.payments().len() - count;
        println!(
            "killed at request {requests}: {:?}, {booked} booked",
            report.outcome
        );
        match report.outcome {
            Outcome::NotPaid(_) => assert_eq!(booked, 0),
            Outcome::Unknown { .. } => assert!(booked <= 1),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(world.bank.payments().len(), 1);
    Ok(())
}
