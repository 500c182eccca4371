//! Links: whether a place is in one, and whether what it carries there is made for one use.
//!
//! Mails are full of links that let their reader in: to a meeting, to a new password, to an
//! account. They are ordinary. A link to a machine with the owner's name and password is not.

use super::char_class::{contains, run, run_before};

/// So much of a link is read.
const MOST: usize = 2048;
/// Over so many ends of lines a link goes on.
const MAX_LINES: u32 = 3;
/// Whose addresses are links; those of databases are not.
const SCHEMES: [&[u8]; 5] = [b"http", b"https", b"zoommtg", b"zoomus", b"msteams"];
/// Names of parameters beside which a password belongs to an account.
const USERS: [&[u8]; 8] = [
    b"user=",
    b"usr=",
    b"uid=",
    b"login=",
    b"username=",
    b"loginname=",
    b"account=",
    b"benutzer=",
];

/// Whether the word is a parameter of a link, or of something written as one.
pub(super) fn is_parameter(text: &[u8], at: usize) -> bool {
    let name = run_before(
        text,
        at,
        |b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'%' | b'.'),
        40,
    );
    let sign = (at - name.len()).checked_sub(1).and_then(|at| text.get(at));
    sign.is_some_and(|b| matches!(b, b'?' | b'&' | b';' | b'/' | b'#')) || contains(name, b"%")
}

/// Whether the place is in the path, the query or the fragment of a link.
pub(super) fn is_within(text: &[u8], at: usize) -> bool {
    before(text, at).is_some()
}

/// Whether the word's value is there for one use: to set a new password, or to join a meeting.
pub(super) fn is_for_one_use(text: &[u8], at: usize, end: usize) -> bool {
    let tail = run(text, end, |b| b.is_ascii_alphanumeric() || b == b'_', 32);
    let more = tail.iter().any(u8::is_ascii_alphabetic) && tail != b"s";
    let word = text.get(at..end).unwrap_or_default();
    let named = at.checked_sub(1).and_then(|at| text.get(at));
    let bare = !named.is_some_and(u8::is_ascii_alphanumeric);
    let meeting =
        bare && (word.eq_ignore_ascii_case(b"pwd") || word.eq_ignore_ascii_case(b"passcode"));
    if !more && !meeting {
        return false;
    }
    let Some(mut link) = before(text, at) else {
        return false;
    };
    let rest = run(text, at, |b| is_letter(b) || b == b';', 512);
    link.extend(rest.iter().map(u8::to_ascii_lowercase));
    more || !USERS.iter().any(|user| {
        let mut places = link.windows(user.len()).enumerate();
        places.any(|(at, name)| {
            let sign = at.checked_sub(1).and_then(|at| link.get(at));
            name == *user && sign.is_some_and(|b| matches!(b, b'?' | b'&' | b';' | b'#'))
        })
    })
}

/// The link that a place is in, from its host up to the place, in lower case.
fn before(text: &[u8], at: usize) -> Option<Vec<u8>> {
    let mut link = Vec::new();
    let mut lines = 0;
    let mut next = at;
    while let Some(place) = next.checked_sub(1)
        && link.len() < MOST
    {
        let byte = text.get(place).copied()?;
        if is_letter(byte) || byte == b';' && text.get(..place)?.ends_with(b"&amp") {
            link.push(byte.to_ascii_lowercase());
            next = place;
            continue;
        }
        let Some(end) = line_before(text, place).filter(|_| lines < MAX_LINES) else {
            break;
        };
        lines += 1;
        next = end;
    }
    link.reverse();
    let scheme = link.windows(3).rposition(|three| three == b"://");
    let host = match scheme {
        Some(colon) => {
            let scheme = run_before(&link, colon, |b| b.is_ascii_alphanumeric(), 12);
            SCHEMES.contains(&scheme).then_some(colon + 3)?
        }
        None => 0,
    };
    let rest = link.split_off(host);
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?' | b'#'))?;
    let host = rest.get(..end)?;
    // Without a scheme it has to look like the name of a host.
    let dots = host.iter().rposition(|b| *b == b'.');
    let country = dots.and_then(|dot| host.get(dot + 1..)).unwrap_or_default();
    let named = country.len() >= 2 && country.iter().all(u8::is_ascii_alphabetic);
    (!host.is_empty() && (scheme.is_some() || named)).then_some(rest)
}

/// The end of the line before, if the link goes on over it: `place` is white space that ends a
/// line or starts one, and the line ends with a sign after which a link has more.
fn line_before(text: &[u8], place: usize) -> Option<usize> {
    let gap = run_before(text, place + 1, |b| b.is_ascii_whitespace(), 4);
    let end = place + 1 - gap.len();
    let ends = gap.iter().filter(|b| **b == b'\n').count();
    let last = end.checked_sub(1).and_then(|at| text.get(at));
    (ends == 1 && last.is_some_and(|b| matches!(b, b'=' | b'?' | b'&'))).then_some(end)
}

/// What may stand in a link.
fn is_letter(b: u8) -> bool {
    !b.is_ascii()
        || b.is_ascii_alphanumeric()
        || matches!(
            b,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b':'
                | b'/'
                | b'?'
                | b'#'
                | b'@'
                | b'!'
                | b'$'
                | b'&'
                | b'+'
                | b'='
                | b'%'
        )
}
