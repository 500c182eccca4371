//! Text from outside as Markdown that shows exactly that text and does nothing.
//!
//! Invariants: what comes out has no link, image, HTML, wikilink, tag, comment or block of its
//! own, on one line.

use platinum_sdk::text::one_line;

/// Escapes a line for Markdown, GitHub's and Obsidian's.
#[must_use]
pub fn plain(text: &str, max_chars: usize) -> String {
    let line = one_line(text, max_chars);
    let mut escaped = String::with_capacity(line.len() + 16);
    let mut rest = line.as_str();
    while let Some(c) = rest.chars().next() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '{' | '}' | '#' | '!' | '|' | '~'
            | '$' | '%' | '^' | '=' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            // An address that readers would make a link of.
            '/' if rest.starts_with("//") => escaped.push_str("\\/"),
            '.' if ends_in_www(&escaped) => escaped.push_str("\\."),
            _ => escaped.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    escaped
}

fn ends_in_www(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 3 && bytes[bytes.len() - 3..].eq_ignore_ascii_case(b"www")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_words_stay_as_they_are() {
        assert_eq!(
            plain("Drafted an answer to Ada: tea, 4 o'clock?", 200),
            "Drafted an answer to Ada: tea, 4 o'clock?"
        );
    }

    #[test]
    fn nothing_from_outside_is_markup() {
        for (text, never) in [
            ("[pay](https://evil.test)", "[pay]("),
            ("![x](y)", "!["),
            ("[[Approved/x]]", "[["),
            ("<script>alert(1)</script>", "<"),
            ("<!-- platinum:end -->", "<!--"),
            ("&lt;b&gt;", "&lt;b&gt;"),
            ("see https://evil.test", "://"),
            ("see WWW.evil.test", "WWW."),
            ("mail a@b.test", "a@b"),
            ("%%hidden%%", "%%"),
            ("#tag **bold** `code` $x$ ==mark== ~~gone~~", "#tag **"),
            ("a | b", " | "),
            ("a\n- [ ] b\r\n# c", "\n"),
        ] {
            let escaped = plain(text, 200);
            assert!(!escaped.contains(never), "{text} became {escaped}");
        }
    }

    #[test]
    fn a_backslash_cannot_undo_an_escape() {
        assert_eq!(plain("\\[x\\]", 200), "\\\\\\[x\\\\\\]");
    }

    #[test]
    fn a_long_text_is_cut_before_it_is_escaped() {
        assert!(plain(&"*".repeat(1_000), 100).chars().count() <= 200);
    }
}
