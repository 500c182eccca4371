//! Text from outside, made safe to show on one line or within a bound.
//!
//! Invariants: nothing here fails, and nothing it returns is longer than asked for.

/// One line without control and direction characters, white space collapsed, at most
/// `max_chars` characters; what was cut ends in `…`.
#[must_use]
pub fn one_line(text: &str, max_chars: usize) -> String {
    let mut line = String::new();
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()) {
        let word: String = word.chars().filter(|c| !is_invisible(*c)).collect();
        if word.is_empty() {
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&word);
        // Enough is read to know that the line will be cut.
        if line.len() > max_chars.saturating_mul(4) {
            break;
        }
    }
    if line.chars().count() <= max_chars {
        return line;
    }
    let mut cut: String = line.chars().take(max_chars.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    if max_chars > 0 {
        cut.push('…');
    }
    cut
}

/// The longest beginning of `text` that has at most `max_bytes` bytes and ends between two
/// characters.
#[must_use]
pub fn bounded(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// Characters that change how others are shown, or show nothing: direction marks, joiners of no
/// width, tags.
#[must_use]
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_no_breaks_controls_or_direction_marks() {
        assert_eq!(one_line(" a\r\nb\u{0}\t c\u{202e}d\u{200b} ", 50), "a b cd");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        assert_eq!(one_line("ééééé", 4), "ééé…");
        assert_eq!(one_line("éééé", 4), "éééé");
        assert_eq!(one_line("a b", 0), "");
        assert!(one_line(&"x ".repeat(100_000), 80).chars().count() <= 80);
    }

    #[test]
    fn a_bound_falls_between_characters() {
        assert_eq!(bounded("aéé", 4), "aé");
        assert_eq!(bounded("ab", 10), "ab");
    }
}
