//! Secrets in bytes: by value, by form, and by the words before them.
//!
//! Lives here: [`Rules`]. `layer` scans a text in each way it can be read. The ways are in
//! `text` (other encodings, invisible characters), `encoded` (base64, hexadecimal) and `archive`
//! (zip, gzip, PDF); the forms in `tokens`, `keys`, `jwt`, `address`, `seed_phrase`, `recovery_codes` and
//! `account_numbers`; the words in `key_value`; what is ordinary in a link is in `link`.
//! Invariants: one pass over a text finds every word of the rules, and the check of a word reads a bounded
//! number of bytes; what is decoded is scanned as a text of its own, to a fixed depth.

mod account_numbers;
mod address;
mod archive;
mod char_class;
mod encoded;
mod jwt;
mod key_value;
mod keys;
mod layer;
mod link;
mod recovery_codes;
mod seed_phrase;
mod text;
mod tokens;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

pub(crate) use account_numbers::iban;
use layer::context::{ScanContext, TextKind};

use crate::{Allowances, Finding, Kind, KnownSecrets, Place};

/// The check at a word of the rules: the text, and where the word starts and ends.
type Matcher = Box<dyn Fn(&[u8], usize, usize) -> Option<Kind> + Send + Sync>;

/// All rules, compiled.
pub(crate) struct Rules {
    words: AhoCorasick,
    matchers: Vec<Matcher>,
    seeds: seed_phrase::SeedPhrases,
}

impl Rules {
    pub(crate) fn new() -> Self {
        let mut words: Vec<&'static str> = Vec::new();
        let mut matchers: Vec<Matcher> = Vec::new();
        let mut add = |word: &'static str, matcher: Matcher| {
            words.push(word);
            matchers.push(matcher);
        };
        tokens::rules(&mut add);
        keys::rules(&mut add);
        key_value::rules(&mut add);
        address::rules(&mut add);
        jwt::rules(&mut add);
        recovery_codes::rules(&mut add);
        #[expect(
            clippy::expect_used,
            reason = "a few hundred words written in this crate"
        )]
        // A table of all states takes a millisecond more to make; notes are judged by a sixth faster.
        let words = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .ascii_case_insensitive(true)
            .build(&words)
            .expect("the words of the rules fit in an automaton");
        Self {
            words,
            matchers,
            seeds: seed_phrase::SeedPhrases::new(),
        }
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
            ScanContext {
                known,
                allowances,
                text_kind: TextKind::Text,
                budget: &archive::Budget::of(bytes.len()),
                nested: 0,
            },
            0,
        )?;
        let place = match line {
            0 => Place::Archive,
            line => Place::Line(line),
        };
        Some(Finding { kind, place })
    }
}

#[cfg(test)]
mod tests;
