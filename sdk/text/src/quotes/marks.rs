//! The marks that mail programs put above what they quote or forward: what a line, or a few, say.
//!
//! Invariants: a mark is looked for in a bounded number of lines of a bounded length.

use alloc::string::String;

use super::Origin;
use super::words::{self, Field};

/// The longest line, in bytes, that can be the mark of a quote.
const MAX_MARK: usize = 500;
/// What may stand around the words of a line: emphasis, and the blanks before a French colon.
const PADDING: [char; 5] = ['*', '_', ' ', '\u{a0}', '\u{202f}'];
/// How many lines the line above a quote may be broken into.
const MAX_BROKEN: usize = 3;
/// The most lines of a header block that are looked at.
const MAX_HEADERS: usize = 16;

/// Something that says that what follows is not the writer's.
pub(super) struct Mark {
    pub(super) origin: Origin,
    /// How many lines it has.
    pub(super) lines: usize,
    pub(super) reach: Reach,
}

/// What a mark speaks of.
pub(super) enum Reach {
    /// Everything below it.
    Below,
    /// The lines below it that begin with `>`.
    Marked,
}

/// Whether a line is quoted by its first character.
pub(super) fn is_marked(line: &str) -> bool {
    line.trim_start().starts_with(['>', '＞'])
}

/// `>>> Olga <olga@x.test> 19.11.2026 12:00 >>>`, as GroupWise writes it above a quote without marks.
pub(super) fn is_framed(line: &str) -> bool {
    let inner = line
        .trim()
        .strip_prefix(">>>")
        .and_then(|line| line.strip_suffix(">>>"));
    inner.is_some_and(|inner| inner.len() <= MAX_MARK && has_date(inner))
}

/// The first line from here on that is not blank.
fn next_line<'a>(lines: &[&'a str], at: usize) -> Option<&'a str> {
    let rest = lines.get(at..)?.iter().take(MAX_BROKEN * 2);
    rest.copied().find(|line| !line.trim().is_empty())
}

/// The mark that begins with this line, if one does.
pub(super) fn mark(lines: &[&str], at: usize) -> Option<Mark> {
    let line = lines.get(at)?.trim();
    if line.len() > MAX_MARK {
        return None;
    }
    let reach_of = |after: usize| match next_line(lines, after) {
        Some(line) if is_marked(line) => Reach::Marked,
        _ => Reach::Below,
    };
    if let Some(origin) = separator(line) {
        return Some(Mark {
            origin,
            lines: 1,
            reach: reach_of(at + 1),
        });
    }
    let is_rule = is_rule(line);
    let block = if is_rule { next_at(lines, at + 1) } else { at };
    if is_header_block(lines.get(block..).unwrap_or_default()) {
        return Some(Mark {
            origin: Origin::Quoted,
            lines: block - at + 1,
            reach: Reach::Below,
        });
    }
    let (count, text) = introduction(lines, at)?;
    let reach = reach_of(at + count);
    if matches!(reach, Reach::Below) && !is_certain(&text) {
        return None;
    }
    Some(Mark {
        origin: Origin::Quoted,
        lines: count,
        reach,
    })
}

fn next_at(lines: &[&str], from: usize) -> usize {
    let blank = lines.get(from..).unwrap_or_default().iter().take(2);
    from + blank.take_while(|line| line.trim().is_empty()).count()
}

/// A line of nothing but dashes or underscores, as programs draw above what they quote.
fn is_rule(line: &str) -> bool {
    line.chars().count() >= 5
        && line
            .chars()
            .all(|c| matches!(c, '_' | '-' | '=' | '*' | '—'))
}

/// `-----Original Message-----`, `---------- Forwarded message ---------`, `Begin forwarded message:`.
fn separator(line: &str) -> Option<Origin> {
    let frame = |c: char| matches!(c, '-' | '_' | '=' | '*' | '—' | '–' | '─') || c.is_whitespace();
    let inner = line.trim_start_matches(frame);
    let framed = line[..line.len() - inner.len()].trim_end().chars().count() >= 2;
    // Samsung goes on in the line: `-------- Original message --------From: Ann Date: …`.
    let inner = inner.split("---").next().unwrap_or_default();
    let inner = inner.trim_end_matches(frame);
    let named = inner.trim_end_matches([':', '：']).trim_end();
    if !framed && named.len() == inner.len() {
        return None;
    }
    let named = named.to_lowercase();
    let is = |known: &&str| {
        named == **known
            // `Forwarded by Bob/Corp on 05/12/2026`.
            || (framed && named.starts_with(*known) && (known.ends_with("by") || known.ends_with("von")))
    };
    if words::FORWARDED.iter().any(is) {
        return Some(Origin::Forwarded);
    }
    let is_original = words::ORIGINAL.iter().any(is) || (framed && named == "original");
    is_original.then_some(Origin::Quoted)
}

/// The field that a line of a header block names, and what it says.
fn field(line: &str) -> Option<(Field, &str)> {
    let line = line.trim_start().trim_start_matches(PADDING);
    let colon = line
        .char_indices()
        .take(24)
        .find(|(_, c)| matches!(c, ':' | '：'))?;
    let label = line[..colon.0].trim_end_matches(PADDING);
    let value = line[colon.0 + colon.1.len_utf8()..]
        .trim()
        .trim_matches(PADDING);
    let label = label.to_lowercase();
    let found = words::LABELS.iter().find(|(known, _)| *known == label)?;
    Some((found.1, value))
}

