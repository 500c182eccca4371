//! Text from outside, made safe to show: which characters are hidden, one line, bounds, Markdown.
//!
//! Lives here: the one list of invisible and bidirectional characters, and the functions that
//! remove them; what in a text a Markdown reader would run, fetch or hide, and a model's text
//! without it; what in a mail is its writer's own
//! ([`quotes`]); what a mail address is, and what may be a one-time code; how numbers and names are
//! compared; how a draft marks its gaps and the
//! beginning of its text. A crate of its own, without dependencies, because skills use it too (through the SDK);
//! the host's crates use it as `platinum_core::text`.
//! Lives elsewhere: quoting for YAML is in `vault`, the names of files in `secrets`.
//! Invariants: nothing here fails or allocates more than it returns; the work is linear in the
//! text; what a function returns is never longer than asked for, but for escapes.
#![no_std]

extern crate alloc;

mod active;
mod address;
mod boundary;
mod code;
mod comparable;
mod gaps;
mod markdown;
pub mod quotes;
mod sanitize;

use alloc::string::String;

pub use active::{Active, find_active};
pub use address::{AddressError, MailAddress, bare_address, message_id};
pub use boundary::{BOUNDARY, BoundaryFault, resembles_boundary, split_at_boundary};
pub use code::{brings_code, without_codes, without_named_codes};
pub use comparable::{comparable, is_copy};
pub use gaps::{GAP_FORM, gap, has_gaps, is_field_gap, without_gap_signs};
pub use markdown::{escape_markdown, section_lines, unescape_markdown, unfenced};
pub use sanitize::sanitize;

/// Whether a reader cannot see this character, or whether it changes how others are shown.
///
/// The union of:
/// - `Default_Ignorable_Code_Point` (Unicode 17, `DerivedCoreProperties.txt`; UAX #44): zero-width
///   characters, fillers, the soft hyphen, variation selectors, tags, and the code points that are
///   reserved for more of them;
/// - `Bidi_Control` (`PropList.txt`; UAX #9), which the first list contains;
/// - the interlinear annotation characters, U+FFF9 to U+FFFB;
/// - `Noncharacter_Code_Point` (`PropList.txt`);
/// - control characters (`General_Category=Cc`) that are not white space.
///
/// White space is not hidden; that includes the line and paragraph separators, U+2028 and U+2029.
/// Variation selectors and the two joiners are hidden, but have a use after some characters: see
/// [`is_joined`].
#[must_use]
pub fn is_hidden(c: char) -> bool {
    match c {
        // Default_Ignorable_Code_Point.
        '\u{AD}'
        | '\u{34F}'
        | '\u{61C}'
        | '\u{115F}'..='\u{1160}'
        | '\u{17B4}'..='\u{17B5}'
        | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}'
        | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFF8}'
        | '\u{1BCA0}'..='\u{1BCA3}'
        | '\u{1D173}'..='\u{1D17A}'
        | '\u{E0000}'..='\u{E0FFF}' => true,
        // Interlinear annotations.
        '\u{FFF9}'..='\u{FFFB}' => true,
        // Noncharacters.
        '\u{FDD0}'..='\u{FDEF}' => true,
        _ if u32::from(c) & 0xFFFE == 0xFFFE => true,
        _ => c.is_control() && !c.is_whitespace(),
    }
}

/// Whether this character embeds, overrides or isolates a direction of writing, or marks one
/// (`Bidi_Control`). Every one of them [`is_hidden`].
#[must_use]
pub fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether a hidden character may belong to the spelling of real text: the two
/// joiners of U+200C and U+200D (emoji, Persian, the scripts of India) and the sixteen variation
/// selectors, and the four of Mongolian. The supplementary selectors, which can carry any bytes, are
/// not among them.
#[must_use]
pub fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}' | '\u{180B}'..='\u{180D}' | '\u{180F}')
}

/// Whether `c` is a joiner that forms one visible unit with the character before it: an emoji and
/// its presentation, two letters of a script that joins them. After an ASCII letter nothing is
/// written so, nor after another hidden character: it would only hide there.
#[must_use]
pub fn is_joined(before: char, c: char) -> bool {
    match c {
        // A digit in a keycap.
        '\u{FE0F}' if before.is_ascii_digit() || matches!(before, '#' | '*') => true,
        // A heart on fire: the heart as a picture, joined to the fire.
        '\u{200D}' if before == '\u{FE0F}' => true,
        '\u{FE0F}' | '\u{200C}' | '\u{200D}' => !before.is_ascii() && !is_hidden(before),
        '\u{180B}'..='\u{180D}' | '\u{180F}' => ('\u{1820}'..='\u{18AA}').contains(&before),
        _ => false,
    }
}

