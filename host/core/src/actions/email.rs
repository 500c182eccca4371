//! The actions of the zone `email`; and [`OwnAnswer`]: that the owner has answered a mail themself, as a
//! mail server says it.

use jiff::Timestamp;
use platinum_text::{bare_address, one_line};
use serde::{Deserialize, Serialize};

use super::{ActionKind, TypedAction};
use crate::VaultPath;

/// A mail to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EmailSend {
    /// The account it leaves from, as the mail server's configuration names it.
    pub from_account: String,
    /// Recipients, each `Name <local@domain>` or `local@domain`.
    pub to: Vec<String>,
    /// Copies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cc: Vec<String>,
    /// Blind copies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bcc: Vec<String>,
    /// The subject, one line.
    pub subject: String,
    /// The Message-ID answered, without angle brackets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
    /// The thread's Message-IDs, oldest first, without angle brackets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub references: Vec<String>,
    /// Files of the vault to attach.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<VaultPath>,
    /// The text, which the note keeps as its body.
    #[serde(skip)]
    pub body: String,
}

impl EmailSend {
    /// Whether both answer the same people in the same thread: they name a Message-ID of it in
    /// common, and go to somebody in common from the same account.
    pub fn is_same_conversation(&self, other: &Self) -> bool {
        let shares_id = self.thread().any(|id| other.thread().any(|one| one == id));
        let to_both = |to: &String| {
            let address = bare_address(to);
            other.to.iter().any(|one| bare_address(one) == address)
        };
        shares_id && self.from_account == other.from_account && self.to.iter().any(to_both)
    }

    /// The Message-IDs of its thread that it names.
    pub fn thread(&self) -> impl Iterator<Item = &String> {
        self.references.iter().chain(&self.in_reply_to)
    }
}

/// Longest name of a folder in the words for the owner, in characters.
const MAX_FOLDER: usize = 60;

/// The answer of the tool `get_answer`. Untrusted: [`OwnAnswer::words`] bounds it.
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

    /// As [`OwnAnswer::words`], if they answered after this time. One without a time did not.
    pub fn words_after(&self, after: Option<Timestamp>) -> Option<String> {
        let is_after = after.is_none_or(|after| self.at.is_some_and(|at| at > after));
        self.words().filter(|_| is_after)
    }
}

impl TypedAction for EmailSend {
    const KIND: ActionKind = ActionKind::EMAIL_SEND;
    const FIELDS: &'static [&'static str] = &["from-account", "subject", "in-reply-to"];
    const LISTS: &'static [&'static str] = &["to", "cc", "bcc", "references", "attachments"];

    fn text(&self) -> &str {
        &self.body
    }

    fn set_text(&mut self, text: String) {
        self.body = text;
    }

    fn files(&self) -> Vec<VaultPath> {
        self.attachments.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(to: &str, in_reply_to: &str, references: &[&str]) -> EmailSend {
        EmailSend {
            from_account: "owner".to_owned(),
            to: vec![to.to_owned()],
            cc: vec![],
            bcc: vec![],
            subject: String::new(),
            in_reply_to: Some(in_reply_to.to_owned()),
            references: references.iter().map(|&id| id.to_owned()).collect(),
            attachments: vec![],
            body: String::new(),
        }
    }

    #[test]
    fn conversation_is_of_the_same_people_in_the_same_thread() {
        let first = mail("Ann <ann@x.test>", "1@x", &[]);
        let second = mail("ANN@x.test", "2@x", &["1@x", "2@x"]);
        assert!(first.is_same_conversation(&second) && second.is_same_conversation(&first));
        // Somebody else who knows the thread, another thread, another account.
        assert!(!first.is_same_conversation(&mail("joann@x.test", "2@x", &["1@x"])));
        assert!(!first.is_same_conversation(&mail("ann@x.test", "2@x", &["3@x"])));
        let elsewhere = EmailSend {
            from_account: "work".to_owned(),
            ..second
        };
        assert!(!first.is_same_conversation(&elsewhere));
    }

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
        let words = "you answered at 2026-11-20T10:00:00Z (Sent x)";
        assert_eq!(sent.words().unwrap(), words);
        let (before, after) = ("2026-11-20T09:00:00Z".parse().ok(), sent.at);
        assert_eq!(sent.words_after(None).unwrap(), words);
        assert_eq!(sent.words_after(before).unwrap(), words);
        assert_eq!(sent.words_after(after), None);
        assert_eq!(marked.words_after(before), None);
    }
}
