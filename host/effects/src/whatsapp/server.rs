//! [`WhatsappServer`]: how messages are sent. [`McpWhatsappServer`] asks the server for WhatsApp to do it.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use platinum_core::{Timestamp, WhatsappSend, text::one_line};
use platinum_journal::Outcome;
use platinum_mcp::Session;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{AskError, NotDone, acting::ActingServer, approvals::Attachment};

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
    /// Whether a template may be sent there, whatever `refusal` says.
    #[serde(default)]
    pub takes_templates: bool,
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
    /// The file that leaves with it, as it was approved.
    pub file: Option<Attachment>,
}

impl MessageRequest {
    /// What of the message is a template or a file, as the server's tools take it; a file with its content where it is to
    /// be sent.
    fn special(&self, with_content: bool) -> Value {
        let template = self.message.template.as_ref().map(|name| {
            let language = self.message.template_language.as_deref();
            json!({ "name": name, "language": language.unwrap_or_default() })
        });
        let file = self.file.as_ref().map(|file| {
            let mut shape = json!({ "name": file.path.file_name(), "type": file.path.media_type(),
                "size": file.bytes.len(), "sha256": file.sha256() });
            if with_content {
                shape["data"] = json!(STANDARD.encode(&file.bytes));
            }
            shape
        });
        json!({ "text": self.message.text, "template": template, "file": file })
    }
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

    /// Why a message cannot be sent as it is: the text is not the template's, the file is of no type that WhatsApp takes.
    ///
    /// # Errors
    /// If it cannot be asked.
    async fn fault(&self, request: &MessageRequest) -> Result<Option<String>, AskError>;

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
struct CheckRead {
    #[serde(default)]
    fault: Option<String>,
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

    async fn fault(&self, request: &MessageRequest) -> Result<Option<String>, AskError> {
        let checked: CheckRead = self.0.read("check_message", request.special(false)).await?;
        Ok(checked.fault)
    }

    async fn send(&self, request: &MessageRequest) -> Result<Outcome, NotDone> {
        let message = &request.message;
        let mut arguments = request.special(true);
        arguments["reference"] = json!(request.reference);
        arguments["chat"] = json!(message.chat);
        arguments["contact"] =
            json!({ "number": message.contact_number, "id": message.contact_id });
        arguments["quoted"] = json!(message.quoted_message);
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
