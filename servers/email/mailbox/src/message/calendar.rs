//! [`Event`]: what an invitation is to, read from a calendar part (RFC 5545 and 5546).
//!
//! Five properties of the first event are shown to a person, and nothing is computed from them; a library for
//! calendars (time zones, recurrence) would be larger than this mailbox.
//! Invariants: every string is one bounded line; what cannot be read is left out.

use platinum_text::{bounded, one_line};

/// The bytes of a calendar part that are read.
const MAX_CALENDAR: usize = 256 * 1024;
/// Characters of each property kept.
const MAX_VALUE: usize = 200;

/// What a calendar part asks or says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// It invites.
    Request,
    /// An invited person answers.
    Reply,
    /// The event does not take place.
    Cancel,
    /// Another time is proposed.
    Counter,
    /// For information: nobody is asked.
    Publish,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What is asked about it.
    pub method: Method,
    /// Its title.
    pub summary: String,
    /// When it begins, for a person: `2026-12-01 10:00 (Europe/Berlin)`.
    pub start: String,
    /// Where it is.
    pub place: String,
}

impl Event {
    /// Reads a calendar; `method` is what the part's content type says.
    pub(super) fn read(calendar: &str, method: Option<&str>) -> Self {
        let mut event = Self {
            method: Method::Publish,
            summary: String::new(),
            start: String::new(),
            place: String::new(),
        };
        let mut said = method.unwrap_or_default().to_owned();
        // The component inside the event, such as an alarm, has a summary of its own.
        let mut inside: Vec<String> = Vec::new();
        for content in unfold(bounded(calendar, MAX_CALENDAR)) {
            let Some((name, parameters, value)) = property(&content) else {
                continue;
            };
            match name.as_str() {
                "BEGIN" => inside.push(value.to_ascii_uppercase()),
                "END" => {
                    let ended = inside.pop();
                    if ended.as_deref() == Some("VEVENT") {
                        break;
                    }
                }
                "METHOD" if said.is_empty() => value.clone_into(&mut said),
                _ if inside.last().map(String::as_str) != Some("VEVENT") => {}
                "SUMMARY" => event.summary = text(value),
                "LOCATION" => event.place = text(value),
                "DTSTART" => event.start = time(value, parameters),
                _ => {}
            }
        }
        event.method = match said.trim().to_ascii_uppercase().as_str() {
            "REQUEST" | "ADD" => Method::Request,
            "REPLY" | "REFRESH" | "DECLINECOUNTER" => Method::Reply,
            "CANCEL" => Method::Cancel,
            "COUNTER" => Method::Counter,
            _ => Method::Publish,
        };
        event
    }
}

/// `“Kick-off”, 2026-12-01 09:00 UTC, Room 7`.
impl std::fmt::Display for Event {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.summary.is_empty() {
            true => f.write_str("an event without a title")?,
            false => write!(f, "“{}”", self.summary)?,
        }
        for part in [&self.start, &self.place] {
            if !part.is_empty() {
                write!(f, ", {part}")?;
            }
        }
        Ok(())
    }
}

/// The content lines: one that begins with a blank goes on from the one before.
fn unfold(calendar: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in calendar.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some(last)) => last.push_str(rest),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Name in capitals, parameters, value.
fn property(line: &str) -> Option<(String, &str, &str)> {
    let mut in_quotes = false;
    let colon = line.find(|c| {
        in_quotes ^= c == '"';
        c == ':' && !in_quotes
    })?;
    let (head, value) = (&line[..colon], &line[colon + 1..]);
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    Some((name.trim().to_ascii_uppercase(), parameters, value.trim()))
}

fn text(value: &str) -> String {
    let plain = value
        .replace("\\n", " ")
        .replace("\\N", " ")
        .replace("\\,", ",")
        .replace("\\;", ";")
        .replace("\\\\", "\\");
    one_line(&plain, MAX_VALUE)
}

/// `20261201T090000Z` as a person writes it, with its time zone.
fn time(value: &str, parameters: &str) -> String {
    let digits = |from: usize, to: usize| value.get(from..to).unwrap_or_default();
    let is_date = value.len() >= 8 && value.bytes().take(8).all(|byte| byte.is_ascii_digit());
    if !is_date {
        return one_line(value, 40);
    }
    let date = format!("{}-{}-{}", digits(0, 4), digits(4, 6), digits(6, 8));
    let is_time = value.as_bytes().get(8) == Some(&b'T')
        && digits(9, 13).len() == 4
        && digits(9, 13).bytes().all(|byte| byte.is_ascii_digit());
    if !is_time {
        return date;
    }
    let zone = parameters
        .split(';')
        .find_map(|one| one.strip_prefix("TZID="));
    let zone = match zone {
        _ if value.ends_with('Z') => " UTC".to_owned(),
        Some(zone) => format!(" ({})", one_line(zone.trim_matches('"'), 60)),
        None => String::new(),
    };
    format!("{date} {}:{}{zone}", digits(9, 11), digits(11, 13))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Event {
        Event::read(&lines.join("\r\n"), None)
    }

    #[test]
    fn event_is_what_a_person_wants_to_know() {
        let event = read(&[
            "BEGIN:VCALENDAR",
            "METHOD:REQUEST",
            "BEGIN:VTIMEZONE",
            "TZID:Europe/Berlin",
            "DTSTART:19700101T000000",
            "END:VTIMEZONE",
            "BEGIN:VEVENT",
            "SUMMARY;LANGUAGE=en:Review\\, first",
            "  part",
            "DTSTART;TZID=\"Europe/Berlin\":20261201T100000",
            "LOCATION:Room 7\\; floor 2",
            "BEGIN:VALARM",
            "SUMMARY:Alarm",
            "END:VALARM",
            "END:VEVENT",
            "BEGIN:VEVENT",
            "SUMMARY:Another",
            "END:VEVENT",
            "END:VCALENDAR",
        ]);
        assert_eq!(event.method, Method::Request);
        assert_eq!(
            event.to_string(),
            "“Review, first part”, 2026-12-01 10:00 (Europe/Berlin), Room 7; floor 2"
        );
    }

    #[test]
    fn event_of_odd_calendars_is_bounded() {
        assert_eq!(read(&[]).to_string(), "an event without a title");
        let day = read(&[
            "BEGIN:VEVENT",
            "DTSTART;VALUE=DATE:20261201",
            "SUMMARY:Fair",
        ]);
        assert_eq!(day.to_string(), "“Fair”, 2026-12-01");
        assert_eq!(day.method, Method::Publish);
        let odd = read(&["BEGIN:VEVENT", "DTSTART:tomorrow\u{202E}", "SUMMARY"]);
        assert_eq!(odd.to_string(), "an event without a title, tomorrow");
        let said = Event::read(
            "METHOD:PUBLISH\nBEGIN:VEVENT\nDTSTART:2026é",
            Some("cancel"),
        );
        assert_eq!(
            (said.method, said.start.as_str()),
            (Method::Cancel, "2026é")
        );
    }
}
