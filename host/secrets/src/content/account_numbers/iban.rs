//! The numbers of bank accounts: the country's length, and the check digits of ISO 13616.

/// Each country and the length of its numbers.
const COUNTRIES: [(&[u8; 2], usize); 78] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BI", 27),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DJ", 27),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FK", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MN", 20),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NI", 28),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"RU", 33),
    (b"SA", 24),
    (b"SC", 31),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"TN", 24),
    (b"TR", 26),
    (b"VA", 22),
];

/// The number that starts here, in capitals and without spaces.
pub(super) fn at(text: &[u8], start: usize) -> Option<String> {
    let head = text.get(start..start.checked_add(4)?)?;
    let (country, check) = head.split_at(2);
    if !check.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let country = country.to_ascii_uppercase();
    let (_, len) = COUNTRIES
        .iter()
        .find(|(name, _)| name.as_slice() == country)?;
    let account = read(text, start, *len)?;
    // Most of every number are digits: so are no words.
    let digits = account.iter().filter(|b| b.is_ascii_digit()).count();
    let fits = account.len() == *len && digits * 2 >= *len && remainder(&account) == 1;
    fits.then(|| String::from_utf8_lossy(&account).into_owned())
}

/// The letters of a number of this length: without gaps, or in groups of four.
fn read(text: &[u8], start: usize, len: usize) -> Option<Vec<u8>> {
    let mut account = Vec::with_capacity(len);
    let mut group = 0;
    let mut grouped = false;
    let mut at = start;
    while account.len() < len {
        let byte = text.get(at).copied()?;
        if byte.is_ascii_alphanumeric() {
            account.push(byte.to_ascii_uppercase());
            group += 1;
        } else if matches!(byte, b' ' | b'-' | b'.' | b'\n' | b'\r') && (group == 4 || group == 0) {
            grouped |= group == 4;
            // A line's end may be of two letters, and follow a space.
            let two = at.checked_sub(3).and_then(|before| text.get(before..at));
            if two.is_some_and(|two| !two.iter().any(u8::is_ascii_alphanumeric)) {
                return None;
            }
            group = 0;
        } else {
            return None;
        }
        if group > 4 && grouped {
            return None;
        }
        at += 1;
    }
    // Without a gap the number would go on.
    let ends = text.get(at).is_none_or(|b| !b.is_ascii_alphanumeric());
    ends.then_some(account)
}

/// The number, if the text is one and nothing else.
pub(crate) fn whole(text: &str) -> Option<String> {
    let compact: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    at(compact.as_bytes(), 0).filter(|account| account.len() == compact.len())
}

/// The number modulo 97, with its first four at its end and letters as numbers.
fn remainder(account: &[u8]) -> u32 {
    let (head, tail) = account.split_at(account.len().min(4));
    tail.iter().chain(head).fold(0, |rest, byte| {
        let value = match byte {
            b'0'..=b'9' => u32::from(byte - b'0'),
            letter => u32::from(letter.saturating_sub(b'A')) + 10,
        };
        (rest * if value > 9 { 100 } else { 10 } + value) % 97
    })
}
