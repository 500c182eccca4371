//! [`review`]: what in a draft its owner cannot see, or would not expect, before it may leave by a
//! mere move of its file.
//!
//! Lives here: the one check over every field of an action, whatever its kind; `hidden` knows the
//! characters, `address` the recipients of a mail, `provenance` who they are to the owner.
//! Lives elsewhere: what Markdown runs, fetches or hides is `platinum_core::text`'s; whom something
//! reached before is `journal`'s; that a draft with findings waits until `platinum approve`
//! confirmed it is decided in `approvals`.
//! Invariants: pure; every text of the action is read, also of a kind that this code does not
//! know; a finding names its place, and what it shows has nothing hidden left.

mod address;
mod hidden;
mod provenance;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::SignedDuration;
use platinum_core::{
    Action, ActionKind, EmailSend, Payment, SocialPublish, Timestamp, WhatsappSend,
    text::{Active, find_active, is_hidden, one_line},
};
use platinum_vault::note::DraftNote;
use serde_norway::Value;

pub use hidden::escape_hidden;
pub use provenance::Correspondent;
pub(crate) use provenance::task_of;

use crate::approvals::{CheckContext, Finding, Outgoing};

/// How long an approval may count at most, as a drafting skill may ask for it.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);
/// More blank lines than this hide what is below them.
const MAX_BLANK_LINES: usize = 20;
/// More blanks in a line than this hide what is behind them.
const MAX_BLANKS: usize = 80;
/// More findings than this are counted, and not listed.
const MAX_FINDINGS: usize = 50;
/// Longest text that a finding quotes, in characters.
const MAX_QUOTED: usize = 80;
/// The field of the text that leaves, which the note has as its body.
const TEXT: &str = "text";
/// Fields that name mails by their ids: they are shown to nobody, and an id may have any sign.
const IDS: [&str; 2] = ["in-reply-to", "references"];

/// Where something is in a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// The field, as the note writes it; `text` is its body.
    field: String,
    /// The line in the field, from 1; of the one line of a field none.
    line: Option<usize>,
    /// The character in the line, from 1; none if it is about the whole field.
    column: Option<usize>,
}

impl Place {
    fn of(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            line: None,
            column: None,
        }
    }

    /// The place of a byte of a field's text.
    fn at(field: &str, text: &str, byte: usize) -> Self {
        let before = &text[..byte];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            field: field.to_owned(),
            line: (field == TEXT).then(|| before.matches('\n').count() + 1),
            column: Some(before[line_start..].chars().count() + 1),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.field)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        Ok(())
    }
}

/// What is the matter with a place of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Concern {
    /// Characters that are not shown, side by side: how many, and the first.
    Hidden(usize, char),
    /// Markup that does more than show its words.
    Active(Active),
    /// A field of one line has several.
    SeveralLines,
    /// So many blank lines that what is below is not seen.
    BlankLines(usize),
    /// So many blanks that what is behind them is not seen.
    Blanks(usize),
    /// Nothing is there.
    Empty,
    /// A name with an `@` in it, which looks like the address.
    NameLikeAddress(String),
    /// A domain that is written in several scripts, or in letters that look like others.
    MixedScripts(String),
    /// No address that a mail can go to.
    NoAddress(String),
    /// The owner has never written to it, and it did not write what is answered.
    NewRecipient(String),
    /// The answer goes to another address than the one that wrote.
    OtherThanSender(String),
    /// The approval would count for longer than a skill may ask for.
    LongLife(Timestamp),
    /// So many more findings.
    More(usize),
}

impl fmt::Display for Concern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hidden(1, c) => write!(
                f,
                "a character that is not seen, U+{:04X} ({})",
                u32::from(*c),
                hidden::name_of(*c)
            ),
            Self::Hidden(count, c) => write!(
                f,
                "{count} characters that are not seen, the first U+{:04X} ({})",
                u32::from(*c),
                hidden::name_of(*c)
            ),
            Self::Active(what) => write!(f, "{what}"),
            Self::SeveralLines => f.write_str("more than one line"),
            Self::BlankLines(count) => write!(f, "{count} blank lines, and text below them"),
            Self::Blanks(count) => write!(f, "{count} blanks, and text behind them"),
            Self::Empty => f.write_str("it is empty"),
            Self::NameLikeAddress(name) => {
                write!(f, "the name `{name}` looks like an address, and is none")
            }
            Self::MixedScripts(domain) => write!(
                f,
                "the domain `{domain}` has letters that look like those of another one"
            ),
            Self::NoAddress(text) => write!(f, "`{text}` is no address"),
            Self::NewRecipient(address) => write!(
                f,
                "{address} did not write the mail that is answered, and you never wrote to it"
            ),
            Self::OtherThanSender(sender) => {
                write!(f, "the mail that is answered came from {sender}")
            }
            Self::LongLife(at) => write!(f, "{at:.0} is more than 90 days ahead"),
            Self::More(count) => write!(f, "{count} more places"),
        }
    }
}

/// Reads what would leave as the owner would who sees every character. No finding: what is seen is
/// what leaves, and whom it reaches is no surprise.
pub(crate) fn review(outgoing: &Outgoing, context: &CheckContext) -> Vec<Finding> {
    review_draft(&outgoing.note, context)
}

