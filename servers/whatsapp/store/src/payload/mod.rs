//! [`parse`]: the events of a webhook's JSON, as Meta documents it.
//!
//! Lives elsewhere: one change of it, in `value`; what a message says, in `message_text`; whether the webhook is Meta's, in [`crate::signature`].
//! Invariants: pure; what is not understood is left out and counted, and stops nothing beside it; a webhook for another
//! phone number brings nothing; every text is bounded.

mod message_text;
mod value;

use jiff::Timestamp;
use platinum_text::one_line;
use serde_json::Value;

use crate::event::ChatEvent;
use value::ValueReader;

/// The longest id of a message, a group, or a reference.
const MAX_ID: usize = 512;
/// The most events of one webhook; Meta sends far fewer.
const MAX_EVENTS: usize = 2000;

/// What a webhook brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// What happened, in its order.
    pub events: Vec<ChatEvent>,
    /// How much was left out, because it is of no known form.
    pub left_out: usize,
    /// Errors that WhatsApp reports outside of any message, in its words.
    pub errors: Vec<String>,
}

/// The webhook is none of WhatsApp's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no webhook of a WhatsApp Business account")]
pub struct ForeignPayload;

/// Reads a webhook for the number with this id; `now` bounds the times that it may have.
///
/// # Errors
/// If it is of another kind of object.
pub fn parse(
    payload: &Value,
    phone_number_id: &str,
    now: Timestamp,
) -> Result<Brought, ForeignPayload> {
    if payload["object"] != "whatsapp_business_account" {
        return Err(ForeignPayload);
    }
    let mut brought = Brought::default();
    let changes = list(&payload["entry"]).flat_map(|entry| list(&entry["changes"]));
    for value in changes.map(|change| &change["value"]) {
        if value["metadata"]["phone_number_id"] != phone_number_id {
            continue;
        }
        let reader = ValueReader::new(value, now);
        for message in list(&value["messages"]) {
            brought.add(reader.message(message));
        }
        for echo in list(&value["message_echoes"]) {
            brought.add(reader.app_message(echo));
        }
        for status in list(&value["statuses"]) {
            brought.add(reader.delivery(status));
        }
        let errors = list(&value["errors"]).map(error_words);
        brought.errors.extend(errors.take(20));
    }
    Ok(brought)
}

impl Brought {
    fn add(&mut self, event: Option<ChatEvent>) {
        match event {
            Some(event) if self.events.len() < MAX_EVENTS => self.events.push(event),
            _ => self.left_out += 1,
        }
    }
}

/// The items of a list; none if it is no list.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A text of one line; none if it is empty or no text.
fn line(value: &Value, max: usize) -> Option<String> {
    let text = one_line(value.as_str()?, max);
    (!text.is_empty()).then_some(text)
}

/// An id as it came: one that would have to be changed to be kept is none.
fn id(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace();
    (!text.is_empty() && text.len() <= MAX_ID && text.chars().all(is_plain))
        .then(|| text.to_owned())
}

