//! Lists of codes that let their owner in without a password: `a1b2c-3d4e5`, eight digits, and
//! others of one pattern, near the words by which services call them.

use super::{
    Matcher,
    char_class::{contains, hex, near, run, run_before},
};
use crate::Kind;

/// What services call them.
const WORDS: [&str; 20] = [
    "recovery code",
    "recovery-code",
    "recovery_code",
    "backup code",
    "backup-code",
    "backup_code",
    "backup verification code",
    "backup login code",
    "emergency code",
    "scratch code",
    "one-time code",
    "single-use code",
    "wiederherstellungscode",
    "wiederherstellungs-code",
    "sicherungscode",
    "backup-schl\u{FC}ssel",
    "notfallcode",
    "ersatzcode",
    "einmalcode",
    "codes de secours",
];
/// Fewer codes are no list of them.
const LEAST: usize = 5;
/// A list has more digits than this.
const MIN_DIGITS: usize = 10;
/// So near to another of the words, that one was checked.
const TWICE: usize = 64;
/// So much is read before and after the word.
const BEFORE: usize = 600;
const AFTER: usize = 2000;

/// Adds the rules.
pub(super) fn rules(add: &mut dyn FnMut(&'static str, Matcher)) {
    for word in WORDS {
        add(word, Box::new(match_list));
    }
}

fn match_list(text: &[u8], at: usize, end: usize) -> Option<Kind> {
    let nearest = near(text, at.saturating_sub(TWICE), at);
    if WORDS.iter().any(|word| contains(&nearest, word.as_bytes())) {
        return None;
    }
    let after = run(text, end, |_| true, AFTER);
    let before = run_before(text, at, |_| true, BEFORE);
    (has_list(after) || has_list(before)).then_some(Kind::Password)
}

/// Whether lines of codes alone, all of one pattern, have five of them or more.
fn has_list(text: &[u8]) -> bool {
    if text.iter().filter(|b| b.is_ascii_digit()).count() < MIN_DIGITS {
        return false;
    }
    // The pattern so far, how many codes have it, and how many lines ago the last was.
    let mut pattern: Option<Vec<usize>> = None;
    let mut count = 0;
    let mut others = 0;
    for line in text.split(|b| *b == b'\n') {
        let codes = codes(line);
        if codes.is_empty() {
            others += usize::from(line.iter().any(u8::is_ascii_alphanumeric));
            if others > 3 {
                (pattern, count, others) = (None, 0, 0);
            }
            continue;
        }
        others = 0;
        for code in codes {
            if pattern.as_ref() != Some(&code) {
                (pattern, count) = (Some(code), 0);
            }
            count += 1;
            if count >= LEAST {
                return true;
            }
        }
    }
    false
}

/// The patterns of the codes of a line, if there is nothing else in it.
fn codes(line: &[u8]) -> Vec<Vec<usize>> {
    let words = line
        .split(|b| {
            b.is_ascii_whitespace() || matches!(b, b',' | b';' | b'|' | b'"' | b'`' | b'*' | b'~')
        })
        .filter(|word| !word.is_empty());
    let mut list: Vec<&[u8]> = words.collect();
    // `- [ ] `, `* `, `1. `, `> `
    while let Some(first) = list.first()
        && is_mark(first)
    {
        list.remove(0);
    }
    // Four digits and four digits are one code.
    let four = |word: &&[u8]| word.len() == 4 && word.iter().all(u8::is_ascii_digit);
    if list.len() >= 2 && list.len().is_multiple_of(2) && list.iter().all(four) {
        return vec![vec![4, 4]; list.len() / 2];
    }
    let patterns: Vec<Vec<usize>> = list.iter().filter_map(|word| pattern(word)).collect();
    if patterns.len() == list.len() {
        patterns
    } else {
        Vec::new()
    }
}

fn is_mark(word: &[u8]) -> bool {
    let point = word.strip_suffix(b".").or_else(|| word.strip_suffix(b")"));
    let number = point.is_some_and(|n| n.len() <= 2 && n.iter().all(u8::is_ascii_digit));
    let box_or_sign = word.len() <= 3 && word.iter().all(|b| !b.is_ascii_digit());
    let ticked = box_or_sign && word.iter().all(|b| b.is_ascii_punctuation() || *b == b'x');
    number || ticked
}

/// The lengths of a code's groups, if a word is a code.
fn pattern(word: &[u8]) -> Option<Vec<usize>> {
    let groups: Vec<&[u8]> = word.split(|b| *b == b'-').collect();
    let letters: usize = groups.iter().map(|group| group.len()).sum();
    let has_digit = word.iter().any(u8::is_ascii_digit);
    let even = groups.iter().all(|group| (3..=12).contains(&group.len()));
    let plain = groups
        .iter()
        .all(|group| group.iter().all(u8::is_ascii_alphanumeric));
    let alone = groups.len() == 1;
    // Without a hyphen: eight to ten digits, of sixteen or of ten; or letters with digits among them.
    let fits = match letters {
        8..=12 if alone => word.iter().all(|b| hex(*b)) || mixed(word),
        8..=40 => !alone,
        _ => false,
    };
    let date = alone && letters == 8 && (word.starts_with(b"20") || word.starts_with(b"19"));
    (fits && plain && even && has_digit && !date)
        .then(|| groups.iter().map(|group| group.len()).collect())
}

fn mixed(word: &[u8]) -> bool {
    let digits = word.iter().filter(|b| b.is_ascii_digit()).count();
    digits >= 2 && digits + 2 <= word.len()
}
