//! What the server for WhatsApp answers, as far as it only reads.

use platinum_core::text::one_line;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    bindings::platinum::whatsapp::types::Error,
    server::{self, AskError, ToolServer},
};

/// How the error about a chat begins that is not there.
const NO_CHAT: &str = "there is no chat ";
/// How errors begin about what was asked for.
const OF_ARGUMENTS: &str = "`";

/// Longest reason why a message cannot be sent, in characters.
const MAX_FAULT: usize = 600;

/// A chat, as the server has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChatState {
    /// Its id.
    pub chat: String,
    /// Who it is with.
    pub contact: ChatContact,
    /// The name that the other side gives itself.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether it is a group.
    pub is_group: bool,
    /// When the other side wrote last, RFC 3339.
    #[serde(default)]
    pub last_inbound: Option<String>,
    /// Until when it may be answered, RFC 3339.
    #[serde(default)]
    pub open_until: Option<String>,
    /// Why nothing may be sent there now, in words.
    #[serde(default)]
    pub refusal: Option<String>,
    /// Whether a template may be sent there, whatever `refusal` says.
    #[serde(default)]
    pub takes_templates: bool,
}

/// The templates that may be sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnownTemplates {
    /// The templates.
    pub templates: Vec<KnownTemplate>,
}

/// A text with gaps that WhatsApp has approved.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnownTemplate {
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// All that it shows, with `{{name}}` for each gap.
    pub text: String,
    /// The names of its gaps, in the order of their values.
    pub gaps: Vec<String>,
}

/// A message as the server would send it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct CheckedMessage {
    /// All of its text.
    pub text: String,
    /// Why it cannot be sent as it is, in words.
    #[serde(default)]
    pub fault: Option<String>,
}

/// The number and the id of somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ChatContact {
    /// The phone number.
    #[serde(default)]
    pub number: Option<String>,
    /// The id.
    #[serde(default)]
    pub id: Option<String>,
}

/// Messages of a chat, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ChatMessages {
    /// The messages.
    pub messages: Vec<KnownMessage>,
}

/// A message, as the server has it. All of it is untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnownMessage {
    /// Its id.
    pub id: String,
    /// Who wrote it, in words.
    pub sender: String,
    /// Whether the owner wrote it.
    pub is_own: bool,
    /// Whether the owner wrote it with the app.
    pub is_from_app: bool,
    /// What it is: `text`, `image`, `reaction` and so on.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// When it was written, RFC 3339.
    pub at: String,
}

/// A chat as it is now.
pub(super) async fn get_chat(server: &dyn ToolServer, chat: &str) -> Result<ChatState, Error> {
    ask(server, "get_chat", json!({ "chat": chat })).await
}

/// The last messages of a chat, the newest first.
pub(super) async fn get_messages(
    server: &dyn ToolServer,
    chat: &str,
    limit: u32,
) -> Result<Vec<KnownMessage>, Error> {
    let question = json!({ "chat": chat, "limit": limit });
    let answer: ChatMessages = ask(server, "get_messages", question).await?;
    Ok(answer.messages)
}

/// The templates that may be sent.
pub(super) async fn list_templates(server: &dyn ToolServer) -> Result<Vec<KnownTemplate>, Error> {
    let answer: KnownTemplates = ask(server, "list_templates", json!({})).await?;
    Ok(answer.templates)
}

/// What a message would say.
///
/// # Errors
/// If it cannot be sent as it is, or the server cannot be asked.
pub(super) async fn check_message(
    server: &dyn ToolServer,
    message: Value,
) -> Result<String, Error> {
    let checked: CheckedMessage = ask(server, "check_message", message).await?;
    match checked.fault {
        Some(fault) => Err(Error::Invalid(one_line(&fault, MAX_FAULT))),
        None => Ok(checked.text),
    }
}

async fn ask<T: DeserializeOwned>(
    server: &dyn ToolServer,
    tool: &'static str,
    question: Value,
) -> Result<T, Error> {
    let answer = server::ask(server, tool, question).await;
    answer.map_err(|error| match error {
        AskError::Tool(words) if words.starts_with(NO_CHAT) => Error::NotFound,
        AskError::Tool(words) if words.starts_with(OF_ARGUMENTS) => Error::Invalid(words),
        AskError::Tool(words) | AskError::Unavailable(words) => Error::Unavailable(words),
    })
}
