//! [`Backoff`]: how long to wait before trying again.
//!
//! Invariants: a delay is at most the longest one; nothing here sleeps or counts.

use std::time::Duration;

/// Delays that double with each failure in a row, from the first one to the longest one.
///
/// The caller counts the failures: `0` before the first retry. A caller that waits for something
/// that others wait for too takes [`Backoff::jittered`] delays, so that they do not all come back
/// at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
}

impl Backoff {
    /// Delays of `first`, twice that, four times that, and so on, up to `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest }
    }

    /// The delay after so many earlier failures, the same each time.
    pub fn delay(&self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }

    /// The delay after so many earlier failures, between half of it and all of it by chance.
    pub fn jittered(&self, failures: u32) -> Duration {
        self.jittered_by(failures, rand::random())
    }

    /// As [`Backoff::jittered`], with the chance given: `0.0` is half of the delay, `1.0` all of it.
    pub fn jittered_by(&self, failures: u32, chance: f64) -> Duration {
        self.delay(failures)
            .mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const BACKOFF: Backoff = Backoff::new(SECOND, Duration::from_secs(60));

    #[test]
    fn delay_doubles_from_the_first_to_the_longest() {
        let seconds = [0, 1, 2, 5, 6, 31, 32, u32::MAX].map(|n| BACKOFF.delay(n).as_secs());
        assert_eq!(seconds, [1, 2, 4, 32, 60, 60, 60, 60]);
        let longer = Backoff::new(SECOND, Duration::MAX);
        assert_eq!(longer.delay(32), SECOND.saturating_mul(u32::MAX));
    }

    #[test]
    fn jittered_by_goes_from_half_to_all() {
        assert_eq!(BACKOFF.jittered_by(3, 0.0), 4 * SECOND);
        assert_eq!(BACKOFF.jittered_by(3, 1.0), 8 * SECOND);
    }

    proptest! {
        #[test]
        fn jittered_any_count_is_half_to_all(failures in any::<u32>()) {
            let (delay, jittered) = (BACKOFF.delay(failures), BACKOFF.jittered(failures));
            prop_assert!(delay / 2 <= jittered && jittered <= delay);
        }
    }
}
