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

    /// Updates come onto the page and are let go.
    #[test]
    fn run_merges_updates_and_removes_them() {
        let host = host(2);
        assert_eq!(merge(&host), Ok(Outcome::Done("merged 2 updates".into())));
        assert!(host.page.borrow().contains("Drafted answer 2"));
        assert!(host.updates.borrow().is_empty());
    }

    /// A second run writes nothing.
    #[test]
    fn run_again_writes_nothing() {
        let host = TestHost {
            now: "2026-11-20T18:00:00Z".into(),
            ..host(2)
        };
        merge(&host).unwrap();
        assert_eq!(merge(&host), Ok(Outcome::Nothing));
        assert_eq!(host.replaced.get(), 1);
    }

    /// A run that was cut off before letting go repeats without a trace.
    #[test]
    fn run_after_a_failed_removal_changes_nothing() {
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

    /// A page that changes is read again three times at most.
    #[test]
    fn run_page_conflict_is_retried_three_times() {
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

    /// More updates than fit one take are merged in rounds.
    #[test]
    fn run_many_updates_are_merged_in_rounds() {
        let host = host(1_100);
        assert_eq!(
            merge(&host),
            Ok(Outcome::Done("merged 1100 updates".into()))
        );
        assert!(host.page.borrow().contains("Drafted answer 1100"));
        assert!(host.updates.borrow().is_empty());
    }
}
