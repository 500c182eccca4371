//! A column of passwords: an export of a browser or of a program that keeps passwords, and a table
//! in a note.
//!
//! The word is a cell of the table's head, and nothing else is in that cell. What stands below it
//! is judged by what else the head names: beside a column of users or of sites, nearly everything
//! is a password; in another table, what could be one.

use super::value::{KEEPERS, is_password, is_something_else};
use super::value_span::Separator;
use crate::content::char_class::{is_placeholder, run, run_before};

/// Longer heads are none.
const MAX_HEAD: usize = 1024;
/// So much of the rows below is read.
const MAX_ROWS: usize = 32 * 1024;
/// Columns beside which a password belongs to an account.
const OWNERS: &[&str] = &[
    "url",
    "uri",
    "username",
    "user",
    "login",
    "login_uri",
    "login_username",
    "login name",
    "loginname",
    "user name",
    "website",
    "web site",
    "site",
    "hostname",
    "host",
    "account",
    "title",
    "email",
    "e-mail",
    "mail",
    "benutzer",
    "benutzername",
    "nutzer",
    "nutzername",
    "dienst",
    "service",
    "seite",
    "webseite",
    "website url",
    "konto",
    "system",
    "server",
    "gerät",
    "device",
    "ssid",
    "wlan",
    "wifi",
    "network",
    "app",
    "anwendung",
    "portal",
    "zugang",
    "adresse",
    "utilisateur",
    "identifiant",
    "usuario",
    "gebruiker",
];
/// What stands in place of a password.
const NOTHING: &[&str] = &[
    "yes",
    "no",
    "ja",
    "nein",
    "none",
    "null",
    "nil",
    "n/a",
    "n.a.",
    "tbd",
    "todo",
    "true",
    "false",
    "string",
    "text",
    "varchar",
    "char",
    "required",
    "optional",
    "pflicht",
    "pflichtfeld",
    "unset",
    "unchanged",
    "changed",
    "expired",
    "reset",
    "hidden",
    "secret",
    "geheim",
    "same",
    "dito",
    "ditto",
    "default",
    "unknown",
    "unbekannt",
    "leer",
    "empty",
    "missing",
    "weak",
    "strong",
    "medium",
    "reused",
    "compromised",
    "safe",
    "vault",
    "tresor",
    "post",
    "mail",
    "email",
    "phone",
    "telefon",
    "brief",
    "oauth",
    "oauth2",
    "passkey",
    "passkeys",
    "fido2",
    "ldap",
    "saml",
    "manager",
    "keychain",
    "central",
    "zentral",
    "shared",
    "personal",
    "rotated",
    "pending",
    "offen",
    "removed",
    "gelöscht",
    "password",
    "passwort",
    "generated",
    "geändert",
    "bekannt",
    "known",
    "varies",
    "encrypted",
    "hashed",
    "plain",
    "bcrypt",
    "argon2id",
    "disabled",
    "enabled",
    "supported",
    "masked",
    "works",
    "fails",
    "kerberos",
    "certificate",
    "key",
    "ssh key",
    "token",
];

/// Whether the word heads a column with a password in it.
pub(super) fn has_password(text: &[u8], at: usize, end: usize) -> bool {
    if !is_cell(text, at, end) {
        return false;
    }
    let start = at - run_before(text, at, |b| b != b'\n', MAX_HEAD).len();
    let head = run(text, start, |b| b != b'\n', MAX_HEAD);
    let begins = start == 0 || text.get(start - 1) == Some(&b'\n');
    if !begins || head.len() == MAX_HEAD {
        return false;
    }
    let head_end = start + head.len();
    let place = sign_of(head).and_then(|sign| Some((sign, column_of(head, at - start, sign)?)));
    let Some((sign, column)) = place else {
        return false;
    };
    let names: Vec<String> = cells(head, sign).iter().map(|cell| name(cell)).collect();
    let owned = names
        .iter()
        .enumerate()
        .any(|(n, name)| n != column && OWNERS.contains(&name.as_str()));
    // Names of columns are short and plain; clauses of a sentence are not.
    let short = |name: &String| {
        name.chars().count() <= 40
            && name.split(' ').count() <= 4
            && !name.contains(['<', '>', '&', '?', '!', ':', '='])
    };
    let word = String::from_utf8_lossy(text.get(at..end).unwrap_or_default()).to_lowercase();
    let headed = names.get(column).is_some_and(|name| {
        let lead = name.strip_suffix(&word);
        lead.is_some_and(|lead| !lead.ends_with(char::is_alphanumeric))
    });
    if names.len() < 2 || !headed || !names.iter().all(short) {
        return false;
    }
    let rows = run(text, head_end, |_| true, MAX_ROWS);
    let mut open = false;
    for row in rows.split(|b| *b == b'\n').skip(1) {
        // A line without a cell ends the table, but for one in quotes.
        if !row.contains(&sign) && !open {
            return false;
        }
        open ^= sign != b'|' && row.iter().filter(|b| **b == b'"').count() % 2 == 1;
        let cells = cells(row, sign);
        let Some(cell) = cells.get(column).filter(|_| cells.len() == names.len()) else {
            continue;
        };
        let cell = bare(cell);
        // Another head.
        if name(cell) == names.get(column).map_or("", String::as_str) {
            return false;
        }
        if counts(cell, owned) {
            return true;
        }
    }
    false
}

