//! [`Action`]: what a draft proposes, typed. The same records are in `wit/actions/types.wit`.
//!
//! Invariants: the text that leaves the house (`body` or `text`) is the body of the note, every
//! other field is its frontmatter, under the names serde gives here (kebab case).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{Money, VaultPath};

/// The kinds of action there are; `kind` in a draft's frontmatter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActionKind {
    /// Send a mail.
    EmailSend,
    /// Publish a post.
    SocialPublish,
    /// Post a document in Odoo.
    OdooPost,
    /// Register a payment in Odoo.
    OdooPayment,
    /// Send a chat message.
    WhatsappSend,
    /// Pay.
    Payment,
}

impl ActionKind {
    /// Every kind.
    pub const ALL: [ActionKind; 6] = [
        ActionKind::EmailSend,
        ActionKind::SocialPublish,
        ActionKind::OdooPost,
        ActionKind::OdooPayment,
        ActionKind::WhatsappSend,
        ActionKind::Payment,
    ];

    /// The word used in notes and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            ActionKind::EmailSend => "email-send",
            ActionKind::SocialPublish => "social-publish",
            ActionKind::OdooPost => "odoo-post",
            ActionKind::OdooPayment => "odoo-payment",
            ActionKind::WhatsappSend => "whatsapp-send",
            ActionKind::Payment => "payment",
        }
    }
}

impl fmt::Display for ActionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ActionKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        ActionKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or_else(|| {
                format!(
                    "`{}` is no kind of action",
                    text.chars().take(64).collect::<String>()
                )
            })
    }
}

/// What a draft proposes to do, once the owner has approved it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// Send a mail.
    EmailSend(EmailSend),
    /// Publish a post.
    SocialPublish(SocialPublish),
    /// Post a document in Odoo.
    OdooPost(OdooPost),
    /// Register a payment in Odoo.
    OdooPayment(OdooPayment),
    /// Send a chat message.
    WhatsappSend(WhatsappSend),
    /// Pay.
    Payment(Payment),
}

impl Action {
    /// Which kind it is.
    pub const fn kind(&self) -> ActionKind {
        match self {
            Action::EmailSend(_) => ActionKind::EmailSend,
            Action::SocialPublish(_) => ActionKind::SocialPublish,
            Action::OdooPost(_) => ActionKind::OdooPost,
            Action::OdooPayment(_) => ActionKind::OdooPayment,
            Action::WhatsappSend(_) => ActionKind::WhatsappSend,
            Action::Payment(_) => ActionKind::Payment,
        }
    }

    /// The text that will leave the house, which the note keeps as its body.
    pub fn text(&self) -> &str {
        match self {
            Action::EmailSend(mail) => &mail.body,
            Action::SocialPublish(post) => &post.text,
            Action::WhatsappSend(message) => &message.text,
            Action::OdooPost(_) | Action::OdooPayment(_) | Action::Payment(_) => "",
        }
    }

    /// Puts the note's body back in. Kinds without a text ignore it.
    pub fn set_text(&mut self, text: String) {
        match self {
            Action::EmailSend(mail) => mail.body = text,
            Action::SocialPublish(post) => post.text = text,
            Action::WhatsappSend(message) => message.text = text,
            Action::OdooPost(_) | Action::OdooPayment(_) | Action::Payment(_) => {}
        }
    }
}

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

/// A picture or film of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Media {
    /// Where it is in the vault.
    pub path: VaultPath,
    /// What it shows, for those who cannot see it.
    pub alt: String,
}

/// A post to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SocialPublish {
    /// `bluesky` or `mastodon`, as the server's configuration names it.
    pub network: String,
    /// BCP 47 tag of the text's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The post answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Pictures and films.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// Further posts of the thread, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thread: Vec<String>,
    /// The text, which the note keeps as its body.
    #[serde(skip)]
    pub text: String,
}

/// A document to post in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OdooPost {
    /// Odoo's id of the draft document.
    pub document: u64,
    /// How many lines it had when it was drafted.
    pub lines: u32,
    /// Its total when it was drafted.
    pub total: Money,
    /// When it falls due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<jiff::civil::Date>,
}

/// A payment to register in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OdooPayment {
    /// Odoo's id of the invoice paid.
    pub invoice: u64,
    /// How much.
    pub amount: Money,
    /// On which day.
    pub date: jiff::civil::Date,
    /// Into or from which journal, by its code.
    pub journal: String,
}

/// A chat message to send.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WhatsappSend {
    /// The chat's id.
    pub chat: String,
    /// The message answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_message: Option<String>,
    /// The text, which the note keeps as its body.
    #[serde(skip)]
    pub text: String,
}

/// A payment to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Payment {
    /// Who is paid, by name of an entry on the owner's list.
    pub payee: String,
    /// How much.
    pub amount: Money,
    /// What the payee sees.
    pub reference: String,
    /// When it falls due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<jiff::civil::Date>,
    /// Which way it goes: an account's or a browser recipe's name.
    pub method: String,
}
