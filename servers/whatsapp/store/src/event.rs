//! [`ChatEvent`]: what happens in chats, whatever brought it: the webhook of the Cloud API, or another adapter.
//!
//! Invariants: all text is from outside, bounded and still untrusted; a message names its files and has none.

use jiff::Timestamp;

use crate::contact::ContactPair;

/// Something that happened in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChatEvent {
    /// Somebody wrote, or the owner did with the app.
    Message(ChatMessage),
    /// What became of a message that was sent.
    Delivery(Delivery),
    /// Somebody has another number or id.
    ContactChange(ContactChange),
}

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The other side.
    Other,
    /// The owner, with the app on a phone.
    OwnerInApp,
    /// The owner, through Platinum.
    Platinum,
    /// WhatsApp: what happened, in words.
    System,
}

/// A message in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatMessage {
    /// WhatsApp's id of it.
    pub id: String,
    /// Who the chat is with.
    pub contact: ContactPair,
    /// The group that it is in.
    pub group: Option<String>,
    /// The name that the other side gives itself.
    pub name: Option<String>,
    /// Who wrote it.
    pub author: Author,
    /// What it is: `text`, `image`, `reaction` …
    pub kind: String,
    /// It in words: the text, or what else was sent.
    pub text: String,
    /// The message that it answers.
    pub quoted: Option<String>,
    /// When it was written.
    pub at: Timestamp,
}

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Progress {
    /// WhatsApp could not deliver it.
    Failed,
    /// WhatsApp has it.
    Sent,
    /// A device of the other side has it.
    Delivered,
    /// They have seen it.
    Read,
}

impl Progress {
    /// Of the word in a webhook.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "failed" => Some(Self::Failed),
            "sent" => Some(Self::Sent),
            "delivered" => Some(Self::Delivered),
            // The other side has heard a voice message.
            "read" | "played" => Some(Self::Read),
            _ => None,
        }
    }

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
        }
    }
}

/// What became of a message that was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// WhatsApp's id of the message.
    pub message: String,
    /// Our name of the attempt, which came back with it.
    pub reference: Option<String>,
    /// How far it got.
    pub progress: Progress,
    /// When.
    pub at: Timestamp,
    /// Why it was not delivered: WhatsApp's number of the error.
    pub code: Option<i64>,
    /// The same in WhatsApp's words.
    pub words: Option<String>,
}

/// Somebody has another number or id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactChange {
    /// The id of the message that says so.
    pub id: String,
    /// What they were known by.
    pub before: ContactPair,
    /// What they are known by now; a part that is missing is not known any more.
    pub after: ContactPair,
    /// When.
    pub at: Timestamp,
}
