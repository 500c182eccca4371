//! [`preview`]: whom and what an action reaches, as named fields.
//!
//! Invariants: every field of the action that has a value is there, whatever its kind; what leaves
//! cannot be missing here because this code does not know the kind; a character that is not seen
//! is written out.

use platinum_core::{Action, Money};
use platinum_effects::review::escape_hidden;
use serde::Serialize;
use serde_norway::Value;

use crate::text::plain;

/// Longest value of a field, in characters.
const MAX_VALUE: usize = 1000;

/// A named field of an action, each value on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Field {
    /// Its name, as a person reads it.
    pub name: String,
    /// Its values: one, or one for each recipient or file.
    pub values: Vec<String>,
}

impl Field {
    /// Whether it only places the action in a thread, which every answer does.
    pub fn is_threading(&self) -> bool {
        matches!(self.name.as_str(), "in-reply-to" | "references")
    }
}

/// The fields of an action in the order of its record, without its text.
pub fn preview(action: &Action) -> Vec<Field> {
    let fields = action.fields().iter().map(|(key, value)| Field {
        name: match key.as_str() {
            Some("from-account") => "from".to_owned(),
            Some("attachments") => "attached".to_owned(),
            _ => words(key),
        },
        values: match value {
            Value::Sequence(values) => values.iter().map(words).collect(),
            Value::Null => Vec::new(),
            value => vec![words(value)],
        },
    });
    fields.filter(|field| !field.values.is_empty()).collect()
}

/// A value on one line.
fn words(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => value.to_string(),
        Value::String(value) => value.clone(),
        Value::Sequence(values) => values.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Mapping(fields) => {
            if let Ok(amount) = serde_norway::from_value::<Money>(value.clone()) {
                return amount.to_string();
            }
            let fields = fields
                .iter()
                .map(|(key, value)| format!("{}: {}", words(key), words(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        Value::Tagged(tagged) => words(&tagged.value),
    };
    plain(&escape_hidden(&text), MAX_VALUE)
}

#[cfg(test)]
mod tests {
    use platinum_core::{EmailSend, Media, Payment, SocialPublish};

    use super::*;

    fn lines(action: &Action) -> Vec<String> {
        let line = |field: Field| format!("{}: {}", field.name, field.values.join(" | "));
        preview(action).into_iter().map(line).collect()
    }

    #[test]
    fn preview_shows_every_field_but_the_text() {
        let mail = EmailSend {
            from_account: "owner".to_owned(),
            to: vec![
                "Ada <ada@example.test>".to_owned(),
                "b@example.test".to_owned(),
            ],
            cc: vec![],
            bcc: vec!["c@example.test".to_owned()],
            subject: "Re:\u{202E} Desks\n".to_owned(),
            in_reply_to: Some("1@example.test".to_owned()),
            references: vec![],
            attachments: vec!["Inbox/a.pdf".parse().unwrap()],
            body: "Monday.".to_owned(),
        };
        assert_eq!(
            lines(&Action::new(&mail)),
            [
                "from: owner",
                "to: Ada <ada@example.test> | b@example.test",
                "bcc: c@example.test",
                "subject: Re:\\u{202e} Desks",
                "in-reply-to: 1@example.test",
                "attached: Inbox/a.pdf",
            ]
        );
    }

    #[test]
    fn preview_shows_an_amount_as_money() {
        let payment = Payment {
            payee: "Ada".to_owned(),
            amount: Money {
                minor: 1250,
                currency: "EUR".parse().unwrap(),
            },
            reference: "42".to_owned(),
            due: None,
            method: "giro".to_owned(),
        };
        let lines = lines(&Action::new(&payment));
        assert!(lines.contains(&"amount: EUR 12.50".to_owned()), "{lines:?}");
    }

    /// Each picture with its words, as the note has it.
    #[test]
    fn preview_shows_each_picture_with_its_words() {
        let post = SocialPublish {
            account: "me".to_owned(),
            content_warning: Some("Food\u{202E}".to_owned()),
            text: "Hello".to_owned(),
            media: ["A desk", "A lamp"]
                .map(|alt| Media {
                    path: "Inbox/a.png".parse().unwrap(),
                    alt: alt.to_owned(),
                })
                .into(),
            ..SocialPublish::default()
        };
        assert_eq!(
            lines(&Action::new(&post)),
            [
                "account: me",
                "content-warning: Food\\u{202e}",
                "media: Inbox/a.png | A desk | Inbox/a.png | A lamp",
            ]
        );
    }

    #[test]
    fn words_show_nested_records_on_one_line() {
        let nested = "media:\n- path: Inbox/a.png\n  alt: A desk\n- x\n";
        let value: Value = serde_norway::from_str(nested).unwrap();
        assert_eq!(words(&value), "media: path: Inbox/a.png, alt: A desk, x");
    }
}
