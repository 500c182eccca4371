//! Numbers as people write them: `1.234,56`, `1,234.56`, `1'234.50`, `€ 12,50`, `(12.50)`, `12,-`, `19 %`.
//!
//! A separator that may be the decimal one or one of thousands (`1.234`) makes two readings; which it is follows from
//! the other numbers of the same text ([`Style`]), or is not known. Nothing is guessed here.
//! Invariants: pure; no binary fraction; a text longer than [`MAX_CHARS`] is no number.

use rust_decimal::Decimal;

/// The longest text that is read as a number, in bytes.
pub const MAX_CHARS: usize = 64;
/// The most digits after the point that a price or a quantity has that is computed.
pub const MAX_SCALE: u32 = 9;

/// Which sign comes before the decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

/// What a text says as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// This number.
    Exact(Decimal),
    /// One of two: the separator before the decimals, or one of thousands.
    Ambiguous {
        /// Read with decimals.
        decimal: Decimal,
        /// Read with thousands.
        thousands: Decimal,
        /// The style in which it has decimals.
        style: Style,
    },
}

/// A number with what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The number.
    pub value: Value,
    /// What stands before or behind it: a currency, `%`, a unit. Empty if nothing does.
    pub unit: String,
    /// The style that its separators show, if they show one.
    pub style: Option<Style>,
}

impl Value {
    /// The number, in a text of which the style is known or not.
    #[must_use]
    pub fn in_style(self, known: Option<Style>) -> Option<Decimal> {
        match (self, known) {
            (Self::Exact(number), _) => Some(number),
            (Self::Ambiguous { decimal, style, .. }, Some(known)) if known == style => {
                Some(decimal)
            }
            (Self::Ambiguous { thousands, .. }, Some(_)) => Some(thousands),
            (Self::Ambiguous { .. }, None) => None,
        }
    }
}

impl Written {
    /// The currency beside the number: its code, if the unit is one or a sign that only one currency has.
    #[must_use]
    pub fn currency(&self) -> Option<String> {
        currency(&self.unit)
    }

    /// Whether the number is one in per cent.
    #[must_use]
    pub fn is_per_cent(&self) -> bool {
        matches!(
            self.unit.as_str(),
            "%" | "v.H." | "v. H." | "percent" | "per cent" | "Prozent"
        )
    }
}

/// Codes that are known in small letters, too. `Stk` and `Std` are no currencies.
const CODES: [&str; 13] = [
    "EUR", "USD", "CHF", "GBP", "JPY", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "AUD", "CAD",
];

/// The code of a currency: of a code, or of a sign that stands for one alone.
#[must_use]
pub fn currency(text: &str) -> Option<String> {
    let text = text.trim();
    let code = match text.to_uppercase().as_str() {
        "€" | "EURO" | "EUROS" => "EUR",
        "£" => "GBP",
        "FR." | "SFR." | "SFR" => "CHF",
        "US$" => "USD",
        "ZŁ" => "PLN",
        "KČ" => "CZK",
        upper if is_currency(text) || CODES.contains(&upper) => return Some(upper.to_owned()),
        _ => return None,
    };
    Some(code.to_owned())
}

/// Whether a unit is a currency that is in daily use, in whatever case.
pub(crate) fn is_known_currency(unit: &str) -> bool {
    currency(unit).is_some_and(|code| CODES.contains(&code.as_str()))
}

/// Whether a text has the form of an ISO 4217 code.
#[must_use]
pub fn is_currency(code: &str) -> bool {
    code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The decimals that amounts of a currency have.
#[must_use]
pub fn minor_digits(currency: Option<&str>) -> u32 {
    match currency {
        Some(
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX"
            | "VND" | "VUV" | "XAF" | "XOF" | "XPF",
        ) => 0,
        Some("BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND") => 3,
        _ => 2,
    }
}

/// Reads a number; none if the text is not one, or has anything else besides a unit.
#[must_use]
pub fn read(text: &str) -> Option<Written> {
    let mut rest = text.trim();
    if rest.len() > MAX_CHARS {
        return None;
    }
    let mut is_negative = false;
    if let Some(inner) = rest
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        (is_negative, rest) = (true, inner.trim());
    }
    let mut take_sign = |rest: &mut &str| {
        if let Some(after) = rest.strip_prefix(['-', '\u{2212}']) {
            (is_negative, *rest) = (!is_negative, after.trim_start());
        } else if let Some(after) = rest.strip_prefix('+') {
            *rest = after.trim_start();
        }
    };
    take_sign(&mut rest);
    let start = rest.find(|c: char| c.is_ascii_digit())?;
    let mut before = rest[..start].trim_end();
    // A sign between the currency and the number.
    if let Some(currency) = before.strip_suffix(['-', '\u{2212}']) {
        is_negative = !is_negative;
        before = currency.trim_end();
    }
    let end = rest.rfind(|c: char| c.is_ascii_digit())? + 1;
    let mut after = rest[end..].trim();
    for none in [
        ",--",
        ",-",
        ",\u{2013}",
        ",\u{2014}",
        ".-",
        ".\u{2013}",
        ".\u{2014}",
    ] {
        if let Some(unit) = after.strip_prefix(none) {
            after = unit.trim_start();
            break;
        }
    }
    if let Some(unit) = after.strip_prefix(['-', '\u{2212}']) {
        is_negative = !is_negative;
        after = unit.trim_start();
    }
    let unit = match (before, after) {
        ("", unit) | (unit, "") => unit,
        _ => return None,
    };
    let (value, style) = body(&rest[start..end])?;
    let signed = |number: Decimal| if is_negative { -number } else { number };
    let value = match value {
        Value::Exact(number) => Value::Exact(signed(number)),
        Value::Ambiguous {
            decimal,
            thousands,
            style,
        } => Value::Ambiguous {
            decimal: signed(decimal),
            thousands: signed(thousands),
            style,
        },
    };
    Some(Written {
        value,
        unit: unit.to_owned(),
        style,
    })
}

