//! A text made to fit an account by rule: shortened, or parted into a thread.
//!
//! The count here is of code points, so at least the network's, which counts what a reader sees as one character.
//! Whether a text fits is for the network to say (`social/draft.check`); this is for what it refuses.
//! Invariants: pure; nothing is cut inside of what a reader sees as one character; what is published stands in the text
//! in its order, but for `…` at its end and an address that would have been left out.

use platinum_sdk::social::draft::Limits;
use platinum_sdk::text::is_joiner;

use crate::strange::{Kind, named};

/// The most posts of a thread that a rule makes.
const MAX_PARTS: usize = 25;
const CUT: &str = "…";

/// How long one post may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    max_characters: usize,
    max_bytes: Option<usize>,
    per_url: Option<usize>,
}

impl Limit {
    /// Of an account.
    #[must_use]
    pub fn of(limits: &Limits) -> Self {
        let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        Self {
            max_characters: size(limits.max_characters),
            max_bytes: limits.max_bytes.map(size),
            per_url: limits.characters_per_url.map(size),
        }
    }

    /// The same with so many characters less, for a text that the network counts longer than this does.
    #[must_use]
    pub fn less(self, characters: usize) -> Self {
        Self {
            max_characters: self.max_characters.saturating_sub(characters),
            ..self
        }
    }

    /// How much a text counts.
    fn count(self, text: &str) -> usize {
        let whole = text.chars().count();
        let Some(per_url) = self.per_url else {
            return whole;
        };
        let urls = named(text).filter(|one| one.kind == Kind::Link);
        urls.fold(whole, |count, url| {
            (count + per_url).saturating_sub(url.text.chars().count())
        })
    }

    /// Whether a text is short enough.
    #[must_use]
    pub fn fits(self, text: &str) -> bool {
        self.count(text) <= self.max_characters
            && self.max_bytes.is_none_or(|most| text.len() <= most)
    }
}

/// The beginning of a text that fits: whole sentences, else whole words and `…`; the last address of what is left out
/// stands at its end. None where not even that fits.
#[must_use]
pub fn shorten(text: &str, limit: Limit) -> Option<String> {
    let text = text.trim();
    if limit.fits(text) {
        return Some(text.to_owned());
    }
    let links: Vec<&str> = named(text)
        .filter(|one| one.kind == Kind::Link)
        .map(|one| one.text)
        .collect();
    let last = links.last().copied();
    let with_link = |kept: &str, cut: &str| {
        let kept = kept.trim_end();
        match last.filter(|link| !kept.contains(link)) {
            Some(link) if kept.is_empty() => link.to_owned(),
            Some(link) => format!("{kept}{cut}\n\n{link}"),
            None => format!("{kept}{cut}"),
        }
    };
    let sentences = longest(sentence_ends(text), text, limit, |kept| {
        limit.fits(&with_link(kept, ""))
    });
    if let Some(kept) = sentences {
        return Some(with_link(kept, ""));
    }
    let is_fit = |kept: &str| limit.fits(&with_link(kept, CUT));
    let kept = longest(word_ends(text), text, limit, is_fit)
        .or_else(|| longest(character_ends(text), text, limit, is_fit))?;
    Some(with_link(without_open_link(kept, text), CUT))
}

/// A text as posts that fit, in their order; none if it would be too many, or a character alone is too long.
#[must_use]
pub fn split(text: &str, limit: Limit) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        if parts.len() == MAX_PARTS {
            return None;
        }
        let sentences = longest(sentence_ends(rest), rest, limit, |_| true);
        let words = || longest(word_ends(rest), rest, limit, |_| true);
        let characters = || longest(character_ends(rest), rest, limit, |_| true);
        let is_some = |kept: &&str| !kept.trim().is_empty();
        let closed = |kept| Some(without_open_link(kept, rest)).filter(is_some);
        let kept = sentences
            .or_else(|| words().and_then(closed))
            .or_else(|| characters().and_then(closed))?;
        parts.push(kept.trim_end().to_owned());
        rest = rest[kept.len()..].trim_start();
    }
    Some(parts)
}

/// The longest beginning that ends at one of the bounds and fits. An address that is to stand behind it may let a
/// longer one fit where a shorter one does not, so all are tried that are not too long by themselves.
fn longest(
    ends: impl Iterator<Item = usize>,
    text: &str,
    limit: Limit,
    fits: impl Fn(&str) -> bool,
) -> Option<&str> {
    let beginnings = ends.map(|end| &text[..end]);
    let short = beginnings.take_while(|kept| limit.fits(kept.trim_end()));
    short
        .filter(|kept| !kept.trim().is_empty() && fits(kept))
        .last()
}

/// Where sentences and paragraphs end: behind the sign that ends one, if a blank or the end follows, and at line ends.
fn sentence_ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    let ends = |(at, c): (usize, char)| {
        let end = at + c.len_utf8();
        let rest = &text[end..];
        let is_free = rest.chars().next().is_none_or(char::is_whitespace);
        let is_end = match c {
            '.' | '!' | '?' | '…' => is_free,
            '。' | '！' | '？' | '\n' => true,
            _ => rest.is_empty(),
        };
        is_end.then_some(end)
    };
    text.char_indices().filter_map(ends)
}

