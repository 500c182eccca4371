//! Reading typed values out of a note's frontmatter, with errors that name key and line.

use std::{fmt::Display, str::FromStr};

use platinum_core::{DayPart, Timestamp, parse_time};
use serde::de::DeserializeOwned;
use serde_norway::Value;

use super::{Note, NoteError, one_line};

/// A note whose kind was checked.
pub(super) struct Reader<'a>(&'a Note);

impl<'a> Reader<'a> {
    pub(super) fn of(note: &'a Note, kind: &'static str) -> Result<Self, NoteError> {
        if !note.has_front() {
            return Err(NoteError::NoFront);
        }
        let reader = Self(note);
        let found = reader.text_of("kind")?;
        if found == kind {
            Ok(reader)
        } else {
            Err(NoteError::Kind {
                expected: kind,
                found: one_line(found, 64),
            })
        }
    }

    pub(super) fn invalid(&self, key: &str, reason: impl Display) -> NoteError {
        let reason = one_line(&reason.to_string(), 300);
        NoteError::Invalid {
            key: one_line(key, 64),
            line: self.0.line_of(key),
            reason,
        }
    }

    /// The value of a key that is there and not empty.
    pub(super) fn value(&self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    fn text_of(&self, key: &'static str) -> Result<&'a str, NoteError> {
        self.value(key)
            .ok_or(NoteError::Missing(key))?
            .as_str()
            .ok_or_else(|| self.invalid(key, "it has to be text; put it in quotes"))
    }

    pub(super) fn text(&self, key: &'static str) -> Result<String, NoteError> {
        self.text_of(key).map(str::to_owned)
    }

    /// A word with a form of its own: an id, a zone.
    pub(super) fn word<T: FromStr<Err: Display>>(&self, key: &'static str) -> Result<T, NoteError> {
        self.text_of(key)?
            .parse()
            .map_err(|error| self.invalid(key, error))
    }

    /// A time; a day without one is all of that day.
    pub(super) fn time(&self, key: &'static str) -> Result<Timestamp, NoteError> {
        let read = parse_time(self.text_of(key)?, DayPart::End);
        read.map_err(|error| self.invalid(key, error))
    }

    pub(super) fn optional_time(&self, key: &'static str) -> Result<Option<Timestamp>, NoteError> {
        self.value(key).map(|_| self.time(key)).transpose()
    }

    /// The name of another note, as a link or as a word.
    pub(super) fn link<T: FromStr<Err: Display>>(&self, key: &'static str) -> Result<T, NoteError> {
        linked_name(self.text_of(key)?)
            .parse()
            .map_err(|error| self.invalid(key, error))
    }

    pub(super) fn optional_link<T: FromStr<Err: Display>>(
        &self,
        key: &'static str,
    ) -> Result<Option<T>, NoteError> {
        self.value(key).map(|_| self.link(key)).transpose()
    }

    /// A list of texts; one text is a list of one, and nothing an empty one.
    pub(super) fn list(&self, key: &str) -> Result<Vec<String>, NoteError> {
        let items = match self.value(key) {
            None => return Ok(Vec::new()),
            Some(Value::Sequence(items)) => items.iter().collect(),
            Some(value) => vec![value],
        };
        let texts = items.into_iter().map(|item| match item {
            Value::String(text) => Ok(text.clone()),
            _ => Err(self.invalid(key, "it has to be a list of texts; put each in quotes")),
        });
        texts.collect()
    }

    /// A record.
    pub(super) fn optional<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, NoteError> {
        self.value(key)
            .map(|value| serde_norway::from_value(value.clone()))
            .transpose()
            .map_err(|error| self.invalid(key, error))
    }
}

/// The name of the note that `[[…]]` links to, wherever it is and whatever words are shown for it; a
/// text that is no link is a name.
pub fn linked_name(text: &str) -> &str {
    let text = text.trim();
    let link = text
        .strip_prefix("[[")
        .and_then(|text| text.strip_suffix("]]"));
    let Some(link) = link else { return text };
    let target = link.split(['|', '#']).next().unwrap_or(link).trim();
    let name = target.rsplit('/').next().unwrap_or(target);
    name.strip_suffix(".md").unwrap_or(name)
}
