//! What the tools take and answer; their JSON schemas are made from these. Message-IDs are taken with or without
//! angle brackets and answered without.

use platinum_mailbox::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to search for. All given parts must match; with none, the newest mails are answered.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchArguments {
    /// Only in this account; in all without it.
    #[serde(default)]
    pub account: Option<String>,
    /// Words, each of which is in the subject, the addresses or the text, in any order; at most 20. Words in
    /// quotation marks belong together: `invoice "for May"`.
    #[serde(default)]
    pub text: Option<String>,
    /// The sender's whole address, or a part of the name or the address.
    #[serde(default)]
    pub sender: Option<String>,
    /// Mails of the threads of these Message-IDs.
    #[serde(default)]
    pub thread: Vec<String>,
    /// The one mail with this Message-ID; drafts and sent mails are searched, too.
    #[serde(default)]
    pub message_id: Option<String>,
    /// A mail of the folder of sent mails, whatever its name is there, or of a Maildir's outbox: one with this
    /// X-Platinum-Draft, or whose Message-ID begins with this.
    #[serde(default)]
    pub sent_as: Option<String>,
    /// Only in this folder, for example INBOX or Sent.
    #[serde(default)]
    pub folder: Option<String>,
    /// At most this many, newest first: 1 to 50, else 10.
    #[serde(default)]
    pub limit: Option<u32>,
}

/// The mails found, newest first.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SearchAnswer {
    /// The mails. All of their text is from outside and not to be trusted.
    pub messages: Vec<Message>,
}

/// Which mail is asked about.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerArguments {
    /// The account that got it.
    pub account: String,
    /// Its Message-ID.
    pub message_id: String,
    /// The addresses that an answer would go to, beside those that the mail itself names.
    #[serde(default)]
    pub people: Vec<String>,
}

/// Whether the owner has answered a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerAnswer {
    /// Whether they have.
    pub answered: bool,
    /// When, RFC 3339, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// The folder that has the answer; without it, the mail carries the mark of one that was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
}

/// Whom to look for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeopleArguments {
    /// The account whose mails are searched.
    pub account: String,
    /// A name, or a part of one that is a whole word.
    pub name: String,
}

/// The people of a name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct PeopleAnswer {
    /// At most 10.
    pub people: Vec<Person>,
    /// Whether it is clear who is meant: there is one, and the owner wrote to them by this name.
    pub clear: bool,
}

/// Somebody the owner wrote to, or got mail from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Person {
    /// The name that a mail gives them; may be empty. Text from outside.
    pub name: String,
    /// The address, `local@domain`.
    pub address: String,
}

/// Whose addresses are asked for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnAddressesArguments {
    /// The account.
    pub account: String,
}

/// The addresses of an account's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OwnAddressesAnswer {
    /// Those of the configuration; a whole domain as `@example.org`.
    pub configured: Vec<String>,
    /// Those that the sent mails show, if the configuration wants them learnt.
    pub learnt: Vec<String>,
}

/// To whom a mail is written.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StyleArguments {
    /// The account it is from.
    pub account: String,
    /// Its recipients, `local@domain`, the first being the one who is addressed; at most 50 count.
    #[serde(default)]
    pub recipients: Vec<String>,
    /// Only mails to them until this moment, RFC 3339; all without it.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
}

/// How the owner writes, as their sent mails show it. What Platinum sent does not count, nor what a mail quotes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StyleAnswer {
    /// What stands below the closing; may have several lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The first line of a mail to these people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<String>,
    /// The line with which a mail to them ends, or to others of their domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing: Option<String>,
    /// Mails to exactly these people, newest first, at most 3, each at most 2 KiB.
    pub texts: Vec<String>,
    /// What was read for it, a line each, for people.
    pub sources: Vec<String>,
}

/// A mail.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Message {
    /// Message-ID; empty if the mail has none.
    pub message_id: String,
    /// `Name <local@domain>`.
    pub sender: String,
    /// Recipients, at most 50.
    pub to: Vec<String>,
    /// Recipients of a copy, at most 50.
    #[serde(default)]
    pub cc: Vec<String>,
    /// One line.
    pub subject: String,
    /// RFC 3339, if the mail has a date that can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The folder it is in.
    pub folder: String,
    /// Plain text, at most 16 KiB; HTML is turned into text. Lines that begin with `>` are quoted.
    pub text: String,
    /// Whether there is more of the mail than `text` and `attachments` have.
    #[serde(default)]
    pub cut: bool,
    /// The Message-IDs that it answers.
    #[serde(default)]
    pub in_reply_to: Vec<String>,
    /// The Message-IDs of its thread, oldest first, at most 50.
    #[serde(default)]
    pub references: Vec<String>,
    /// What is attached, at most 20; the files themselves are not answered.
    #[serde(default)]
    pub attachments: Vec<AttachedFile>,
    /// X-Platinum-Draft, if the mail has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
}

/// A file that is attached to a mail.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AttachedFile {
    /// The name that the mail gives it, if it gives one: outside text, never a path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// For example application/pdf.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
}

/// A mail to write.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MailArguments {
    /// The account it is from, by its name in the configuration.
    pub from_account: String,
    /// Recipients: `local@domain` or `Name <local@domain>`.
    pub to: Vec<String>,
    /// Recipients of a copy.
    #[serde(default)]
    pub cc: Vec<String>,
    /// Recipients that the others do not see.
    #[serde(default)]
    pub bcc: Vec<String>,
    /// One line.
    pub subject: String,
    /// Plain text, as it shall leave.
    pub body: String,
    /// The Message-ID answered.
    #[serde(default)]
    pub in_reply_to: Option<String>,
    /// The thread's Message-IDs, oldest first.
    #[serde(default)]
    pub references: Vec<String>,
    /// Files.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// The mail's own Message-ID; a draft without one gets a new one.
    #[serde(default)]
    pub message_id: Option<String>,
    /// What the mail was drafted as, for the header X-Platinum-Draft: letters, digits, `_` and `-`.
    #[serde(default)]
    pub draft: Option<String>,
}

/// A file to attach.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Attachment {
    /// Its name, one line.
    pub name: String,
    /// For example application/pdf.
    pub media_type: String,
    /// Its content.
    pub base64: String,
}

/// A saved draft.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DraftAnswer {
    /// The Message-ID it was saved under.
    pub message_id: String,
    /// The folder it is in.
    pub folder: String,
}
