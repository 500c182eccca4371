//! Characters that a reader cannot see, apart from those that belong to what is seen.
//!
//! A joiner or a selector has a use in emoji and in some scripts; anywhere else it can carry
//! anything. What has a use is decided by Unicode's properties: a selector after a character that
//! has both presentations (UTS #51, ED-9a), a joiner between two pictographs (ED-16), the flags of
//! the three subdivisions that are recommended for interchange, and the joiners where RFC 5892
//! (appendix A.1, A.2) allows them.
//!
//! Lives elsewhere: the list of hidden characters is in `platinum_core::text`.
//! Invariant: a character that is not hidden is never named, one that is and has no use always.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{CanonicalCombiningClass, Emoji, EmojiModifier, ExtendedPictographic, JoiningType},
};
use platinum_core::text::{is_bidi_control, is_hidden, is_joined};

/// The tags of the flags of England, Scotland and Wales.
const FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];
/// A black flag, which begins them.
const FLAG: char = '\u{1F3F4}';
/// Shows the character before it as a picture.
const PICTURE: char = '\u{FE0F}';
/// Shows the character before it as text.
const TEXT: char = '\u{FE0E}';
const JOINER: char = '\u{200D}';
const NON_JOINER: char = '\u{200C}';
const MONGOLIAN: [char; 4] = ['\u{180B}', '\u{180C}', '\u{180D}', '\u{180F}'];

/// The hidden characters of a text that have no use where they are, in order: each with its byte.
pub(super) fn hidden_in(text: &str) -> Vec<(usize, char)> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let mut found = Vec::new();
    let mut next = 0;
    while let Some(&(at, c)) = chars.get(next) {
        if c == FLAG {
            next += 1 + flag_len(&text[at + c.len_utf8()..]);
            continue;
        }
        if is_hidden(c) && !has_use(&chars, next) {
            found.push((at, c));
        }
        next += 1;
    }
    found
}

/// The text as it is, with its hidden characters written out: `\u{202e}`.
pub fn escape_hidden(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    for (at, c) in hidden_in(text) {
        shown.push_str(&text[from..at]);
        shown.extend(c.escape_unicode());
        from = at + c.len_utf8();
    }
    shown.push_str(&text[from..]);
    shown
}

/// What a hidden character is, in words.
pub(super) fn name_of(c: char) -> &'static str {
    match c {
        _ if is_bidi_control(c) => "turns the direction of writing",
        '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}' => "variation selector",
        '\u{E0000}'..='\u{E007F}' => "tag",
        JOINER | NON_JOINER => "joiner",
        '\u{AD}' => "soft hyphen",
        _ if c.is_control() => "control character",
        _ => "not shown",
    }
}

/// How many characters of one of the flags follow a black flag.
fn flag_len(after: &str) -> usize {
    let tag = |c: char| char::from_u32(u32::from(c) + 0xE0000);
    let is_next = |flag: &&&str| {
        let tags: String = flag.chars().filter_map(tag).chain(['\u{E007F}']).collect();
        after.starts_with(&tags)
    };
    FLAGS.iter().find(is_next).map_or(0, |flag| flag.len() + 1)
}

fn has_use(chars: &[(usize, char)], at: usize) -> bool {
    let char_at = |at: usize| chars.get(at).map(|(_, c)| *c);
    let before = at.checked_sub(1).and_then(char_at);
    let (Some(before), Some(&(_, c))) = (before, chars.get(at)) else {
        return false;
    };
    match c {
        PICTURE | TEXT => CodePointSetData::new::<Emoji>().contains(before),
        JOINER if is_virama(before) => true,
        JOINER => {
            // A skin tone and a selector may stand between the picture and its joiner.
            let mut before = chars[..at].iter().rev().map(|(_, c)| *c).peekable();
            let tones = CodePointSetData::new::<EmojiModifier>();
            before.next_if_eq(&PICTURE);
            before.next_if(|c| tones.contains(*c));
            let pictures = CodePointSetData::new::<ExtendedPictographic>();
            before.next().is_some_and(|c| pictures.contains(c))
                && char_at(at + 1).is_some_and(|c| pictures.contains(c))
        }
        NON_JOINER => is_virama(before) || joins_around(chars, at),
        _ if MONGOLIAN.contains(&c) => is_joined(before, c),
        _ => false,
    }
}

fn is_virama(c: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(c) == CanonicalCombiningClass::Virama
}

