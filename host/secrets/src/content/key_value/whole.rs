//! Logins in one piece: `.netrc`, an `Authorization` line, and passwords as systems keep them.

use crate::{
    Kind,
    content::char_class::{base64, contains, entropy, is_mixed, is_placeholder, near, run},
};

/// How the hash of a password begins.
pub(super) const HASHES: [&str; 9] = [
    "$2a$",
    "$2b$",
    "$2y$",
    "$5$",
    "$6$",
    "$y$",
    "$argon2id$",
    "$apr1$",
    "$7$",
];

/// `machine … login … password …`, all set apart by white space.
pub(super) fn netrc(text: &[u8], from: usize) -> bool {
    let before = near(text, from.saturating_sub(160), from);
    let rest = text
        .get(from..text.len().min(from + 200))
        .unwrap_or_default();
    let mut words = rest
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let _user = words.next();
    let named = words.next() == Some(b"password");
    contains(&before, b"machine ")
        && named
        && words
            .next()
            .is_some_and(|w| w.len() >= 5 && !is_placeholder(w))
}

/// A user and a password in base64.
pub(super) fn basic(text: &[u8], _at: usize, end: usize) -> Option<Kind> {
    use ::base64::{Engine as _, engine::general_purpose::STANDARD};
    let body = run(text, end, base64, 256);
    let decoded = STANDARD.decode(body).ok()?;
    let colon = decoded.iter().position(|b| *b == b':')?;
    (decoded.len() > colon + 5 && !is_placeholder(&decoded)).then_some(Kind::Password)
}

/// A password as systems keep it.
pub(super) fn hashed(text: &[u8], _at: usize, end: usize) -> Option<Kind> {
    let letters =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'$' | b'=' | b',' | b'+');
    let body = run(text, end, letters, 200);
    (body.len() >= 30 && contains(body, b"$") && is_mixed(body) && entropy(body) >= 3.5)
        .then_some(Kind::Password)
}
