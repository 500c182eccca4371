//! [`Channel`]: a way into WhatsApp. The Cloud API is one; a linked device would be another.
//!
//! A channel brings what happens as [`ChatEvent`](platinum_whatsapp_store::event::ChatEvent)s into the store, by
//! itself, and sends what it is given, once. All else is the same for each: the store, the tools, what an attempt means.
//! Invariant: what may have left is [`Sent::Unknown`], never an error.

use async_trait::async_trait;
use jiff::Timestamp;
use platinum_whatsapp_store::ContactPair;
use platinum_whatsapp_store::store::Chat;

use crate::file::OutgoingFile;
use crate::template::{TemplateMessage, Templates};

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelMessage {
    /// The name of the attempt, which comes back with what is reported of it, where a channel can do that.
    pub reference: String,
    /// To whom.
    pub contact: ContactPair,
    /// What.
    pub content: Content,
    /// The message that it answers.
    pub quoted: Option<String>,
}

/// What a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// A text.
    Text(String),
    /// A template with its gaps filled.
    Template(TemplateMessage),
    /// A file, and the text under it, which may be empty.
    File(OutgoingFile, String),
}

/// Why something may not be sent to a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// For a person.
    pub words: String,
    /// Whether a template may be sent all the same.
    pub lets_templates: bool,
}

/// What became of an attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// WhatsApp has it, under this id.
    Done(String),
    /// It certainly did not leave.
    NotDone {
        /// Whether it may later.
        retry: bool,
        /// Why, for a person.
        words: String,
    },
    /// It may have left.
    Unknown(String),
}

/// What a channel says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelAccount {
    /// The owner's number as WhatsApp shows it.
    pub number: String,
    /// The name that is shown with it.
    pub name: String,
    /// Where messages come in: the address of the webhook; none where nothing has to lead there.
    pub webhook: Option<String>,
    /// Whether messages come in now.
    pub is_receiving: bool,
    /// What does not work as it should, in words.
    pub problems: Vec<String>,
}

/// A way into WhatsApp.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Why nothing may be sent to a chat at this moment; none if everything may. Asked before the network is.
    fn refusal(&self, chat: &Chat, now: Timestamp) -> Option<Refusal>;

    /// The longest text, in characters.
    fn max_text(&self) -> usize;

    /// Why a file cannot be sent, in words: its type, its size; none if it can.
    fn file_fault(&self, media_type: &str, size: u64) -> Option<String>;

    /// Whether it has templates: texts that may be sent at any time.
    fn has_templates(&self) -> bool;

    /// The templates that may be sent; the one of this name, if one is given. Sends nothing.
    ///
    /// # Errors
    /// Why they are not known.
    async fn templates(&self, name: Option<&str>) -> Result<Templates, String>;

    /// Sends a message, once.
    async fn send(&self, message: &ChannelMessage) -> Sent;

    /// Whether it works, and for whom. Sends nothing.
    ///
    /// # Errors
    /// Why it does not work, and what to do.
    async fn account(&self) -> Result<ChannelAccount, String>;
}
