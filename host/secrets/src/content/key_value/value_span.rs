//! Where the value of a word starts and ends.

use super::Credential::{self, Password};
use crate::content::char_class::{run, run_before};

/// What stands between the word and its value, from the loosest to the surest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Separator {
    /// A dash, or a mark behind what the password is for: `Passwort - …`, `Password for x: …`
    Far,
    /// `is`, `lautet`
    Verb,
    /// White space behind an option: `--password …`
    Option,
    /// `:`, `=`
    Mark,
}

/// What stands between a word and a mark and says that no password follows the mark.
const OTHERS: [&str; 40] = [
    "policy",
    "policies",
    "reset",
    "change",
    "changes",
    "length",
    "expiry",
    "expires",
    "manager",
    "managers",
    "protection",
    "hash",
    "hashes",
    "field",
    "generator",
    "requirements",
    "rules",
    "rule",
    "hint",
    "history",
    "strength",
    "entry",
    "review",
    "step",
    "file",
    "prompt",
    "recovery",
    "rotation",
    "help",
    "hilfe",
    "richtlinie",
    "richtlinien",
    "änderung",
    "wechsel",
    "eintrag",
    "manager-eintrag",
    "vergessen",
    "regeln",
    "see",
    "siehe",
];

/// Where the value starts, if something sets it against the word.
pub(super) fn value_start(
    text: &[u8],
    at: usize,
    end: usize,
    word: &[u8],
    credential: Credential,
) -> Option<(usize, Separator)> {
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
    let option = run_before(text, at, |b| b.is_ascii_alphanumeric() || b == b'-', 24);
    let spaced = from > end + tail.len();
    let (used, sign) = match rest {
        // A line's end or a letter in quoted-printable: what is meant is read elsewhere.
        [b'=', b'\r' | b'\n', ..] | [b'=', b'3', b'D', ..] => return None,
        [b'=', b'8'..=b'9' | b'A'..=b'F', low, b'=', ..] if low.is_ascii_hexdigit() => return None,
        [b'=' | b':', b'=' | b'>', ..] | [b'-', b'>', ..] => (2, Separator::Mark),
        [b':' | b'=' | b'|' | b'>', ..] => (1, Separator::Mark),
        // The colon of Chinese and Japanese.
        [0xEF, 0xBC, 0x9A, ..] => (3, Separator::Mark),
        _ if spaced && word.eq_ignore_ascii_case(b"bearer") => (0, Separator::Mark),
        _ if spaced && word.eq_ignore_ascii_case(b"login") => (0, Separator::Mark),
        _ if spaced && option.starts_with(b"--") && credential == Password => {
            (0, Separator::Option)
        }
        _ => {
            let verb = ["is ", "ist ", "lautet ", "lautet: ", "is: ", "ist: "];
            let change = ["to ", "auf "];
            let change = change.iter().filter(|_| credential == Password);
            let lower = rest.to_ascii_lowercase();
            let mut verbs = verb.iter().chain(change);
            let verb = verbs.find(|verb| lower.starts_with(verb.as_bytes()));
            match verb {
                Some(verb) => (verb.len(), Separator::Verb),
                None if spaced && rest.starts_with(b"- ") && credential == Password => {
                    (2, Separator::Far)
                }
                None => {
                    let long = credential == Password && word.len() > 5;
                    let from = end + tail.len();
                    let mark = long.then(|| purpose(text, from)).flatten()?;
                    return Some((opened(text, mark, false), Separator::Far));
                }
            }
        }
    };
    from += used;
    // Beside a cell of a table or a tag the value is in the same line.
    let line = matches!(rest.first(), Some(b'|' | b'>')) && used == 1;
    Some((opened(text, from, line || sign == Separator::Far), sign))
}

/// Over white space, and over the sign that opens the value.
fn opened(text: &[u8], mut from: usize, line: bool) -> usize {
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
    from + run(
        text,
        from,
        |b| matches!(b, b'"' | b'\'' | b'`' | b'(' | b'['),
        3,
    )
    .len()
}

/// Where the mark ends that follows what a password is for: ` for Netflix:`, ` (router):`,
/// ` Gäste:`.
fn purpose(text: &[u8], from: usize) -> Option<usize> {
    const LEADS: [&str; 18] = [
        "for", "für", "fuer", "of", "from", "on", "to", "vom", "von", "zum", "zur", "beim", "im",
        "am", "der", "des", "pour", "del",
    ];
    let rest = run(text, from, |b| b != b'\n', 64);
    let mark = rest.iter().position(|b| matches!(b, b':' | b'='))?;
    let words = std::str::from_utf8(rest.get(..mark)?).ok()?;
    let words = words.strip_prefix(' ')?.trim_end_matches(['*', '_', ' ']);
    let bracketed = words.starts_with('(') && words.ends_with(')');
    if words.contains(['.', ',', ';', '!', '?', '"', '<', '>', '|', '`', '/']) && !bracketed {
        return None;
    }
    let lower = words.to_lowercase();
    let list: Vec<&str> = lower
        .split([' ', '(', ')'])
        .filter(|w| !w.is_empty())
        .collect();
    let led = list.first().is_some_and(|first| LEADS.contains(first));
    let few = if bracketed || led { 5 } else { 2 };
    let fits = (1..=few).contains(&list.len()) && !list.iter().any(|word| OTHERS.contains(word));
    fits.then_some(from + mark + 1)
}

/// Whether nothing follows the value in its line but what closes it.
pub(super) fn ends_line(text: &[u8], from: usize, value: &[u8]) -> bool {
    let rest = run(text, from + value.len(), |b| b != b'\n', 12);
    rest.len() < 12 && !rest.iter().any(u8::is_ascii_alphanumeric)
}

/// The value: to its quote if it has one, else to the next white space, without the signs of a
/// sentence at its end.
pub(super) fn value(text: &[u8], from: usize, link: bool) -> &[u8] {
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
