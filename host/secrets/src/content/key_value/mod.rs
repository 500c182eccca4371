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
    char_class::{contains, near},
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
                    || ordinary::is_of_meeting(text, at, &word, value)
                    || word.ends_with(b"pass") && ordinary::is_other_pass(text, at, value)
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
