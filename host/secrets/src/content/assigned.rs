//! Passwords and keys by the word before them: `password = …`, `"api_key": "…"`, `Passwort: …`.
//!
//! The word alone says nothing: prose is full of it. What follows has to be set against it, and to
//! look as no word of a language and no piece of a program does.

use super::{
    Look,
    shape::{contains, entropy, hex, is_mixed, is_placeholder, near, run, run_before},
};
use crate::Kind;

/// What a word leads to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Something that a person types.
    Password,
    /// Something long that a program made.
    Key,
    /// As `Key`, but also what letters carry in their links.
    Token,
}
use Sort::{Key, Password, Token};

const WORDS: [(&str, Sort); 46] = [
    ("password", Password),
    ("passwort", Password),
    ("kennwort", Password),
    ("passwd", Password),
    ("passphrase", Password),
    ("passcode", Password),
    ("mot de passe", Password),
    ("contrase\u{F1}a", Password),
    ("wachtwoord", Password),
    ("pwd", Password),
    ("_pass", Password),
    ("-pass", Password),
    ("smtppass", Password),
    ("dbpass", Password),
    ("passw", Password),
    ("pw", Password),
    ("pass", Password),
    ("login", Password),
    ("secret", Key),
    ("api_key", Key),
    ("api-key", Key),
    ("api key", Key),
    ("apikey", Key),
    ("api-schl\u{FC}ssel", Key),
    ("access_key", Key),
    ("access key", Key),
    ("accesskey", Key),
    ("secret_key", Key),
    ("secret key", Key),
    ("secretkey", Key),
    ("private_key", Key),
    ("private key", Key),
    ("privatekey", Key),
    ("account_key", Key),
    ("encryption_key", Key),
    ("encryption key", Key),
    ("signing_key", Key),
    ("master_key", Key),
    ("presharedkey", Key),
    ("auth_key", Key),
    ("authkey", Key),
    ("credential", Token),
    ("access_token", Key),
    ("access token", Key),
    ("token", Token),
    ("bearer", Token),
];

/// Adds the rules.
pub(super) fn rules(add: &mut dyn FnMut(&'static str, Look)) {
    for (word, sort) in WORDS {
        add(
            word,
            Box::new(move |text, at, end| look(text, at, end, sort).then_some(Kind::Password)),
        );
    }
    add("authorization: basic ", Box::new(basic));
    for hash in [
        "$2a$",
        "$2b$",
        "$2y$",
        "$5$",
        "$6$",
        "$y$",
        "$argon2id$",
        "$apr1$",
        "$7$",
    ] {
        add(hash, Box::new(hashed));
    }
}

/// What stands between the word and its value, from the loosest to the surest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sign {
    /// `is`, `lautet`
    Verb,
    /// `:`, `=`
    Mark,
}

fn look(text: &[u8], at: usize, end: usize, sort: Sort) -> bool {
    let Some(word) = text.get(at..end) else {
        return false;
    };
    // Short words are also parts of others.
    let short = matches!(
        word.to_ascii_lowercase().as_slice(),
        b"pw" | b"pass" | b"passw" | b"pwd" | b"login"
    );
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    if short && before.is_some_and(u8::is_ascii_alphanumeric) {
        return false;
    }
    let Some((from, sign)) = value_start(text, at, end, word, sort) else {
        return false;
    };
    if word.eq_ignore_ascii_case(b"login") {
        return netrc(text, from);
    }
    if sort == Token && in_link(text, at) {
        return false;
    }
    let value = value(text, from, in_link(text, at));
    if value.starts_with(b"eyJ") && contains(value, b".") {
        // A web token: `jwt` decodes it.
        return false;
    }
    match sort {
        Password => {
            is_password(value, sign, text.get(from.saturating_sub(1)).copied())
                || is_app_password(text, from)
        }
        Key => is_key(value, false),
        Token => is_key(value, true),
    }
}

