//! What differs between two documents: every field, by its name. Pure.

use serde_json::Value;

use super::Document;

/// What posting changes: of two documents of which one is posted, these do not count.
///
/// `date` is among them since Odoo moves it out of a period that is closed.
const CHANGED_BY_POSTING: [&str; 10] = [
    "state",
    "number",
    "payment_reference",
    "date",
    "residual",
    "payment_state",
    "will_be_sent",
    "is_sent",
    "was_posted",
    "followers",
];

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its name: `lines 2 unit_price`.
    pub field: String,
    /// What it was.
    pub before: String,
    /// What it is.
    pub now: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { field, before, now } = self;
        write!(out, "{field} was {before}, and is {now}")
    }
}

/// What differs.
#[must_use]
pub fn differences(before: &Document, now: &Document) -> Vec<Difference> {
    compare(before, now, &[])
}

/// What differs, but for what posting changes.
#[must_use]
pub fn differences_of_content(before: &Document, now: &Document) -> Vec<Difference> {
    compare(before, now, &CHANGED_BY_POSTING)
}

fn compare(before: &Document, now: &Document, without: &[&str]) -> Vec<Difference> {
    let value = |document: &Document| serde_json::to_value(document).unwrap_or_default();
    let mut found = Vec::new();
    walk("", &value(before), &value(now), without, &mut found);
    // What a person knows of the document first: its items follow from its lines.
    found.sort_by_key(|difference| difference.field.starts_with("items"));
    found
}

fn walk(path: &str, before: &Value, now: &Value, without: &[&str], found: &mut Vec<Difference>) {
    let join = |name: &str| match path.is_empty() {
        true => name.to_owned(),
        false => format!("{path} {name}"),
    };
    match (before, now) {
        (Value::Object(one), Value::Object(other)) => {
            let names: std::collections::BTreeSet<&String> =
                one.keys().chain(other.keys()).collect();
            for name in names
                .into_iter()
                .filter(|name| !without.contains(&name.as_str()))
            {
                let (one, other) = (&before[name.as_str()], &now[name.as_str()]);
                walk(&join(name), one, other, without, found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                walk(&join(&(at + 1).to_string()), one, other, without, found);
            }
        }
        (Value::Array(one), Value::Array(other)) => found.push(Difference {
            field: path.to_owned(),
            before: format!("{} of them", one.len()),
            now: format!("{} of them", other.len()),
        }),
        _ if before == now => {}
        _ => found.push(Difference {
            field: path.to_owned(),
            before: words(before),
            now: words(now),
        }),
    }
}

fn words(value: &Value) -> String {
    let text = match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(fields) if fields.contains_key("name") => {
            format!(
                "{} ({})",
                fields["name"].as_str().unwrap_or_default(),
                fields["id"]
            )
        }
        other => other.to_string(),
    };
    platinum_text::one_line(&text, 80)
}