/// What an error of WhatsApp's says, with its number.
fn error_words(error: &Value) -> String {
    let texts = [
        &error["error_data"]["details"],
        &error["message"],
        &error["title"],
    ];
    let words = texts.into_iter().find_map(|text| line(text, 300));
    let words = words.unwrap_or_else(|| "without a reason".to_owned());
    match error["code"].as_i64() {
        Some(code) => format!("{words} (error {code})"),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::contact::ContactPair;
    use crate::event::{Author, ChatMessage, Progress};

    const NUMBER: &str = "106540352242922";

    fn now() -> Timestamp {
        "2026-11-30T12:00:00Z".parse().unwrap()
    }

    fn payload(value: Value) -> Value {
        let mut value = value;
        value["messaging_product"] = json!("whatsapp");
        value["metadata"] =
            json!({"display_phone_number": "15550783881", "phone_number_id": NUMBER});
        json!({"object": "whatsapp_business_account",
            "entry": [{"id": "102290129340398", "changes": [{"value": value, "field": "messages"}]}]})
    }

    fn events(value: Value) -> Vec<ChatEvent> {
        parse(&payload(value), NUMBER, now()).unwrap().events
    }

    fn only_message(value: Value) -> ChatMessage {
        match events(value).pop() {
            Some(ChatEvent::Message(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn text_message_has_its_writer_as_a_pair() {
        let message = only_message(json!({
            "contacts": [{"profile": {"name": "Sheena\u{202e} Nelson"}, "wa_id": "16505551234", "user_id": "US.1"}],
            "messages": [{"from": "16505551234", "id": "wamid.A=", "timestamp": "1764500000", "type": "text",
                "text": {"body": "Does it come\nin blue?"}, "context": {"from": "15550783881", "id": "wamid.B"}}],
        }));
        assert_eq!(
            message,
            ChatMessage {
                id: "wamid.A=".into(),
                contact: ContactPair::new(Some("16505551234"), Some("US.1")),
                group: None,
                name: Some("Sheena Nelson".into()),
                author: Author::Other,
                kind: "text".into(),
                text: "Does it come\nin blue?".into(),
                quoted: Some("wamid.B".into()),
                at: "2025-11-30T10:53:20Z".parse().unwrap(),
            }
        );
        // Who hides the number is known by the id alone.
        let hidden = only_message(json!({
            "contacts": [{"profile": {"username": "sheena"}, "user_id": "US.1"}],
            "messages": [{"from_user_id": "US.1", "id": "wamid.C", "timestamp": "9999999999", "type": "text",
                "text": {"body": "Hi"}}],
        }));
        assert_eq!(hidden.contact, ContactPair::new(None, Some("US.1")));
        assert_eq!((hidden.name.as_deref(), hidden.at), (Some("sheena"), now()));
    }

    #[test]
    fn status_brings_the_reference_back() {
        let found = events(json!({"statuses": [
            {"id": "wamid.A", "status": "delivered", "timestamp": "1764500000", "recipient_id": "16505551234",
                "biz_opaque_callback_data": "draft_1"},
            {"id": "wamid.B", "status": "failed", "timestamp": "1764500000", "recipient_id": "16505551234",
                "errors": [{"code": 131047, "title": "Re-engagement message", "message": "Re-engagement message",
                    "error_data": {"details": "more than 24 hours have passed"}}]},
            {"id": "wamid.C", "status": "warned", "timestamp": "1764500000"},
        ]}));
        let [ChatEvent::Delivery(first), ChatEvent::Delivery(second)] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(
            (first.reference.as_deref(), first.progress),
            (Some("draft_1"), Progress::Delivered)
        );
        assert_eq!(
            (second.code, second.words.as_deref()),
            (
                Some(131_047),
                Some("more than 24 hours have passed (error 131047)")
            )
        );
    }

    #[test]
    fn changed_number_and_id_are_contact_changes() {
        let change = |message: Value| match events(json!({"messages": [message]})).pop() {
            Some(ChatEvent::ContactChange(change)) => change,
            other => panic!("{other:?}"),
        };
        let number = change(
            json!({"from": "16505551234", "id": "wamid.A", "timestamp": "1764500000",
            "type": "system", "system": {"body": "User Sheena changed from 1 to 2", "wa_id": "12195555358",
                "user_id": "US.2", "previous_user_id": "US.1", "type": "user_changed_number"}}),
        );
        assert_eq!(number.before.to_string(), "+16505551234 (US.1)");
        assert_eq!(number.after.to_string(), "+12195555358 (US.2)");
        let id = change(
            json!({"id": "wamid.B", "timestamp": "1764500000", "type": "system",
            "system": {"user_id": "US.3", "previous_user_id": "US.2", "type": "user_changed_user_id"}}),
        );
        assert_eq!(id.after, ContactPair::new(None, Some("US.3")));
    }

    #[test]
    fn echo_is_the_owners_own_message() {
        let own = only_message(
            json!({"message_echoes": [{"from": "15550783881", "to": "16505551234",
            "id": "wamid.E", "timestamp": "1764500000", "type": "text", "text": {"body": "Yes, it does"}}]}),
        );
        assert_eq!(own.author, Author::OwnerInApp);
        assert_eq!(own.contact.title(), "+16505551234");
    }

    #[test]
    fn what_is_not_understood_stops_nothing_beside_it() {
        let sound = json!({"from": "1650", "id": "wamid.A", "timestamp": "1764500000", "type": "text",
            "text": {"body": "Hi"}});
        let brought = parse(
            &payload(json!({"messages": [
                {"from": "1650", "type": "text"},
                {"id": "wamid.B", "type": "text"},
                {"from": "1650", "id": "two words", "type": "text"},
                {"from": "1650", "id": "x".repeat(600), "type": "text"},
                {"from": "1650", "id": "wamid.S", "type": "system", "system": {"type": "weather"}},
                7,
                sound,
            ], "statuses": {"id": 1}, "errors": [{"code": 130429, "title": "Rate limit hit"}]})),
            NUMBER,
            now(),
        )
        .unwrap();
        assert_eq!((brought.events.len(), brought.left_out), (1, 6));
        assert_eq!(brought.errors, ["Rate limit hit (error 130429)"]);
        // Of another number, and none of WhatsApp's at all.
        let other = parse(&payload(json!({"messages": [sound]})), "1", now());
        assert_eq!(other, Ok(Brought::default()));
        for foreign in [json!({}), json!([]), json!({"object": "page"})] {
            assert_eq!(parse(&foreign, NUMBER, now()), Err(ForeignPayload));
        }
    }

    #[test]
    fn flood_in_one_webhook_is_bounded() {
        let one = |n: usize| {
            json!({"from": "1650", "id": format!("wamid.{n}"), "timestamp": "1", "type": "text",
                "text": {"body": "x".repeat(20_000)}})
        };
        let many: Vec<Value> = (0..MAX_EVENTS + 5).map(one).collect();
        let brought = parse(&payload(json!({"messages": many})), NUMBER, now()).unwrap();
        assert_eq!((brought.events.len(), brought.left_out), (MAX_EVENTS, 5));
        let ChatEvent::Message(message) = &brought.events[0] else {
            panic!();
        };
        assert!(message.text.len() < 17_000);
    }
}
