//! How long to wait before another attempt: never the same as another contender.

use std::time::Duration;

use platinum_core::Backoff;

/// The delays for a remote that does not answer.
pub(crate) const AWAY: Backoff =
    Backoff::new(Duration::from_millis(100), Duration::from_millis(1600));

/// How long to wait before the next of several attempts: never the same as another contender, and
/// shorter each time. A host that has lost often is then ahead of new ones; the other way round, as is
/// usual, the last of several contenders would wait ever longer.
pub(crate) fn contended(attempt: u32) -> Duration {
    let most = match attempt {
        0 | 1 => 60,
        2 => 30,
        _ => 10,
    };
    Duration::from_millis(rand::Rng::random_range(&mut rand::rng(), 0..=most))
}
