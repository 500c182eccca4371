//! What the writer of a mail wrote, told apart from what a mail program put below or between it.
//!
//! Lives here: which line of a text is whose. Lives elsewhere: what says so, in [`marks`] and [`words`]; quotes of
//! HTML become lines with `>` where HTML becomes text (`servers/email/mailbox`).
//!
//! The line is the unit: a line is the writer's own unless something says otherwise, so that nothing a person wrote
//! is lost. It is quoted if it begins with `>`, if it introduces such lines (`On … wrote:`), or if it is below a mark
//! after which programs put an older mail unmarked: Outlook's header block, `-----Original Message-----`, a line
//! that introduces a mail.
//!
//! Invariants: nothing fails; every line has exactly one origin, in order; the work is linear in the text, because
//! a mark is looked for in a bounded number of short lines.
//!
//! Libraries that do this (talon, email_reply_parser, quotequail, planer) are for other languages and cut the text
//! at regular expressions; their tables of words are the model of ours.

mod marks;
mod words;

#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;

use marks::{Reach, is_framed, is_marked, mark};

/// Whose words a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The writer's.
    Own,
    /// Below the mark of a signature, `-- `.
    Signature,
    /// An older mail's, or the line that introduces it.
    Quoted,
    /// A mail's that the writer forwards.
    Forwarded,
}

impl Origin {
    /// Whether the writer wrote the line, be it in their signature.
    fn is_own(self) -> bool {
        matches!(self, Self::Own | Self::Signature)
    }
}

/// Every line of the text with its origin, in order.
#[must_use]
pub fn origins(text: &str) -> Vec<(&str, Origin)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut origins = Vec::with_capacity(lines.len());
    // What everything below is.
    let mut below = None;
    let mut in_signature = false;
    // A forwarded mail whose lines are marked.
    let mut forwarded_marks = false;
    while let Some(line) = lines.get(origins.len()) {
        let at = origins.len();
        if let Some(origin) = below {
            origins.push((*line, origin));
        } else if is_framed(line) {
            below = Some(Origin::Quoted);
            origins.push((*line, Origin::Quoted));
        } else if is_marked(line) && !is_escaped(&lines, at) {
            in_signature = false;
            let origin = match forwarded_marks {
                true => Origin::Forwarded,
                false => Origin::Quoted,
            };
            origins.push((*line, origin));
        } else if line.trim().is_empty() {
            let origin = match in_signature {
                true => Origin::Signature,
                false => Origin::Own,
            };
            origins.push((*line, origin));
        } else if let Some(mark) = mark(&lines, at) {
            let marked = &lines[at..at + mark.lines];
            origins.extend(marked.iter().map(|line| (*line, mark.origin)));
            match mark.reach {
                Reach::Below => below = Some(mark.origin),
                Reach::Marked => forwarded_marks = mark.origin == Origin::Forwarded,
            }
        } else {
            forwarded_marks = false;
            in_signature |= line.trim_end() == "--";
            let origin = match in_signature {
                true => Origin::Signature,
                false => Origin::Own,
            };
            origins.push((*line, origin));
        }
    }
    origins
}

/// Whether the line's `>` is an mbox file's, which puts one before every `From `: no line beside it has one.
fn is_escaped(lines: &[&str], at: usize) -> bool {
    let beside = [at.checked_sub(1), at.checked_add(1)];
    let mut beside = beside.into_iter().flatten().filter_map(|at| lines.get(at));
    lines[at].starts_with(">From ") && !beside.any(|line| is_marked(line))
}

/// The lines that the writer wrote, their signature with them.
pub fn own_lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = origins(text).into_iter();
    lines.filter_map(|(line, origin)| origin.is_own().then_some(line))
}

/// The writer's own words: what is quoted, forwarded or a signature is one empty line.
#[must_use]
pub fn own_text(text: &str) -> String {
    let mut own = String::new();
    for (line, origin) in origins(text) {
        let line = match origin {
            Origin::Own => line.trim_end(),
            _ => "",
        };
        if line.is_empty() && (own.is_empty() || own.ends_with("\n\n")) {
            continue;
        }
        own.push_str(line);
        own.push('\n');
    }
    own.truncate(own.trim_end().len());
    own
}

/// A mail's text in two: what its writer says, and what stands below.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// From the first line to the last that is the writer's. Lines of others between them begin with `>`.
    pub said: String,
    /// The older mail below.
    pub quoted: String,
    /// The forwarded mail below.
    pub forwarded: String,
}

/// Splits a mail's text for a reader who has to answer it.
#[must_use]
pub fn split(text: &str) -> Split {
    let lines = origins(text);
    let last = lines
        .iter()
        .rposition(|(line, origin)| origin.is_own() && !line.trim().is_empty());
    let said = last.map_or(0, |last| last + 1);
    let mut split = Split::default();
    for (at, (line, origin)) in lines.into_iter().enumerate() {
        let part = match origin {
            _ if at < said => &mut split.said,
            Origin::Forwarded => &mut split.forwarded,
            _ => &mut split.quoted,
        };
        if part.is_empty() && line.trim().is_empty() {
            continue;
        }
        if at < said && !origin.is_own() && !is_marked(line) {
            part.push_str("> ");
        }
        part.push_str(line);
        part.push('\n');
    }
    for part in [&mut split.said, &mut split.quoted, &mut split.forwarded] {
        part.truncate(part.trim_end().len());
    }
    split
}

/// Whether a subject says that the mail was forwarded: `Fwd: …`, `WG: …`.
#[must_use]
pub fn is_forwarded_subject(subject: &str) -> bool {
    let prefix = subject.trim_start().split([':', '：']).next();
    let prefix = prefix.unwrap_or_default().trim();
    prefix.len() < subject.trim().len()
        && words::FORWARDED_SUBJECTS
            .iter()
            .any(|known| prefix.eq_ignore_ascii_case(known))
}
