//! Passwords of words: `correct-horse-battery-staple`.

use super::value_span::ends_line;
use crate::content::char_class::{is_placeholder, run};

/// Words of sentences about passwords, and the little words that every sentence has. None of them
/// is in a password of words that a program chose, or few.
const OF_SENTENCES: &str = "\
    the this that these those and for with without from into your our their his her its you they \
    them who are was were has have had will can may must should not never none only all any per \
    via see ask use used uses using set same like kept keep stored store saved sent send given \
    goes here there below above inside outside when where what how why please choose enter type \
    change changed reset forgot required optional least most more less than four five six random \
    common words word letters characters digits text input field form label button string value \
    name user file path config secret secrets password passphrase token key vault credentials \
    example placeholder test demo dummy default new old company manager safe paper email mail \
    phone sms wiki page note before after again still yet now later today tomorrow yesterday der \
    die das dem den des ein eine einen einem einer und oder mit ohne bei beim von vom zum zur \
    auf aus wie wer ist sind war hat haben wird werden kann muss soll nicht nichts kein keine \
    nur noch immer hier dort steht liegt siehe bitte fragen wir ihr sie ich mein meine dein \
    deine sein heute morgen gestern wurde neu neues alt altes gleich absichtlich unten oben vor \
    nach";

/// Whether four words or more start here that make a password: joined by hyphens, or alone in the
/// rest of the line or of the quotes.
pub(super) fn is_passphrase(text: &[u8], from: usize) -> bool {
    let quote = from.checked_sub(1).and_then(|at| text.get(at)).copied();
    let quoted = matches!(quote, Some(b'"' | b'\'' | b'`'));
    let rest = run(
        text,
        from,
        |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b' '),
        128,
    );
    let joined = run(rest, 0, |b| b != b' ', 128);
    if joined.contains(&b'-') {
        let joined = joined.strip_suffix(b"-").unwrap_or(joined);
        return are_words(joined, b'-');
    }
    let rest = rest.trim_ascii_end();
    let closed = quoted && text.get(from + rest.len()).copied() == quote;
    (closed || ends_line(text, from, rest) && !ends_sentence(text, from + rest.len()))
        && are_words(rest, b' ')
}

fn ends_sentence(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(b'.' | b'?' | b'!' | b':' | b',' | b';'))
}

fn are_words(value: &[u8], sign: u8) -> bool {
    let mut words: Vec<&[u8]> = value.split(|b| *b == sign).collect();
    // Some end with a number, as sites ask for one.
    if words
        .last()
        .is_some_and(|last| last.len() <= 4 && last.iter().all(u8::is_ascii_digit))
    {
        words.pop();
    }
    let written = |word: &&[u8]| {
        let (first, rest) = word.split_first().unwrap_or((&b' ', &[]));
        let cased = match sign {
            b'-' => first.is_ascii_alphabetic(),
            _ => first.is_ascii_lowercase(),
        };
        cased && (2..=10).contains(&rest.len()) && rest.iter().all(u8::is_ascii_lowercase)
    };
    let plain = |word: &&[u8]| {
        let word = word.to_ascii_lowercase();
        let word = std::str::from_utf8(&word).unwrap_or_default();
        OF_SENTENCES.split(' ').all(|other| other != word)
    };
    (4..=12).contains(&words.len())
        && words.iter().all(|word| written(word) && plain(word))
        && !is_placeholder(value)
}
