//! Text from outside as Markdown that shows exactly that text and does nothing; the sections of a note, and the fence
//! in it.

use alloc::{format, string::String};

use crate::one_line;

/// The text as one line of at most `max_chars` characters, escaped so that it is no link, image,
/// HTML, wikilink, tag, comment, code, formula or template: for GitHub's Markdown, Obsidian's, and
/// its plugins. The escapes are not counted.
#[must_use]
pub fn escape_markdown(text: &str, max_chars: usize) -> String {
    let line = one_line(text, max_chars);
    let mut escaped = String::with_capacity(line.len() + 16);
    let mut before = '\0';
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
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
            '/' if before == ':' || rest.as_str().starts_with('/') => escaped.push_str("\\/"),
            '.' if ends_in_www(&escaped) => escaped.push_str("\\."),
            _ => escaped.push(c),
        }
        before = c;
    }
    escaped
}

/// The words that a reader of Markdown shows for what [`escape_markdown`] made of them, for where no Markdown is read.
#[must_use]
pub fn unescape_markdown(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        let entities = [("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>')];
        let entity = entities.iter().find(|(name, _)| rest.starts_with(name));
        let escaped = after.chars().next().filter(char::is_ascii_punctuation);
        let (c, len) = match (entity, escaped) {
            (Some((name, c)), _) => (*c, name.len()),
            (None, Some(c)) if first == '\\' => (c, 2),
            _ => (first, first.len_utf8()),
        };
        plain.push(c);
        rest = &rest[len..];
    }
    plain
}

/// What the fence holds in which intake put what came from outside, or all of the text if there is none.
#[must_use]
pub fn unfenced(text: &str) -> &str {
    let Some((before, inside)) = text.split_once("```text\n") else {
        return text;
    };
    // The fence is longer than any run of backticks inside, and so different from them.
    let fence = "`".repeat(3 + before.len() - before.trim_end_matches('`').len());
    if inside.starts_with(&fence) {
        return "";
    }
    inside
        .rfind(&format!("\n{fence}"))
        .map_or(inside, |end| &inside[..end])
}

/// The lines under every heading of this title, of any level and in any case, without the headings.
pub fn section_lines<'a>(text: &'a str, title: &'a str) -> impl Iterator<Item = &'a str> {
    let mut is_inside = false;
    text.lines().filter(move |line| {
        let Some(heading) = line.strip_prefix('#') else {
            return is_inside;
        };
        let heading = heading.trim_start_matches('#').trim();
        is_inside = heading.eq_ignore_ascii_case(title);
        false
    })
}

fn ends_in_www(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 3 && bytes[bytes.len() - 3..].eq_ignore_ascii_case(b"www")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_markdown_ordinary_words_stay() {
        let text = "Drafted an answer to Ada: tea, 4 o'clock? and/or 50 km/h";
        assert_eq!(escape_markdown(text, 200), text);
    }

    #[test]
    fn escape_markdown_leaves_no_markup() {
        for (text, never) in [
            ("[pay](https://evil.test)", "[pay]("),
            ("![x](y)", "!["),
            ("[[Approved/x]]", "[["),
            ("<script>alert(1)</script>", "<"),
            ("<!-- platinum:end -->", "<!--"),
            ("<%* app.vault.delete() %>", "<%"),
            ("&lt;b&gt;", "&lt;b&gt;"),
            ("see https://evil.test", "://"),
            ("see //evil.test", " //"),
            ("see WWW.evil.test", "WWW."),
            ("mail a@b.test", "a@b"),
            ("%%hidden%%", "%%"),
            ("`= this.file` and `$= dv`", "`"),
            ("#tag **bold** `code` $x$ ==mark== ~~gone~~", "#tag **"),
            ("a | b", " | "),
            ("a\n- [ ] b\r\n# c", "\n"),
        ] {
            let escaped = escape_markdown(text, 200);
            assert!(!escaped.contains(never), "{text} became {escaped}");
        }
    }

    #[test]
    fn unescape_markdown_gives_the_words_back() {
        for text in [
            "a | b * c_d [x](y) <b> & &lt; #1 100% 5^2 ~x~ {y} !z $2 = a@b",
            "\\ \\[x\\] C:\\temp\\*",
            "see https://x.test and WWW.x.test, // too",
            "größer: 日本語",
        ] {
            assert_eq!(unescape_markdown(&escape_markdown(text, 500)), text);
        }
    }

    #[test]
    fn escape_markdown_backslash_undoes_no_escape() {
        assert_eq!(escape_markdown("\\[x\\]", 200), "\\\\\\[x\\\\\\]");
    }

    #[test]
    fn escape_markdown_cuts_before_it_escapes() {
        assert!(escape_markdown(&"*".repeat(1_000), 100).chars().count() <= 200);
    }
}
