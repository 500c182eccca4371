//! Secrets in bytes: by value, by shape, and by the words before them.
//!
//! Lives here: [`Rules`], which looks through a text in each way it can be read. The ways are in
//! `text` (other encodings, invisible characters) and `encoded` (base64, hexadecimal); the shapes in
//! `tokens`, `keys`, `jwt`, `address`, `card` and `iban`; the words in `assigned`.
//! Invariants: one pass over a text finds every place worth a look, and a look reads a bounded
//! number of bytes; what is decoded is looked through as a text of its own, to a fixed depth.

mod address;
mod assigned;
mod card;
mod encoded;
pub(crate) mod iban;
mod jwt;
mod keys;
mod shape;
mod text;
mod tokens;

use aho_corasick::AhoCorasick;

use crate::{Allowances, Finding, Kind, KnownSecrets, Place};

/// How often what was decoded is decoded again.
const MAX_DEPTH: u32 = 3;

/// What is looked at where a word of the rules stands: the text, and where the word starts and ends.
type Look = Box<dyn Fn(&[u8], usize, usize) -> Option<Kind> + Send + Sync>;

/// All rules, ready to look.
pub(crate) struct Rules {
    words: AhoCorasick,
    looks: Vec<Look>,
}

/// What does not change while a file is looked through.
#[derive(Clone, Copy)]
struct Case<'a> {
    known: &'a KnownSecrets,
    allowances: &'a Allowances,
    /// Whether it was decoded and is no text: then words and numbers in it mean nothing.
    noise: bool,
}

impl Case<'_> {
    fn counts(&self, kind: Kind) -> bool {
        let of_text = matches!(
            kind,
            Kind::Password | Kind::Connection | Kind::Card | Kind::Iban
        );
        !(self.allowances.kind(kind) || self.noise && of_text)
    }
}

impl Rules {
    pub(crate) fn new() -> Self {
        let mut words: Vec<&'static str> = Vec::new();
        let mut looks: Vec<Look> = Vec::new();
        let mut add = |word: &'static str, look: Look| {
            words.push(word);
            looks.push(look);
        };
        tokens::rules(&mut add);
        keys::rules(&mut add);
        assigned::rules(&mut add);
        address::rules(&mut add);
        jwt::rules(&mut add);
        #[expect(
            clippy::expect_used,
            reason = "a few hundred words written in this crate"
        )]
        let words = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .build(&words)
            .expect("the words of the rules fit in an automaton");
        Self { words, looks }
    }

    /// The first secret, if there is one.
    pub(crate) fn find(
        &self,
        bytes: &[u8],
        known: &KnownSecrets,
        allowances: &Allowances,
    ) -> Option<Finding> {
        let (kind, line) = self.layer(
            bytes,
            Case {
                known,
                allowances,
                noise: false,
            },
            0,
        )?;
        Some(Finding {
            kind,
            place: Place::Line(line),
        })
    }

    /// Looks through bytes in every way they can be read as text, and through what they encode.
    fn layer(&self, bytes: &[u8], case: Case<'_>, depth: u32) -> Option<(Kind, usize)> {
        let readable = text::readable(bytes);
        if keys::is_key_file(bytes) {
            return Some((Kind::PrivateKey, 1));
        }
        if let Some((kind, at)) = self.reading(&readable, case) {
            return Some((kind, text::line_at(&readable, at)));
        }
        let folded = text::folded(&readable);
        if let Some(folded) = &folded
            && let Some((kind, at)) = self.reading(&folded.bytes, case)
        {
            return Some((kind, folded.line_at(at)));
        }
        if depth >= MAX_DEPTH {
            return None;
        }
        let mut found = None;
        let readings = [
            Some(readable.as_ref()),
            folded.as_ref().map(|f| f.bytes.as_slice()),
        ];
        for (n, reading) in readings.into_iter().flatten().enumerate() {
            encoded::each_run(reading, &mut |start, decoded| {
                let inner = Case {
                    noise: text::is_noise(decoded),
                    ..case
                };
                found = self.layer(decoded, inner, depth + 1).map(|(kind, _)| {
                    let line = match (n, &folded) {
                        (1, Some(folded)) => folded.line_at(start),
                        _ => text::line_at(reading, start),
                    };
                    (kind, line)
                });
                found.is_none()
            });
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// The first secret of one reading, and where it is.
    fn reading(&self, text: &[u8], case: Case<'_>) -> Option<(Kind, usize)> {
        if let Some(at) = case.known.find(text) {
            return Some((Kind::Known, at));
        }
        for word in self.words.find_overlapping_iter(text) {
            let Some(look) = self.looks.get(word.pattern().as_usize()) else {
                continue;
            };
            if let Some(kind) = look(text, word.start(), word.end())
                && case.counts(kind)
            {
                return Some((kind, word.start()));
            }
        }
        number(text, case)
    }
}

/// Cards, accounts, and the tokens that have no word of their own.
fn number(text: &[u8], case: Case<'_>) -> Option<(Kind, usize)> {
    let cards = case.counts(Kind::Card);
    let accounts = case.counts(Kind::Iban);
    let tokens = case.counts(Kind::Token(""));
    let mut before = b' ';
    for (at, byte) in text.iter().copied().enumerate() {
        let starts = !before.is_ascii_alphanumeric();
        before = byte;
        if byte.is_ascii_digit() {
            if starts && cards && card::at(text, at) {
                return Some((Kind::Card, at));
            }
        } else if byte == b'.' {
            if tokens && tokens::discord_around(text, at) {
                return Some((Kind::Token("Discord"), at));
            }
        } else if starts
            && accounts
            && byte.is_ascii_alphabetic()
            && let Some(account) = iban::at(text, at)
            && !case.allowances.account(&account)
        {
            return Some((Kind::Iban, at));
        }
    }
    None
}

#[cfg(test)]
mod tests;
