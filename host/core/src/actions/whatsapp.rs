//! The actions of the zone `whatsapp`.

use serde::{Deserialize, Serialize};

use super::{ActionKind, TypedAction};

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

impl TypedAction for WhatsappSend {
    const KIND: ActionKind = ActionKind::WHATSAPP_SEND;
    const FIELDS: &'static [&'static str] = &["chat", "quoted-message"];

    fn text(&self) -> &str {
        &self.text
    }

    fn set_text(&mut self, text: String) {
        self.text = text;
    }
}
