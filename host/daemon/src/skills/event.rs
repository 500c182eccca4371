//! [`Event`]: what a skill may ask to be run for, as its `SKILL.md` writes it.
//!
//! Lives here: the list of events, their text form and what is fixed of each.
//! Lives elsewhere: which skill hears which event is in [`dispatch`](super::dispatch); when a
//! schedule is due is in [`schedule`](super::schedule).
//!
//! To add an event: a variant of [`Event`], its line in [`EVENTS`], and the loop that raises it.

use std::{fmt, str::FromStr};

use platinum_core::ZoneId;

use super::schedule::{Schedule, ScheduleError};

/// Something that happened, and that a skill may ask to be run for.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Event {
    /// A task waits and has no owner. A skill may veto its claim.
    TaskWaiting,
    /// A waiting task is to be claimed.
    TaskClaim,
    /// A task belongs to this agent and has no draft yet.
    TaskClaimed,
    /// A draft of this agent waits for the owner.
    DraftCreated,
    /// The owner approved something.
    ApprovalGranted,
    /// What the vault shows the owner has changed.
    VaultSynced,
    /// Something changed that the other side has not seen yet, here or there.
    WorkDone,
    /// A time has come.
    Schedule(Schedule),
    /// A source of this host has taken in something new, which is a task already.
    Source(SourceName),
}

/// The events without a parameter, with their words.
static EVENTS: [(&str, Event); 7] = [
    ("task.waiting", Event::TaskWaiting),
    ("task.claim", Event::TaskClaim),
    ("task.claimed", Event::TaskClaimed),
    ("draft.created", Event::DraftCreated),
    ("approval.granted", Event::ApprovalGranted),
    ("vault.synced", Event::VaultSynced),
    ("work.done", Event::WorkDone),
];

impl Event {
    /// Whether the event is about a task, so that it has that task's zone.
    pub fn has_zone(&self) -> bool {
        matches!(
            self,
            Event::TaskWaiting | Event::TaskClaim | Event::TaskClaimed | Event::DraftCreated
        )
    }

    /// Whether exactly one skill a zone may be run for it.
    pub fn is_exclusive(&self) -> bool {
        matches!(self, Event::TaskClaim | Event::TaskClaimed)
    }

    /// Reads the events of `platinum.on`: words separated by spaces. A schedule of five fields is
    /// one event, although it has spaces itself.
    ///
    /// # Errors
    /// Names the word that is no event, and the event that was probably meant.
    pub fn parse_list(text: &str) -> Result<Vec<Self>, EventError> {
        let mut words = text.split_whitespace();
        let mut events = Vec::new();
        while let Some(word) = words.next() {
            let is_cron = word
                .strip_prefix("schedule:")
                .is_some_and(|first| !first.ends_with(|c: char| c.is_ascii_alphabetic()));
            let event = if is_cron {
                let rest: Vec<&str> = words.by_ref().take(4).collect();
                format!("{word} {}", rest.join(" ")).trim_end().parse()?
            } else {
                word.parse()?
            };
            if !events.contains(&event) {
                events.push(event);
            }
        }
        Ok(events)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Schedule(schedule) => write!(f, "schedule:{schedule}"),
            Event::Source(source) => write!(f, "source:{source}"),
            _ => {
                let word = EVENTS.iter().find(|(_, event)| event == self);
                f.write_str(word.map_or("", |(word, _)| word))
            }
        }
    }
}

impl FromStr for Event {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(schedule) = text.strip_prefix("schedule:") {
            return Ok(Event::Schedule(schedule.parse()?));
        }
        if let Some(source) = text.strip_prefix("source:") {
            return SourceName::new(source)
                .map(Event::Source)
                .ok_or_else(|| EventError::Source(bounded(source)));
        }
        if let Some((_, event)) = EVENTS.iter().find(|(word, _)| *word == text) {
            return Ok(event.clone());
        }
        let nearest = EVENTS
            .iter()
            .map(|(word, _)| (strsim::damerau_levenshtein(text, word), *word))
            .filter(|(distance, word)| *distance <= word.len() / 2)
            .min();
        Err(EventError::Unknown {
            text: bounded(text),
            nearest: nearest.map(|(_, word)| word),
        })
    }
}