/// RFC 5892, A.1: (L or D) T* ZWNJ T* (R or D).
fn joins_around(chars: &[(usize, char)], at: usize) -> bool {
    let types = CodePointMapData::<JoiningType>::new();
    // A hidden character would be one more that this one could not be without.
    let joining = |chars: &mut dyn Iterator<Item = &(usize, char)>| {
        chars
            .take_while(|(_, c)| !is_hidden(*c))
            .map(|(_, c)| types.get(*c))
            .find(|kind| *kind != JoiningType::Transparent)
    };
    let before = joining(&mut chars[..at].iter().rev());
    let after = joining(&mut chars[at + 1..].iter());
    matches!(
        before,
        Some(JoiningType::LeftJoining | JoiningType::DualJoining)
    ) && matches!(
        after,
        Some(JoiningType::RightJoining | JoiningType::DualJoining)
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hidden_in_real_text_is_empty() {
        for text in [
            "Größe, naïve, 日本語, العربية, हिन्दी",
            "👩\u{200D}👧 👩🏽\u{200D}💻 ❤\u{FE0F} ❤\u{FE0F}\u{200D}🔥 1\u{FE0F}\u{20E3} ☺\u{FE0E}",
            "🏴\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F} wins",
            "می\u{200C}خواهم",
            "क्\u{200D}ष क्\u{200C}ष",
            "🇩🇪 line\none\tand\r\ntwo\u{A0}three",
        ] {
            assert_eq!(hidden_in(text), [], "{text:?}");
            assert_eq!(escape_hidden(text), text);
        }
    }

    #[test]
    fn hidden_in_names_what_carries_text() {
        for (text, expected) in [
            ("a\u{200B}b", vec![(1, '\u{200B}')]),
            ("\u{FE0F}a", vec![(0, '\u{FE0F}')]),
            ("a\u{FE0F}", vec![(1, '\u{FE0F}')]),
            ("❤\u{FE0F}\u{FE0F}", vec![(6, '\u{FE0F}')]),
            ("❤\u{FE00}", vec![(3, '\u{FE00}')]),
            ("❤\u{E0100}", vec![(3, '\u{E0100}')]),
            ("a\u{200D}b", vec![(1, '\u{200D}')]),
            ("👩\u{200D}a", vec![(4, '\u{200D}')]),
            ("👩\u{200D}", vec![(4, '\u{200D}')]),
            ("می\u{200C} ", vec![(4, '\u{200C}')]),
            ("x\u{200C}y", vec![(1, '\u{200C}')]),
            (
                "🏴\u{E0067}\u{E0062}\u{E007F}",
                vec![(4, '\u{E0067}'), (8, '\u{E0062}'), (12, '\u{E007F}')],
            ),
            ("a\u{202E}b", vec![(1, '\u{202E}')]),
            (
                "\u{AD}\u{FEFF}\u{3164}",
                vec![(0, '\u{AD}'), (2, '\u{FEFF}'), (5, '\u{3164}')],
            ),
        ] {
            assert_eq!(hidden_in(text), expected, "{text:?}");
        }
        assert_eq!(
            escape_hidden("a\u{202E}b\u{E0041}"),
            "a\\u{202e}b\\u{e0041}"
        );
    }

    /// Any bytes written as selectors, as the known encoders do it, behind any character.
    #[test]
    fn hidden_in_finds_bytes_in_selectors() {
        for base in ['a', '1', '❤', '👩', 'क', '日'] {
            let bytes = b"transfer";
            let hidden: String = bytes
                .iter()
                .filter_map(|byte| match byte {
                    0..16 => char::from_u32(0xFE00 + u32::from(*byte)),
                    byte => char::from_u32(0xE0100 + u32::from(*byte) - 16),
                })
                .collect();
            let found = hidden_in(&format!("{base}{hidden}.")).len();
            assert_eq!(found, bytes.len(), "{base}");
            let nibbles: String = bytes
                .iter()
                .flat_map(|byte| [byte >> 4, byte & 15])
                .filter_map(|nibble| char::from_u32(0xFE00 + u32::from(nibble)))
                .collect();
            let found = hidden_in(&format!("{base}{nibbles}.")).len();
            assert!(found + 1 >= 2 * bytes.len(), "{base}: {found}");
        }
    }

    proptest! {
        /// What is shown has nothing hidden left, and loses nothing that is not.
        #[test]
        fn escape_hidden_leaves_nothing_hidden(
            text in "[a-z❤👩🏴\u{200D}\u{200C}\u{FE0F}\u{E0067}\u{E007F}\u{202E}\u{AD} يـ]{0,20}",
        ) {
            let shown = escape_hidden(&text);
            prop_assert_eq!(hidden_in(&shown), []);
            let visible = |text: &str| text.chars().filter(|c| !is_hidden(*c)).count();
            prop_assert!(visible(&shown) >= visible(&text));
            for (at, c) in hidden_in(&text) {
                prop_assert!(is_hidden(c) && text[at..].starts_with(c));
            }
        }
    }
}
