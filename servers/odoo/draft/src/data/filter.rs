//! [`Filter`]: one condition on a field, and the term of Odoo's domain for it. Pure.

use platinum_odoo_client::Amount;
use platinum_odoo_client::connection::Fields;
use platinum_odoo_client::value::FieldType;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::allowed::Table;
use crate::service::ServiceError;

/// The longest text to compare with, in characters.
const MAX_TEXT: usize = 200;
/// The most values of `any_of`.
const MAX_VALUES: usize = 100;

/// One condition.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// The field.
    pub field: String,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what: text, also for days (`YYYY-MM-DD`) and decimal numbers; a whole number, also for another record's
    /// id; yes or no; a list for `any_of`; nothing for `is_empty` and `is_set`.
    #[serde(default)]
    pub value: Option<FilterValue>,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// Is this value.
    Equals,
    /// Is another value.
    Differs,
    /// Is one of these.
    AnyOf,
    /// Holds this text, in upper or lower case.
    Contains,
    /// Is this or more.
    AtLeast,
    /// Is this or less.
    AtMost,
    /// Has no value.
    IsEmpty,
    /// Has a value.
    IsSet,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FilterValue {
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A text.
    Text(String),
    /// Several whole numbers.
    Wholes(Vec<i64>),
    /// Several texts.
    Texts(Vec<String>),
}

impl Filter {
    /// The term of Odoo's domain.
    pub(super) fn domain(&self, table: Table, types: &Fields) -> Result<Value, ServiceError> {
        let field = table.field("filters", &self.field)?;
        let kind = match field {
            "id" => FieldType::Integer,
            field => *types.get(field).ok_or_else(|| {
                refused(field, "is not a field that this Odoo shows to this user")
            })?,
        };
        let value = || {
            let value = self.value.as_ref();
            value.ok_or_else(|| refused(field, "needs a `value`"))
        };
        let term = |operator: &str, value: Value| json!([field, operator, value]);
        Ok(match self.comparison {
            Comparison::IsEmpty => term("=", json!(false)),
            Comparison::IsSet => term("!=", json!(false)),
            Comparison::Equals => term("=", single(field, kind, value()?)?),
            Comparison::Differs => term("!=", single(field, kind, value()?)?),
            Comparison::AtLeast => term(">=", single(field, kind, value()?)?),
            Comparison::AtMost => term("<=", single(field, kind, value()?)?),
            Comparison::AnyOf => term("in", several(field, kind, value()?)?),
            Comparison::Contains => match (kind, value()?) {
                (FieldType::Text | FieldType::Record, FilterValue::Text(text)) => {
                    term("ilike", json!(escape(checked(field, text)?)))
                }
                _ => {
                    return Err(refused(
                        field,
                        "holds text only if it is a text or a record",
                    ));
                }
            },
        })
    }
}

fn refused(field: &str, problem: &str) -> ServiceError {
    ServiceError::argument(format!("filters: {field}"), problem)
}

fn single(field: &str, kind: FieldType, value: &FilterValue) -> Result<Value, ServiceError> {
    match (kind, value) {
        (FieldType::Boolean, FilterValue::Flag(flag)) => Ok(json!(flag)),
        (
            FieldType::Integer | FieldType::Record | FieldType::Records | FieldType::Number,
            FilterValue::Whole(number),
        ) => Ok(json!(number)),
        (FieldType::Number, FilterValue::Text(text)) => text
            .parse::<Amount>()
            .map(Amount::to_json)
            .map_err(|error| refused(field, &format!("is {error}"))),
        (FieldType::Text | FieldType::Time, FilterValue::Text(text)) => {
            Ok(json!(checked(field, text)?))
        }
        _ => Err(refused(field, expectation(kind))),
    }
}

fn several(field: &str, kind: FieldType, value: &FilterValue) -> Result<Value, ServiceError> {
    let (count, values) = match (kind, value) {
        (
            FieldType::Integer | FieldType::Record | FieldType::Records,
            FilterValue::Wholes(numbers),
        ) => (numbers.len(), json!(numbers)),
        (FieldType::Text, FilterValue::Texts(texts)) => {
            let texts = texts.iter().map(|text| checked(field, text));
            let texts = texts.collect::<Result<Vec<_>, _>>()?;
            (texts.len(), json!(texts))
        }
        _ => {
            return Err(refused(
                field,
                "needs a list of texts, or of ids for records",
            ));
        }
    };
    match count {
        1..=MAX_VALUES => Ok(values),
        _ => Err(refused(
            field,
            &format!("needs from 1 to {MAX_VALUES} values"),
        )),
    }
}

