//! JSON schemas as all clients read them: some map a schema onto a dialect in which a field has one type.
//!
//! Invariant: a schema means the same before and after.

use std::sync::Arc;

use rmcp::model::JsonObject;
use serde_json::{Value, json};

/// What is said of a field beside what it may hold.
const ABOUT: [&str; 4] = ["description", "title", "default", "deprecated"];

/// The schema without lists of types: `["string", "null"]` becomes a choice of two.
#[must_use]
pub fn portable(schema: &JsonObject) -> Arc<JsonObject> {
    let mut schema = schema.clone();
    split(&mut schema);
    Arc::new(schema)
}

fn split(schema: &mut JsonObject) {
    schema.values_mut().for_each(split_in);
    let types = match schema.get("type") {
        Some(Value::Array(types)) if !schema.contains_key("anyOf") => types.clone(),
        _ => return,
    };
    schema.remove("type");
    let is_about = |key: &String| ABOUT.contains(&key.as_str());
    let (about, bounds): (JsonObject, JsonObject) = core::mem::take(schema)
        .into_iter()
        .partition(|(key, _)| is_about(key));
    let choices = types.into_iter().map(|one| {
        // Bounds are for values of other types than null.
        let mut choice = match one == json!("null") {
            true => JsonObject::new(),
            false => bounds.clone(),
        };
        choice.insert("type".to_owned(), one);
        Value::Object(choice)
    });
    let choices = choices.collect();
    *schema = about;
    schema.insert("anyOf".to_owned(), Value::Array(choices));
}

fn split_in(value: &mut Value) {
    match value {
        Value::Object(schema) => split(schema),
        Value::Array(list) => list.iter_mut().for_each(split_in),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn portable_splits_lists_of_types() {
        let schema = json!({
            "type": "object",
            "properties": {
                "limit": { "type": ["integer", "null"], "minimum": 0, "description": "How many." },
                "name": { "type": "string" },
                "of": { "type": "array", "items": { "type": ["string", "null"] } },
            },
        });
        let expected = json!({
            "type": "object",
            "properties": {
                "limit": {
                    "description": "How many.",
                    "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "null" }],
                },
                "name": { "type": "string" },
                "of": {
                    "type": "array",
                    "items": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
                },
            },
        });
        let changed = portable(schema.as_object().unwrap());
        assert_eq!(Value::Object((*changed).clone()), expected);
    }
}
