//! Takes updates, puts them on the page, and only then lets them go.
//!
//! Invariants: an update is removed only after a page that counts it was stored; the same update
//! twice changes nothing; the page is replaced only if it would differ.

use platinum_sdk::dashboard::board;
use platinum_sdk::host::{CollectUpdates, Context, Dashboard, Log};
use platinum_sdk::skill::log::Level;
use platinum_sdk::updates::types::Update;
use platinum_sdk::{Error, Invocation, Outcome};

use crate::page;

/// How many updates are taken at a time.
const TAKEN: u32 = 500;

/// How often updates are taken in one run.
const MAX_ROUNDS: u32 = 10;

/// How often a page that changed meanwhile is read again.
const MAX_TRIES: u32 = 3;

/// `done` with the number of updates merged, or `nothing` if the page is as it should be.
///
/// # Errors
/// If updates or page cannot be read or written, or the page changes all the time.
pub fn run(
    host: &(impl Context + Log + CollectUpdates + Dashboard),
    _: &Invocation,
) -> Result<Outcome, Error> {
    let mut merged = 0;
    let mut written = false;
    for _ in 0..MAX_ROUNDS {
        let updates = host.take(TAKEN)?;
        written |= show(host, &updates)?;
        if !updates.is_empty() {
            let ids: Vec<String> = updates.iter().map(|update| update.id.clone()).collect();
            host.remove(&ids)?;
            merged += ids.len();
        }
        if updates.len() < TAKEN as usize {
            break;
        }
    }
    Ok(match (merged, written) {
        (0, false) => Outcome::Nothing,
        (0, true) => Outcome::Done("the dashboard's numbers are new".into()),
        (1, _) => Outcome::Done("merged 1 update".into()),
        (count, _) => Outcome::Done(format!("merged {count} updates")),
    })
}

/// Puts the updates on the page; whether it had to be written.
fn show(host: &(impl Context + Log + Dashboard), updates: &[Update]) -> Result<bool, Error> {
    for attempt in 1..=MAX_TRIES {
        let old = host.read()?;
        let new = page::with_updates(&old.text, &host.count()?, updates, &host.now());
        let Some(new) = new else { return Ok(false) };
        match host.replace(&new, &old.version) {
            Ok(_) => return Ok(true),
            Err(board::Error::Conflict) => {
                let text = format!("Dashboard.md changed meanwhile (try {attempt} of {MAX_TRIES})");
                host.line(Level::Info, &text);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(board::Error::Conflict.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use platinum_sdk::testing::TestHost;
    use platinum_sdk::updates::types::Error as UpdateError;

    fn update(number: u32) -> Update {
        Update {
            id: format!("update_{number:026}"),
            agent: "cloud".into(),
            created: "2026-11-20T18:00:00Z".into(),
            task: None,
            headline: format!("Drafted answer {number}"),
        }
    }

    fn merge(host: &TestHost) -> Result<Outcome, Error> {
        run(
            host,
            &Invocation {
                event: "vault.synced".into(),
                task: None,
                message: None,
            },
        )
    }

    fn host(count: u32) -> TestHost {
        let host = TestHost::default();
        host.updates.borrow_mut().extend((1..=count).map(update));
        host
    }

    #[test]
    fn updates_come_onto_the_page_and_are_let_go() {
        let host = host(2);
        assert_eq!(merge(&host), Ok(Outcome::Done("merged 2 updates".into())));
        assert!(host.page.borrow().contains("Drafted answer 2"));
        assert!(host.updates.borrow().is_empty());
    }

    #[test]
    fn a_second_run_writes_nothing() {
        let host = TestHost {
            now: "2026-11-20T18:00:00Z".into(),
            ..host(2)
        };
        merge(&host).unwrap();
        assert_eq!(merge(&host), Ok(Outcome::Nothing));
        assert_eq!(host.replaced.get(), 1);
    }

    #[test]
    fn a_run_that_was_cut_off_before_letting_go_repeats_without_a_trace() {
        let away = UpdateError::Unavailable("disk".into());
        let mut host = TestHost {
            remove_error: Some(away),
            ..host(30)
        };
        assert!(matches!(merge(&host), Err(Error::Unavailable(_))));
        let page = host.page.borrow().clone();
        host.remove_error = None;
        assert_eq!(merge(&host), Ok(Outcome::Done("merged 30 updates".into())));
        assert_eq!(*host.page.borrow(), page);
    }

    #[test]
    fn a_page_that_changes_is_read_again_three_times_at_most() {
        let host = host(1);
        host.conflicts.set(2);
        assert!(merge(&host).is_ok());
        host.updates.borrow_mut().push(update(2));
        host.conflicts.set(3);
        assert!(matches!(merge(&host), Err(Error::Unavailable(_))));
        assert_eq!(
            host.updates.borrow().len(),
            1,
            "nothing is let go that no page holds"
        );
    }

    #[test]
    fn more_updates_than_fit_one_take_are_merged_in_rounds() {
        let host = host(1_100);
        assert_eq!(
            merge(&host),
            Ok(Outcome::Done("merged 1100 updates".into()))
        );
        assert!(host.page.borrow().contains("Drafted answer 1100"));
        assert!(host.updates.borrow().is_empty());
    }
}