fn review_draft(draft: &DraftNote, context: &CheckContext) -> Vec<Finding> {
    let mut findings = Findings::default();
    for (key, value) in draft.action.fields() {
        if let Some(field) = key.as_str() {
            findings.read_value(field, value);
        }
    }
    findings.read_text(draft.action.text());
    // The owner decides by these two as well.
    findings.read_line("summary", &draft.summary);
    findings.read_line("reason", &draft.reason);
    if let Ok(mail) = draft.action.read() {
        address::check_mail(&mail, context, &mut findings);
    }
    if draft.expires > context.now + LONGEST_LIFE {
        findings.add(Place::of("expires"), Concern::LongLife(draft.expires));
    }
    findings.into_list()
}

/// Whom an action reaches: addresses without their names, blind copies too; a chat, a payee.
pub fn recipients_of(action: &Action) -> Vec<String> {
    if let Ok(mail) = action.read::<EmailSend>() {
        let all = mail.to.iter().chain(&mail.cc).chain(&mail.bcc);
        let address = |text: &String| match address::Mailbox::parse(text) {
            Some(mailbox) => mailbox.address.to_owned(),
            None => text.clone(),
        };
        return all.map(address).collect();
    }
    if let Ok(message) = action.read::<WhatsappSend>() {
        return vec![message.chat];
    }
    action
        .read::<Payment>()
        .map_or_else(|_| Vec::new(), |payment| vec![payment.payee])
}

/// Whether an action that is a message has nothing to say: its text was emptied.
pub(crate) fn says_nothing(action: &Action) -> bool {
    let is_blank = |text: &str| text.chars().all(|c| c.is_whitespace() || is_hidden(c));
    let has_more = action
        .read::<SocialPublish>()
        .is_ok_and(|post| !post.media.is_empty() || post.thread.iter().any(|text| !is_blank(text)));
    let is_message = [
        ActionKind::EMAIL_SEND,
        ActionKind::WHATSAPP_SEND,
        ActionKind::SOCIAL_PUBLISH,
    ]
    .contains(&action.kind());
    is_message && is_blank(action.text()) && !has_more
}

/// The findings of one draft.
#[derive(Default)]
struct Findings {
    list: Vec<Finding>,
    unlisted: usize,
}

impl Findings {
    fn add(&mut self, place: Place, what: Concern) {
        if self.list.len() < MAX_FINDINGS {
            self.list
                .push(Finding::new(place.to_string(), what.to_string()));
        } else {
            self.unlisted += 1;
        }
    }

    fn into_list(mut self) -> Vec<Finding> {
        if self.unlisted > 0 {
            let more = Concern::More(self.unlisted).to_string();
            self.list.push(Finding::new("draft", more));
        }
        self.list
    }

    /// Every text in a value, whatever it is nested in.
    fn read_value(&mut self, field: &str, value: &Value) {
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
                    let key = key.as_str().unwrap_or("?");
                    self.read_value(&format!("{field} {key}"), value);
                }
            }
            Value::Tagged(tagged) => self.read_value(field, &tagged.value),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn read_line(&mut self, field: &str, text: &str) {
        self.read_characters(field, text);
        if let Some(at) = text.find([
            '\n', '\r', '\u{2028}', '\u{2029}', '\u{85}', '\u{B}', '\u{C}',
        ]) {
            self.add(Place::at(field, text, at), Concern::SeveralLines);
        }
        if !IDS.iter().any(|ids| field.starts_with(ids)) {
            self.read_markup(field, text);
        }
    }

    fn read_text(&mut self, text: &str) {
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
                        let place = Place::at(TEXT, text, blank_from);
                        self.add(place, Concern::BlankLines(blank));
                    }
                    blank = 0;
                }
            }
            at += line.len();
        }
    }

    /// Characters that are not seen, and blanks that hide what is behind them.
    fn read_characters(&mut self, field: &str, text: &str) {
        let mut hidden = hidden::hidden_in(text).into_iter().peekable();
        while let Some((at, first)) = hidden.next() {
            let (mut count, mut end) = (1, at + first.len_utf8());
            while let Some((_, c)) = hidden.next_if(|(at, _)| *at == end) {
                count += 1;
                end += c.len_utf8();
            }
            self.add(Place::at(field, text, at), Concern::Hidden(count, first));
        }
        let is_blank = |c: char| c.is_whitespace() && !matches!(c, '\n' | '\r');
        let mut run = None;
        for (at, c) in text.char_indices() {
            match (is_blank(c), &mut run) {
                (true, None) => run = Some((at, 1)),
                (true, Some((_, count))) => *count += 1,
                (false, Some((from, count))) => {
                    if *count > MAX_BLANKS && c != '\n' {
                        self.add(Place::at(field, text, *from), Concern::Blanks(*count));
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
            self.add(Place::at(field, text, at), Concern::Active(active));
        }
    }
}

/// A text from outside as a finding quotes it.
fn quoted(text: &str) -> String {
    one_line(&escape_hidden(text), MAX_QUOTED)
}
