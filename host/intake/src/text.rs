//! Outside text made harmless for a note: bounded, without invisible characters, fenced.
//!
//! What changes, and nothing else does: control characters and invisible ones are dropped
//! (among them those that smuggle text past a reader's eye), embeddings and overrides of the
//! writing direction are shown as `⟨U+202E⟩`, line ends become `\n`, a run of backticks or tildes
//! is cut to [`MAX_RUN`], and `<%` becomes `< %`, because a template plugin of the owner's editor
//! would run what follows.
//! Invariants: the functions are pure, and do work in proportion to what they keep or are given.

use platinum_core::text::{is_hidden, is_joiner};

/// The longest run of backticks or tildes that is kept.
pub const MAX_RUN: usize = 64;

/// What stands where a run was cut.
const RUN_CUT: &str = "[…]";

enum Shown {
    As(char),
    Break,
    Code,
    Dropped,
}

fn shown(c: char) -> Shown {
    match c {
        '\n' | '\r' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}' => Shown::Break,
        '\t' => Shown::As('\t'),
        '\u{202A}'..='\u{202E}' => Shown::Code,
        c if c.is_control() => Shown::Dropped,
        c if is_hidden(c) && !is_joiner(c) => Shown::Dropped,
        c => Shown::As(c),
    }
}

/// Collects harmless text up to a bound.
struct Kept {
    text: String,
    max_bytes: usize,
    run: usize,
    last: char,
    full: bool,
}

impl Kept {
    fn new(max_bytes: usize) -> Self {
        Self {
            text: String::new(),
            max_bytes,
            run: 0,
            last: '\0',
            full: false,
        }
    }

    fn push(&mut self, c: char) {
        if matches!(c, '`' | '~') && c == self.last {
            self.run += 1;
        } else {
            self.run = 1;
        }
        let template = c == '%' && self.last == '<';
        self.last = c;
        if matches!(c, '`' | '~') && self.run > MAX_RUN {
            if self.run == MAX_RUN + 1 {
                self.push_str(RUN_CUT);
            }
            return;
        }
        if template {
            self.push_str(" ");
        }
        self.push_str(c.encode_utf8(&mut [0; 4]));
    }

    fn push_str(&mut self, text: &str) {
        if self.full || self.text.len() + text.len() > self.max_bytes {
            self.full = true;
        } else {
            self.text.push_str(text);
        }
    }

    fn push_code(&mut self, c: char) {
        self.last = '\0';
        self.push_str(&format!("⟨U+{:04X}⟩", u32::from(c)));
    }
}

/// The text as one line of at most `max_chars` characters; `…` ends it where it was cut.
pub fn one_line(text: &str, max_chars: usize) -> String {
    let mut kept = Kept::new(max_chars.saturating_mul(4));
    let mut gap = false;
    for c in text.chars() {
        match shown(c) {
            Shown::Dropped => continue,
            Shown::Break => gap = true,
            Shown::As(c) if c.is_whitespace() => gap = true,
            visible => {
                if gap && !kept.text.is_empty() {
                    kept.push(' ');
                }
                gap = false;
                match visible {
                    Shown::As(c) => kept.push(c),
                    _ => kept.push_code(c),
                }
            }
        }
        if kept.full {
            break;
        }
    }
    let fits = !kept.full && kept.text.chars().count() <= max_chars;
    if fits {
        return kept.text;
    }
    let mut line: String = kept
        .text
        .chars()
        .take(max_chars.saturating_sub(1))
        .collect();
    line.truncate(line.trim_end().len());
    line.push('…');
    line
}

