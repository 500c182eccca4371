//! Words that every reader shares: counted nouns, spans of time, text from outside on one line.

use std::fmt;

use platinum_core::Timestamp;

/// Text from outside on one line of at most `max` characters, without anything that a terminal
/// would obey or hide.
pub fn plain(text: &str, max: usize) -> String {
    let is_harmless = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{00AD}' | '\u{061C}' | '\u{FEFF}' | '\u{200B}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}')
    };
    let spaced = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c });
    let clean: String = spaced
        .filter(is_harmless)
        .take(max.saturating_mul(8))
        .collect();
    let line = clean
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    if line.chars().count() > max {
        line.chars()
            .take(max.saturating_sub(1))
            .chain(['…'])
            .collect()
    } else {
        line
    }
}

/// `3 drafts`, `1 draft`.
pub fn count<N: From<u8> + PartialEq + fmt::Display>(n: N, one: &str, many: &str) -> String {
    if n == N::from(1) {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

/// How long ago, or how far ahead, in the largest unit that fits.
pub fn span(seconds: i64) -> String {
    let (seconds, is_past) = (seconds.unsigned_abs(), seconds >= 0);
    let text = match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    if is_past {
        format!("{text} ago")
    } else {
        format!("in {text}")
    }
}

/// How long ago `at` was; a clock that was set back makes it now, not the future.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    span((now.as_second() - at.as_second()).max(0))
}

/// `2026-11-20 18:05Z`.
pub fn short_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_removes_what_a_terminal_would_obey() {
        assert_eq!(plain("a\u{1b}]0;x\u{7}\r\nb\u{202E}c", 40), "a]0;x bc");
        assert_eq!(plain("abcdef", 4), "abc…");
    }

    #[test]
    fn span_uses_the_largest_unit_that_fits() {
        assert_eq!(span(0), "0 s ago");
        assert_eq!(span(-90), "in 1 min");
        assert_eq!(span(7 * 86_400), "7 days ago");
    }
}
