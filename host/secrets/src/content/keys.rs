//! Private keys: as text with its frame, as text without it, and as bytes.

use super::{
    Look,
    shape::{base64, contains, near, run, upper},
};
use crate::Kind;

/// The start of every OpenSSH key, in base64.
const OPENSSH: &str = "b3BlbnNzaC1rZXktdjE";

/// Adds the rules.
pub(super) fn rules(add: &mut dyn FnMut(&'static str, Look)) {
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
    // Folded lines, quotation marks and headers may stand between.
    let (mut letters, mut most) = (0, 0);
    for byte in body {
        match byte {
            b if base64(*b) && *b != b'-' => letters += 1,
            b' ' | b'\n' | b'\r' | b'\t' | b'>' | b'"' | b'\'' | b'\\' | b'|' | b',' | b'`'
            | b'.' => {}
            _ => letters = 0,
        }
        most = most.max(letters);
    }
    (framed && most >= 40 && has_body(body)).then_some(Kind::PrivateKey)
}

/// Whether some stretch of it without white space is too long for a word.
fn has_body(body: &[u8]) -> bool {
    body.split(|b| !base64(*b)).any(|part| {
        part.len() >= 30 && part.iter().any(u8::is_ascii_uppercase) && !part.contains(&b'-')
    })
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

/// Whether bytes are a private key in DER: PKCS#8, PKCS#1 or SEC 1.
pub(super) fn is_key_file(bytes: &[u8]) -> bool {
    let Some(body) = sequence(bytes) else {
        return false;
    };
    match body {
        // Version 0 or 1, then the algorithm: a sequence that starts with an object identifier.
        [2, 1, 0 | 1, 0x30, len, 6, ..] => *len < 0x80 && contains(near_start(body), &[4]),
        // Version 0, then a modulus of 64 bytes and more.
        [2, 1, 0, 2, 0x81 | 0x82, ..] => true,
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
        [0x30, 0x81, _, rest @ ..] | [0x30, 0x82, _, _, rest @ ..] => Some(rest),
        [0x30, len, rest @ ..] if *len < 0x80 && *len >= 32 => Some(rest),
        _ => None,
    }
}