/// The text with its lines, at most `max_bytes` of it, and whether something was cut off.
pub fn lines(text: &str, max_bytes: usize) -> (String, bool) {
    let mut kept = Kept::new(max_bytes);
    let mut after_return = false;
    for c in text.chars() {
        match shown(c) {
            Shown::Break if c == '\n' && after_return => {}
            Shown::Break => kept.push('\n'),
            Shown::As(c) => kept.push(c),
            Shown::Code => kept.push_code(c),
            Shown::Dropped => {}
        }
        after_return = c == '\r';
        if kept.full {
            break;
        }
    }
    let cut = kept.full;
    let mut text = kept.text;
    text.truncate(text.trim_end().len());
    (text, cut)
}

/// The text in a fenced code block whose fence is longer than any run of backticks or tildes
/// inside, and at least three. Nothing in `text` can end the block.
pub fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}text\n{text}\n{fence}\n")
}

/// The text of the block that [`fenced`] made, at the end of `body`.
pub fn unfenced(body: &str) -> Option<&str> {
    let start = if body.starts_with("```") {
        0
    } else {
        body.find("\n```")? + 1
    };
    let block = &body[start..];
    let ticks = block.len() - block.trim_start_matches('`').len();
    let fence = &block[..ticks];
    block[ticks..]
        .strip_prefix("text\n")?
        .strip_suffix(&format!("\n{fence}\n"))
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run, mut last) = (0, 0, '\0');
    for c in text.chars() {
        run = match c {
            '`' | '~' if c == last => run + 1,
            '`' | '~' => 1,
            _ => 0,
        };
        longest = longest.max(run);
        last = c;
    }
    longest
}

/// Whether the text has a character that [`lines`] would not have let through.
pub fn has_hidden(text: &str) -> bool {
    text.chars()
        .any(|c| c != '\n' && !matches!(shown(c), Shown::As(_)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_line_has_no_breaks_and_marks_its_cut() {
        assert_eq!(one_line(" a\r\n---\n\tb\u{2028}c ", 80), "a --- b c");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(one_line("ab  cdef", 4), "ab…");
        assert_eq!(one_line("äöüß", 4), "äöüß");
        assert_eq!(one_line("", 4), "");
    }

    #[test]
    fn hidden_text_is_shown_or_dropped() {
        assert_eq!(
            one_line("a\u{202E}b\u{E0041}\u{200B}\0c\u{1b}[1m", 80),
            "a⟨U+202E⟩bc[1m"
        );
        assert_eq!(
            lines("x\u{2066}y\rz\r\n<% evil %>", 80).0,
            "xy\nz\n< % evil %>"
        );
    }

    #[test]
    fn fence_is_longer_than_any_run_inside() {
        let text = "```\n# not a heading\n`````\n~~~~~~~";
        let block = fenced(text);
        assert!(block.starts_with("````````text\n"), "{block}");
        assert_eq!(unfenced(&format!("# Mail\n\n{block}")), Some(text));
    }

    #[test]
    fn endless_runs_make_bounded_fences() {
        let (text, cut) = lines(&"`".repeat(1 << 20), 1 << 20);
        assert_eq!((text.len(), cut), (MAX_RUN + RUN_CUT.len(), false));
    }

    proptest! {
        #[test]
        fn block_holds_any_text(text in any::<String>(), wild in "[`~\r\n<% \u{202E}]{0,200}") {
            let (kept, _) = lines(&format!("{text}{wild}{text}"), 300);
            prop_assert!(kept.len() <= 300 && !has_hidden(&kept) && !kept.contains("<%"));
            let block = fenced(&kept);
            prop_assert_eq!(unfenced(&block), Some(kept.as_str()));
            let fence = block.lines().next_back().unwrap();
            prop_assert!(kept.lines().all(|line| !line.contains(fence)));
        }

        #[test]
        fn one_line_keeps_its_bound(text in any::<String>(), max in 1_usize..40) {
            let line = one_line(&text, max);
            prop_assert!(line.chars().count() <= max);
            prop_assert!(!line.contains(['\n', '\r', '\t']) && !has_hidden(&line) && !line.contains("<%"));
            prop_assert_eq!(one_line(&line, max), line);
        }
    }
}
