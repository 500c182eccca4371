//! Finding the lines of one top-level key in frontmatter, without a parser.
//!
//! The answers are candidates: who edits by them reads the result and compares, so a line that
//! only looks like a key (inside a quoted text, say) is never mistaken for one.

use std::ops::Range;

/// The lines that may be `key`'s, as ranges of bytes. Comments and blank lines between a value
/// and the next key belong to neither.
pub(super) fn candidates(yaml: &str, key: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut open = false;
    let mut at = 0;
    for line in yaml.split_inclusive('\n') {
        let end = at + line.len();
        if is_top(line) {
            open = names(line, key);
            if open {
                found.push(at..end);
            }
        } else if open
            && !line.trim().is_empty()
            && !line.starts_with('#')
            && let Some(last) = found.last_mut()
        {
            last.end = end;
        }
        at = end;
    }
    found
}

/// The line, from 1, where `key` seems to begin.
pub(super) fn line_of(yaml: &str, key: &str) -> Option<usize> {
    let start = candidates(yaml, key).first()?.start;
    Some(yaml[..start].matches('\n').count() + 1)
}

/// Whether a key of the outermost mapping may begin in this line.
fn is_top(line: &str) -> bool {
    let mut chars = line.chars();
    match chars.next() {
        None | Some(' ' | '\t' | '#' | '\r' | '\n') => false,
        Some('-') => !matches!(chars.next(), None | Some(' ' | '\t' | '\r' | '\n')),
        Some(_) => true,
    }
}

/// Whether the line begins with this key, quoted or not, and a colon.
fn names(line: &str, key: &str) -> bool {
    let rest = line.strip_prefix(key).or_else(|| {
        let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        line[1..].strip_prefix(key)?.strip_prefix(quote)
    });
    let Some(rest) = rest.and_then(|rest| rest.trim_start_matches([' ', '\t']).strip_prefix(':'))
    else {
        return false;
    };
    rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])
}
