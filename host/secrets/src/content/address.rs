//! Addresses with a password in them: `postgres://user:password@host/`.

use super::{
    Matcher,
    char_class::{contains, is_placeholder, run, run_before},
};
use crate::Kind;

/// Words that stand for a password in examples.
const EXAMPLES: [&[u8]; 16] = [
    b"password",
    b"passwd",
    b"passwort",
    b"pass",
    b"pwd",
    b"pw",
    b"secret",
    b"user",
    b"username",
    b"token",
    b"postgres",
    b"root",
    b"admin",
    b"guest",
    b"test",
    b"example",
];

/// Adds the rule.
pub(super) fn rules(add: &mut dyn FnMut(&'static str, Matcher)) {
    add("://", Box::new(match_url));
}

fn match_url(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let scheme = run_before(
        text,
        at,
        |b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'.' | b'-'),
        24,
    );
    if scheme.len() < 2 {
        return None;
    }
    let letters = |b: u8| {
        !b.is_ascii_whitespace() && !matches!(b, b'/' | b'"' | b'<' | b'>' | b'`' | b'?' | b'#')
    };
    let authority = run(text, end, letters, 300);
    let host = authority.iter().rposition(|b| *b == b'@')?;
    let user = authority.get(..host)?;
    let colon = user.iter().position(|b| *b == b':')?;
    let password = user.get(colon + 1..)?;
    let named = EXAMPLES
        .iter()
        .any(|word| password.eq_ignore_ascii_case(word));
    let variable =
        contains(password, b"{") || contains(password, b"[") || password.starts_with(b"$");
    let real = password.len() >= 5 && !named && !variable && !is_placeholder(password);
    // Without a host it is no address.
    (real && authority.len() > host + 2).then_some(Kind::Connection)
}