fn expectation(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Boolean => "is compared with true or false",
        FieldType::Number => "is compared with a number, as a text such as \"12.50\"",
        FieldType::Integer => "is compared with a whole number",
        FieldType::Record | FieldType::Records => "is compared with the id of a record",
        FieldType::Time => "is compared with a time, as a text such as \"2026-11-20 10:00:00\"",
        FieldType::Text => "is compared with a text",
        FieldType::Opaque => "cannot be compared",
    }
}

fn checked<'a>(field: &str, text: &'a str) -> Result<&'a str, ServiceError> {
    match text.chars().nth(MAX_TEXT) {
        None if !text.is_empty() => Ok(text),
        None => Err(refused(
            field,
            "is compared with an empty text; say `is_empty`",
        )),
        Some(_) => Err(refused(
            field,
            &format!("is compared with a text of more than {MAX_TEXT} characters"),
        )),
    }
}

/// The text itself: in Odoo's `ilike`, `%` and `_` stand for others.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::allowed::Model;

    fn types() -> Fields {
        let kinds = [
            ("name", FieldType::Text),
            ("vat", FieldType::Text),
            ("is_company", FieldType::Boolean),
            ("parent_id", FieldType::Record),
        ];
        kinds
            .into_iter()
            .map(|(name, kind)| (name.to_owned(), kind))
            .collect()
    }

    fn domain(filter: Value) -> Result<Value, String> {
        let filter: Filter = serde_json::from_value(filter).map_err(|error| error.to_string())?;
        let domain = filter.domain(Model::Partner.table(), &types());
        domain.map_err(|error| error.to_string())
    }

    #[test]
    fn filter_becomes_one_term_of_a_domain() {
        for (filter, term) in [
            (
                json!({"field": "vat", "comparison": "equals", "value": "DE1"}),
                json!(["vat", "=", "DE1"]),
            ),
            (
                json!({"field": "name", "comparison": "contains", "value": "50%_\\"}),
                json!(["name", "ilike", "50\\%\\_\\\\"]),
            ),
            (
                json!({"field": "is_company", "comparison": "differs", "value": true}),
                json!(["is_company", "!=", true]),
            ),
            (
                json!({"field": "parent_id", "comparison": "equals", "value": 7}),
                json!(["parent_id", "=", 7]),
            ),
            (
                json!({"field": "id", "comparison": "any_of", "value": [1, 2]}),
                json!(["id", "in", [1, 2]]),
            ),
            (
                json!({"field": "vat", "comparison": "is_empty"}),
                json!(["vat", "=", false]),
            ),
            (
                json!({"field": "id", "comparison": "at_least", "value": 3}),
                json!(["id", ">=", 3]),
            ),
        ] {
            assert_eq!(domain(filter.clone()), Ok(term), "{filter}");
        }
    }

    #[test]
    fn filter_takes_no_field_path_or_domain() {
        for (filter, refusal) in [
            (
                json!({"field": "parent_id.name", "comparison": "equals", "value": "x"}),
                "cannot be parent_id.name; fields of res.partner: id, name",
            ),
            (
                json!({"field": "signup_token", "comparison": "equals", "value": "x"}),
                "cannot be signup_token",
            ),
            (
                json!({"field": "vat", "comparison": "equals"}),
                "`filters: vat` needs a `value`",
            ),
            (
                json!({"field": "vat", "comparison": "equals", "value": ""}),
                "say `is_empty`",
            ),
            (
                json!({"field": "vat", "comparison": "equals", "value": 3}),
                "is compared with a text",
            ),
            (
                json!({"field": "id", "comparison": "any_of", "value": []}),
                "from 1 to 100 values",
            ),
            (
                json!({"field": "email", "comparison": "equals", "value": "x"}),
                "is not a field that this Odoo shows",
            ),
            (
                json!({"field": "vat", "comparison": "=ilike", "value": "x"}),
                "unknown variant",
            ),
            (
                json!({"field": "vat", "comparison": "equals", "value": {"a": 1}}),
                "did not match any variant",
            ),
            (
                json!({"field": "vat", "comparison": "equals", "value": "x", "or": 1}),
                "unknown field",
            ),
        ] {
            let refused = domain(filter.clone()).unwrap_err();
            assert!(refused.contains(refusal), "{filter}: {refused}");
        }
    }
}
