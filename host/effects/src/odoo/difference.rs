//! What differs between the text that was approved and the one that Odoo's server renders now, in words.
//!
//! Invariant: pure; texts count as equal only if a reader sees the same.

use platinum_core::text::{one_line, unescape_markdown};

/// The most lines that are named.
const MAX_NAMED: usize = 3;
/// The longest piece of a line that is named, in characters.
const MAX_LINE: usize = 120;

/// Whether two texts are the same to the letter; editors change how lines end, and how many end a text.
pub(super) fn is_same(approved: &str, now: &str) -> bool {
    let lines = |text: &str| text.trim_end().replace("\r\n", "\n");
    lines(approved) == lines(now)
}

/// What differs, on one line.
pub(super) fn in_words(approved: &str, now: &str) -> String {
    let (before, after) = (lines_of(approved), lines_of(now));
    let gone: Vec<&String> = before.iter().filter(|line| !after.contains(line)).collect();
    let new: Vec<&String> = after.iter().filter(|line| !before.contains(line)).collect();
    if gone.is_empty() && new.is_empty() {
        return "the same lines stand in another order, or another number of times".to_owned();
    }
    let mut named = Vec::new();
    for at in 0..gone.len().max(new.len()) {
        named.push(match (gone.get(at), new.get(at)) {
            (Some(gone), Some(new)) => format!("“{gone}” is now “{new}”"),
            (Some(gone), None) => format!("“{gone}” is gone"),
            (None, Some(new)) => format!("“{new}” is new"),
            (None, None) => break,
        });
    }
    let more = named.len().saturating_sub(MAX_NAMED);
    named.truncate(MAX_NAMED);
    let more = match more {
        0 => String::new(),
        1 => "; and one more line".to_owned(),
        more => format!("; and {more} more lines"),
    };
    format!("{}{more}", named.join("; "))
}

/// The lines that say something, as a reader sees them.
fn lines_of(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| {
        let line = line.trim_matches(['|', ' ', '-', '#', '>', ':']);
        let cells: Vec<&str> = line.split(" | ").map(str::trim).collect();
        let line = cells.join(" | ").replace("**", "");
        one_line(&unescape_markdown(&line), MAX_LINE)
    });
    lines.filter(|line| !line.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BILL: &str = "# Draft vendor bill 12 · Ann · 22.49 EUR\n\n- **Vendor:** Ann, no. 7\n- **Due:** 2026-12-14\n\n\
                        | What      | Sum   |\n|-----------|------:|\n| Paper \\| A4 | 22.49 |\n";

    #[test]
    fn same_text_differs_in_line_ends_alone() {
        assert!(is_same(BILL, &BILL.replace('\n', "\r\n")));
        assert!(is_same(BILL, &format!("{BILL}\n\n")));
        assert!(!is_same(BILL, &BILL.replace("Ann", "Ann ")));
        assert!(!is_same(BILL, ""));
    }

    #[test]
    fn difference_names_the_lines() {
        for (now, words) in [
            (
                BILL.replace("2026-12-14", "2027-01-01"),
                "“Due: 2026-12-14” is now “Due: 2027-01-01”",
            ),
            (
                BILL.replace("- **Due:** 2026-12-14\n", ""),
                "“Due: 2026-12-14” is gone",
            ),
            (
                BILL.replace("22.49", "25.00"),
                "“Draft vendor bill 12 · Ann · 22.49 EUR” is now “Draft vendor bill 12 · Ann · 25.00 EUR”; \
                 “Paper | A4 | 22.49” is now “Paper | A4 | 25.00”",
            ),
            (
                format!("{BILL}- **Followers:** Eve, no. 9; each may get a mail\n"),
                "“Followers: Eve, no. 9; each may get a mail” is new",
            ),
            (
                format!("{BILL}a\nb\nc\nd\n"),
                "“a” is new; “b” is new; “c” is new; and one more line",
            ),
            (
                format!("{BILL}- **Due:** 2026-12-14\n"),
                "the same lines stand in another order, or another number of times",
            ),
        ] {
            assert_eq!(in_words(BILL, &now), words);
        }
    }
}
