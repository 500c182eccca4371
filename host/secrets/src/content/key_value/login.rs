//! Logins as people note them: a password in a line of its own below its word, and a user beside a password behind
//! `Login:` or `Zugangsdaten:`.
//!
//! Here nothing stands between the word and the password that says that it is one, so only what is like no word of a
//! language counts ([`is_strong`]).

use super::value::is_strong;
use crate::{
    Kind,
    content::char_class::{run, run_before, starts_word},
};

/// What a login is called.
pub(super) const WORDS: [&str; 14] = [
    "zugangsdaten",
    "zugang",
    "anmeldedaten",
    "logindaten",
    "login-daten",
    "login data",
    "login details",
    "login",
    "log-in",
    "credentials",
    "identifiants",
    "credenciales",
    "credenziali",
    "inloggegevens",
];
/// The longest line that is read, in bytes.
const MAX_LINE: usize = 200;
/// Lines of a login below its word.
const LOGIN_LINES: usize = 4;
/// More words than this in a line with a password are a sentence.
const MAX_WORDS: usize = 4;
/// So many words may stand before the one that heads a line: `Router password`.
const MAX_LEAD: usize = 2;

/// A user and a password behind the word, in its line or in those below.
pub(super) fn match_login(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let rest = run(text, end, |b| b != b'\n', MAX_LINE);
    let rest = bare(rest);
    let marked = rest
        .first()
        .is_some_and(|b| matches!(b, b':' | b'=' | b'-'));
    if !starts_word(text, at) || !(marked || rest.is_empty()) {
        return None;
    }
    let own = rest.get(1..).map(bare).unwrap_or_default();
    if !own.is_empty() {
        return has_password(own).then_some(Kind::Password);
    }
    let is_head = marked || heads_line(text, at);
    let below = lines_below(text, end).take(LOGIN_LINES).any(has_password);
    (is_head && below).then_some(Kind::Password)
}

/// Whether the word is all that its line says, and the next line a password.
pub(super) fn has_password_below(text: &[u8], at: usize, end: usize) -> bool {
    let rest = run(text, end, |b| b != b'\n', MAX_LINE);
    let is_all = bare(rest).iter().all(|b| matches!(b, b':' | b'='));
    if !is_all || !heads_line(text, at) {
        return false;
    }
    let is_one = |line: &[u8]| !line.contains(&b' ') && is_strong(line);
    lines_below(text, end).next().is_some_and(is_one)
}

/// Whether nothing stands before the word in its line but signs of Markdown and a few words: `## Router password`.
fn heads_line(text: &[u8], at: usize) -> bool {
    let before = run_before(text, at, |b| b != b'\n', MAX_LINE);
    let lead = bare(before);
    let is_name = lead
        .iter()
        .all(|b| b.is_ascii_alphabetic() || !b.is_ascii() || *b == b' ');
    let joins = before
        .last()
        .is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    before.len() < MAX_LINE && is_name && !joins && words(lead).count() <= MAX_LEAD
}

/// Whether a line is a password, or a user and a password.
fn has_password(line: &[u8]) -> bool {
    if words(line).count() > MAX_WORDS {
        return false;
    }
    let last = words(line).last().unwrap_or_default();
    let joined = last
        .iter()
        .position(|b| *b == b'/')
        .and_then(|at| last.get(at + 1..));
    is_strong(last) || joined.is_some_and(is_strong)
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
}

/// The lines below a place that say something, without their signs of Markdown: those that follow each other, after
/// at most one empty one.
fn lines_below(text: &[u8], from: usize) -> impl Iterator<Item = &[u8]> {
    let rest = run(text, from, |_| true, MAX_LINE * (LOGIN_LINES + 3));
    let lines = rest.split(|b| *b == b'\n').skip(1).map(bare);
    let mut has_begun = false;
    let mut empty = 0;
    lines
        .take_while(move |line| {
            has_begun |= !line.is_empty();
            empty += usize::from(line.is_empty());
            !(line.is_empty() && has_begun) && empty <= 2
        })
        .filter(|line| !line.is_empty())
}

/// A line without the signs of Markdown around what it says.
fn bare(line: &[u8]) -> &[u8] {
    let is_sign = |b: &u8| {
        b.is_ascii_whitespace() || matches!(b, b'*' | b'_' | b'`' | b'>' | b'#' | b'|' | b'"')
    };
    let is_mark = |b: &u8| is_sign(b) || matches!(b, b'-' | b'+');
    let start = line.iter().position(|b| !is_mark(b)).unwrap_or(line.len());
    // A hyphen is a mark only as that of a list.
    let start = match line.get(..start).unwrap_or_default() {
        marks if marks.last().is_some_and(|b| matches!(b, b'-' | b'+')) => start.saturating_sub(1),
        _ => start,
    };
    let line = line.get(start..).unwrap_or_default();
    let end = line
        .iter()
        .rposition(|b| !is_sign(b))
        .map_or(0, |at| at + 1);
    line.get(..end).unwrap_or_default()
}
