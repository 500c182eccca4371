//! Secrets in bytes: by value, by shape, and by the words before them.
//!
//! Lives here: [`Rules`]. `layer` looks through a text in each way it can be read. The ways are in
//! `text` (other encodings, invisible characters), `encoded` (base64, hexadecimal) and `packed`
//! (zip, gzip, PDF); the shapes in `tokens`, `keys`, `jwt`, `address`, `seeds`, `codes` and
//! `numbers`; the words in `assigned`; what is ordinary in a link is in `link`.
//! Invariants: one pass over a text finds every place worth a look, and a look reads a bounded
//! number of bytes; what is decoded is looked through as a text of its own, to a fixed depth.

mod address;
mod assigned;
mod codes;
mod encoded;
mod jwt;
mod keys;
mod layer;
mod link;
mod numbers;
mod packed;
mod seeds;
mod shape;
mod text;
mod tokens;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use layer::Case;
pub(crate) use numbers::iban;

use crate::{Allowances, Finding, Kind, KnownSecrets, Place};

/// What is looked at where a word of the rules stands: the text, and where the word starts and ends.
type Look = Box<dyn Fn(&[u8], usize, usize) -> Option<Kind> + Send + Sync>;

/// All rules, ready to look.
pub(crate) struct Rules {
    words: AhoCorasick,
    looks: Vec<Look>,
    seeds: seeds::Seeds,
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
        codes::rules(&mut add);
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
            looks,
            seeds: seeds::Seeds::new(),
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
            Case {
                known,
                allowances,
                sort: layer::Sort::Text,
                budget: &packed::Budget::of(bytes.len()),
                nested: 0,
            },
            0,
        )?;
        let place = match line {
            0 => Place::Packed,
            line => Place::Line(line),
        };
        Some(Finding { kind, place })
    }
}

#[cfg(test)]
mod tests;