/// Whether a header block begins here: who, and when and about what, as no person writes it. `From: Berlin`,
/// `To: Munich`, `Date: 3 May` is none.
fn is_header_block(lines: &[&str]) -> bool {
    let first = lines.first().and_then(|line| field(line));
    // Some put the day before the sender.
    if !matches!(first, Some((Field::From | Field::Date { .. }, _))) {
        return false;
    }
    let (mut date, mut sent, mut to, mut subject) = (false, false, false, false);
    let mut from = None;
    let mut blank = 0;
    for line in lines.iter().take(MAX_HEADERS) {
        if line.trim().is_empty() {
            // HTML may put every line into a paragraph of its own.
            blank += 1;
            if blank > 1 {
                break;
            }
            continue;
        }
        match field(line).filter(|_| line.len() <= 4 * MAX_MARK) {
            Some((Field::Date { only_mail }, _)) => {
                date = true;
                sent |= only_mail;
            }
            Some((Field::To | Field::Cc, _)) => to = true,
            Some((Field::Subject, _)) => subject = true,
            Some((Field::From, _)) if from.is_some() => break,
            Some((Field::From, value)) => from = Some(value),
            // A long list of recipients goes on; after a blank line it is the text.
            None if blank > 0 => break,
            None => {}
        }
        blank = 0;
    }
    from.is_some_and(|from| {
        !from.is_empty()
            && ((subject && (date || to)) || sent || (date && to && from.contains(['@', '<'])))
    })
}

/// How many lines from here on introduce an older mail, and these as one: `On 3 May 2026 at 12:00,
/// Ann <` and `ann@x.test> wrote:`.
fn introduction(lines: &[&str], at: usize) -> Option<(usize, String)> {
    let mut text = String::new();
    for count in 1..=MAX_BROKEN {
        let line = lines.get(at + count - 1)?.trim();
        if line.is_empty() || is_marked(line) || text.len() + line.len() > MAX_MARK {
            return None;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(line);
        let whole = text.trim_end_matches(PADDING).trim_end_matches('-');
        // Zoho frames the line in place of the colon: `---- On … wrote ---`.
        let is_framed = text.starts_with("---") && text.ends_with("---");
        let stem = whole.strip_suffix([':', '：']);
        let Some(stem) = stem.or(is_framed.then_some(whole)) else {
            // A line of its own is not the beginning of the one below.
            let ends_here = text.ends_with(['.', '!', '?', '。', '！', '？']);
            if ends_here || !(text.ends_with('<') || is_opened(&text.to_lowercase())) {
                return None;
            }
            continue;
        };
        let stem = stem.trim_end_matches(PADDING);
        if introduces(stem) {
            return Some((count, text));
        }
        // Before marked lines a line with an address or a day introduces them in any language.
        let is_dated = stem.contains('@') || stem.chars().filter(char::is_ascii_digit).count() >= 4;
        let before_marks = next_line(lines, at + count).is_some_and(is_marked);
        return (is_dated && before_marks).then_some((count, text));
    }
    None
}

/// The openings that a line in lower case begins with.
fn openings(lower: &str) -> impl Iterator<Item = &'static words::Opening> {
    let lower = lower.trim_start_matches(['-', '*', '_', ' ']);
    words::OPENINGS.iter().filter(move |opening| {
        let rest = lower.strip_prefix(opening.word);
        let is_whole = |rest: &str| {
            !opening.word.is_ascii() || rest.is_empty() || rest.starts_with([' ', ',', '\u{a0}'])
        };
        rest.is_some_and(is_whole)
    })
}

fn is_opened(lower: &str) -> bool {
    openings(lower).next().is_some()
}

/// Whether a sentence without its colon says that somebody wrote.
fn introduces(stem: &str) -> bool {
    let lower = stem.to_lowercase();
    let says = |opening: &words::Opening| {
        let mut verbs = opening.verbs.iter();
        verbs.any(|verb| {
            lower.ends_with(verb) || (opening.name_may_follow && has_word(&lower, verb))
        })
    };
    if openings(&lower).any(says) {
        return true;
    }
    let has_address = lower.contains(['@', '<']);
    let is_dated = has_date(&lower);
    let mut verbs = words::LAST_WORDS.iter();
    verbs.any(|verb| {
        (lower.ends_with(verb) && (has_address || is_dated))
            || (has_address && is_dated && has_word(&lower, verb))
    })
        // `2026年11月19日(木) 12:00 Ann <ann@x.test>`: Gmail in Japanese, and in English of old.
        || (is_dated && has_address && lower.ends_with('>'))
}

/// Whether the text has these words, not as a part of others; some scripts have no blanks.
fn has_word(text: &str, word: &str) -> bool {
    let is_spaced = |c: char| c.is_alphanumeric() && c < '\u{2e80}';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].ends_with(is_spaced) && !text[at + word.len()..].starts_with(is_spaced)
    })
}

/// Whether there is a year or a day in it.
fn has_date(text: &str) -> bool {
    let mut run = 0;
    let mut digits = 0;
    for c in text.chars() {
        run = if c.is_ascii_digit() { run + 1 } else { 0 };
        digits += usize::from(c.is_ascii_digit());
        if run == 4 {
            return true;
        }
    }
    digits >= 4
}

/// Whether a line that says that somebody wrote is a program's, although no marked lines follow: it has a day or
/// an address, and does not speak of a person whom the reader knows, as `you wrote` does.
fn is_certain(text: &str) -> bool {
    let lower = text.to_lowercase();
    let has_address = lower.contains('<') && lower.contains('@');
    let speaks = || words::SPEAKING.iter().any(|words| has_word(&lower, words));
    let is_dated = || lower.contains(|c: char| c.is_ascii_digit() || matches!(c, '@' | ','));
    has_address || (is_dated() && !speaks())
}