/// Reads a number, or the one before words that say what it is, as in `119,00 EUR (inkl. 19 % MwSt.)`, with these words.
#[must_use]
pub fn read_first(text: &str) -> Option<(Written, &str)> {
    const WORDS: [&str; 12] = [
        "inkl", "incl", "inc.", "einschl", "zzgl", "plus", "exkl", "excl", "netto", "brutto",
        "net", "gross",
    ];
    let text = text.trim();
    let is_begin = |at: usize| {
        let rest = &text[at..];
        let lower = rest.get(..8).unwrap_or(rest).to_lowercase();
        rest.starts_with('(') || WORDS.iter().any(|word| lower.starts_with(word))
    };
    let mut begins = text.match_indices(' ').map(|(at, _)| at + 1);
    if let Some(begin) = begins.find(|at| is_begin(*at))
        && let Some(written) = read(&text[..begin])
    {
        return Some((written, &text[begin..]));
    }
    read(text).map(|written| (written, ""))
}

/// The digits and separators of a number.
fn body(text: &str) -> Option<(Value, Option<Style>)> {
    let is_space = |c| {
        matches!(
            c,
            ' ' | '\u{A0}' | '\u{202F}' | '\u{2009}' | '\'' | '\u{2019}'
        )
    };
    if !text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',') || is_space(c))
    {
        return None;
    }
    let count = |sign: char| text.matches(sign).count();
    let (points, commas) = (count('.'), count(','));
    let has_spaces = text.contains(is_space);
    let style_of = |sign: char| {
        if sign == '.' {
            Style::Point
        } else {
            Style::Comma
        }
    };
    // The sign before the decimals, or none.
    let sign = match (points, commas) {
        (0, 0) => None,
        (0, 1) => Some(','),
        (1, 0) => Some('.'),
        (0, _) if has_spaces => return None,
        (_, 0) if has_spaces => return None,
        (0, _) => return Some((Value::Exact(grouped(text, ',')?), Some(Style::Point))),
        (_, 0) => return Some((Value::Exact(grouped(text, '.')?), Some(Style::Comma))),
        _ => {
            let last = if text.rfind('.') > text.rfind(',') {
                '.'
            } else {
                ','
            };
            if count(last) > 1 || has_spaces {
                return None;
            }
            Some(last)
        }
    };
    let Some(sign) = sign else {
        return Some((Value::Exact(spaced(text)?), None));
    };
    let (whole, decimals) = text.rsplit_once(sign)?;
    if decimals.is_empty() || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let style = style_of(sign);
    let other = if sign == '.' { ',' } else { '.' };
    let number = match whole.contains(other) {
        true => grouped(whole, other)?,
        false => spaced(whole)?,
    };
    let exact = decimal(&format!("{}.{decimals}", number.mantissa()))?;
    let may_be_thousands = points + commas == 1
        && !has_spaces
        && decimals.len() == 3
        && whole.len() <= 3
        && !whole.starts_with('0');
    if may_be_thousands {
        let value = Value::Ambiguous {
            decimal: exact,
            thousands: decimal(&format!("{whole}{decimals}"))?,
            style,
        };
        return Some((value, None));
    }
    Some((Value::Exact(exact), Some(style)))
}

/// A whole number, in groups of three divided by spaces or apostrophes, or in one.
fn spaced(text: &str) -> Option<Decimal> {
    match text.chars().find(|c| !c.is_ascii_digit()) {
        Some(sign) => grouped(text, sign),
        None => decimal(text),
    }
}

/// A whole number in groups of three.
fn grouped(text: &str, sign: char) -> Option<Decimal> {
    let mut groups = text.split(sign);
    let first = groups.next()?;
    let is_number = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    if !(1..=3).contains(&first.len()) || !is_number(first) {
        return None;
    }
    if !groups.all(|group| group.len() == 3 && is_number(group)) {
        return None;
    }
    decimal(&text.replace(sign, ""))
}

fn decimal(text: &str) -> Option<Decimal> {
    Decimal::from_str_exact(text).ok()
}

/// The quotient, if it is exact and needs no more than [`MAX_SCALE`] digits after the point.
#[must_use]
pub fn exact_quotient(number: Decimal, by: Decimal) -> Option<Decimal> {
    let quotient = number.checked_div(by)?.normalize();
    let is_exact = quotient.scale() <= MAX_SCALE && quotient.checked_mul(by)? == number;
    is_exact.then_some(quotient)
}