/// The text on one line of at most `max_chars` characters: runs of white space and control
/// characters become one space, hidden characters go (a joiner stays where it [`is_joined`]), and
/// `…` ends what was cut.
#[must_use]
pub fn one_line(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    let mut chars = 0;
    // Where the line ends if it has to be cut.
    let mut cut = 0;
    let mut gap = false;
    let mut before = ' ';
    for c in text.chars() {
        if c.is_whitespace() || c.is_control() {
            gap = !line.is_empty();
            continue;
        }
        if is_hidden(c) && (gap || !is_joined(before, c)) {
            continue;
        }
        before = c;
        for c in core::mem::take(&mut gap)
            .then_some(' ')
            .into_iter()
            .chain([c])
        {
            if chars + 1 == max_chars {
                cut = line.len();
            }
            line.push(c);
            chars += 1;
        }
        if chars > max_chars {
            line.truncate(cut);
            line.truncate(line.trim_end().len());
            if max_chars > 0 {
                line.push('…');
            }
            break;
        }
    }
    line
}

/// The longest beginning of `text` that has at most `max_bytes` bytes and ends between two
/// characters.
#[must_use]
pub fn bounded(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

#[cfg(test)]
mod tests {
    use icu_properties::{
        CodePointSetData,
        props::{BidiControl, DefaultIgnorableCodePoint, NoncharacterCodePoint, VariationSelector},
    };
    use proptest::prelude::*;

    use super::*;

    /// Every code point, against the properties as Unicode publishes them.
    #[test]
    fn is_hidden_all_of_unicode_matches_its_sources() {
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let noncharacter = CodePointSetData::new::<NoncharacterCodePoint>();
        for c in '\0'..=char::MAX {
            let annotation = ('\u{FFF9}'..='\u{FFFB}').contains(&c);
            let control = c.is_control() && !c.is_whitespace();
            let expected =
                ignorable.contains(c) || noncharacter.contains(c) || annotation || control;
            assert_eq!(is_hidden(c), expected, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn is_bidi_control_all_of_unicode_matches_its_source() {
        let bidi = CodePointSetData::new::<BidiControl>();
        for c in '\0'..=char::MAX {
            assert_eq!(
                is_bidi_control(c),
                bidi.contains(c),
                "U+{:04X}",
                u32::from(c)
            );
            assert!(
                !is_bidi_control(c) || is_hidden(c),
                "U+{:04X}",
                u32::from(c)
            );
        }
    }

    /// Tags and every variation selector are hidden, and nothing that is white space is.
    #[test]
    fn is_hidden_covers_selectors_and_tags_not_white_space() {
        let selectors = CodePointSetData::new::<VariationSelector>();
        for c in '\0'..=char::MAX {
            let must = selectors.contains(c) || ('\u{E0000}'..='\u{E007F}').contains(&c);
            assert!(!must || is_hidden(c), "U+{:04X}", u32::from(c));
            assert!(
                !(is_hidden(c) && c.is_whitespace()),
                "U+{:04X}",
                u32::from(c)
            );
            assert!(!is_joiner(c) || is_hidden(c), "U+{:04X}", u32::from(c));
            assert!(!is_joined('é', c) || is_joiner(c), "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn one_line_hostile_text_is_one_clean_line() {
        for (text, line) in [
            ("  a\r\n\tb\0\u{202E}c \u{200B}d  ", "a b c d"),
            ("a\n---\u{2028}b", "a --- b"),
            ("a\u{1b}]0;x\u{7}\r\nb\u{202E}c", "a ]0;x bc"),
            ("a\u{E0041}\u{E0042}b", "ab"),
            ("", ""),
            ("\u{200B}\n\u{FEFF}", ""),
        ] {
            assert_eq!(one_line(text, 80), line, "{text:?}");
        }
    }

    #[test]
    fn one_line_joiners_stay_in_emoji_and_scripts() {
        let text = "👩\u{200D}👧 ❤\u{FE0F} 1\u{FE0F}\u{20E3} ❤\u{FE0F}\u{200D}🔥 می\u{200C}خواهم";
        assert_eq!(one_line(text, 80), text);
        assert_eq!(
            one_line("é\u{FE0F}\u{FE0F}\u{200C}\u{200C}", 80),
            "é\u{FE0F}"
        );
        assert_eq!(one_line("a\u{200D}b\u{FE0F} \u{200D}c", 80), "ab c");
    }

    #[test]
    fn one_line_long_text_is_cut_between_characters() {
        assert_eq!(one_line("ééééé", 4), "ééé…");
        assert_eq!(one_line("éééé", 4), "éééé");
        assert_eq!(one_line("ab  cdef", 4), "ab…");
        assert_eq!(one_line("a b", 1), "…");
        assert_eq!(one_line("a b", 0), "");
    }

    #[test]
    fn bounded_multibyte_text_ends_between_characters() {
        assert_eq!(bounded("aéé", 4), "aé");
        assert_eq!(bounded("ab", 10), "ab");
    }

    proptest! {
        #[test]
        fn one_line_any_text_is_short_clean_and_stable(text in any::<String>(), max in 0_usize..60) {
            let line = one_line(&text, max);
            prop_assert!(line.chars().count() <= max);
            prop_assert_eq!(line.trim(), &line);
            prop_assert!(!line.contains("  "));
            prop_assert!(!line.contains(|c: char| c.is_control() || (is_hidden(c) && !is_joiner(c))));
            prop_assert_eq!(one_line(&line, max), line);
        }
    }
}
