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
