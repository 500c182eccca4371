//! Amounts as a page writes them: read strictly, written for a field.
//!
//! Invariants: pure; what could be read in two ways is not read; digits are ASCII's; never a binary fraction.

use platinum_core::{Currency, Money};
use serde::Deserialize;

/// The sign before the decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DecimalMark {
    /// `1.234,56`.
    Comma,
    /// `1,234.56`.
    Point,
}

impl DecimalMark {
    fn mark(self) -> char {
        match self {
            DecimalMark::Comma => ',',
            DecimalMark::Point => '.',
        }
    }

    /// The signs between groups of three digits; one amount has one of them.
    fn is_separator(self, c: char) -> bool {
        let other = match self {
            DecimalMark::Comma => '.',
            DecimalMark::Point => ',',
        };
        c == other || matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}')
    }
}

/// The amount that a text is, with its currency before or behind it: `1.234,56 EUR`, `€ 5,00`. Where the page shows the
/// currency elsewhere, that is `currency`, and the text has none or the same.
///
/// # Errors
/// Says what of the text is not an amount.
pub fn parse_amount(
    text: &str,
    mark: DecimalMark,
    currency: Option<Currency>,
) -> Result<Money, String> {
    let text = text.trim();
    if text.len() > 64 {
        return Err("it is too long for an amount".to_owned());
    }
    let is_part = |c: char| c.is_ascii_digit() || c == mark.mark() || mark.is_separator(c);
    let digits = text.trim_matches(|c: char| !c.is_ascii_digit());
    if digits.is_empty() {
        return Err("it has no digits".to_owned());
    }
    if let Some(other) = digits.chars().find(|c| !is_part(*c)) {
        return Err(format!("{other:?} is no part of an amount"));
    }
    // What stands around the digits: both ends together have one currency, and nothing else.
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or_default();
    let (before, after) = (&text[..start], &text[start + digits.len()..]);
    let (before, after) = (before.trim(), after.trim());
    let shown = match (before, after) {
        ("", "") => None,
        ("", one) | (one, "") => Some(currency_of(one)?),
        _ => return Err("there is something on both sides of its digits".to_owned()),
    };
    let currency = match (shown, currency) {
        (Some(shown), Some(elsewhere)) if shown != elsewhere => {
            return Err(format!(
                "it says {shown} and the page says {elsewhere} beside it"
            ));
        }
        (Some(currency), _) | (None, Some(currency)) => currency,
        (None, None) => return Err("it does not say its currency".to_owned()),
    };
    let decimals = currency.decimals() as usize;
    let (whole, part) = match digits.split_once(mark.mark()) {
        Some((whole, part)) => (whole, part),
        None => (digits, ""),
    };
    if part.len() != decimals || !part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "an amount in {currency} has {decimals} decimals behind {:?}",
            mark.mark()
        ));
    }
    let whole = ungroup(whole, mark)?;
    let number = match decimals {
        0 => whole,
        _ => format!("{whole}.{part}"),
    };
    Money::from_decimal(&number, currency).ok_or_else(|| "it is too large".to_owned())
}

/// The digits of a whole number without its separators.
fn ungroup(whole: &str, mark: DecimalMark) -> Result<String, String> {
    let separator = whole.chars().find(|c| !c.is_ascii_digit());
    let plain = match separator {
        None => whole.to_owned(),
        Some(separator) if mark.is_separator(separator) => {
            let groups: Vec<&str> = whole.split(separator).collect();
            let is_group =
                |group: &&str| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit());
            let first = groups.first().copied().unwrap_or_default();
            let begins =
                (1..=3).contains(&first.len()) && first.bytes().all(|byte| byte.is_ascii_digit());
            if !begins || !groups.iter().skip(1).all(is_group) {
                return Err("its digits are not in groups of three".to_owned());
            }
            groups.concat()
        }
        Some(other) => return Err(format!("{other:?} stands twice, or where it cannot")),
    };
    match plain.len() > 1 && plain.starts_with('0') {
        true => Err("it begins with a zero".to_owned()),
        false => Ok(plain),
    }
}

