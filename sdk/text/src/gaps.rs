//! Gaps: places in a draft that its writer leaves for the owner to fill, `[✎ which day suits you]`.
//!
//! Square brackets and a pencil are plain text in Markdown: seen in every view of an editor, no link
//! that a click would make a note of, and nothing that stays behind unseen, as the signs of a
//! highlight would, when the words between them are replaced.
//! Lives elsewhere: what becomes of a draft with gaps is decided where it is approved.
//! Invariants: pure; a gap that was damaged is still one as long as its pencil is there; the form of
//! older drafts, `[[…]]`, counts too.

use alloc::{format, string::String};

/// How a gap looks, for sentences about them.
pub const GAP_FORM: &str = "[✎ …]";

/// Marks a gap. In a mail hardly ever, so that it counts wherever it is.
const PENCIL: char = '✎';
/// What a model may write for it: it has a meaning of its own outside of brackets.
const OTHER_PENCIL: char = '✏';

/// The gap for what is to be filled in there.
#[must_use]
pub fn gap(what: &str) -> String {
    format!("[{PENCIL} {what}]")
}

/// Whether a text has gaps.
#[must_use]
pub fn has_gaps(text: &str) -> bool {
    let is_old = || {
        text.find("[[")
            .is_some_and(|start| text[start..].contains("]]"))
    };
    let is_other = || {
        text.match_indices('[').any(|(at, bracket)| {
            let after = text[at + bracket.len()..].trim_start_matches([' ', '\t']);
            after.starts_with(OTHER_PENCIL)
        })
    };
    text.contains(PENCIL) || is_old() || is_other()
}

/// Whether the text of a field is nothing but a gap for the owner to fill.
#[must_use]
pub fn is_field_gap(text: &str) -> bool {
    let text = text.trim();
    let is_one = |open: &str, close: &str| {
        let inside = text
            .strip_prefix(open)
            .and_then(|text| text.strip_suffix(close));
        inside.is_some_and(|inside| !inside.is_empty() && !inside.contains(['[', ']']))
    };
    is_one("[[", "]]") || is_one("[✎", "]")
}

/// The text with every sign of a gap taken out: text from outside has none of its own.
#[must_use]
pub fn without_gap_signs(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut before = '\0';
    for c in text.chars() {
        let is_sign = matches!(c, PENCIL | OTHER_PENCIL) || (matches!(c, '[' | ']') && c == before);
        if !is_sign {
            clean.push(c);
            before = c;
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn has_gaps_finds_new_damaged_and_old_ones() {
        for text in [
            "Dear Ada,\n[✎ which day]\n",
            "[✎third week]",
            "[ ✏\u{FE0F} your name ]",
            "✎ the third week",
            "[[answer]]",
            "[[a\nb]]",
        ] {
            assert!(has_gaps(text), "{text:?}");
        }
        assert!(has_gaps(&gap("your name")));
    }

    #[test]
    fn has_gaps_in_ordinary_text_is_false() {
        for text in [
            "",
            "a == b, ==marked==, [x], [1]: see",
            "with a pencil ✏\u{FE0F} or ✍",
            "]] [[",
            "- [ ] step",
        ] {
            assert!(!has_gaps(text), "{text:?}");
        }
    }

    #[test]
    fn is_field_gap_is_a_whole_field() {
        for text in ["[[subject]]", " [✎ which Bob: a@x.test or b@x.test] "] {
            assert!(is_field_gap(text), "{text}");
        }
        for text in ["Re: [[x]]", "[[]]", "[[a]] [[b]]", "[x]", "a@b.test", ""] {
            assert!(!is_field_gap(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn without_gap_signs_any_text_has_no_gap(text in any::<String>(), signs in r"[\[\]✎✏ a]{0,20}") {
            for text in [&text, &signs] {
                let clean = without_gap_signs(text);
                prop_assert!(!has_gaps(&clean), "{clean}");
                prop_assert_eq!(without_gap_signs(&clean), clean.clone());
            }
        }
    }
}
