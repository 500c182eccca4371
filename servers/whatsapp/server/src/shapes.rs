//! What the tools take and answer.
//!
//! Invariants: times are RFC 3339 in UTC; texts of messages and names of people are from outside, and data.

use platinum_whatsapp_store::ContactPair;
use platinum_whatsapp_store::event::Author;
use platinum_whatsapp_store::store::{Chat, StoredMessage};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::template::{Template, Templates};

/// Which chat, and how much of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MessagesArguments {
    /// The chat's id.
    pub chat: String,
    /// How many messages, 1 to 100; 20 without it.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// Which chat.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChatArguments {
    /// The chat's id.
    pub chat: String,
}

/// Nothing is asked.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NoArguments {}

/// The number and the id of somebody, each as far as WhatsApp has said it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactShape {
    /// The phone number, digits alone.
    #[serde(default)]
    pub number: Option<String>,
    /// The id.
    #[serde(default)]
    pub id: Option<String>,
}

impl From<ContactPair> for ContactShape {
    fn from(pair: ContactPair) -> Self {
        Self {
            number: pair.number,
            id: pair.id,
        }
    }
}

impl From<&ContactShape> for ContactPair {
    fn from(shape: &ContactShape) -> Self {
        Self::new(shape.number.as_deref(), shape.id.as_deref())
    }
}

/// A chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ChatAnswer {
    /// Its id.
    pub chat: String,
    /// Who it is with; nobody, of a group.
    pub contact: ContactShape,
    /// The name that the other side gives itself.
    pub name: Option<String>,
    /// Whether it is a group. Groups are only read.
    pub is_group: bool,
    /// Whether the owner has ever written there.
    pub is_known: bool,
    /// When the other side wrote last.
    pub last_inbound: Option<String>,
    /// Until when it may be answered; none if it never wrote.
    pub open_until: Option<String>,
    /// Why nothing may be sent there now, in words.
    pub refusal: Option<String>,
    /// Whether a template may be sent there, whether something else may or not.
    pub takes_templates: bool,
}

impl ChatAnswer {
    /// Of a chat, why nothing may be sent to it, and whether a template may.
    #[must_use]
    pub fn new(chat: Chat, refusal: Option<String>, takes_templates: bool) -> Self {
        Self {
            takes_templates,
            last_inbound: chat.last_inbound.map(|at| format!("{at:.0}")),
            open_until: chat.open_until().map(|at| format!("{at:.0}")),
            chat: chat.id,
            contact: chat.contact.into(),
            name: chat.name,
            is_group: chat.is_group,
            is_known: chat.is_known,
            refusal,
        }
    }
}

/// Messages of a chat, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessagesAnswer {
    /// The messages.
    pub messages: Vec<MessageShape>,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MessageShape {
    /// Its id.
    pub id: String,
    /// Who wrote it, in words.
    pub sender: String,
    /// Whether the owner wrote it.
    pub is_own: bool,
    /// Whether the owner wrote it with the app, not through this server.
    pub is_from_app: bool,
    /// What it is: `text`, `image`, `reaction` and so on.
    pub kind: String,
    /// What it says; of a file its name alone, which is no path.
    pub text: String,
    /// The message that it answers.
    pub quoted: Option<String>,
    /// When it was written.
    pub at: String,
}

impl From<StoredMessage> for MessageShape {
    fn from(message: StoredMessage) -> Self {
        Self {
            id: message.id,
            sender: message.sender,
            is_own: matches!(message.author, Author::OwnerInApp | Author::Platinum),
            is_from_app: message.author == Author::OwnerInApp,
            kind: message.kind,
            text: message.text,
            quoted: message.quoted,
            at: format!("{:.0}", message.at),
        }
    }
}

/// What to send.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendArguments {
    /// The name of the message, 8 to 100 letters, digits and `_`, `-` or `.`: the same one is sent once. What stands
    /// before the first point is the same for all attempts at one message.
    pub reference: String,
    /// The chat's id.
    pub chat: String,
    /// Who it was approved for: the chat's contact as get_chat answered it then.
    pub contact: ContactShape,
    /// The text; of a template all that it shows, filled; of a file what stands under it, which may be empty.
    pub text: String,
    /// The template that the text is.
    #[serde(default)]
    pub template: Option<TemplateName>,
    /// The file.
    #[serde(default)]
    pub file: Option<FileShape>,
    /// The id of the message that it answers.
    #[serde(default)]
    pub quoted: Option<String>,
}

