//! [`comparable`]: numbers and names as they are compared where people write them differently; [`is_copy`], whether a
//! text is another's.

use alloc::string::String;

/// The letters and digits alone, in upper case: `re-2026/7` and `RE 2026 7` are one number of a bill,
/// `DE 123.456` and `de123456` one VAT number.
#[must_use]
pub fn comparable(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_uppercase).collect()
}

/// So many letters and digits in common are no chance.
const MIN_BEGINNING: usize = 20;

/// Whether a text is a copy of another: the same letters and digits, or the beginning of them, as who copies posts from
/// network to network makes it.
#[must_use]
pub fn is_copy(text: &str, of: &str) -> bool {
    let (text, of) = (comparable(text), comparable(of));
    let is_long = text.chars().count() >= MIN_BEGINNING;
    !text.is_empty() && (text == of || is_long && of.starts_with(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparable_keeps_letters_and_digits_alone() {
        for (text, expected) in [
            ("re-2026/7", "RE20267"),
            (" DE 12 3. ", "DE123"),
            ("Müller & Söhne", "MÜLLERSÖHNE"),
            ("R\u{200b}1", "R1"),
            ("-/ .", ""),
            ("007", "007"),
        ] {
            assert_eq!(comparable(text), expected, "{text}");
        }
    }

    #[test]
    fn is_copy_knows_a_text_that_was_cut_or_marked_up() {
        let own = "We open on Monday at nine! Come early. https://a.test";
        for (text, expected) in [
            (own, true),
            (
                "We open on Monday at nine!\n\nCome early.\nhttps://a.test",
                true,
            ),
            ("We open on Monday at nine! Come…", true),
            (
                "We open on Monday at nine! Come early. https://a.test Really?",
                false,
            ),
            ("We open", false),
            ("", false),
            ("…", false),
        ] {
            assert_eq!(is_copy(text, own), expected, "{text}");
        }
    }
}
