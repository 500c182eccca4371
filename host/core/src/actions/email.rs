//! The actions of the zone `email`.

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

/// The address of `Name <local@domain>` or `local@domain`, in lower case.
fn bare_address(text: &str) -> String {
    let text = text.trim();
    let inner = text
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'));
    inner.map_or(text, |(_, address)| address).to_lowercase()
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
}
