//! The actions of the zone `whatsapp`.

use serde::{Deserialize, Serialize};

use super::{ActionKind, TypedAction};
use crate::VaultPath;

/// A chat message to send: a text, a template or a file. Who it is for is bound as a pair: an approval counts for both as
/// they were shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WhatsappSend {
    /// The chat's id.
    pub chat: String,
    /// The phone number of the other side, digits alone, as far as WhatsApp has said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_number: Option<String>,
    /// WhatsApp's id of the other side, as far as it has said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact_id: Option<String>,
    /// The message answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted_message: Option<String>,
    /// The template that the text is, filled: only what stands in its gaps can be another text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// The template's language, as WhatsApp writes it: `en_US`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template_language: Option<String>,
    /// The file of the vault that leaves, with the text under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<VaultPath>,
    /// The text, which the note keeps as its body.
    #[serde(skip)]
    pub text: String,
}

impl WhatsappSend {
    /// The fact of a task that names the chat it is of.
    pub const CHAT_FACT: &str = "whatsapp-chat";
    /// The facts of a task that name its messages, the last one last.
    pub const MESSAGE_FACT: &str = "whatsapp-message";

    /// Whether both answer in the same chat.
    pub fn is_same_conversation(&self, other: &Self) -> bool {
        self.chat == other.chat
    }

    /// Whom it reaches, as its owner reads it: the number, or the id, or the chat.
    pub fn recipient(&self) -> String {
        match (&self.contact_number, &self.contact_id) {
            (Some(number), _) => format!("+{number}"),
            (None, Some(id)) => id.clone(),
            (None, None) => self.chat.clone(),
        }
    }
}

impl TypedAction for WhatsappSend {
    const KIND: ActionKind = ActionKind::WHATSAPP_SEND;
    const FIELDS: &'static [&'static str] = &[
        "chat",
        "contact-number",
        "contact-id",
        "quoted-message",
        "template",
        "template-language",
        "file",
    ];

    fn text(&self) -> &str {
        &self.text
    }

    fn set_text(&mut self, text: String) {
        self.text = text;
    }

    fn files(&self) -> Vec<VaultPath> {
        self.file.iter().cloned().collect()
    }
}
