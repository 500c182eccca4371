//! What a message says, in words: its text, or what else was sent.
//!
//! A file is named as its sender named it, and nothing more: it is not fetched, and its name is no path.
//! Invariants: pure; never empty; bounded.

use platinum_text::{bounded, one_line};
use serde_json::Value;

use super::{line, list};

/// The longest text, in bytes.
const MAX_TEXT: usize = 16 * 1024;
/// The longest name of a file, a place or a person, in characters.
const MAX_NAME: usize = 120;

/// A message in words.
pub(super) struct MessageText {
    /// What it is, in one word.
    pub(super) kind: String,
    /// What it says.
    pub(super) text: String,
}

/// Reads what a message says.
pub(super) fn read(message: &Value) -> MessageText {
    let kind = line(&message["type"], 40).unwrap_or_else(|| "unknown".to_owned());
    let it = &message[kind.as_str()];
    let text = match kind.as_str() {
        "text" => body(&it["body"]),
        "image" | "video" | "audio" | "document" | "sticker" => file(&kind, it),
        "location" => location(it),
        "contacts" => people(it),
        "button" => body(&it["text"]),
        "interactive" => choice(it),
        "reaction" => reaction(it),
        "order" => order(it),
        "edit" => marked(
            "edited an earlier message",
            &body(&it["message"]["text"]["body"]),
        ),
        "revoke" => "[deleted an earlier message]".to_owned(),
        _ => unknown(&kind, message),
    };
    let text = match text.trim() {
        "" => format!("[a message without text, of the type {kind}]"),
        _ => bounded(&text, MAX_TEXT).to_owned(),
    };
    MessageText { kind, text }
}

/// A text of several lines.
fn body(value: &Value) -> String {
    let text = bounded(value.as_str().unwrap_or_default(), MAX_TEXT);
    text.replace("\r\n", "\n")
}

fn name(value: &Value) -> Option<String> {
    line(value, MAX_NAME)
}

/// `[document “offer.pdf”, application/pdf] what was written to it`.
fn file(kind: &str, it: &Value) -> String {
    let kind = match it["voice"] == true {
        true => "voice message",
        false => kind,
    };
    let named = name(&it["filename"]).map(|name| format!(" “{name}”"));
    let of_type = name(&it["mime_type"]).map(|of| format!(", {of}"));
    let what = format!(
        "{kind}{}{}",
        named.unwrap_or_default(),
        of_type.unwrap_or_default()
    );
    marked(&what, &body(&it["caption"]))
}

/// What is not text, in brackets, and the text that goes with it.
fn marked(what: &str, text: &str) -> String {
    match text.trim() {
        "" => format!("[{what}]"),
        text => format!("[{what}] {text}"),
    }
}

fn location(it: &Value) -> String {
    let words = [name(&it["name"]), name(&it["address"])];
    let words: Vec<String> = words.into_iter().flatten().collect();
    let place = format!(
        "location {}, {}",
        number(&it["latitude"]),
        number(&it["longitude"])
    );
    marked(&place, &words.join(", "))
}

fn number(value: &Value) -> String {
    value
        .as_f64()
        .map_or_else(|| "?".to_owned(), |number| number.to_string())
}

