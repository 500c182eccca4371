//! [`Schedule`]: how often, or at which times, a skill is run without any other reason.

use std::{fmt, str::FromStr, time::Duration};

use cronexpr::{Crontab, FallbackTimezoneOption, ParseOptions};
use platinum_core::Timestamp;

use super::limits::parse_duration;

/// The longest interval; what is rarer is a matter for the calendar.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// An interval (`60s`, `15m`, `6h`), or five fields of cron in this machine's time zone
/// (`0 9 * * 1-5`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Schedule(Kind);

#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    /// The length, and how it was written.
    Every(Duration, String),
    /// Five fields that were read once already.
    Cron(String),
}

impl Schedule {
    /// How long after `now` it is due next; `None` if it never is.
    pub fn next(&self, now: Timestamp) -> Option<Duration> {
        match &self.0 {
            Kind::Every(interval, _) => Some(*interval),
            Kind::Cron(fields) => {
                let due = crontab(fields).ok()?.find_next(now).ok()?;
                Duration::try_from(now.duration_until(due.timestamp())).ok()
            }
        }
    }
}

fn crontab(fields: &str) -> Result<Crontab, cronexpr::Error> {
    let mut options = ParseOptions::default();
    options.fallback_timezone_option = FallbackTimezoneOption::System;
    cronexpr::parse_crontab_with(fields, options)
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Every(_, text) | Kind::Cron(text) => f.write_str(text),
        }
    }
}

/// The text is no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid schedule `{0}`; write an interval from 1s to 168h, as in `schedule:15m`, or five fields of cron, as in `schedule:0 9 * * 1-5`"
)]
pub struct ScheduleError(String);

impl FromStr for Schedule {
    type Err = ScheduleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refused = || ScheduleError(text.chars().filter(|c| !c.is_control()).take(64).collect());
        if let Some(interval) = parse_duration(text) {
            let fits = (Duration::from_secs(1)..=LONGEST).contains(&interval);
            return match fits {
                true => Ok(Self(Kind::Every(interval, text.to_owned()))),
                false => Err(refused()),
            };
        }
        // A sixth field would be a time zone, and `L`, `#` or a name may stand in the others.
        let is_five = text.split(' ').filter(|field| !field.is_empty()).count() == 5;
        match is_five && text.len() <= 128 && crontab(text).is_ok() {
            true => Ok(Self(Kind::Cron(text.to_owned()))),
            false => Err(refused()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedule_interval_is_due_after_it() {
        let now = "2026-11-29T10:00:00Z".parse().unwrap();
        for (text, seconds) in [("1s", 1), ("60s", 60), ("15m", 900), ("6h", 21_600)] {
            let schedule: Schedule = text.parse().unwrap();
            assert_eq!(schedule.next(now), Some(Duration::from_secs(seconds)));
            assert_eq!(schedule.to_string(), text);
        }
    }

    /// Every whole hour and half hour is the same in most time zones, so that the test does not
    /// depend on the machine's.
    #[test]
    fn schedule_cron_is_due_at_its_next_time() {
        let schedule: Schedule = "*/15 * * * *".parse().unwrap();
        let now = "2026-11-29T10:01:30Z".parse().unwrap();
        assert_eq!(schedule.next(now), Some(Duration::from_secs(13 * 60 + 30)));
        let at = "2026-11-29T10:15:00Z".parse().unwrap();
        assert_eq!(schedule.next(at), Some(Duration::from_secs(15 * 60)));
    }

    #[test]
    fn schedule_malformed_is_refused() {
        let long = format!("{} * * * *", "1,".repeat(80));
        for text in [
            "",
            "0s",
            "169h",
            "5 minutes",
            "60",
            "1.5h",
            "0 9 * *",
            "61 * * * *",
            "0 9 * * 1-5 UTC",
            &long,
        ] {
            assert!(text.parse::<Schedule>().is_err(), "{text}");
        }
    }
}
