//! Private keys: as text with its frame, as text without it, and as bytes.

use super::{
    Matcher,
    char_class::{base64, contains, near, run, upper},
};
use crate::Kind;

/// The start of every OpenSSH key, in base64.
const OPENSSH: &str = "b3BlbnNzaC1rZXktdjE";

/// Adds the rules.
pub(super) fn rules(add: &mut dyn FnMut(&'static str, Matcher)) {
    add("PRIVATE KEY", Box::new(framed));
    add("PuTTY-User-Key-File-", Box::new(putty));
    add("AGE-SECRET-KEY-1", Box::new(age));
    add(OPENSSH, Box::new(openssh));
    add("minisign encrypted secret key", Box::new(minisign));
    add("\"kty\"", Box::new(web_key));
    add(
        "openssh-key-v1",
        Box::new(|text, _, end| (text.get(end) == Some(&0)).then_some(Kind::PrivateKey)),
    );
}

/// `-----BEGIN … PRIVATE KEY …-----` with a body.
fn framed(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let before = near(text, at.saturating_sub(60), at);
    let begins = before.windows(5).rposition(|w| w == b"begin")?;
    let dashes = before.get(..begins)?.iter().rev().take(6);
    let framed = dashes.filter(|b| **b == b'-').count() >= 2;
    let body = text.get(end..text.len().min(end + 1200))?;
    (framed && has_body(body)).then_some(Kind::PrivateKey)
}

/// Whether letters of a key follow: straight after the frame, or after lines that describe it.
/// They may be quoted, indented, in groups, or in one line with `\n` between.
fn has_body(rest: &[u8]) -> bool {
    // `PRIVATE KEY BLOCK-----`; the letters may follow the dashes at once, as in an address.
    let word = rest.iter().take(8).take_while(|b| **b != b'-').count();
    let dashes = rest.iter().skip(word).take(8);
    let dashes = dashes.take_while(|b| **b == b'-').count();
    let mut rest = rest.get(word + dashes..).unwrap_or_default();
    for _ in 0..6 {
        let line = rest.split(|b| *b == b'\n').next().unwrap_or_default();
        let describes = line.windows(2).any(|two| two == b": ");
        let empty = !line.iter().any(u8::is_ascii_alphanumeric);
        if !describes && !empty {
            break;
        }
        rest = rest.get(line.len() + 1..).unwrap_or_default();
    }
    let between =
        |b: u8| b.is_ascii_whitespace() || matches!(b, b'>' | b'"' | b'\'' | b'|' | b',' | b'`');
    let mut letters = Vec::new();
    let mut bytes = rest.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if matches!(bytes.peek(), Some(b'n' | b'r' | b't')) => drop(bytes.next()),
            b if between(b) || b == b'\\' => {}
            b if base64(b) && b != b'-' => letters.push(b),
            _ => break,
        }
        if letters.len() == 64 {
            break;
        }
    }
    let count = |test: fn(&u8) -> bool| letters.iter().filter(|b| test(b)).count();
    letters.len() >= 40
        && count(u8::is_ascii_uppercase) >= 5
        && count(u8::is_ascii_lowercase) >= 5
        && count(|b| !b.is_ascii_alphabetic()) >= 2
}

fn putty(text: &[u8], _at: usize, end: usize) -> Option<Kind> {
    let body = text.get(end..text.len().min(end + 8192))?;
    contains(body, b"Private-Lines:").then_some(Kind::PrivateKey)
}

fn age(text: &[u8], _at: usize, end: usize) -> Option<Kind> {
    (run(text, end, |b| upper(b.to_ascii_uppercase()), 80).len() >= 50).then_some(Kind::PrivateKey)
}

fn openssh(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let exact = text.get(at..end) == Some(OPENSSH.as_bytes());
    (exact && run(text, end, base64, 64).len() >= 30).then_some(Kind::PrivateKey)
}

fn minisign(text: &[u8], _at: usize, end: usize) -> Option<Kind> {
    let next = end + run(text, end, |b| b.is_ascii_whitespace() || b == b'>', 8).len();
    (run(text, next, base64, 200).len() >= 100).then_some(Kind::PrivateKey)
}

/// A JSON web key with its private part.
fn web_key(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let around = text.get(at.saturating_sub(2048)..text.len().min(end + 2048))?;
    let found = around.windows(3).enumerate().any(|(n, w)| {
        if w != b"\"d\"" && w != b"\"k\"" {
            return false;
        }
        let rest = n + 3;
        let gap = run(
            around,
            rest,
            |b| b.is_ascii_whitespace() || matches!(b, b':' | b'"'),
            12,
        );
        run(around, rest + gap.len(), base64, 64).len() >= 30
    });
    found.then_some(Kind::PrivateKey)
}

/// The identifier of PKCS#7's data, without its arc's length: what a PKCS#12 file holds.
const PKCS7: &[u8] = &[6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7];

/// Whether bytes are a private key in DER: PKCS#8, PKCS#1, SEC 1 or PKCS#12.
pub(super) fn is_key_file(bytes: &[u8]) -> bool {
    let Some(body) = sequence(bytes) else {
        return false;
    };
    match body {
        // Version 0 or 1, then the algorithm: a sequence that starts with an object identifier.
        [2, 1, 0 | 1, 0x30, len, 6, ..] => *len < 0x80 && contains(near_start(body), &[4]),
        // Version 0, then a modulus of 64 bytes and more.
        [2, 1, 0, 2, 0x81 | 0x82, ..] => true,
        // Version 3, then what holds the keys: a sequence that starts with its identifier.
        [2, 1, 3, 0x30, rest @ ..] => {
            let start = rest.get(..16).unwrap_or(rest);
            contains(start, PKCS7)
        }
        // Version 1, then an octet string of a curve's length.
        [2, 1, 1, 4, 0x20 | 0x30 | 0x42, ..] => true,
        _ => false,
    }
}

fn near_start(body: &[u8]) -> &[u8] {
    body.get(..64).unwrap_or(body)
}

/// What a DER sequence at the very start holds.
fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [0x30, 0x80, rest @ ..]
        | [0x30, 0x81, _, rest @ ..]
        | [0x30, 0x82, _, _, rest @ ..]
        | [0x30, 0x83, _, _, _, rest @ ..] => Some(rest),
        [0x30, len, rest @ ..] if *len < 0x80 && *len >= 32 => Some(rest),
        _ => None,
    }
}
