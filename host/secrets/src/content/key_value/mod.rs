//! Passwords and keys by the word before them: `password = …`, `"api_key": "…"`, `Passwort: …`.
//!
//! Lives here: the check of one word. `words` has the words; `value_span` says where a value starts and
//! ends, `value` whether it is like no word of a language and no piece of a program, `ordinary` what else stands
//! there, `phrase` whether words in a row are a password; `table` reads a column below the word, `login` the lines
//! below it, `whole` logins in one piece.
//! The word alone says nothing: prose is full of it. What follows has to be set against it.

mod login;
mod ordinary;
mod phrase;
mod table;
mod value;
mod value_span;
mod whole;
mod words;

use super::{
    Matcher,
    char_class::{contains, near, run_before},
    link,
};
use crate::Kind;
pub(super) use value::is_identifier;
use value_span::Separator;

/// What a word leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Credential {
    /// Something that a person types.
    Password,
    /// Something long that a program made.
    Key,
    /// As `Key`, but also what letters carry in their links.
    Token,
}
use Credential::{Key, Password, Token};

/// Adds the rules.
pub(super) fn rules(add: &mut dyn FnMut(&'static str, Matcher)) {
    for (word, credential) in words::WORDS {
        add(
            word,
            Box::new(move |text, at, end| {
                is_credential(text, at, end, credential).then_some(Kind::Password)
            }),
        );
    }
    for word in login::WORDS {
        add(word, Box::new(login::match_login));
    }
    add("authorization: basic ", Box::new(whole::basic));
    for hash in whole::HASHES {
        add(hash, Box::new(whole::hashed));
    }
}

fn is_credential(text: &[u8], at: usize, end: usize, credential: Credential) -> bool {
    let word = near(text, at, end);
    // Short words are also parts of others.
    let short = matches!(
        word.as_slice(),
        b"pw" | b"pass" | b"passw" | b"pwd" | b"psk" | b"login" | b"parola" | b"clave" | b"senha"
    );
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    if short && before.is_some_and(u8::is_ascii_alphanumeric) {
        return false;
    }
    if credential == Password
        && word != b"login"
        && (table::has_password(text, at, end) || login::has_password_below(text, at, end))
    {
        return true;
    }
    let Some((from, separator)) = value_span::value_start(text, at, end, &word, credential) else {
        return false;
    };
    if word == b"login" {
        return whole::netrc(text, from);
    }
    let parameter = link::is_parameter(text, at);
    if credential == Token && parameter {
        return false;
    }
    let value = value_span::value(text, from, parameter);
    if value.starts_with(b"eyJ") && contains(value, b".") {
        // A web token: `jwt` decodes it.
        return false;
    }
    match credential {
        Password => {
            let found = match separator {
                Separator::Far => {
                    value_span::ends_line(text, from, value)
                        && (value::is_strong(value)
                            || value.contains(&b'-') && phrase::is_passphrase(text, from))
                }
                _ => {
                    value::is_password(value, separator, text.get(from.saturating_sub(1)).copied())
                        || value::is_app_password(text, from)
                        || (separator == Separator::Mark && phrase::is_passphrase(text, from))
                }
            };
            let ordinary = || {
                link::is_for_one_use(text, at, end)
                    || is_of_meeting(text, at, &word, value)
                    || word.ends_with(b"pass") && is_other_pass(text, at, value)
            };
            // What a network is called, and how it is protected, stands there too.
            let network = matches!(
                word.as_slice(),
                b"wlan" | b"wifi" | b"wi-fi" | b"wpa" | b"wpa2" | b"wpa3"
            );
            found && !ordinary() && (!network || value::has_sign(value))
        }
        Key => value::is_key(value, false),
        Token => value::is_key(value, true),
    }
}

/// Passes that let a person or a sound through: `Boarding pass: …`, `Low-pass: …`.
fn is_other_pass(text: &[u8], at: usize, value: &[u8]) -> bool {
    const OTHERS: [&[u8]; 22] = [
        b"boarding",
        b"low",
        b"high",
        b"band",
        b"all",
        b"by",
        b"ski",
        b"bus",
        b"day",
        b"season",
        b"mountain",
        b"parking",
        b"travel",
        b"rail",
        b"interrail",
        b"eurail",
        b"visitor",
        b"press",
        b"hall",
        b"festival",
        b"first",
        b"second",
    ];
    // The word may be `-pass`.
    let joined = text.get(at).is_some_and(|b| *b == b'-');
    let gap = run_before(text, at, |b| matches!(b, b' ' | b'-'), 1);
    let name = run_before(text, at - gap.len(), |b| b.is_ascii_alphabetic(), 20);
    let other = OTHERS.contains(&name.to_ascii_lowercase().as_slice());
    let capitals = !value.iter().any(u8::is_ascii_lowercase);
    (joined || !gap.is_empty()) && other || gap == b" " && !name.is_empty() && capitals
}

/// What lets in to a meeting whose number stands beside it.
fn is_of_meeting(text: &[u8], at: usize, word: &[u8], value: &[u8]) -> bool {
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
