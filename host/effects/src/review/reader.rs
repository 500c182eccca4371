//! [`Findings`]: reads texts for what is not seen in them.
//!
//! Lives elsewhere: which characters are hidden is in `hidden`, which markup is active in
//! `platinum_core::text`.

use platinum_core::text::{Active, find_active};
use serde_norway::Value;

use super::{
    concern::{Concern, Place, quoted},
    hidden::hidden_in,
};
use crate::approvals::Finding;

/// More blank lines than this hide what is below them.
const MAX_BLANK_LINES: usize = 20;
/// More blanks in a line than this hide what is behind them.
const MAX_BLANKS: usize = 80;
/// More findings than this are counted, and not listed.
pub(super) const MAX_FINDINGS: usize = 50;
/// The field of the text that leaves, which the note has as its body.
pub(super) const TEXT: &str = "text";
/// Fields that name mails by their ids: they are shown to nobody, and an id may have any sign.
const IDS: [&str; 2] = ["in-reply-to", "references"];

/// The findings of one draft.
#[derive(Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    unlisted: usize,
}

impl Findings {
    pub(super) fn add(&mut self, place: &Place, what: &Concern) {
        if self.list.len() < MAX_FINDINGS {
            self.list
                .push(Finding::new(place.to_string(), what.to_string()));
        } else {
            self.unlisted += 1;
        }
    }

    /// Adds what is at a byte of a field's text. The place of what is only counted is not looked
    /// for: each is a walk through the text.
    pub(super) fn add_at(&mut self, field: &str, text: &str, byte: usize, what: &Concern) {
        if self.list.len() < MAX_FINDINGS {
            self.add(&Place::at(field, text, byte), what);
        } else {
            self.unlisted += 1;
        }
    }

    pub(super) fn into_list(mut self) -> Vec<Finding> {
        if self.unlisted > 0 {
            let more = Concern::More(self.unlisted).to_string();
            self.list.push(Finding::new("draft", more));
        }
        self.list
    }

    /// Every text in a value, whatever it is nested in.
    pub(super) fn read_value(&mut self, field: &str, value: &Value) {
        match value {
            Value::String(text) => self.read_line(field, text),
            Value::Sequence(values) => {
                for (number, value) in values.iter().enumerate() {
                    let field = match values.len() {
                        1 => field.to_owned(),
                        _ => format!("{field} {}", number + 1),
                    };
                    self.read_value(&field, value);
                }
            }
            Value::Mapping(fields) => {
                for (key, value) in fields {
                    let key = quoted(key.as_str().unwrap_or("?"));
                    self.read_value(&format!("{field} {key}"), value);
                }
            }
            Value::Tagged(tagged) => self.read_value(field, &tagged.value),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    pub(super) fn read_line(&mut self, field: &str, text: &str) {
        self.read_characters(field, text);
        if let Some(at) = text.find([
            '\n', '\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{B}', '\u{C}',
        ]) {
            self.add_at(field, text, at, &Concern::SeveralLines);
        }
        if !IDS.iter().any(|ids| field.starts_with(ids)) {
            self.read_markup(field, text);
        }
    }

    pub(super) fn read_text(&mut self, text: &str) {
        self.read_characters(TEXT, text);
        self.read_markup(TEXT, text);
        let mut blank = 0;
        let mut blank_from = 0;
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            match line.trim().is_empty() {
                true if blank == 0 => (blank, blank_from) = (1, at),
                true => blank += 1,
                false => {
                    if blank > MAX_BLANK_LINES {
                        self.add_at(TEXT, text, blank_from, &Concern::BlankLines(blank));
                    }
                    blank = 0;
                }
            }
            at += line.len();
        }
    }

    /// Characters that are not seen, and blanks that hide what is behind them.
    fn read_characters(&mut self, field: &str, text: &str) {
        let mut hidden = hidden_in(text).into_iter().peekable();
        while let Some((at, first)) = hidden.next() {
            let (mut count, mut end) = (1, at + first.len_utf8());
            while let Some((_, c)) = hidden.next_if(|(at, _)| *at == end) {
                count += 1;
                end += c.len_utf8();
            }
            self.add_at(field, text, at, &Concern::Hidden(count, first));
        }
        let is_blank = |c: char| c.is_whitespace() && !matches!(c, '\n' | '\r');
        let mut run = None;
        for (at, c) in text.char_indices() {
            match (is_blank(c), &mut run) {
                (true, None) => run = Some((at, 1)),
                (true, Some((_, count))) => *count += 1,
                (false, Some((from, count))) => {
                    if *count > MAX_BLANKS && c != '\n' {
                        self.add_at(field, text, *from, &Concern::Blanks(*count));
                    }
                    run = None;
                }
                (false, None) => {}
            }
        }
    }

    fn read_markup(&mut self, field: &str, text: &str) {
        // A header is not shown as Markdown, and has brackets often.
        let is_shown = |active: &Active| field != TEXT && *active == Active::Link;
        for (at, active) in find_active(text).filter(|(_, active)| !is_shown(active)) {
            self.add_at(field, text, at, &Concern::Active(active));
        }
    }
}
