//! [`ContactPair`]: who a chat is with; and the window in which they may be answered.
//!
//! WhatsApp knows a person by a phone number, which they may change or hide, and by an id, which is theirs for this
//! business alone and changes with the number. An approval counts for both as they were shown.
//! Invariant: pure.

use std::fmt;

use jiff::{SignedDuration, Timestamp};
use platinum_text::one_line;
use serde::{Deserialize, Serialize};

/// The longest number or id that is kept, in characters.
const MAX_PART: usize = 200;
/// How long free text may be sent after somebody wrote, by WhatsApp's rules.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// The number and the id of somebody; each as far as WhatsApp has said it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactPair {
    /// The phone number, digits alone.
    pub number: Option<String>,
    /// The id, which WhatsApp calls business-scoped user id.
    pub id: Option<String>,
}

impl ContactPair {
    /// Of what a webhook says: nothing is taken for a part that is empty.
    #[must_use]
    pub fn new(number: Option<&str>, id: Option<&str>) -> Self {
        let number = number.map(|text| text.chars().filter(char::is_ascii_digit).collect());
        let id = id.map(|text| one_line(text, MAX_PART));
        Self {
            number: number.filter(|text: &String| !text.is_empty() && text.len() <= 20),
            id: id.filter(|text| !text.is_empty()),
        }
    }

    /// Whether it names nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.number.is_none() && self.id.is_none()
    }

    /// Why `now` is not the one that was approved, if so. A part that was not known then may have become known.
    #[must_use]
    pub fn change_to(&self, now: &Self) -> Option<String> {
        let is_other = |then: &Option<String>, now: &Option<String>| then.is_some() && then != now;
        (is_other(&self.number, &now.number) || is_other(&self.id, &now.id))
            .then(|| format!("the contact was {self} and is {now} now"))
    }

    /// How somebody reads who it is with: `+16505551234`, or the id where there is no number.
    #[must_use]
    pub fn title(&self) -> String {
        match (&self.number, &self.id) {
            (Some(number), _) => format!("+{number}"),
            (None, Some(id)) => id.clone(),
            (None, None) => "nobody".to_owned(),
        }
    }
}

impl fmt::Display for ContactPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.number, &self.id) {
            (Some(number), Some(id)) => write!(f, "+{number} ({id})"),
            _ => f.write_str(&self.title()),
        }
    }
}

/// Until when somebody may be answered in free text who wrote last at this time.
#[must_use]
pub fn window_until(last_inbound: Timestamp) -> Timestamp {
    last_inbound.checked_add(WINDOW).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(number: &str, id: &str) -> ContactPair {
        ContactPair::new(Some(number), Some(id))
    }

    #[test]
    fn contact_changes_if_a_known_part_is_another_or_gone() {
        let then = pair("+1 (650) 555-1234", "US.1");
        assert_eq!(then.number.as_deref(), Some("16505551234"));
        assert_eq!(then.to_string(), "+16505551234 (US.1)");
        assert_eq!(then.change_to(&then), None);
        for (now, words) in [
            (
                pair("16505559999", "US.1"),
                "the contact was +16505551234 (US.1) and is +16505559999 (US.1) now",
            ),
            (
                pair("16505551234", "US.2"),
                "the contact was +16505551234 (US.1) and is +16505551234 (US.2) now",
            ),
            (
                pair("", "US.1"),
                "the contact was +16505551234 (US.1) and is US.1 now",
            ),
            (
                pair("", ""),
                "the contact was +16505551234 (US.1) and is nobody now",
            ),
        ] {
            assert_eq!(then.change_to(&now).unwrap(), words);
        }
        // What was not known then, and is now.
        assert_eq!(pair("16505551234", "").change_to(&then), None);
        assert!(
            pair("16505551234", "")
                .change_to(&pair("1", "US.1"))
                .is_some()
        );
    }

    #[test]
    fn window_is_24_hours() {
        let at: Timestamp = "2026-11-30T10:00:00Z".parse().unwrap();
        assert_eq!(window_until(at).to_string(), "2026-12-01T10:00:00Z");
        assert_eq!(window_until(Timestamp::MAX), Timestamp::MAX);
    }
}
