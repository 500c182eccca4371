//! The words of a wallet's key (BIP-39): 12, 15, 18, 21 or 24 words of one list, of which the last
//! holds a check sum.
//!
//! They are written in a line, one a line, numbered, in columns, with commas. Twelve words of the
//! list in a row, with nothing but white space, numbers and commas between, are in next to no
//! prose: every sentence has words that the list has not. The check sum excludes most of the rest.

use bip39::{Language, Mnemonic};

/// How many words a key has.
const SIZES: [usize; 5] = [24, 21, 18, 15, 12];
/// Words in a row that may stand around a key of a word a line: `seed` and the like.
const MAX_EXTRA: usize = 2;
/// More words in a row are a list of words.
const MAX_RUN: usize = 512;
/// Letters between two words of one key.
const MAX_GAP: usize = 24;

/// One word of the list in a text.
struct Word {
    at: usize,
    index: u16,
    /// The number before it.
    number: Option<u32>,
    /// Whether it is the first of its line.
    starts_line: bool,
    /// How much speaks for a key that starts with it.
    opens: Boundary,
    /// And for one that ends with it.
    closes: Boundary,
}

/// How what is before or after a word sets it apart.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Boundary {
    None,
    /// The end of a line.
    Line,
    /// An empty line, the end of the text, a quote or a bracket.
    Sure,
}

/// Finds the words.
pub(super) struct SeedPhrases {
    /// A bit for each three letters that a word of the list starts with.
    starts: [u64; 26 * 26 * 26 / 64 + 1],
}

impl SeedPhrases {
    pub(super) fn new() -> Self {
        let mut seeds = Self {
            starts: [0; 26 * 26 * 26 / 64 + 1],
        };
        for word in Language::English.word_list() {
            let place = start(word.as_bytes());
            if let Some(bits) = seeds.starts.get_mut(place / 64) {
                *bits |= 1 << (place % 64);
            }
        }
        seeds
    }

