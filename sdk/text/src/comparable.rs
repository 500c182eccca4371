//! [`comparable`]: numbers and names as they are compared where people write them differently.

use alloc::string::String;

/// The letters and digits alone, in upper case: `re-2026/7` and `RE 2026 7` are one number of a bill,
/// `DE 123.456` and `de123456` one VAT number.
#[must_use]
pub fn comparable(text: &str) -> String {
    let kept = text.chars().filter(|c| c.is_alphanumeric());
    kept.flat_map(char::to_uppercase).collect()
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
}
