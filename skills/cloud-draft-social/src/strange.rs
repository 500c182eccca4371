//! Addresses and names in a text, and those of a model's text that it made up.
//!
//! Invariant: pure. What a network takes for a link or a mention is the network's to say; what counts here is anything
//! that looks like one.

use platinum_sdk::text::gap;

/// What is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An address, `https://…`.
    Link,
    /// Somebody, `@name`.
    Mention,
}

/// An address or a name in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named<'a> {
    /// Which of both.
    pub kind: Kind,
    /// As it stands there.
    pub text: &'a str,
    /// Where it begins, in bytes.
    pub at: usize,
}

/// The addresses and names of a text, in their order.
pub fn named(text: &str) -> impl Iterator<Item = Named<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let rest = text.get(from..)?;
            let (at, kind) = next(rest)?;
            let start = from + at;
            let is_end = |c: char| match kind {
                Kind::Link => c.is_whitespace() || "<>\"“”„«»".contains(c),
                Kind::Mention => !(c.is_alphanumeric() || "@._-:".contains(c)),
            };
            let run = &text[start..];
            // The sign itself belongs to it.
            let end = run[1..].find(is_end).map_or(run.len(), |end| end + 1);
            let whole =
                run[..end].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', ')', ']', '}']);
            from = start + whole.len().max(1);
            let begins_a_word = text[..start]
                .chars()
                .next_back()
                .is_none_or(|before| !before.is_alphanumeric() && before != '/');
            if whole.len() > 1 && (kind == Kind::Link || begins_a_word) {
                return Some(Named {
                    kind,
                    text: whole,
                    at: start,
                });
            }
        }
    })
}

/// Where the next one begins.
fn next(text: &str) -> Option<(usize, Kind)> {
    let links = ["https://", "http://"].iter().filter_map(|scheme| {
        let at = text.find(scheme)?;
        Some((at, Kind::Link))
    });
    let mention = text.find('@').map(|at| (at, Kind::Mention));
    links.chain(mention).min_by_key(|(at, _)| *at)
}

/// A model's text with a gap for each address and name that is in none of the texts it may come from; how many there
/// are.
#[must_use]
pub fn without_strange(text: &str, known: &[&str]) -> (String, usize) {
    let is_known = |one: &Named<'_>| {
        known.iter().any(|text| {
            named(text)
                .any(|other| other.kind == one.kind && other.text.eq_ignore_ascii_case(one.text))
        })
    };
    let mut clean = String::with_capacity(text.len());
    let mut copied = 0;
    let mut count = 0;
    for one in named(text).filter(|one| !is_known(one)) {
        clean.push_str(&text[copied..one.at]);
        clean.push_str(&gap(match one.kind {
            Kind::Link => "which address",
            Kind::Mention => "whom to name",
        }));
        copied = one.at + one.text.len();
        count += 1;
    }
    clean.push_str(&text[copied..]);
    (clean, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_finds_addresses_and_names() {
        let found: Vec<&str> = named(
            "@ann (see https://a.test/x?y=@b), http://b.test. mail me@c.test or @bo@d.test: @ and «https://e.test»!",
        )
        .map(|one| one.text)
        .collect();
        assert_eq!(
            found,
            [
                "@ann",
                "https://a.test/x?y=@b",
                "http://b.test",
                "@bo@d.test",
                "https://e.test"
            ]
        );
        assert_eq!(named("漢@字 @").count(), 0);
    }

    #[test]
    fn without_strange_leaves_gaps_for_what_was_made_up() {
        let note = "We open: https://a.test/x, with @ann.";
        let (text, count) = without_strange(
            "We open! https://a.test/x with @Ann and @bo, see https://evil.test/x.",
            &[note],
        );
        assert_eq!(
            text,
            "We open! https://a.test/x with @Ann and [✎ whom to name], see [✎ which address]."
        );
        assert_eq!(count, 2);
        assert_eq!(without_strange(note, &[note]), (note.to_owned(), 0));
    }
}