    /// Where the words of a key start.
    pub(super) fn find(&self, text: &[u8]) -> Option<usize> {
        let mut run: Vec<Word> = Vec::new();
        let mut at = 0;
        // Where the word before ended.
        let mut gap_from = 0;
        while at < text.len() {
            if !text.get(at).is_some_and(u8::is_ascii_alphabetic) {
                at += 1;
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            let len = rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
            let word = rest.get(..len).unwrap_or_default();
            let gap = text.get(gap_from..at).unwrap_or_default();
            if let Some(last) = run.last_mut() {
                last.closes = closes(gap);
            }
            if !run.is_empty() && !joins(gap) {
                if let Some(found) = key_in(&run) {
                    return Some(found);
                }
                run.clear();
            }
            match self.index(word) {
                Some(index) if run.len() < MAX_RUN => run.push(Word {
                    at,
                    index,
                    number: number(gap),
                    starts_line: run.is_empty() || gap.contains(&b'\n'),
                    opens: opens(gap, gap_from == 0),
                    closes: Boundary::Sure,
                }),
                Some(_) => {}
                None => {
                    if let Some(found) = key_in(&run) {
                        return Some(found);
                    }
                    run.clear();
                }
            }
            at += len;
            gap_from = at;
        }
        key_in(&run)
    }

    /// The number of a word in the list.
    fn index(&self, word: &[u8]) -> Option<u16> {
        if !(3..=8).contains(&word.len()) {
            return None;
        }
        let place = start(word);
        let bits = self.starts.get(place / 64)?;
        if bits & (1 << (place % 64)) == 0 {
            return None;
        }
        let word = word.to_ascii_lowercase();
        Language::English.find_word(std::str::from_utf8(&word).ok()?)
    }
}

/// The first three letters as one number.
fn start(word: &[u8]) -> usize {
    let letters = word.iter().take(3);
    letters.fold(0, |place, b| {
        place * 26 + usize::from((b | 0x20).wrapping_sub(b'a') % 26)
    })
}

/// Whether what is between two words sets them beside each other: white space, commas, signs of a
/// list, and one number of a list. A point or a colon belongs to that number, or ends a sentence.
fn joins(gap: &[u8]) -> bool {
    let mut digits = 0;
    let mut before = b' ';
    let fits = gap.iter().all(|b| {
        let numbered = before.is_ascii_digit();
        before = *b;
        match b {
            b'.' | b':' => numbered,
            b'0'..=b'9' => {
                digits += 1;
                digits == 1 || numbered
            }
            b',' | b';' | b'|' | b'-' | b'*' | b'"' | b'\'' | b'`' | b'[' | b']' | b'(' | b')'
            | b'#' | b'>' | b'_' | b'/' | b'\\' => true,
            other => other.is_ascii_whitespace(),
        }
    });
    fits && digits <= 2 && gap.len() <= MAX_GAP && lines(gap) <= 3
}

/// How what is before a word sets it apart; `first` if it is the first of the text.
fn opens(gap: &[u8], first: bool) -> Boundary {
    let line = gap.iter().rposition(|b| *b == b'\n').map(|at| at + 1);
    let line = line.or(first.then_some(0));
    let marks = line.and_then(|line| gap.get(line..)).is_some_and(|rest| {
        rest.iter().all(|b| {
            b.is_ascii_whitespace()
                || b.is_ascii_digit()
                || matches!(b, b'>' | b'*' | b'-' | b'#' | b'.' | b')')
        })
    });
    let last = gap.iter().rfind(|b| !b.is_ascii_whitespace());
    let sign = |b: &u8| matches!(b, b':' | b'=' | b'"' | b'\'' | b'`' | b'(' | b'[' | b'|');
    match () {
        () if last.is_some_and(sign) || marks && (first || lines(gap) > 1) => Boundary::Sure,
        () if marks => Boundary::Line,
        () => Boundary::None,
    }
}

/// How what is after a word sets it apart.
fn closes(gap: &[u8]) -> Boundary {
    match gap.iter().find(|b| !matches!(b, b' ' | b'\t')) {
        Some(b'"' | b'\'' | b'`' | b')' | b']' | b'|' | b'<') => Boundary::Sure,
        Some(b'\r' | b'\n') if lines(gap) > 1 => Boundary::Sure,
        Some(b'\r' | b'\n') => Boundary::Line,
        _ => Boundary::None,
    }
}

fn lines(gap: &[u8]) -> usize {
    gap.iter().filter(|b| **b == b'\n').count()
}

/// The number at the end of what is before a word.
fn number(gap: &[u8]) -> Option<u32> {
    let tail = gap.get(gap.len().saturating_sub(8)..)?;
    let end = tail.iter().rposition(u8::is_ascii_digit)? + 1;
    let from = tail.get(..end)?.iter().rposition(|b| !b.is_ascii_digit());
    let digits = tail.get(from.map_or(0, |at| at + 1)..end)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Where the words of a key start among words of the list in a row.
fn key_in(run: &[Word]) -> Option<usize> {
    let first = run.first()?.at;
    if run.len() < 12 {
        return None;
    }
    if let Some(words) = numbered(run) {
        // What has numbers ends where they do.
        return is_key(&words).then_some(first);
    }
    if columns(run).is_some_and(|words| is_key(&words)) {
        return Some(first);
    }
    for size in SIZES {
        for window in run.windows(size) {
            let (Some(first), Some(last)) = (window.first(), window.last()) else {
                continue;
            };
            let frame = first.opens.min(last.closes);
            let one_line = !window.iter().skip(1).any(|word| word.starts_line);
            // A list that goes on is one of other words.
            let part = run.len() - size > MAX_EXTRA && !one_line;
            if frame == Boundary::None || part && frame < Boundary::Sure {
                continue;
            }
            let words: Vec<u16> = window.iter().map(|word| word.index).collect();
            if is_key(&words) {
                return window.first().map(|word| word.at);
            }
        }
    }
    None
}

/// The words in the order of their numbers, if those are all from one to a key's size.
fn numbered(run: &[Word]) -> Option<Vec<u16>> {
    let mut words: Vec<(u32, u16)> = run
        .iter()
        .filter_map(|word| Some((word.number?, word.index)))
        .take(25)
        .collect();
    words.sort_unstable();
    let first = words.first()?.0;
    let counted = (first..).zip(&words).all(|(n, (number, _))| n == *number);
    let all = words.len() * 2 > run.len();
    (first <= 1 && counted && all).then(|| words.into_iter().map(|(_, index)| index).collect())
}

/// The words by columns, if all lines have as many.
fn columns(run: &[Word]) -> Option<Vec<u16>> {
    let framed = run.first()?.opens.min(run.last()?.closes) != Boundary::None;
    if run.len() > 24 || !framed {
        return None;
    }
    let rows = run.iter().filter(|word| word.starts_line).count();
    let wide = run.len() / rows.max(1);
    let whole = run.len() == rows * wide
        && run
            .iter()
            .enumerate()
            .all(|(n, word)| word.starts_line == (n % wide.max(1) == 0));
    let words = (0..wide).flat_map(|column| run.iter().skip(column).step_by(wide.max(1)));
    (whole && wide > 1 && rows > 1).then(|| words.map(|word| word.index).collect())
}

/// Whether the check sum is right, and the words are no list in its order and no pattern.
fn is_key(words: &[u16]) -> bool {
    if !SIZES.contains(&words.len()) || words.is_sorted() {
        return false;
    }
    let mut distinct = words.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() * 4 < words.len() * 3 {
        return false;
    }
    let list = Language::English.word_list();
    let words: Vec<&str> = words
        .iter()
        .filter_map(|index| list.get(usize::from(*index)).copied())
        .collect();
    Mnemonic::parse_in_normalized(Language::English, &words.join(" ")).is_ok()
}
