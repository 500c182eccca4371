//! What Odoo writes, as data: `false` for nothing, `[7, "Name"]` for a record, `2026-11-20 10:00:00` for a time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::amount::Amount;

/// The longest text of a field, in characters.
const MAX_TEXT: usize = 2000;
/// The most numbers of a list of records.
const MAX_RECORDS: usize = 200;

/// A record and the name that Odoo shows for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Named {
    /// Its number.
    pub id: i64,
    /// Its name. Text that others may have written.
    pub name: String,
}

impl std::fmt::Display for Named {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} ({})", self.name, self.id)
    }
}

impl Named {
    /// Reads `[7, "Name"]`; none of `false`.
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let id = value.get(0)?.as_i64()?;
        let name = value.get(1).and_then(Value::as_str).unwrap_or_default();
        Some(Self {
            id,
            name: cut(name),
        })
    }
}

/// The type of a field, as far as its values read differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// `false` means no.
    Boolean,
    /// A decimal number.
    Number,
    /// A whole number.
    Integer,
    /// A time in UTC.
    Time,
    /// One record.
    Record,
    /// Any number of records.
    Records,
    /// Text, a day, one of a list of words, or what else there is.
    Text,
    /// Bytes, or data of a form of its own: not passed on.
    Opaque,
}

impl FieldType {
    /// Reads what `fields_get` says.
    #[must_use]
    pub fn parse(name: Option<&str>) -> Self {
        match name.unwrap_or_default() {
            "boolean" => Self::Boolean,
            "float" | "monetary" => Self::Number,
            "integer" => Self::Integer,
            "datetime" => Self::Time,
            "many2one" => Self::Record,
            "one2many" | "many2many" => Self::Records,
            "binary" | "json" | "properties" | "properties_definition" | "reference" => {
                Self::Opaque
            }
            _ => Self::Text,
        }
    }

    /// A value of this type as data: null for nothing, text for a decimal number, `{"id", "name"}` for a record.
    #[must_use]
    pub fn read(self, value: &Value) -> Value {
        match self {
            Self::Boolean => json!(value.as_bool().unwrap_or_default()),
            Self::Number => Amount::from_json(value).map_or(Value::Null, |number| json!(number)),
            Self::Integer => json!(value.as_i64()),
            Self::Time => json!(text(value).map(|text| time(&text))),
            Self::Record => Named::from_json(value).map_or(Value::Null, |named| json!(named)),
            Self::Records => json!(ids(value)),
            Self::Text => json!(text(value)),
            Self::Opaque => Value::Null,
        }
    }
}

/// A text; none of `false` or an empty one.
#[must_use]
pub fn text(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    (!text.is_empty()).then(|| cut(text))
}

/// The numbers of a list of records.
#[must_use]
pub fn ids(value: &Value) -> Vec<i64> {
    let all = value.as_array().into_iter().flatten();
    all.filter_map(Value::as_i64).take(MAX_RECORDS).collect()
}

/// The number of the record that was created, which is answered alone or in a list.
#[must_use]
pub fn created_id(answer: &Value) -> Option<i64> {
    answer.get(0).unwrap_or(answer).as_i64()
}

/// An amount; nothing of `false`.
#[must_use]
pub fn amount(value: &Value) -> Amount {
    Amount::from_json(value).unwrap_or_default()
}

/// `2026-11-20 10:00:00` as RFC 3339.
fn time(text: &str) -> String {
    match text.split_once(' ') {
        Some((day, time)) => format!("{day}T{time}Z"),
        None => text.to_owned(),
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_read_by_the_type_of_their_field() {
        for (kind, odoo, data) in [
            (
                "many2one",
                json!([7, "Ann"]),
                json!({"id": 7, "name": "Ann"}),
            ),
            ("many2one", json!(false), json!(null)),
            ("char", json!(false), json!(null)),
            ("boolean", json!(false), json!(false)),
            ("monetary", json!(12.5), json!("12.5")),
            ("monetary", json!(0.0), json!("0")),
            ("float", json!(false), json!(null)),
            ("integer", json!(3), json!(3)),
            (
                "datetime",
                json!("2026-11-20 10:00:00"),
                json!("2026-11-20T10:00:00Z"),
            ),
            ("date", json!("2026-11-20"), json!("2026-11-20")),
            ("many2many", json!([1, 2]), json!([1, 2])),
            ("json", json!({"a": 1}), json!(null)),
            ("binary", json!("AAAA"), json!(null)),
        ] {
            assert_eq!(
                FieldType::parse(Some(kind)).read(&odoo),
                data,
                "{kind} {odoo}"
            );
        }
        let long = FieldType::Text.read(&json!("ä".repeat(3000)));
        assert_eq!(long.as_str().unwrap().chars().count(), MAX_TEXT + 1);
    }
}
