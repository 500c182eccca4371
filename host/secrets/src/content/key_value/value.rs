//! Kinds of values: what a person types, what a program made, and what is neither.

use super::{ordinary::is_ordinary, value_span::Separator};
use crate::content::char_class::{contains, entropy, hex, is_mixed, is_placeholder, run};

/// Programs that keep passwords.
pub(super) const KEEPERS: [&[u8]; 8] = [
    b"1password",
    b"bitwarden",
    b"keepass",
    b"lastpass",
    b"dashlane",
    b"vaultwarden",
    b"enpass",
    b"nordpass",
];

pub(super) fn is_password(value: &[u8], sign: Separator, before: Option<u8>) -> bool {
    let fits = (8..=128).contains(&value.len()) && is_written(value);
    if !fits || is_placeholder(value) || is_something_else(value) {
        return false;
    }
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let digits = has(u8::is_ascii_digit);
    let (lower, upper) = (has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase));
    let signs = has(|b| {
        matches!(
            b,
            b'!' | b'@'
                | b'#'
                | b'$'
                | b'%'
                | b'^'
                | b'&'
                | b'*'
                | b'+'
                | b'='
                | b'?'
                | b'~'
                | b'_'
                | b'-'
                | b'.'
                | b','
                | b';'
                | b':'
                | b'/'
                | b'\\'
                | b'|'
        )
    });
    // What ends a sentence is no sign of a password.
    let mut inner = value;
    while let Some((b'?' | b'!', shorter)) = inner.split_last() {
        inner = shorter;
    }
    let strong = has_sign(inner);
    let sorts = [digits, lower, upper, signs]
        .into_iter()
        .filter(|has| *has)
        .count();
    let quoted = before.is_some_and(|b| matches!(b, b'"' | b'\'' | b'`'));
    let enough = match sign {
        Separator::Verb if !quoted => sorts >= 3 && digits,
        _ => (digits && (lower || upper)) || (strong && lower && upper),
    };
    enough && entropy(value) >= 2.5 && !is_identifier(value)
}

/// Whether it is a password even where the word is not beside it: of three sorts of letters, and
/// no number of a thing (`Ticket#4411`).
pub(super) fn is_strong(value: &[u8]) -> bool {
    let has = |test: fn(&u8) -> bool| value.iter().any(test);
    let sorts = [
        has(u8::is_ascii_digit),
        has(u8::is_ascii_lowercase),
        has(u8::is_ascii_uppercase),
        has(u8::is_ascii_punctuation),
    ];
    let numbered = value.iter().position(|b| *b == b'#').is_some_and(|at| {
        let number = value.get(at + 1..).unwrap_or_default();
        number.iter().all(|b| b.is_ascii_digit())
    });
    sorts.into_iter().filter(|has| *has).count() >= 3
        && !numbered
        && is_password(value, Separator::Mark, None)
}

/// Whether it has a sign that no name of a thing has.
pub(super) fn has_sign(value: &[u8]) -> bool {
    let is_sign = |b: &u8| {
        matches!(
            b,
            b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'+' | b'?' | b'~'
        )
    };
    value.iter().any(is_sign)
}

/// Whether a person could have typed it.
fn is_written(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| !text.chars().any(char::is_control))
}

pub(super) fn is_key(value: &[u8], loose: bool) -> bool {
    let body = value.iter().all(|b| {
        b.is_ascii_alphanumeric()
            || matches!(b, b'+' | b'/' | b'=' | b'_' | b'-' | b'.' | b'~' | b':')
    });
    let least = if loose { 20 } else { 16 };
    if !body || !(least..=256).contains(&value.len()) || !is_mixed(value) || is_placeholder(value) {
        return false;
    }
    let all_hex = value.iter().all(|b| hex(*b) || *b == b'-');
    if all_hex && loose && contains(value, b"-") {
        // The id of something, as most ids are.
        return false;
    }
    let needed = if all_hex { 2.6 } else { 3.2 };
    entropy(value) >= needed && !is_something_else(value) && !is_identifier(value)
}

/// Four groups of four letters, as Google and Apple make passwords for programs.
pub(super) fn is_app_password(text: &[u8], from: usize) -> bool {
    let rest = run(
        text,
        from,
        |b| b.is_ascii_lowercase() || b == b' ' || b == b'-',
        24,
    );
    let line_ends = text
        .get(from + 19)
        .is_none_or(|b| !b.is_ascii_alphanumeric());
    let Some(rest) = rest.get(..19) else {
        return false;
    };
    let sign = rest.get(4).copied();
    let groups: Vec<&[u8]> = rest.split(|b| Some(*b) == sign).collect();
    let vowels = |group: &[u8]| {
        group
            .iter()
            .filter(|b| matches!(b, b'a' | b'e' | b'i' | b'o' | b'u'))
            .count()
    };
    let fits = groups.len() == 4
        && groups
            .iter()
            .all(|g| g.len() == 4 && g.iter().all(u8::is_ascii_lowercase));
    // Words of four letters have vowels, all of them.
    line_ends && fits && groups.iter().any(|group| vowels(group) == 0)
}

/// Addresses, dates, paths, numbers: what follows the word in prose.
pub(super) fn is_something_else(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let address =
        contains(&lower, b"://") || lower.starts_with(b"www.") || lower.starts_with(b"mailto:");
    let mail = value.iter().position(|b| *b == b'@').is_some_and(|at| {
        let host = value.get(at + 1..).unwrap_or_default();
        at > 0
            && host.contains(&b'.')
            && host
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
    });
    let path = value.starts_with(b"/") && value.iter().filter(|b| **b == b'/').count() > 1
        || value.starts_with(b"./")
        || value.starts_with(b"~/");
    let number = value
        .iter()
        .all(|b| b.is_ascii_digit() || b.is_ascii_punctuation());
    let code = [
        &b"("[..],
        b"[\"",
        b"['",
        b"::",
        b"->",
        b"=>",
        b"env.",
        b"config.",
        b"self.",
        b"this.",
        b"[[",
        "[✎".as_bytes(),
        b"]]",
        b"|",
    ];
    let code = code.iter().any(|sign| contains(value, sign));
    let variable = value.first() == Some(&b'$')
        && value
            .iter()
            .skip(1)
            .all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let ulid =
        contains(&lower, b"task_") || contains(&lower, b"draft_") || contains(&lower, b"claim_");
    // Where it is kept: `1Password-Eintrag`.
    let keeper = KEEPERS.iter().any(|name| lower.starts_with(name));
    address || mail || path || number || code || variable || ulid || keeper || is_ordinary(value)
}

/// `user_password2`, `section-4.2`, `Q3-2026`: words joined by signs, with a number at their ends.
pub(in crate::content) fn is_identifier(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> = value
        .split(|b| matches!(b, b'_' | b'-' | b'.' | b'/' | b':'))
        .collect();
    parts.len() > 1
        && parts.iter().all(|part| {
            let letters = part.iter().take_while(|b| b.is_ascii_alphabetic()).count();
            let rest = part.get(letters..).unwrap_or_default();
            let digits = rest.iter().all(u8::is_ascii_digit);
            let cased = part.get(1..letters).is_none_or(|rest| {
                rest.iter().all(u8::is_ascii_lowercase) || rest.iter().all(u8::is_ascii_uppercase)
            });
            digits && cased && (rest.len() <= 2 || letters == 0 || rest.len() == 4)
        })
}
