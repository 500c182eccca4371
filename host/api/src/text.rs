//! Words that every reader shares: counted nouns, spans of time, text from outside on one line.

use std::fmt;

pub use platinum_core::text::one_line as plain;
use platinum_core::{Timestamp, format_minute};

/// `3 drafts`, `1 draft`.
pub fn count<N: Copy + From<u8> + PartialEq + fmt::Display>(n: N, one: &str, many: &str) -> String {
    if n == N::from(1) {
        format!("1 {one}")
    } else {
        format!("{n} {many}")
    }
}

/// The first of these names, each on one line of so many characters at most, and how many more there are.
pub(crate) fn first_names<'a>(
    names: impl ExactSizeIterator<Item = &'a str>,
    most: usize,
    max_chars: usize,
) -> String {
    let more = names.len().saturating_sub(most);
    let first: Vec<String> = names
        .take(most)
        .map(|name| plain(name, max_chars))
        .collect();
    match more {
        0 => first.join(", "),
        more => format!("{} and {more} more", first.join(", ")),
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

/// `2026-11-20 18:05`, in the owner's own time.
pub fn short_time(at: Timestamp) -> String {
    format_minute(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn span_uses_the_largest_unit_that_fits() {
        assert_eq!(span(0), "0 s ago");
        assert_eq!(span(-90), "in 1 min");
        assert_eq!(span(7 * 86_400), "7 days ago");
    }
}