fn people(it: &Value) -> String {
    let shown = list(it).take(10).map(|person| {
        let called = name(&person["name"]["formatted_name"]);
        let phones = list(&person["phones"]).filter_map(|phone| name(&phone["phone"]));
        let parts: Vec<String> = called.into_iter().chain(phones.take(5)).collect();
        format!("[contact: {}]", parts.join(", "))
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// What was chosen of the buttons or the list that a business sent.
fn choice(it: &Value) -> String {
    let reply = match it["type"].as_str().unwrap_or_default() {
        "button_reply" => &it["button_reply"],
        "list_reply" => &it["list_reply"],
        "nfm_reply" => return marked("a filled form", &body(&it["nfm_reply"]["body"])),
        _ => return "[a choice of an unknown form]".to_owned(),
    };
    let about = name(&reply["description"]).map(|about| format!(": {about}"));
    format!(
        "{}{}",
        name(&reply["title"]).unwrap_or_default(),
        about.unwrap_or_default()
    )
}

fn reaction(it: &Value) -> String {
    match line(&it["emoji"], 16) {
        Some(emoji) => format!("[reaction {emoji} to an earlier message]"),
        None => "[took a reaction back]".to_owned(),
    }
}

fn order(it: &Value) -> String {
    let count = list(&it["product_items"]).count();
    marked(&format!("order of {count} products"), &body(&it["text"]))
}

fn unknown(kind: &str, message: &Value) -> String {
    let why = list(&message["errors"]).next();
    let why = why.map(|error| format!(": {}", super::error_words(error)));
    one_line(
        &format!(
            "[a message of the type {kind}, which cannot be shown here{}]",
            why.unwrap_or_default()
        ),
        400,
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_type_of_message_is_words() {
        for (message, words) in [
            (json!({"type": "text", "text": {"body": "a\r\nb"}}), "a\nb"),
            (
                json!({"type": "image", "image": {"id": "1", "mime_type": "image/jpeg", "caption": "My roof"}}),
                "[image, image/jpeg] My roof",
            ),
            (
                json!({"type": "document", "document": {"id": "1", "mime_type": "application/pdf",
                    "filename": "../../etc/passwd\n.pdf"}}),
                "[document “../../etc/passwd .pdf”, application/pdf]",
            ),
            (
                json!({"type": "audio", "audio": {"id": "1", "mime_type": "audio/ogg", "voice": true}}),
                "[voice message, audio/ogg]",
            ),
            (json!({"type": "video", "video": {}}), "[video]"),
            (
                json!({"type": "sticker", "sticker": {"mime_type": "image/webp"}}),
                "[sticker, image/webp]",
            ),
            (
                json!({"type": "location", "location": {"latitude": 52.5, "longitude": 13.25, "name": "Office",
                    "address": "Main St 1"}}),
                "[location 52.5, 13.25] Office, Main St 1",
            ),
            (
                json!({"type": "contacts", "contacts": [{"name": {"formatted_name": "Ann"},
                    "phones": [{"phone": "+1 650"}]}]}),
                "[contact: Ann, +1 650]",
            ),
            (
                json!({"type": "button", "button": {"text": "Yes", "payload": "y"}}),
                "Yes",
            ),
            (
                json!({"type": "interactive", "interactive": {"type": "button_reply",
                    "button_reply": {"id": "1", "title": "Tomorrow"}}}),
                "Tomorrow",
            ),
            (
                json!({"type": "interactive", "interactive": {"type": "list_reply",
                    "list_reply": {"id": "1", "title": "Express", "description": "1 day"}}}),
                "Express: 1 day",
            ),
            (
                json!({"type": "interactive", "interactive": {"type": "nfm_reply",
                    "nfm_reply": {"body": "Sent", "response_json": "{}"}}}),
                "[a filled form] Sent",
            ),
            (
                json!({"type": "reaction", "reaction": {"message_id": "wamid.A", "emoji": "👍"}}),
                "[reaction 👍 to an earlier message]",
            ),
            (
                json!({"type": "reaction", "reaction": {"message_id": "wamid.A"}}),
                "[took a reaction back]",
            ),
            (
                json!({"type": "order", "order": {"text": "Please", "product_items": [{}, {}]}}),
                "[order of 2 products] Please",
            ),
            (
                json!({"type": "unsupported", "errors": [{"code": 131051, "title": "Message type unknown"}]}),
                "[a message of the type unsupported, which cannot be shown here: Message type unknown (error 131051)]",
            ),
            (
                json!({"type": "hologram"}),
                "[a message of the type hologram, which cannot be shown here]",
            ),
            (
                json!({}),
                "[a message of the type unknown, which cannot be shown here]",
            ),
            (
                json!({"type": "text", "text": {"body": " "}}),
                "[a message without text, of the type text]",
            ),
        ] {
            assert_eq!(read(&message).text, words, "{message}");
        }
    }
}
