//! The keys that open an encrypted disk of Windows without its password: eight groups of six digits.

/// Groups of a key, and digits of a group.
const GROUPS: usize = 8;
const DIGITS: usize = 6;
/// White space around a hyphen, for keys that are broken over lines.
const MAX_GAP: usize = 6;

/// Whether such a key starts here.
pub(super) fn at(text: &[u8], from: usize) -> bool {
    let is_digit = |at: Option<usize>| {
        at.and_then(|at| text.get(at))
            .is_some_and(u8::is_ascii_digit)
    };
    let is_hyphen = |at: Option<usize>| at.and_then(|at| text.get(at)) == Some(&b'-');
    if is_hyphen(from.checked_sub(1)) && is_digit(from.checked_sub(2)) {
        return false;
    }
    let mut at = from;
    for group in 0..GROUPS {
        let digits = text.get(at..at + DIGITS).unwrap_or_default();
        if digits.len() < DIGITS || !digits.iter().all(u8::is_ascii_digit) {
            return false;
        }
        at += DIGITS;
        if group + 1 == GROUPS {
            break;
        }
        let rest = text.get(at..).unwrap_or_default();
        let gap = |rest: &[u8]| {
            let blank = rest
                .iter()
                .take(MAX_GAP)
                .take_while(|b| b.is_ascii_whitespace());
            blank.count()
        };
        let before = gap(rest);
        let Some([b'-', rest @ ..]) = rest.get(before..) else {
            return false;
        };
        at += before + 1 + gap(rest);
    }
    let goes_on = is_hyphen(Some(at)) && is_digit(Some(at + 1));
    !goes_on && text.get(at).is_none_or(|b| !b.is_ascii_alphanumeric())
}
