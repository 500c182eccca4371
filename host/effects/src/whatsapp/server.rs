//! [`WhatsappServer`]: how messages are sent. [`McpWhatsappServer`] asks the server for WhatsApp to do it.

use async_trait::async_trait;
use platinum_core::{Timestamp, WhatsappSend, text::one_line};
use platinum_journal::Outcome;
use platinum_mcp::Session;
use serde::Deserialize;
use serde_json::json;

use crate::{AskError, NotDone, acting::ActingServer};

/// How errors begin that no later try ends: the server's own, and those about what was asked for.
const FINAL: [&str; 2] = ["there is no chat ", "`"];

/// A chat, as WhatsApp's server has it now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnownChat {
    /// Who it is with.
    pub contact: KnownContact,
    /// Why nothing may be sent there now, in words.
    #[serde(default)]
    pub refusal: Option<String>,
}

/// The number and the id of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct KnownContact {
    /// The phone number.
    #[serde(default)]
    pub number: Option<String>,
    /// The id.
    #[serde(default)]
    pub id: Option<String>,
}

/// A message in a chat.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OwnMessage {
    /// Whether the owner wrote it with the app.
    pub is_from_app: bool,
    /// What it is.
    pub kind: String,
    /// When.
    pub at: Timestamp,
}

/// A message to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRequest {
    /// The name of the attempt.
    pub reference: String,
    /// What was approved.
    pub message: WhatsappSend,
}

/// What is known of a message that was to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMessage {
    /// Whether WhatsApp has it.
    pub is_done: bool,
    /// In words.
    pub answer: String,
}

/// A way to ask WhatsApp, and to have a message sent.
#[async_trait]
pub trait WhatsappServer: Send + Sync {
    /// A chat as it is now.
    ///
    /// # Errors
    /// If it cannot be asked, or there is none.
    async fn chat(&self, chat: &str) -> Result<KnownChat, AskError>;

    /// The last messages of a chat, newest first, whoever wrote them.
    ///
    /// # Errors
    /// If it cannot be asked, or there is no such chat.
    async fn own_messages(&self, chat: &str, limit: u32) -> Result<Vec<OwnMessage>, AskError>;

    /// Sends a message, once.
    ///
    /// # Errors
    /// Why it was not sent; nothing left.
    async fn send(&self, request: &MessageRequest) -> Result<Outcome, NotDone>;

    /// What became of a message, by the name of one of the attempts at it.
    ///
    /// # Errors
    /// If it cannot be asked.
    async fn find(&self, reference: &str) -> Result<SentMessage, AskError>;
}

/// Asks the tools of the server for WhatsApp.
pub struct McpWhatsappServer(ActingServer);

impl McpWhatsappServer {
    /// Asks over this session.
    pub fn new(session: Session) -> Self {
        Self(ActingServer::new(session, "the WhatsApp server", is_final))
    }
}

fn is_final(words: &str) -> bool {
    FINAL.iter().any(|begin| words.starts_with(begin))
}

#[derive(Deserialize)]
struct MessagesRead {
    messages: Vec<OwnMessage>,
}

#[derive(Deserialize)]
struct FoundRead {
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    answer: String,
}

#[async_trait]
impl WhatsappServer for McpWhatsappServer {
    async fn chat(&self, chat: &str) -> Result<KnownChat, AskError> {
        self.0.read("get_chat", json!({ "chat": chat })).await
    }

    async fn own_messages(&self, chat: &str, limit: u32) -> Result<Vec<OwnMessage>, AskError> {
        let question = json!({ "chat": chat, "limit": limit });
        let read: MessagesRead = self.0.read("get_messages", question).await?;
        Ok(read.messages)
    }

    async fn send(&self, request: &MessageRequest) -> Result<Outcome, NotDone> {
        let message = &request.message;
        let arguments = json!({
            "reference": request.reference,
            "chat": message.chat,
            "contact": { "number": message.contact_number, "id": message.contact_id },
            "text": message.text,
            "quoted": message.quoted_message,
        });
        self.0.act("send_message", arguments).await
    }

    async fn find(&self, reference: &str) -> Result<SentMessage, AskError> {
        let question = json!({ "reference": reference });
        let found: FoundRead = self.0.read("find_message", question).await?;
        Ok(SentMessage {
            is_done: found.outcome.as_deref() == Some("done"),
            answer: one_line(&found.answer, 300),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reading_is_final_by_the_servers_words_alone() {
        for (words, expected) in [
            ("there is no chat `1650`", true),
            ("`chat` is no id as it was answered", true),
            ("the store of messages failed: disk I/O error", false),
        ] {
            assert_eq!(is_final(words), expected, "{words}");
        }
    }
}
