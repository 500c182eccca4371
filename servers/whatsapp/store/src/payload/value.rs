//! [`ValueReader`]: one change of a webhook: its messages, what the owner wrote with the app, what became of ours.

use jiff::Timestamp;
use serde_json::Value;

use super::{error_words, id, line, list, message_text};
use crate::contact::ContactPair;
use crate::event::{Author, ChatEvent, ChatMessage, ContactChange, Delivery, Progress};

/// The longest name, in characters.
const MAX_NAME: usize = 100;

/// One change of a webhook.
pub(super) struct ValueReader<'a> {
    value: &'a Value,
    now: Timestamp,
}

impl<'a> ValueReader<'a> {
    /// Reads this change; `now` bounds the times that it may have.
    pub(super) fn new(value: &'a Value, now: Timestamp) -> Self {
        Self { value, now }
    }

    /// The time of a message, which is a number of seconds in a text. None is later than now.
    fn at(&self, value: &Value) -> Timestamp {
        let seconds = match value {
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        };
        let at = seconds.and_then(|seconds| Timestamp::from_second(seconds).ok());
        at.unwrap_or(self.now).min(self.now)
    }

    /// The name that the writer of a message gives itself, and their id if the message has none.
    fn profile(&self, number: Option<&str>, user: Option<&str>) -> (Option<String>, Option<&str>) {
        let is_of = |profile: &&Value| {
            let is_same =
                |key: &str, one: Option<&str>| one.is_some() && profile[key].as_str() == one;
            is_same("wa_id", number) || is_same("user_id", user)
        };
        let Some(profile) = list(&self.value["contacts"]).find(is_of) else {
            return (None, None);
        };
        let name = line(&profile["profile"]["name"], MAX_NAME);
        let username = || line(&profile["profile"]["username"], MAX_NAME);
        (name.or_else(username), profile["user_id"].as_str())
    }

    /// Of a message that came.
    pub(super) fn message(&self, message: &Value) -> Option<ChatEvent> {
        let at = self.at(&message["timestamp"]);
        let number = message["from"].as_str();
        let user = message["from_user_id"].as_str();
        if message["type"] == "system" {
            return self.system(message, number, at);
        }
        let (name, profile_user) = self.profile(number, user);
        let contact = ContactPair::new(number, user.or(profile_user));
        let said = message_text::read(message);
        (!contact.is_empty()).then_some(ChatEvent::Message(ChatMessage {
            id: id(&message["id"])?,
            contact,
            group: id(&message["group_id"]),
            name,
            author: Author::Other,
            kind: said.kind,
            text: said.text,
            quoted: id(&message["context"]["id"]),
            at,
        }))
    }

    /// That somebody has another number or id. Other words of the system's are not kept: they are about nobody.
    fn system(&self, message: &Value, from: Option<&str>, at: Timestamp) -> Option<ChatEvent> {
        let system = &message["system"];
        let kind = system["type"].as_str().unwrap_or_default();
        if !matches!(
            kind,
            "user_changed_number" | "customer_changed_number" | "user_changed_user_id"
        ) {
            return None;
        }
        let before = ContactPair::new(from, system["previous_user_id"].as_str());
        let number = system["wa_id"].as_str().or(system["new_wa_id"].as_str());
        let after = ContactPair::new(number, system["user_id"].as_str());
        (!before.is_empty() && !after.is_empty()).then_some(ChatEvent::ContactChange(
            ContactChange {
                id: id(&message["id"])?,
                before,
                after,
                at,
            },
        ))
    }

    /// What the owner wrote with the app.
    pub(super) fn app_message(&self, echo: &Value) -> Option<ChatEvent> {
        let contact = ContactPair::new(echo["to"].as_str(), echo["to_user_id"].as_str());
        let said = message_text::read(echo);
        (!contact.is_empty()).then_some(ChatEvent::Message(ChatMessage {
            id: id(&echo["id"])?,
            contact,
            group: id(&echo["group_id"]),
            name: None,
            author: Author::OwnerInApp,
            kind: said.kind,
            text: said.text,
            quoted: id(&echo["context"]["id"]),
            at: self.at(&echo["timestamp"]),
        }))
    }

    /// What became of a message of ours.
    pub(super) fn delivery(&self, status: &Value) -> Option<ChatEvent> {
        let progress = Progress::parse(status["status"].as_str()?)?;
        let error = list(&status["errors"]).next();
        Some(ChatEvent::Delivery(Delivery {
            message: id(&status["id"])?,
            reference: id(&status["biz_opaque_callback_data"]),
            progress,
            at: self.at(&status["timestamp"]),
            code: error.and_then(|error| error["code"].as_i64()),
            words: error.map(error_words),
        }))
    }
}
