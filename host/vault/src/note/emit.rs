//! Writing frontmatter: our own plain words, everything else in double quotes on one line.
//!
//! Invariant: whatever text goes in, what comes out is exactly the lines of one key, and reads
//! back as the same text.

use std::fmt::{Display, Write as _};

use platinum_core::{Action, Timestamp, format_time, text::is_hidden};
use platinum_protocol::ClaimRecord;
use serde::Serialize;
use serde_norway::{Mapping, Value};

use super::{NoteError, claim, front::MAX_DEPTH};

/// The frontmatter of a new note while it is being written.
pub(super) struct Front(String);

impl Front {
    pub(super) fn new() -> Self {
        Self("---\n".to_owned())
    }

    /// A key with a word of ours: an id, a time, a zone, a kind.
    pub(super) fn word(&mut self, key: &str, word: impl Display) -> &mut Self {
        let start = self.0.len();
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "{key}: {word}");
        debug_assert!(!self.0[start..].trim_end().contains('\n'));
        self
    }

    /// A key with a time.
    pub(super) fn time(&mut self, key: &str, at: Timestamp) -> &mut Self {
        self.word(key, format_time(at))
    }

    /// A key with the name of another note of ours, as a link that an editor follows.
    pub(super) fn link(&mut self, key: &str, name: impl Display) -> &mut Self {
        self.text(key, &format!("[[{name}]]"))
    }

    /// A key with text from anywhere.
    pub(super) fn text(&mut self, key: &str, text: &str) -> &mut Self {
        self.0.push_str(key);
        self.0.push_str(": ");
        quote(&mut self.0, text);
        self.0.push('\n');
        self
    }

    /// A key with a record of ours.
    #[expect(
        clippy::expect_used,
        reason = "our records are text, numbers and lists"
    )]
    pub(super) fn owned(&mut self, key: &str, record: &(impl Serialize + ?Sized)) -> &mut Self {
        let value = serde_norway::to_value(record).expect("a record is YAML");
        self.0
            .push_str(&entry(key, &value, "\n").expect("a record is flat"));
        self
    }

    /// A claim.
    #[expect(clippy::expect_used, reason = "a claim is a flat record")]
    pub(super) fn claim(&mut self, claim: &ClaimRecord) -> &mut Self {
        for (key, value) in claim::entries(claim).expect("a claim is YAML") {
            self.0
                .push_str(&entry(&key, &value, "\n").expect("a claim is flat"));
        }
        self
    }

    /// The kind of an action and its fields.
    #[expect(clippy::expect_used, reason = "an action is a flat record")]
    pub(super) fn fields(&mut self, action: &Action) -> &mut Self {
        self.word("action", action.kind());
        for (key, value) in action.fields() {
            if let Some(key) = key.as_str() {
                self.0
                    .push_str(&entry(key, value, "\n").expect("an action is flat"));
            }
        }
        self
    }

    pub(super) fn finish(&mut self, body: &str) -> String {
        let mut text = std::mem::take(&mut self.0);
        text.push_str("---\n");
        text.push_str(body);
        text
    }
}

/// The lines of one top-level key.
pub(super) fn entry(key: &str, value: &Value, newline: &str) -> Result<String, NoteError> {
    let mut out = String::new();
    write_key(&mut out, key);
    write_value(&mut out, value, 2, 1, newline).map_err(|reason| NoteError::Unwritable {
        key: super::one_line(key, 64),
        reason,
    })?;
    Ok(out)
}

/// What follows a `:` or a `-`, to the end of its last line.
fn write_value(
    out: &mut String,
    value: &Value,
    indent: usize,
    depth: usize,
    newline: &str,
) -> Result<(), &'static str> {
    if depth > MAX_DEPTH {
        return Err("it nests too deep");
    }
    match value {
        Value::Null => out.push_str(" null"),
        Value::Bool(truth) => out.push_str(if *truth { " true" } else { " false" }),
        Value::Number(number) => {
            // Writing to a string does not fail.
            let _ = write!(out, " {number}");
        }
        Value::String(text) => {
            out.push(' ');
            quote(out, text);
        }
        Value::Sequence(items) if items.is_empty() => out.push_str(" []"),
        Value::Mapping(entries) if entries.is_empty() => out.push_str(" {}"),
        Value::Sequence(items) => {
            out.push_str(newline);
            for item in items {
                pad(out, indent);
                out.push('-');
                match item {
                    Value::Mapping(entries) if !entries.is_empty() => {
                        out.push(' ');
                        write_entries(out, entries, (indent + 2, false), depth + 1, newline)?;
                    }
                    other => write_value(out, other, indent + 2, depth + 1, newline)?,
                }
            }
            return Ok(());
        }
        Value::Mapping(entries) => {
            out.push_str(newline);
            return write_entries(out, entries, (indent, true), depth, newline);
        }
        Value::Tagged(_) => return Err("tags are not used in notes"),
    }
    out.push_str(newline);
    Ok(())
}

/// A mapping's lines. `pad_first` is whether its first line has to be indented too.
fn write_entries(
    out: &mut String,
    entries: &Mapping,
    (indent, pad_first): (usize, bool),
    depth: usize,
    newline: &str,
) -> Result<(), &'static str> {
    for (position, (key, value)) in entries.iter().enumerate() {
        let Value::String(key) = key else {
            return Err("a key has to be text");
        };
        if position > 0 || pad_first {
            pad(out, indent);
        }
        write_key(out, key);
        write_value(out, value, indent + 2, depth + 1, newline)?;
    }
    Ok(())
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}

fn write_key(out: &mut String, key: &str) {
    if is_plain_key(key) {
        out.push_str(key);
    } else {
        quote(out, key);
    }
    out.push(':');
}

/// Whether a key needs no quotes, for any reader of YAML.
fn is_plain_key(key: &str) -> bool {
    let word = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    let lower = key.to_ascii_lowercase();
    word && !matches!(
        lower.as_str(),
        "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
    )
}

/// A double-quoted scalar on one line in which nothing is invisible, and nothing a template, which
/// plugins run wherever in a file it is.
fn quote(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '%' if out.ends_with('<') => out.push_str("\\x25"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if !needs_escape(c) => out.push(c),
            c => {
                let code = u32::from(c);
                // Writing to a string does not fail.
                let _ = match code {
                    ..=0xFF => write!(out, "\\x{code:02X}"),
                    0x100..=0xFFFF => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
            }
        }
    }
    out.push('"');
}

/// Characters that do not show, that turn the text around them, that have no glyph of their own, or
/// that YAML does not take.
fn needs_escape(c: char) -> bool {
    let private_use = matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..);
    c.is_control()
        || is_hidden(c)
        || private_use
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FFFC}' | '\u{FFFD}')
}
