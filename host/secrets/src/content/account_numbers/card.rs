//! The numbers of payment cards: length and issuer fit, the check digit is right, and nothing
//! around says that it is another number.

use crate::content::char_class::{contains, near};

/// What says before a number that it is no card's.
const OTHERS: [&[u8]; 34] = [
    b"order",
    b"bestell",
    b"auftrag",
    b"rechnung",
    b"invoice",
    b"tracking",
    b"sendung",
    b"shipment",
    b"paket",
    b"parcel",
    b"imei",
    b"isbn",
    b"ean",
    b"gtin",
    b"serial",
    b"serien",
    b"kunden",
    b"customer",
    b"mitglied",
    b"member",
    b"ticket",
    b"vorgang",
    b"referen",
    b"ref.",
    b"transaction",
    b"booking",
    b"buchung",
    b"phone",
    b"tel",
    b"z\xC3\xA4hler",
    b"meter",
    b"vertrag",
    b"contract",
    b"case",
];
/// What says that it is.
const CARDS: [&[u8]; 15] = [
    b"card",
    b"karte",
    b"visa",
    b"master",
    b"amex",
    b"american express",
    b"maestro",
    b"discover",
    b"diners",
    b"cvv",
    b"cvc",
    b"pan:",
    b"kreditk",
    b"g\xC3\xBCltig",
    b"expir",
];

/// Whether a card's number starts here.
pub(super) fn at(text: &[u8], start: usize) -> bool {
    let Some((digits, end, grouped)) = read(text, start) else {
        return false;
    };
    if !issued(&digits) || !luhn(&digits) {
        return false;
    }
    let before = near(text, start.saturating_sub(80), start);
    let line = before.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    let after = near(text, end, end + 60);
    let named = |words: &[&[u8]], within: &[u8]| words.iter().any(|word| contains(within, word));
    if named(&OTHERS, line) && !named(&CARDS, line) {
        return false;
    }
    if named(&CARDS, &before) || named(&CARDS, &after) {
        return true;
    }
    if named(&OTHERS, &before) {
        return false;
    }
    let rest = after.split(|b| *b == b'\n').next().unwrap_or_default();
    let alone = |part: &[u8]| !part.iter().any(u8::is_ascii_alphanumeric);
    grouped || (alone(line) && alone(rest))
}

/// The digits, where they end, and whether they stand in groups as on a card.
fn read(text: &[u8], start: usize) -> Option<(Vec<u8>, usize, bool)> {
    let before = start.checked_sub(1).and_then(|at| text.get(at));
    if before.is_some_and(|b| {
        matches!(
            b,
            b'.' | b'-' | b'/' | b'_' | b'=' | b'+' | b'%' | b'&' | b'#'
        )
    }) {
        return None;
    }
    let mut digits = Vec::new();
    let mut groups = vec![0_usize];
    let mut sign = None;
    let mut at = start;
    while let Some(byte) = text.get(at).copied() {
        match byte {
            b'0'..=b'9' => {
                digits.push(byte - b'0');
                *groups.last_mut()? += 1;
            }
            b' ' | b'-' | b'.' if text.get(at + 1).is_some_and(u8::is_ascii_digit) => {
                // The same sign between all groups.
                if sign.is_some_and(|sign| sign != byte) {
                    return None;
                }
                sign = Some(byte);
                groups.push(0);
            }
            _ => break,
        }
        at += 1;
        if digits.len() > 19 {
            return None;
        }
    }
    if text
        .get(at)
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'%'))
    {
        return None;
    }
    let grouped = matches!(
        groups.as_slice(),
        [4, 4, 4, 4] | [4, 6, 5] | [4, 6, 4] | [4, 4, 4, 4, 3]
    );
    (grouped || groups.len() == 1).then_some((digits, at, grouped))
}

/// Whether cards of this length start so.
fn issued(digits: &[u8]) -> bool {
    let start = |count: usize| {
        digits
            .iter()
            .take(count)
            .fold(0_u32, |n, digit| n * 10 + u32::from(*digit))
    };
    let (two, three, four) = (start(2), start(3), start(4));
    match digits.len() {
        14 => matches!(three, 300..=305) || matches!(two, 36 | 38 | 39),
        15 => matches!(two, 34 | 37),
        16 => {
            digits.first() == Some(&4)
                || matches!(two, 51..=55 | 65 | 35 | 62)
                || matches!(four, 2221..=2720 | 6011)
                || matches!(three, 644..=649)
                || matches!(four, 5018 | 5020 | 5038 | 6304 | 6759 | 6761 | 6763)
        }
        19 => digits.first() == Some(&4) || two == 62,
        _ => false,
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(n, digit)| match (n % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}