fn currency_of(text: &str) -> Result<Currency, String> {
    match text {
        "€" => Ok("EUR"
            .parse()
            .map_err(|_| "it does not say its currency".to_owned())?),
        code => code.parse().map_err(|_| {
            format!(
                "{:?} beside it is not a currency's code",
                platinum_core::text::one_line(code, 16)
            )
        }),
    }
}

/// The amount as it is typed into a field: `1234,56`, without groups and currency.
pub fn format_amount(amount: Money, mark: DecimalMark) -> String {
    amount.to_decimal().replace('.', &mark.mark().to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn eur(minor: i64) -> Money {
        Money {
            minor,
            currency: "EUR".parse().unwrap(),
        }
    }

    #[test]
    fn amount_is_read_in_the_pages_format_alone() {
        use DecimalMark::{Comma, Point};
        for (text, mark, minor) in [
            ("1.234,56 EUR", Comma, 123_456),
            ("EUR 1.234,56", Comma, 123_456),
            ("€5,00", Comma, 500),
            ("1\u{a0}234\u{a0}567,89 €", Comma, 123_456_789),
            ("1,234.56 EUR", Point, 123_456),
            ("0.01 EUR", Point, 1),
        ] {
            assert_eq!(parse_amount(text, mark, None), Ok(eur(minor)), "{text}");
        }
        let yen = Money {
            minor: 1234,
            currency: "JPY".parse().unwrap(),
        };
        assert_eq!(parse_amount("JPY 1,234", Point, None), Ok(yen));
        assert_eq!(
            parse_amount("12,00", Comma, Some(eur(0).currency)),
            Ok(eur(1200))
        );
    }

    #[test]
    fn amount_that_is_not_one_is_refused() {
        use DecimalMark::{Comma, Point};
        for (text, mark) in [
            ("1.234 EUR", Comma),
            ("1,234.56 EUR", Comma),
            ("1.234,56 EUR", Point),
            ("1.234,5 EUR", Comma),
            ("-5,00 EUR", Comma),
            ("5,00 EUR-", Comma),
            ("(5,00) EUR", Comma),
            ("5,00", Comma),
            ("5,00 $", Comma),
            ("5,00 EURO", Comma),
            ("EUR 5,00 EUR", Comma),
            ("05,00 EUR", Comma),
            ("1.23.456,00 EUR", Comma),
            ("1.234 567,00 EUR", Comma),
            ("٥,٠٠ EUR", Comma),
            ("５,００ EUR", Comma),
            ("1e309 EUR", Point),
            ("NaN EUR", Point),
            ("0.001 EUR", Point),
            ("99999999999999999999.00 EUR", Point),
            ("5,00 EUR 6,00 EUR", Comma),
            ("", Comma),
            ("EUR", Comma),
        ] {
            assert!(parse_amount(text, mark, None).is_err(), "{text}");
        }
        let dollar = "USD".parse().ok();
        assert!(parse_amount("5,00 EUR", Comma, dollar).is_err());
    }

    proptest! {
        #[test]
        fn amount_written_for_a_field_is_read_back(minor in 0..i64::MAX, is_comma: bool, code in "[A-Z]{3}") {
            let mark = if is_comma { DecimalMark::Comma } else { DecimalMark::Point };
            let money = Money { minor, currency: code.parse().unwrap() };
            prop_assert_eq!(parse_amount(&format_amount(money, mark), mark, Some(money.currency)), Ok(money));
        }

        #[test]
        fn amount_is_never_read_alike_by_both_marks(text in "[0-9]{1,4}[.,][0-9]{1,3}([.,][0-9]{1,3})? EUR") {
            let comma = parse_amount(&text, DecimalMark::Comma, None);
            let point = parse_amount(&text, DecimalMark::Point, None);
            prop_assert!(comma.is_err() || point.is_err(), "{comma:?} {point:?}");
        }

        #[test]
        fn amount_of_any_text_is_an_answer(text in "\\PC{0,70}", is_comma: bool) {
            let mark = if is_comma { DecimalMark::Comma } else { DecimalMark::Point };
            parse_amount(&text, mark, None).ok();
        }
    }
}
