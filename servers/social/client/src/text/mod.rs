//! What is in the text of a post: links, mentions and tags, and how long it is.
//!
//! # Layout
//! - [`link`]: web addresses, as both networks find them; [`bluesky`]: mentions and tags as Bluesky's own app finds them;
//!   [`mastodon`]: mentions as Mastodon finds them, and the text as it counts it; [`html`]: what a server sends as a text.
//!
//! Invariants: a range is of whole characters; ranges do not overlap and are in their order; the work is linear in the
//! text.

pub mod bluesky;
pub mod html;
pub mod link;
pub mod mastodon;

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

/// What a piece of a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityKind {
    /// A web address.
    Link,
    /// An account, with its `@`.
    Mention,
    /// A word to search for, with its `#`.
    Tag,
}

/// A piece of a text that a network makes a link of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Where it is, in bytes.
    pub range: Range<usize>,
    /// What it is.
    pub kind: EntityKind,
}

impl Entity {
    /// Its text.
    #[must_use]
    pub fn text<'a>(&self, text: &'a str) -> &'a str {
        text.get(self.range.clone()).unwrap_or_default()
    }
}

/// How many characters a reader sees (extended grapheme clusters, UAX #29).
#[must_use]
pub fn grapheme_count(text: &str) -> usize {
    text.graphemes(true).count()
}

/// In their order, without those that overlap one before them.
fn without_overlaps(mut entities: Vec<Entity>) -> Vec<Entity> {
    entities.sort_by_key(|entity| (entity.range.start, entity.range.end));
    let mut end = 0;
    entities.retain(|entity| {
        let is_free = entity.range.start >= end;
        if is_free {
            end = entity.range.end;
        }
        is_free
    });
    entities
}

/// The character before this place.
fn char_before(text: &str, at: usize) -> Option<char> {
    text.get(..at)?.chars().next_back()
}

/// Whether a character is punctuation (`General_Category=P`) as far as it stands at the end of words.
fn is_punctuation(c: char) -> bool {
    match c {
        // Symbols, by Unicode.
        '$' | '+' | '<' | '=' | '>' | '^' | '`' | '|' | '~' => false,
        c if c.is_ascii() => c.is_ascii_punctuation(),
        '¡' | '§' | '«' | '¶' | '·' | '»' | '¿' => true,
        '\u{2010}'..='\u{2027}' | '\u{2030}'..='\u{2043}' | '\u{2045}'..='\u{2051}' => true,
        '\u{2053}'..='\u{205E}' | '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' => true,
        '\u{3014}'..='\u{301F}' | '\u{3030}' | '\u{303D}' | '\u{30FB}' => true,
        '\u{FF01}'..='\u{FF03}' | '\u{FF05}'..='\u{FF0A}' | '\u{FF0C}'..='\u{FF0F}' => true,
        '\u{FF1A}' | '\u{FF1B}' | '\u{FF1F}' | '\u{FF20}' | '\u{FF3B}'..='\u{FF3D}' => true,
        '\u{FF5B}' | '\u{FF5D}' | '\u{FF5F}'..='\u{FF65}' => true,
        '\u{5BE}' | '\u{5C0}' | '\u{5C3}' | '\u{5F3}' | '\u{5F4}' => true,
        '\u{60C}' | '\u{61B}' | '\u{61D}'..='\u{61F}' | '\u{66A}'..='\u{66D}' | '\u{6D4}' => true,
        '\u{964}' | '\u{965}' | '\u{E4F}' | '\u{104A}' | '\u{104B}' => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Counts as the servers document them: what is one to a reader is one.
    #[test]
    fn grapheme_count_is_that_of_a_reader() {
        for (text, count) in [
            ("", 0),
            ("abc", 3),
            ("e\u{301}", 1),
            ("Z\u{351}\u{36b}\u{343}a", 2),
            ("👩\u{200d}👩\u{200d}👧\u{200d}👦", 1),
            ("👍🏽👍", 2),
            ("🇩🇪🇫🇷", 2),
            ("1\u{fe0f}\u{20e3}", 1),
            ("漢字かな", 4),
            ("각", 1),
            ("क्षि", 1),
            ("שָׁלוֹם", 4),
            ("\r\n\n", 2),
        ] {
            assert_eq!(grapheme_count(text), count, "{text:?}");
        }
    }

    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("https://".to_owned()),
            Just("http://example.com/ä(b)".to_owned()),
            Just("example.com".to_owned()),
            Just("@ada@example.com".to_owned()),
            Just("@ada.example.com".to_owned()),
            Just("#täg".to_owned()),
            Just("👩\u{200d}👧".to_owned()),
            Just(" ".to_owned()),
            Just("\n".to_owned()),
            ".{0,4}",
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn entities_are_whole_ordered_and_apart(text in texts()) {
            for entities in [bluesky::entities(&text), mastodon::entities(&text)] {
                let mut end = 0;
                for entity in entities {
                    prop_assert!(entity.range.start >= end && entity.range.end > entity.range.start);
                    prop_assert!(text.get(entity.range.clone()).is_some(), "{:?} in {text:?}", entity.range);
                    end = entity.range.end;
                    let first = entity.text(&text).chars().next().unwrap();
                    let fits = match entity.kind {
                        EntityKind::Link => entity.text(&text).to_lowercase().starts_with("http"),
                        EntityKind::Mention => first == '@',
                        EntityKind::Tag => matches!(first, '#' | '＃'),
                    };
                    prop_assert!(fits, "{text:?}");
                }
            }
        }

        #[test]
        fn counts_never_exceed_the_code_points(text in texts()) {
            let points = text.chars().count();
            prop_assert!(grapheme_count(&text) <= points);
            prop_assert_eq!(mastodon::counted_text(&text, None, false), text);
        }

        /// Whatever stands around an address, it counts for 23.
        #[test]
        fn long_address_counts_as_a_short_one(path in "[a-z0-9/]{1,300}", before in "[a-z ]{0,9} ") {
            let text = format!("{before}https://example.com/{path}");
            let counted = mastodon::counted_text(&text, Some(23), true);
            prop_assert_eq!(counted.chars().count(), before.chars().count() + 23);
        }
    }
}
