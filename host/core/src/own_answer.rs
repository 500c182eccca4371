//! [`OwnAnswer`]: that the owner has answered a mail themself, as a mail server says it.

use jiff::Timestamp;
use platinum_text::one_line;
use serde::Deserialize;

/// Longest name of a folder in the words for the owner, in characters.
const MAX_FOLDER: usize = 60;

/// The answer of the tool `find_answer`. Untrusted: [`OwnAnswer::words`] bounds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct OwnAnswer {
    /// Whether they have answered it.
    pub answered: bool,
    /// When, if that is known.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// The folder that has the answer; none if only a mark on the mail tells of it.
    #[serde(default)]
    pub folder: Option<String>,
}

impl OwnAnswer {
    /// When and how, in a sentence for them; none if they have not.
    pub fn words(&self) -> Option<String> {
        let when = self.at.map(|at| format!(" at {at:.0}"));
        let when = when.unwrap_or_default();
        self.answered.then(|| match &self.folder {
            Some(folder) => format!("you answered{when} ({})", one_line(folder, MAX_FOLDER)),
            None => "you answered: the mail is marked as answered".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_answer_says_when_and_where() {
        let none = OwnAnswer::default();
        assert_eq!(none.words(), None);
        let marked = OwnAnswer {
            answered: true,
            ..none
        };
        assert_eq!(
            marked.words().unwrap(),
            "you answered: the mail is marked as answered"
        );
        let sent = OwnAnswer {
            at: "2026-11-20T10:00:00.5Z".parse().ok(),
            folder: Some("Sent\nx".to_owned()),
            ..marked
        };
        assert_eq!(
            sent.words().unwrap(),
            "you answered at 2026-11-20T10:00:00Z (Sent x)"
        );
    }
}
