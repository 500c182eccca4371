//! [`Clock`]: where code gets the time from, so that tests can hold it still; and times in notes.
//!
//! A time in a note is written as an editor's date picker writes it, `2026-12-24T10:00:00`: without a
//! zone, as the local time of the machine that writes it. One that is read without a zone is the local
//! time of the machine that reads it. Hosts in other zones of time read each other's by the difference
//! of their zones; what must be the same everywhere is decided by ids and epochs, never by these.

use jiff::{Timestamp, civil, tz::TimeZone};

/// What a day without a time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DayPart {
    /// Its first moment: something is to be done on that day.
    Start,
    /// Its last second: something counts on that day too.
    End,
}

/// Not a time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it has to be a time, such as 2026-12-24T10:00, or a day, 2026-12-24")]
pub struct TimeError;

/// Reads a time as an editor or a person writes it: a day, a day and a time (with a `T` or a blank
/// between them), which are local; or RFC 3339, with its zone.
///
/// # Errors
/// If it is none of these.
pub fn parse_time(text: &str, day: DayPart) -> Result<Timestamp, TimeError> {
    let text = text.trim();
    if let Ok(at) = text.parse() {
        return Ok(at);
    }
    let is_day = text.len() <= "2026-12-24".len();
    let mut time: civil::DateTime = text.parse().map_err(|_| TimeError)?;
    if is_day && day == DayPart::End {
        time = time.date().at(23, 59, 59, 0);
    }
    let zoned = time.to_zoned(TimeZone::system());
    zoned.map(|at| at.timestamp()).map_err(|_| TimeError)
}

/// The time as a note has it. One that has no such form, because it has parts of a second or is in
/// the hour that a clock shows twice, is written in UTC: it always reads back as itself.
pub fn format_time(at: Timestamp) -> String {
    let local = at.to_zoned(TimeZone::system()).datetime();
    let text = local.to_string();
    match local.subsec_nanosecond() == 0 && parse_time(&text, DayPart::Start) == Ok(at) {
        true => text,
        false => at.to_string(),
    }
}

/// The minute as a person reads it, `2026-12-24 10:00`, in the local time of this machine.
pub fn format_minute(at: Timestamp) -> String {
    let local = at.to_zoned(TimeZone::system());
    local.strftime("%Y-%m-%d %H:%M").to_string()
}

/// The time without its parts of a second, which no one reads.
pub fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

/// A source of the current time, in UTC.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// A clock that stands still.
#[derive(Debug, Clone, Copy)]
pub struct FixedClock(pub Timestamp);

impl Clock for FixedClock {
    fn now(&self) -> Timestamp {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;

    use super::*;

    fn utc(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// What the system's zone makes of a local time.
    fn local(text: &str) -> Timestamp {
        let time: civil::DateTime = text.parse().unwrap();
        time.to_zoned(TimeZone::system()).unwrap().timestamp()
    }

    #[test]
    fn parse_time_takes_what_editors_and_people_write() {
        for text in [
            "2026-12-24T10:00:00",
            "2026-12-24T10:00",
            "2026-12-24 10:00",
            " 2026-12-24 10:00:00 ",
        ] {
            let at = parse_time(text, DayPart::End);
            assert_eq!(at, Ok(local("2026-12-24T10:00:00")), "{text}");
        }
        let day = |part| parse_time("2026-12-24", part);
        assert_eq!(day(DayPart::Start), Ok(local("2026-12-24T00:00:00")));
        assert_eq!(day(DayPart::End), Ok(local("2026-12-24T23:59:59")));
        for (text, at) in [
            ("2026-12-24T10:00:00Z", "2026-12-24T10:00:00Z"),
            ("2026-12-24T10:00:00.5+01:00", "2026-12-24T09:00:00.5Z"),
        ] {
            assert_eq!(parse_time(text, DayPart::Start), Ok(utc(at)));
        }
    }

    #[test]
    fn parse_time_anything_else_is_refused() {
        for text in [
            "",
            "tomorrow",
            "24.12.2026",
            "2026-13-01",
            "2026-12-24T25:00",
            "10:00",
        ] {
            assert_eq!(parse_time(text, DayPart::Start), Err(TimeError), "{text}");
        }
    }

    /// Every quarter of an hour of a year, so also the hours that a clock shows twice or leaves out.
    #[test]
    fn format_time_reads_back_as_itself() {
        let start = utc("2026-01-01T00:00:00Z");
        for quarter in 0..(366 * 96) {
            let at = start + (15 * quarter).minutes();
            assert_eq!(parse_time(&format_time(at), DayPart::End), Ok(at), "{at}");
        }
        let odd = utc("2026-12-24T10:00:00.123456789Z");
        assert_eq!(format_time(odd), "2026-12-24T10:00:00.123456789Z");
        assert_eq!(whole_second(odd), utc("2026-12-24T10:00:00Z"));
        let plain = format_time(whole_second(odd));
        assert_eq!(plain.len(), "2026-12-24T10:00:00".len(), "{plain}");
    }
}