/// Which template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TemplateName {
    /// Its name.
    pub name: String,
    /// Its language, as list_templates answers it: `en_US`.
    pub language: String,
}

/// A file, by its content: no path of this machine is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileShape {
    /// Its name.
    pub name: String,
    /// Its media type: `application/pdf`.
    #[serde(rename = "type")]
    pub media_type: String,
    /// Its length, in bytes.
    pub size: u64,
    /// SHA-256 of its content, in hex; needed where it is sent.
    #[serde(default)]
    pub sha256: Option<String>,
    /// Its content, in base64; needed where it is sent.
    #[serde(default)]
    pub data: Option<String>,
}

/// What would be sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckArguments {
    /// The text. Of a template none, and `values` for its gaps; or all that it shows, filled.
    #[serde(default)]
    pub text: Option<String>,
    /// The template.
    #[serde(default)]
    pub template: Option<TemplateName>,
    /// What goes into the gaps of the template, in their order.
    #[serde(default)]
    pub values: Option<Vec<String>>,
    /// The file, without its content.
    #[serde(default)]
    pub file: Option<FileShape>,
}

/// A message as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckAnswer {
    /// All of its text.
    pub text: String,
    /// Why it cannot be sent as it is, in words.
    pub fault: Option<String>,
}

/// The templates that may be sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplatesAnswer {
    /// The templates.
    pub templates: Vec<TemplateShape>,
    /// Those that cannot be filled here, each with the reason.
    pub left_out: Vec<String>,
    /// Whether there are more than are listed.
    pub is_cut: bool,
}

/// A template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateShape {
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// All that it shows, with `{{name}}` for each gap.
    pub text: String,
    /// The names of its gaps, in the order of their values.
    pub gaps: Vec<String>,
}

impl From<Templates> for TemplatesAnswer {
    fn from(templates: Templates) -> Self {
        let shape = |template: &Template| TemplateShape {
            name: template.name.clone(),
            language: template.language.clone(),
            text: template.text(),
            gaps: template.parameters(),
        };
        Self {
            templates: templates.usable.iter().map(shape).collect(),
            left_out: templates.unusable,
            is_cut: templates.is_cut,
        }
    }
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// WhatsApp has it, by this call or before.
    Done,
    /// It certainly did not leave.
    NotDone,
    /// It may have left.
    Unknown,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SendAnswer {
    /// What became of it.
    pub outcome: Outcome,
    /// With `not_done`: whether the same call may succeed later.
    pub retry: bool,
    /// With `not_done`: whether that is because it is not what was approved: the contact, or the text of the template.
    pub differs: bool,
    /// What happened, or went wrong.
    pub answer: String,
    /// The id of the message, once it is known.
    pub message: Option<String>,
}

impl SendAnswer {
    /// WhatsApp has it.
    #[must_use]
    pub fn done(answer: String, message: Option<String>) -> Self {
        Self {
            outcome: Outcome::Done,
            retry: false,
            differs: false,
            answer,
            message,
        }
    }

    /// It did not leave.
    #[must_use]
    pub fn not_done(retry: bool, answer: String) -> Self {
        Self {
            outcome: Outcome::NotDone,
            retry,
            differs: false,
            answer,
            message: None,
        }
    }

    /// It did not leave: it is not what was approved.
    #[must_use]
    pub fn differs(answer: String) -> Self {
        Self {
            differs: true,
            ..Self::not_done(false, answer)
        }
    }

    /// It may have left.
    #[must_use]
    pub fn unknown(answer: String) -> Self {
        Self {
            outcome: Outcome::Unknown,
            retry: false,
            differs: false,
            answer,
            message: None,
        }
    }
}

/// Which message.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindArguments {
    /// The name of one of the attempts at it.
    pub reference: String,
}

/// What is known of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindAnswer {
    /// What became of it; none if there was no attempt.
    pub outcome: Option<Outcome>,
    /// The same in words.
    pub answer: String,
    /// The id of the message, once it is known.
    pub message: Option<String>,
}

/// The owner's number, and how it is with the way in and out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountAnswer {
    /// The number, as WhatsApp shows it.
    pub number: String,
    /// The name that is shown with it.
    pub name: String,
    /// Where the webhook is received; none if messages come in without one.
    pub webhook: Option<String>,
    /// Whether messages come in now.
    pub is_receiving: bool,
    /// When a message came last.
    pub last_message: Option<String>,
    /// What does not work as it should, in words.
    pub problems: Vec<String>,
}
