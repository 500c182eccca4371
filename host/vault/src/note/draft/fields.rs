//! [`action`]: the fields of a draft, which are keys of its note; [`set_action`] puts others in their place.
//!
//! Invariant: a key that looks much like a field and is none is an error and not passed over.

use platinum_core::{Action, ActionKind, ActionSpec};
use serde_norway::{Mapping, Value};

use super::DraftBody;
use crate::note::{Note, NoteError, read::Reader};

/// The action of a draft, by the keys of its note and the text that leaves.
///
/// # Errors
/// If it is none; the key at fault is named as far as that can be told.
pub(super) fn action(note: &Note, read: &Reader<'_>) -> Result<Action, NoteError> {
    let kind: ActionKind = read.word("action")?;
    let spec = ActionSpec::find(kind).map_err(|error| read.invalid("action", error.to_string()))?;
    let (single, lists) = (spec.fields, spec.lists);
    let mut known = Mapping::new();
    for (key, value) in note.front() {
        let Some(key) = key.as_str() else { continue };
        let is_list = lists.contains(&key);
        if !is_list && !single.contains(&key) {
            let meant = key.to_lowercase().replace(['_', ' '], "-");
            if let Some(field) = single.iter().chain(lists).find(|field| **field == meant) {
                return Err(read.invalid(key, format!("the field is written `{field}`")));
            }
            continue;
        }
        match value {
            // A property that was emptied in an editor.
            Value::Null => {}
            // A list of one, as a person writes it.
            Value::String(_) if is_list => {
                known.insert(key.into(), Value::Sequence(vec![value.clone()]));
            }
            _ => {
                known.insert(key.into(), value.clone());
            }
        }
    }
    let odd = known.iter().find_map(|(key, value)| {
        let items = value.as_sequence()?;
        (!items.iter().all(Value::is_string)).then(|| key.as_str().map(str::to_owned))?
    });
    let field_of = |reason: &str| {
        let mut fields = single.iter().chain(lists);
        let named = fields.find(|field| reason.contains(&format!("`{field}`")));
        let named = named.filter(|field| note.front().contains_key(**field));
        odd.or_else(|| named.map(|field| (*field).to_owned()))
    };
    spec.action(known, DraftBody::of(note)?.text.to_owned())
        .map_err(|error| {
            let reason = error.to_string();
            let field = field_of(&reason);
            read.invalid(field.as_deref().unwrap_or("action"), reason)
        })
}

/// Puts another action of its kind in the place of a draft's: its fields, and the text that leaves. All else of the
/// note stays.
///
/// # Errors
/// If it is no draft, or its layout does not let its keys be changed. The note is then as it was.
pub fn set_action(note: &mut Note, action: &Action) -> Result<(), NoteError> {
    let read = Reader::of(note, super::DraftNote::KIND)?;
    let kind: ActionKind = read.word("action")?;
    let spec = ActionSpec::find(kind).map_err(|error| read.invalid("action", error))?;
    if kind != action.kind() {
        return Err(read.invalid("action", format!("it is not {}", action.kind())));
    }
    let mut edited = note.clone();
    for key in spec.fields.iter().chain(spec.lists) {
        match action.fields().get(*key) {
            Some(value) => edited.set(key, value.clone())?,
            None => {
                edited.remove(key)?;
            }
        }
    }
    let text = DraftBody::of(&edited)?.text.len();
    let body = edited.body();
    let above = &body[..body.len() - text];
    let body = format!("{above}{}", action.text());
    edited.set_body(body);
    *note = edited;
    Ok(())
}