/// Whether the word is alone in its cell, but for a word before it (`login_password`).
fn is_cell(text: &[u8], at: usize, end: usize) -> bool {
    let own = |b: u8| matches!(b, b'"' | b'*' | b'`' | b'_' | b' ' | b'\'' | b'\r');
    let after = end + run(text, end, own, 8).len();
    let ends = text.get(after).is_none_or(|b| is_sign(*b) || *b == b'\n');
    let name = |b: u8| {
        b.is_ascii_alphanumeric() || matches!(b, b'"' | b'*' | b'`' | b'_' | b' ' | b'-' | b'\'')
    };
    let before = at - run_before(text, at, name, 24).len();
    let begins = before.checked_sub(1).and_then(|at| text.get(at));
    ends && begins.is_none_or(|b| is_sign(*b) || *b == b'\n' || *b == 0xBF)
}

fn is_sign(b: u8) -> bool {
    matches!(b, b',' | b';' | b'\t' | b'|')
}

/// What sets the cells of a head apart.
fn sign_of(head: &[u8]) -> Option<u8> {
    let count = |sign: u8| head.iter().filter(|b| **b == sign).count();
    let best = [b'|', b'\t', b';', b',']
        .into_iter()
        .max_by_key(|sign| count(*sign))?;
    (count(best) > 0).then_some(best)
}

/// The cells of a line; signs within quotes set nothing apart.
fn cells(line: &[u8], sign: u8) -> Vec<&[u8]> {
    let line = line.get(edge(line, sign)..).unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let line = match sign {
        b'|' => line.trim_ascii_end(),
        _ => line,
    };
    let line = match line.strip_suffix(b"|") {
        Some(inner) if sign == b'|' => inner,
        _ => line,
    };
    let mut quoted = false;
    line.split(|b| {
        quoted ^= *b == b'"' && sign != b'|';
        *b == sign && !quoted
    })
    .collect()
}

/// How long the start of a line is before its first cell: a table of Markdown may open with a sign,
/// and be quoted.
fn edge(line: &[u8], sign: u8) -> usize {
    let blank = run(line, 0, |b| matches!(b, b' ' | b'>'), 64).len();
    match line.get(blank) {
        Some(b'|') if sign == b'|' => blank + 1,
        _ => 0,
    }
}

/// In which cell of a line a place is.
fn column_of(line: &[u8], at: usize, sign: u8) -> Option<usize> {
    let before = line.get(edge(line, sign)..at)?;
    let mut quoted = false;
    let signs = before.iter().filter(|b| {
        quoted ^= **b == b'"' && sign != b'|';
        **b == sign && !quoted
    });
    Some(signs.count())
}

/// A cell without its quotes and emphasis.
fn bare(cell: &[u8]) -> &[u8] {
    let mut cell = cell.trim_ascii();
    while let [
        b'"' | b'*' | b'`' | b'\'' | b'_',
        inner @ ..,
        b'"' | b'*' | b'`' | b'\'' | b'_',
    ] = cell
    {
        cell = inner.trim_ascii();
    }
    cell
}

/// The name of a column, in lower case.
fn name(cell: &[u8]) -> String {
    let cell = bare(cell);
    let cell = cell.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(cell);
    String::from_utf8_lossy(bare(cell)).to_lowercase()
}

/// Whether a cell is a password.
fn counts(cell: &[u8], owned: bool) -> bool {
    let long = (if owned { 4 } else { 8 }..=128).contains(&cell.len());
    if !long || is_placeholder(cell) || is_something_else(cell) && !is_number(cell, owned) {
        return false;
    }
    if !owned {
        return is_password(cell, Separator::Mark, None);
    }
    let text = String::from_utf8_lossy(cell).to_lowercase();
    let kept = KEEPERS
        .iter()
        .any(|name| text.as_bytes().windows(name.len()).any(|w| w == *name));
    let first = text.split(' ').next().unwrap_or_default();
    let spoken = text.contains(' ') && !super::phrase::is_passphrase(cell, 0);
    let letters = text.chars().any(char::is_alphabetic) || is_number(cell, owned);
    letters && !kept && !spoken && !NOTHING.contains(&text.as_str()) && !NOTHING.contains(&first)
}

/// A number long enough for a code.
fn is_number(cell: &[u8], owned: bool) -> bool {
    owned && cell.len() >= 6 && cell.iter().all(u8::is_ascii_digit)
}
