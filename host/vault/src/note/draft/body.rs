//! [`DraftBody`]: what of the body of a draft's note leaves, and what is only shown.

use platinum_core::text::{is_hidden, split_at_boundary};
use serde_norway::Value;

use super::{LEAVES, above};
use crate::note::{Note, NoteError};

/// The body of a draft's note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DraftBody<'a> {
    /// What is only shown; empty if the note has no boundary.
    pub above: &'a str,
    /// What leaves.
    pub text: &'a str,
}

impl<'a> DraftBody<'a> {
    /// The body of a draft's note.
    ///
    /// # Errors
    /// If it does not say for certain where the text begins.
    pub fn of(note: &'a Note) -> Result<Self, NoteError> {
        let split = split_at_boundary(note.body());
        let split = split.map_err(|fault| NoteError::Boundary {
            line: note.body_line() + fault.line() - 1,
            reason: fault.to_string(),
        })?;
        match split {
            Some((above, text)) => Ok(Self { above, text }),
            // One that was emptied as a whole has no text, line or not.
            None if note.get(LEAVES.0).is_none_or(Value::is_null) || is_blank(note.body()) => {
                Ok(Self {
                    above: "",
                    text: note.body(),
                })
            }
            None => Err(NoteError::NoBoundary),
        }
    }

    /// How what leaves will look, as the note shows it right above the boundary: Markdown, without the marks of its
    /// quotation.
    pub fn card(&self) -> Option<String> {
        let last = self.above.trim_end().rsplit("\n\n").next()?;
        let lines = last.strip_prefix(above::CARD)?.lines().skip(1);
        let lines: Vec<&str> = lines
            .map(|line| line.strip_prefix('>').unwrap_or(line))
            .map(|line| line.strip_prefix(' ').unwrap_or(line))
            .collect();
        Some(lines.join("\n"))
    }
}

fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_hidden(c))
}