/// The name of a source: that of its zone, or `folder` for the files that are dropped into the vault.
/// 1 to 32 of `a-z`, `0-9` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceName(String);

impl SourceName {
    fn new(text: &str) -> Option<Self> {
        let fits = (1..=32).contains(&text.len())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        fits.then(|| Self(text.to_owned()))
    }

    /// The source of a zone.
    pub fn of_zone(zone: ZoneId) -> Self {
        Self(zone.to_string())
    }

    /// The files that are dropped into the vault.
    pub fn folder() -> Self {
        Self("folder".to_owned())
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A word of `platinum.on` is no event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// There is no such event.
    #[error("unknown event `{text}`; {}", suggestion(.nearest))]
    Unknown {
        /// The word.
        text: String,
        /// What was probably meant.
        nearest: Option<&'static str>,
    },
    /// The schedule cannot be read.
    #[error(transparent)]
    Schedule(#[from] ScheduleError),
    /// The source's name cannot be one.
    #[error("invalid source `{0}`; write `source:` and 1 to 32 of a-z, 0-9 and `-`")]
    Source(String),
}

fn suggestion(nearest: &Option<&'static str>) -> String {
    match nearest {
        Some(word) => format!("did you mean `{word}`?"),
        None => {
            let words: Vec<&str> = EVENTS.iter().map(|(word, _)| *word).collect();
            format!(
                "expected one of {}, schedule:<interval or cron>, source:<name>",
                words.join(", ")
            )
        }
    }
}

/// Text from a file, short enough for a message.
fn bounded(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        Event::parse_list(text).unwrap_err().to_string()
    }

    #[test]
    fn event_text_reads_back() {
        let texts = EVENTS.iter().map(|(word, _)| *word);
        for text in texts.chain(["schedule:90s", "schedule:0 9 * * 1-5", "source:mail"]) {
            assert_eq!(text.parse::<Event>().unwrap().to_string(), text);
        }
    }

    /// Every variant without a parameter has its line: `Display` would print nothing otherwise.
    #[test]
    fn event_display_is_never_empty() {
        for (word, event) in &EVENTS {
            assert_eq!(event.to_string(), *word);
        }
    }

    #[test]
    fn event_list_keeps_a_cron_schedule_together() {
        let events = Event::parse_list("task.claimed schedule:0 9 * * 1-5 work.done").unwrap();
        let texts: Vec<String> = events.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["task.claimed", "schedule:0 9 * * 1-5", "work.done"]);
        let events = Event::parse_list("schedule:60s  work.done work.done").unwrap();
        assert_eq!(events.len(), 2);
        let events = Event::parse_list("schedule:*/5 * * * *").unwrap();
        assert_eq!(events[0].to_string(), "schedule:*/5 * * * *");
        assert!(Event::parse_list(" ").unwrap().is_empty());
    }

    #[test]
    fn event_unknown_word_gets_a_suggestion() {
        assert_eq!(
            error("task.clamed"),
            "unknown event `task.clamed`; did you mean `task.claimed`?"
        );
        assert_eq!(
            error("on-mail"),
            "unknown event `on-mail`; expected one of task.waiting, task.claim, task.claimed, \
             draft.created, approval.granted, vault.synced, work.done, \
             schedule:<interval or cron>, source:<name>"
        );
    }

    #[test]
    fn event_malformed_parameter_is_refused() {
        assert!(error("source:").starts_with("invalid source ``; write"));
        assert!(error("source:Mail").starts_with("invalid source `Mail`"));
        assert!(error("schedule:").starts_with("invalid schedule ``"));
        assert!(error("schedule:0 9 * *").starts_with("invalid schedule `0 9 * *`"));
    }
}