/// Where the value starts, if something sets it against the word.
fn value_start(
    text: &[u8],
    at: usize,
    end: usize,
    word: &[u8],
    sort: Sort,
) -> Option<(usize, Sign)> {
    // The rest of a longer name: `PASSWORD_PROD`, `secretKeyBase`, `passwords`.
    let tail = run(
        text,
        end,
        |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'),
        32,
    );
    let joins = match tail {
        [] | [b's'] => true,
        [first, ..] => {
            matches!(first, b'_' | b'-') || first.is_ascii_uppercase() || first.is_ascii_digit()
        }
    };
    if !joins {
        return None;
    }
    let mut from = end + tail.len();
    from += run(
        text,
        from,
        |b| matches!(b, b'"' | b'\'' | b'`' | b'*' | b']' | b')' | b' ' | b'\t'),
        8,
    )
    .len();
    let rest = text.get(from..text.len().min(from + 16))?;
    let option = text.get(at.saturating_sub(12)..at).unwrap_or_default();
    let spaced = from > end + tail.len();
    let (used, sign) = match rest {
        // A line's end or a letter in quoted-printable: what is meant is read elsewhere.
        [b'=', b'\r' | b'\n', ..] | [b'=', b'3', b'D', ..] => return None,
        [b'=', b'8'..=b'9' | b'A'..=b'F', low, b'=', ..] if low.is_ascii_hexdigit() => return None,
        [b'=' | b':', b'=' | b'>', ..] | [b'-', b'>', ..] => (2, Sign::Mark),
        [b':' | b'=' | b'|' | b'>', ..] => (1, Sign::Mark),
        _ if spaced && word.eq_ignore_ascii_case(b"bearer") => (0, Sign::Mark),
        _ if spaced && word.eq_ignore_ascii_case(b"login") => (0, Sign::Mark),
        _ if spaced && contains(option, b"--") && sort == Password => (0, Sign::Mark),
        _ => {
            let verb = ["is ", "ist ", "lautet ", "lautet: ", "is: ", "ist: "];
            let change = ["to ", "auf "];
            let change = change.iter().filter(|_| sort == Password);
            let lower = rest.to_ascii_lowercase();
            let mut verbs = verb.iter().chain(change);
            let verb = verbs.find(|verb| lower.starts_with(verb.as_bytes()))?;
            (verb.len(), Sign::Verb)
        }
    };
    from += used;
    // Beside a cell of a table or a tag the value is in the same line.
    let line = matches!(rest.first(), Some(b'|' | b'>')) && used == 1;
    from += run(
        text,
        from,
        match line {
            true => |b| matches!(b, b' ' | b'\t' | b'*'),
            false => |b| b.is_ascii_whitespace() || matches!(b, b'*' | b'>'),
        },
        12,
    )
    .len();
    from += run(
        text,
        from,
        |b| matches!(b, b'"' | b'\'' | b'`' | b'(' | b'['),
        3,
    )
    .len();
    Some((from, sign))
}

/// The value: to its quote if it has one, else to the next white space, without the signs of a
/// sentence at its end.
fn value(text: &[u8], from: usize, link: bool) -> &[u8] {
    let quote = from.checked_sub(1).and_then(|at| text.get(at)).copied();
    let quote = quote.filter(|b| matches!(b, b'"' | b'\'' | b'`'));
    let rest = text
        .get(from..text.len().min(from + 256))
        .unwrap_or_default();
    let end = rest.iter().position(|b| match quote {
        Some(quote) => *b == quote || *b == b'\n',
        None => {
            b.is_ascii_whitespace()
                || matches!(b, b'"' | b'`' | b'<')
                || (link && matches!(b, b'&' | b'#'))
        }
    });
    let mut value = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
    while let Some((
        b'.' | b',' | b';' | b':' | b')' | b']' | b'}' | b'>' | b'*' | b'\'' | b'|' | b'\\',
        shorter,
    )) = value.split_last()
    {
        value = shorter;
    }
    value
}

/// Whether the word is a parameter of a link, as unsubscribing and signed links have them.
fn in_link(text: &[u8], at: usize) -> bool {
    let name = run_before(
        text,
        at,
        |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'%' | b'.'),
        40,
    );
    let sign = (at - name.len()).checked_sub(1).and_then(|at| text.get(at));
    sign.is_some_and(|b| matches!(b, b'?' | b'&' | b';' | b'/' | b'#')) || contains(name, b"%")
}

fn is_password(value: &[u8], sign: Sign, before: Option<u8>) -> bool {
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
    let strong = inner.iter().any(|b| {
        matches!(
            b,
            b'!' | b'@' | b'#' | b'$' | b'%' | b'^' | b'&' | b'*' | b'+' | b'?' | b'~'
        )
    });
    let sorts = [digits, lower, upper, signs]
        .into_iter()
        .filter(|has| *has)
        .count();
    let quoted = before.is_some_and(|b| matches!(b, b'"' | b'\'' | b'`'));
    let enough = match sign {
        Sign::Verb if !quoted => sorts >= 3 && digits,
        _ => (digits && (lower || upper)) || (strong && lower && upper),
    };
    enough && entropy(value) >= 2.5 && !is_identifier(value)
}

/// Whether somebody could have typed it.
fn is_written(value: &[u8]) -> bool {
    std::str::from_utf8(value).is_ok_and(|text| !text.chars().any(char::is_control))
}

fn is_key(value: &[u8], loose: bool) -> bool {
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
fn is_app_password(text: &[u8], from: usize) -> bool {
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

/// `machine … login … password …`, all set apart by white space.
fn netrc(text: &[u8], from: usize) -> bool {
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

/// Addresses, dates, paths, numbers: what follows the word in prose.
fn is_something_else(value: &[u8]) -> bool {
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
    address || mail || path || number || code || variable || ulid
}

/// `user_password2`, `section-4.2`, `Q3-2026`: words joined by signs, with a number at their ends.
fn is_identifier(value: &[u8]) -> bool {
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

/// A user and a password in base64.
fn basic(text: &[u8], _at: usize, end: usize) -> Option<Kind> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let body = run(text, end, super::shape::base64, 256);
    let decoded = STANDARD.decode(body).ok()?;
    let colon = decoded.iter().position(|b| *b == b':')?;
    (decoded.len() > colon + 5 && !is_placeholder(&decoded)).then_some(Kind::Password)
}

/// A password as systems keep it.
fn hashed(text: &[u8], _at: usize, end: usize) -> Option<Kind> {
    let letters =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'$' | b'=' | b',' | b'+');
    let body = run(text, end, letters, 200);
    (body.len() >= 30 && contains(body, b"$") && is_mixed(body) && entropy(body) >= 3.5)
        .then_some(Kind::Password)
}