/// Where words end.
fn word_ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    let ends = |(at, c): (usize, char)| {
        let end = at + c.len_utf8();
        let is_end = text[end..].chars().next().is_none_or(char::is_whitespace);
        (is_end && !c.is_whitespace()).then_some(end)
    };
    text.char_indices().filter_map(ends)
}

/// Where what a reader sees as one character ends.
fn character_ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    let ends = |(at, c): (usize, char)| {
        let end = at + c.len_utf8();
        let next = text[end..].chars().next();
        next.is_none_or(|next| !is_joined_to(c, next))
            .then_some(end)
    };
    text.char_indices().filter_map(ends)
}

/// Whether a reader may see the second character as a part of the first.
fn is_joined_to(before: char, c: char) -> bool {
    let is_flag = |c: char| matches!(c, '\u{1F1E6}'..='\u{1F1FF}');
    is_joiner(before)
        || is_joiner(c)
        || is_flag(before) && is_flag(c)
        || matches!(c,
            '\u{300}'..='\u{36F}' | '\u{483}'..='\u{489}' | '\u{591}'..='\u{5C7}' | '\u{610}'..='\u{61A}'
            | '\u{64B}'..='\u{65F}' | '\u{900}'..='\u{903}' | '\u{93A}'..='\u{94F}' | '\u{E31}' | '\u{E34}'..='\u{E3A}'
            | '\u{E47}'..='\u{E4E}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
            | '\u{3099}' | '\u{309A}' | '\u{FE00}'..='\u{FE0F}' | '\u{FE20}'..='\u{FE2F}' | '\u{1F3FB}'..='\u{1F3FF}'
            | '\u{E0020}'..='\u{E007F}' | '\u{E0100}'..='\u{E01EF}')
}

/// A beginning that ends inside of an address or a name, without it.
fn without_open_link<'a>(kept: &'a str, text: &str) -> &'a str {
    let cut = named(text).find(|one| one.at < kept.len() && kept.len() < one.at + one.text.len());
    cut.map_or(kept, |cut| &kept[..cut.at])
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn limit(max_characters: usize) -> Limit {
        Limit {
            max_characters,
            max_bytes: None,
            per_url: None,
        }
    }

    #[test]
    fn count_weighs_addresses() {
        let weighed = Limit {
            per_url: Some(23),
            ..limit(500)
        };
        let long = format!("see https://a.test/{}.", "x".repeat(200));
        assert_eq!(weighed.count(&long), 4 + 23 + 1);
        assert_eq!(weighed.count("https://a.test"), 23);
    }

    #[test]
    fn fits_counts_bytes_too() {
        let bytes = Limit {
            max_bytes: Some(6),
            ..limit(300)
        };
        assert!(bytes.fits("漢字"));
        assert!(!bytes.fits("漢字x"));
    }

    #[test]
    fn shorten_keeps_whole_sentences_and_the_last_link() {
        let text = "We open on Monday. Come early! There is cake for all. More: https://a.test/x";
        let short = shorten(text, limit(60)).unwrap();
        assert_eq!(short, "We open on Monday. Come early!\n\nhttps://a.test/x");
        assert_eq!(shorten(text, limit(76)).unwrap(), text);
        let words = shorten("One very long sentence without an end", limit(12)).unwrap();
        assert_eq!(words, "One very…");
        assert_eq!(shorten("漢字漢字", limit(3)).unwrap(), "漢字…");
    }

    /// An address that is cut leads elsewhere.
    #[test]
    fn shorten_never_cuts_an_address() {
        let text = "Look https://a.test/long/way/to/go and more words than fit";
        let short = shorten(text, limit(45)).unwrap();
        assert_eq!(short, "Look https://a.test/long/way/to/go and more…");
        let short = shorten(text, limit(30));
        assert_eq!(short, None);
    }

    #[test]
    fn split_makes_parts_that_fit_and_lose_nothing() {
        let text = "First one. Second one.\n\nThird one, which is longer than one post. \
                    https://a.test/1 Fourth.";
        let parts = split(text, limit(24)).unwrap();
        assert!(parts.iter().all(|part| limit(24).fits(part)), "{parts:?}");
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(plain(&parts.join(" ")), plain(text));
        assert_eq!(parts[0], "First one. Second one.");
        assert!(parts.iter().any(|part| part.contains("https://a.test/1")));
        assert_eq!(split(&"word ".repeat(200), limit(8)), None);
        assert_eq!(split("see https://a.test/long", limit(10)), None);
        let emoji = split("👩‍👩‍👧‍👦👩‍👩‍👧‍👦e\u{301}👍🏽", limit(15)).unwrap();
        assert_eq!(emoji, ["👩‍👩‍👧‍👦👩‍👩‍👧‍👦", "e\u{301}👍🏽"]);
    }
}
