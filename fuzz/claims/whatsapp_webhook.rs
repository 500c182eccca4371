//! Any JSON as the body of a webhook of WhatsApp's: it is judged without a panic, and what it brings is bounded, has no
//! control character where a name or an id stands, and is of this number alone.
//!
//! The input is tried as a whole webhook and as what stands in a good one, so that the fuzzer need not find out first
//! what one looks like.

use platinum_core::Timestamp;
use platinum_whatsapp_store::event::ChatEvent;
use platinum_whatsapp_store::payload::parse;
use serde_json::{Value, json};

const NUMBER: &str = "106540352242922";
/// More events than this are of no webhook.
const MAX_EVENTS: usize = 2_000;
/// The most bytes of what a message says.
const MAX_TEXT: usize = 64 * 1024;

/// The claim, of these bytes.
pub(super) fn check(input: &[u8]) {
    let Ok(mut value) = serde_json::from_slice::<Value>(input) else {
        return;
    };
    check_webhook(&value);
    if value.is_object() {
        value["metadata"] = json!({"phone_number_id": NUMBER});
        let change = json!({"value": value, "field": "messages"});
        let entry = json!([{"id": "1", "changes": [change]}]);
        check_webhook(&json!({"object": "whatsapp_business_account", "entry": entry}));
    }
}

fn check_webhook(payload: &Value) {
    let now = Timestamp::UNIX_EPOCH;
    let Ok(brought) = parse(payload, NUMBER, now) else {
        return;
    };
    assert!(brought.events.len() <= MAX_EVENTS);
    for event in &brought.events {
        match event {
            ChatEvent::Message(message) => {
                assert!(message.text.len() <= MAX_TEXT, "{}", message.text.len());
                assert!(message.at <= now, "{}", message.at);
                let lines = [&message.id, &message.kind].into_iter();
                let optional = [&message.name, &message.group, &message.quoted];
                check_lines(lines.chain(optional.into_iter().flatten()));
            }
            ChatEvent::Delivery(delivery) => {
                let optional = [&delivery.reference, &delivery.words];
                check_lines(
                    std::iter::once(&delivery.message).chain(optional.into_iter().flatten()),
                );
            }
            ChatEvent::ContactChange(change) => check_lines(std::iter::once(&change.id)),
        }
    }
    check_lines(brought.errors.iter());
    let foreign = parse(payload, "another number", now);
    let names_other = payload.to_string().contains("another number");
    assert!(names_other || foreign.is_ok_and(|brought| brought.events.is_empty()));
}

fn check_lines<'a>(lines: impl Iterator<Item = &'a String>) {
    for line in lines {
        assert!(line.len() <= 4_096, "{} bytes", line.len());
        assert!(!line.contains(char::is_control), "{line:?}");
    }
}
