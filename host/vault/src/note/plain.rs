//! Text from outside as Markdown that shows exactly that text and does nothing.
//!
//! Lives elsewhere: the skill that writes the dashboard has the like of it for its headlines.
//! Invariants: what comes out is one line without link, image, HTML, wikilink, tag, comment, code,
//! formula or template of its own, for GitHub's Markdown, Obsidian's, and its plugins.

use super::one_line;

/// The text as one line of at most `max` characters, escaped.
pub(super) fn plain(text: &str, max: usize) -> String {
    let line = one_line(text, max);
    let mut escaped = String::with_capacity(line.len() + 16);
    let mut last = '\0';
    for c in line.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // A code span knows no escape, and a plugin reads `= …` in it.
            '`' => escaped.push('\''),
            '\\' | '*' | '_' | '[' | ']' | '(' | ')' | '{' | '}' | '#' | '!' | '|' | '~' | '$'
            | '%' | '^' | '=' | '@' => {
                escaped.push('\\');
                escaped.push(c);
            }
            // An address that readers would make a link of.
            '/' if last == ':' => escaped.push_str("\\/"),
            _ => escaped.push(c),
        }
        last = c;
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_words_stay_as_they_are() {
        assert_eq!(
            plain("Send the offer, by 4 o'clock?", 99),
            "Send the offer, by 4 o'clock?"
        );
    }

    #[test]
    fn nothing_from_outside_is_markup() {
        for (text, never) in [
            ("[pay](https://evil.test)", "[pay]("),
            ("https://evil.test", "://"),
            ("![x](y)", "!["),
            ("![[Approved/x]]", "[["),
            ("<img src=x onerror=alert(1)>", "<"),
            ("<%* app.vault.delete() %>", "<%"),
            ("%%hidden%%", "%%"),
            ("`= this.file` and `$= dv`", "`"),
            ("#tag", " #"),
            ("&lt;b&gt;", "&lt;b"),
        ] {
            let escaped = plain(&format!("a {text}"), 200);
            assert!(!escaped.contains(never), "{text} became {escaped}");
        }
    }
}