/// The number as it is rendered: with a point, no thousands, never such that it can be read in two ways.
#[must_use]
pub fn render(number: Decimal) -> String {
    let number = number.normalize();
    let mut text = number.to_string();
    let digits = text.trim_start_matches('-');
    let whole = digits.split('.').next().unwrap_or_default();
    let is_ambiguous = number.scale() == 3 && whole.len() <= 3 && !whole.starts_with('0');
    // One of very many digits has no room for another one.
    if number.scale() == 1 && whole.len() <= 20 || is_ambiguous {
        text.push('0');
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number(text: &str) -> String {
        match read(text) {
            None => "none".to_owned(),
            Some(Written { value, unit, .. }) => {
                let value = match value {
                    Value::Exact(number) => number.to_string(),
                    Value::Ambiguous {
                        decimal, thousands, ..
                    } => format!("{decimal} or {thousands}"),
                };
                format!("{value} {unit}").trim_end().to_owned()
            }
        }
    }

    #[test]
    fn read_numbers_as_people_write_them() {
        for (text, expected) in [
            ("12", "12"),
            ("12.50", "12.50"),
            ("12,50", "12.50"),
            ("1.234,56", "1234.56"),
            ("1,234.56", "1234.56"),
            ("1'234.50", "1234.50"),
            ("1\u{2019}234.50", "1234.50"),
            ("1 234,56", "1234.56"),
            ("1\u{202F}234\u{202F}567,8", "1234567.8"),
            ("1.234.567", "1234567"),
            ("1,234,567.8", "1234567.8"),
            ("1.234.567,8", "1234567.8"),
            ("1234.567", "1234.567"),
            ("0.125", "0.125"),
            ("0,125", "0.125"),
            ("1.2340", "1.2340"),
            ("5 000", "5000"),
            ("€ 12,50", "12.50 €"),
            ("12,50 €", "12.50 €"),
            ("EUR 12.50", "12.50 EUR"),
            ("12.50EUR", "12.50 EUR"),
            ("-5", "-5"),
            ("\u{2212}5", "-5"),
            ("+5", "5"),
            ("€ -5", "-5 €"),
            ("-€5", "-5 €"),
            ("5-", "-5"),
            ("5,00- EUR", "-5.00 EUR"),
            ("(12.50)", "-12.50"),
            ("12,-", "12"),
            ("12,\u{2013} €", "12 €"),
            ("12.-", "12"),
            ("Fr. 12.-", "12 Fr."),
            ("19 %", "19 %"),
            ("2,5 h", "2.5 h"),
            // In two ways.
            ("1.234", "1.234 or 1234"),
            ("1,234", "1.234 or 1234"),
            ("-12.500 EUR", "-12.500 or -12500 EUR"),
            // No numbers.
            ("", "none"),
            ("abc", "none"),
            ("1,2,3", "none"),
            ("1.2.3", "none"),
            ("30.11.2026", "none"),
            ("2026-11-30", "none"),
            ("1 2", "none"),
            ("1.23.456", "none"),
            ("1,234.567.8", "none"),
            ("12e5", "none"),
            ("1-2", "none"),
            ("EUR 5 net", "none"),
            ("1,00,000", "none"),
            ("99999999999999999999999999999999", "none"),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn ambiguous_number_follows_the_style_of_its_text() {
        let value = read("1.234").unwrap().value;
        let thousands = "1234".parse().ok();
        assert_eq!(value.in_style(Some(Style::Point)), "1.234".parse().ok());
        assert_eq!(value.in_style(Some(Style::Comma)), thousands);
        assert_eq!(value.in_style(None), None);
        let value = read("1,234").unwrap().value;
        assert_eq!(value.in_style(Some(Style::Point)), thousands);
    }

    #[test]
    fn currency_only_of_signs_that_stand_for_one() {
        for (text, code) in [
            ("€", Some("EUR")),
            ("eur", Some("EUR")),
            ("Euro", Some("EUR")),
            ("£", Some("GBP")),
            ("Fr.", Some("CHF")),
            ("US$", Some("USD")),
            ("$", None),
            ("¥", None),
            ("h", None),
            ("", None),
        ] {
            assert_eq!(currency(text).as_deref(), code, "{text}");
        }
    }

    proptest! {
        #[test]
        fn read_rendered_number_is_the_same(mantissa: i64, scale in 0_u32..12) {
            let number = Decimal::new(mantissa, scale);
            let written = read(&render(number)).unwrap();
            prop_assert_eq!(written.value, Value::Exact(number));
            prop_assert_eq!(written.unit, "");
        }

        #[test]
        fn read_any_text_is_a_number_or_none(text in any::<String>(), near in "[-+(0-9., '%€)\u{A0}]{0,30}") {
            let _ = read(&text);
            if let Some(Written { value: Value::Exact(number), .. }) = read(&near) {
                prop_assert_eq!(read(&render(number)).unwrap().value, Value::Exact(number));
            }
        }
    }
}
