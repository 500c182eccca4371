//! What stands after a password's word in a note and is none: what an editor links to, where something is kept,
//! what a program is told to look for, and how something is protected.

use crate::content::char_class::{contains, near, run_before};

/// Whether a value is one of these.
pub(super) fn is_ordinary(value: &[u8]) -> bool {
    is_note_mark(value)
        || is_variable(value)
        || is_path(value)
        || is_moment(value)
        || is_pattern(value)
        || is_method(value)
}

/// A tag (`#work/2026`) or the name of a block (`^a1b2c3`), as notes have them.
fn is_note_mark(value: &[u8]) -> bool {
    let is_name =
        |b: &u8, signs: &[u8]| b.is_ascii_alphanumeric() || !b.is_ascii() || signs.contains(b);
    match value {
        [b'#', name @ ..] => {
            name.iter().all(|b| is_name(b, b"_-/")) && !name.iter().all(u8::is_ascii_digit)
        }
        [b'^', name @ ..] => name.iter().all(|b| is_name(b, b"-")),
        _ => false,
    }
}

/// `%VARIABLE%`.
fn is_variable(value: &[u8]) -> bool {
    let inner = value
        .strip_prefix(b"%")
        .and_then(|rest| rest.strip_suffix(b"%"));
    inner.is_some_and(|name| {
        name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
            && name.first().is_some_and(|b| !b.is_ascii_digit())
    })
}

/// `C:\Users\Ann`, `\\server\share`.
fn is_path(value: &[u8]) -> bool {
    match value {
        [drive, b':', b'\\', ..] => drive.is_ascii_alphabetic(),
        // In source text each backslash stands twice, and is read once more with one.
        [b'\\', ..] => value.iter().filter(|b| **b == b'\\').count() > 1,
        _ => false,
    }
}

/// `2026-11-30T10:00Z`.
fn is_moment(value: &[u8]) -> bool {
    let Some((date, time)) = value.split_at_checked(10) else {
        return false;
    };
    let is_day = date.iter().enumerate().all(|(at, b)| match at {
        4 | 7 => *b == b'-',
        _ => b.is_ascii_digit(),
    });
    let [b'T' | b't', time @ ..] = time else {
        return false;
    };
    is_day
        && time
            .iter()
            .all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.' | b'+' | b'-' | b'Z'))
}

/// A regular expression: by two of the signs that only such have, or by one between `^` and `$` or slashes.
fn is_pattern(value: &[u8]) -> bool {
    const SIGNS: [&[u8]; 14] = [
        b"\\d", b"\\w", b"\\s", b"\\b", b"\\S", b"[a-z", b"[A-Z", b"[0-9", b"[^", b"(?", b".*",
        b",}", b"]{", b"]+",
    ];
    let signs = SIGNS.iter().filter(|sign| contains(value, sign)).count();
    let is_framed = value.starts_with(b"^") && value.ends_with(b"$")
        || value.starts_with(b"/") && value.ends_with(b"/");
    signs > 1 || signs == 1 && is_framed
}

/// What protects a password, or takes its place: `Argon2id`, `2FA/TOTP`, `NIST-SP-800-63B`.
///
/// Every piece is the name of such, a number or a letter, and one is a name.
fn is_method(value: &[u8]) -> bool {
    const NAMES: &str = "2fa aes argon argon2 argon2d argon2i argon2id bcrypt blake2b blake3 cbc chacha20 ctap2 eap ecdsa \
        ed25519 enterprise fido fido2 gcm hmac hotp iso iso27001 kdf ldap md5 mfa nist oauth oauth1 oauth2 \
        oidc otp owasp passkey passkeys pbkdf2 peap personal poly1305 psk rfc rsa sae saml saml2 scrypt sha \
        sha1 sha2 sha256 sha3 sha512 sp sso tls tls1 totp u2f webauthn wep wpa wpa2 wpa3 yescrypt yubikey";
    let lower = value.to_ascii_lowercase();
    let mut is_named = false;
    let mut pieces = lower
        .split(|b| !b.is_ascii_alphanumeric())
        .filter(|piece| !piece.is_empty());
    let all = pieces.all(|piece| {
        let named = is_in(NAMES, piece)
            || piece
                .strip_prefix(b"rfc")
                .or_else(|| piece.strip_prefix(b"iso"))
                .is_some_and(is_number);
        is_named |= named;
        let version = piece.strip_suffix(b"b").unwrap_or(piece);
        named || piece.len() == 1 || is_number(version) && version.len() <= 5
    });
    all && is_named
}

/// Whether a word is in a list of them.
fn is_in(words: &str, word: &[u8]) -> bool {
    words.split(' ').any(|known| known.as_bytes() == word)
}

fn is_number(piece: &[u8]) -> bool {
    !piece.is_empty() && piece.iter().all(u8::is_ascii_digit)
}

/// Passes that let a person or a sound through: `Boarding pass: …`, `Low-pass: …`.
pub(super) fn is_other_pass(text: &[u8], at: usize, value: &[u8]) -> bool {
    const OTHERS: &str = "boarding low high band all by ski bus day season mountain parking travel rail interrail eurail \
        visitor press hall festival first second";
    // The word may be `-pass`.
    let joined = text.get(at).is_some_and(|b| *b == b'-');
    let gap = run_before(text, at, |b| matches!(b, b' ' | b'-'), 1);
    let name = run_before(text, at - gap.len(), |b| b.is_ascii_alphabetic(), 20);
    let other = is_in(OTHERS, &name.to_ascii_lowercase());
    let capitals = !value.iter().any(u8::is_ascii_lowercase);
    (joined || !gap.is_empty()) && other || gap == b" " && !name.is_empty() && capitals
}

/// What lets in to a meeting whose number stands beside it.
pub(super) fn is_of_meeting(text: &[u8], at: usize, word: &[u8], value: &[u8]) -> bool {
    const IDS: [&[u8]; 9] = [
        b"meeting id",
        b"meeting-id",
        b"meeting number",
        b"meeting-kennnummer",
        b"besprechungs-id",
        b"webinar id",
        b"webinar-id",
        b"conference id",
        b"konferenz-id",
    ];
    if value.len() > 16 {
        return false;
    }
    let has_id = |around: &[u8]| {
        IDS.iter().any(|id| {
            let mut places = around.windows(id.len()).enumerate();
            places.any(|(at, window)| {
                let rest = around.iter().skip(at + id.len()).take(40);
                window == *id && rest.filter(|b| b.is_ascii_digit()).count() >= 6
            })
        })
    };
    let before = near(text, at.saturating_sub(240), at);
    if word == b"passcode" {
        return has_id(&before) || has_id(&near(text, at, at + 240));
    }
    // `Meeting password`, or a password in the line below the number.
    let own = [
        &b"meeting"[..],
        b"webinar",
        b"besprechungs",
        b"sitzungs",
        b"konferenz",
    ];
    let name = before.trim_ascii_end();
    let name = name.strip_suffix(b"-").unwrap_or(name);
    if own.iter().any(|own| name.ends_with(own)) {
        return has_id(&before);
    }
    let end = before.iter().rposition(u8::is_ascii_alphanumeric);
    let (line, between) = before.split_at(end.map_or(0, |at| at + 1));
    let number = run_before(line, line.len(), |b| b.is_ascii_digit() || b == b' ', 20);
    let ends = number.iter().filter(|b| b.is_ascii_digit()).count() >= 6;
    let start = line.len().saturating_sub(50);
    let below = between.iter().filter(|b| **b == b'\n').count() == 1;
    below && ends && has_id(line.get(start..).unwrap_or_default())
}
