//! [`Concern`], what is the matter with a place of a draft, and [`Place`], where; both in words.
//!
//! Invariant: what is quoted of a draft shows nothing that is hidden.

use std::fmt;

use platinum_core::{
    Timestamp,
    text::{Active, AddressError, one_line},
};

use super::{
    hidden::{escape_hidden, name_of},
    reader::TEXT,
};

/// Longest text that a finding quotes, in characters.
const MAX_QUOTED: usize = 80;

/// Where something is in a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The field, as the note writes it; `text` is its body.
    field: String,
    /// The line in the field, from 1; of the one line of a field none.
    line: Option<usize>,
    /// The character in the line, from 1; none if it is about the whole field.
    column: Option<usize>,
}

impl Place {
    pub(super) fn of(field: &str) -> Self {
        Self {
            field: field.to_owned(),
            line: None,
            column: None,
        }
    }

    /// The place of a byte of a field's text.
    pub(super) fn at(field: &str, text: &str, byte: usize) -> Self {
        #[cfg(test)]
        super::tests::count_place();
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
pub(super) enum Concern {
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
    NoAddress(String, AddressError),
    /// The owner has never written to it, and it was not in the thread.
    NewRecipient(String),
    /// No mail is answered, and nothing went to it from here.
    FirstMail(String),
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
                name_of(*c)
            ),
            Self::Hidden(count, c) => write!(
                f,
                "{count} characters that are not seen, the first U+{:04X} ({})",
                u32::from(*c),
                name_of(*c)
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
            Self::NoAddress(text, why) => write!(f, "`{text}` is no address: {why}"),
            Self::NewRecipient(address) => write!(
                f,
                "{address} did not write the mail that is answered, and you never wrote to it"
            ),
            Self::FirstMail(address) => {
                write!(f, "Platinum has never sent anything to {address}")
            }
            Self::OtherThanSender(sender) => {
                write!(f, "the mail that is answered came from {sender}")
            }
            Self::LongLife(at) => write!(f, "{at:.0} is more than 90 days ahead"),
            Self::More(count) => write!(f, "{count} more places"),
        }
    }
}

/// A text from outside as a finding quotes it.
pub(super) fn quoted(text: &str) -> String {
    one_line(&escape_hidden(text), MAX_QUOTED)
}
