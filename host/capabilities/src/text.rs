//! Bounds on text that crosses from a skill to the host.

/// Why a text was refused.
pub(crate) type Refused = String;

/// One line: trimmed, not empty, no control characters, at most `max` characters.
pub(crate) fn checked_line(name: &str, text: &str, max: usize) -> Result<String, Refused> {
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("`{name}` is empty"));
    }
    optional_line(name, text, max)
}

/// Like [`checked_line`], but may be empty.
pub(crate) fn optional_line(name: &str, text: &str, max: usize) -> Result<String, Refused> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return Err(format!(
            "`{name}` must be one line without control characters"
        ));
    }
    let length = text.chars().count();
    if length > max {
        return Err(format!(
            "`{name}` has {length} characters; {max} is the most"
        ));
    }
    Ok(text.to_owned())
}

/// A text of several lines: no control characters but tab and line feed, at most `max` bytes.
pub(crate) fn block(name: &str, text: &str, max: usize) -> Result<String, Refused> {
    if text.len() > max {
        return Err(format!(
            "`{name}` has {} bytes; {max} is the most",
            text.len()
        ));
    }
    let text = text.replace("\r\n", "\n");
    if text
        .chars()
        .any(|c| c.is_control() && c != '\n' && c != '\t')
    {
        return Err(format!("`{name}` has control characters"));
    }
    Ok(text)
}

/// Cuts at a character boundary, with a mark where something is missing.
pub(crate) fn cut(text: &str, max_bytes: usize) -> String {
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let end = (0..=max_bytes)
        .rev()
        .find(|&i| text.is_char_boundary(i))
        .unwrap_or(0);
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line is one line of bounded length.
    #[test]
    fn checked_line_bounds_and_refuses_control_characters() {
        assert_eq!(
            checked_line("summary", "  Reply to Ada ", 40),
            Ok("Reply to Ada".to_owned())
        );
        assert_eq!(
            checked_line("summary", " ", 40),
            Err("`summary` is empty".to_owned())
        );
        assert!(checked_line("summary", "a\nkind: approved", 40).is_err());
        assert!(checked_line("summary", &"a".repeat(41), 40).is_err());
    }

    /// A cut never splits a character.
    #[test]
    fn cut_ends_between_characters() {
        assert_eq!(cut("äöü", 3), "ä…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
