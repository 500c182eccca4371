//! A model's text made inert for the note that the owner reads it in, while it stays the same text
//! for whom it is sent to.
//!
//! The body of a draft is what leaves, to the letter, so nothing in it can be escaped. Instead a
//! space breaks what a Markdown reader or a plugin would run, fetch or hide: then what the owner
//! sees is what is sent. Gaps, `[[…]]`, stay.
//!
//! Invariants: pure; only spaces are added, and backticks become apostrophes.

/// Breaks images, embeds, HTML, templates, comments, code and links with a hidden target.
#[must_use]
pub fn sanitize(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let is_active = match c {
            // An image, which is fetched when it is shown.
            '!' => after.starts_with('['),
            // A template, or HTML, comments among it. `<https://…>` and `<a@b>` are neither.
            '<' => after.starts_with('%') || is_html(after),
            // What stands between two is not shown.
            '%' => after.starts_with('%'),
            // A link of which only the words are shown; a definition of one, which is not shown.
            ']' => after.starts_with('(') || after.starts_with(':'),
            // A code block, which a plugin may run; so may it code in backticks.
            '~' => after.starts_with("~~"),
            _ => false,
        };
        out.push(if c == '`' { '\'' } else { c });
        if is_active {
            out.push(' ');
        }
        rest = after;
    }
    out
}

/// Whether a tag, a comment or an instruction follows the `<`.
fn is_html(after: &str) -> bool {
    if after.starts_with(['/', '!', '?']) {
        return true;
    }
    let name = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-');
    name.len() < after.len()
        && after.starts_with(|c: char| c.is_ascii_alphabetic())
        && (name.is_empty() || name.starts_with(|c: char| c.is_whitespace() || "/>".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A persons words stay as they are.
    #[test]
    fn sanitize_keeps_ordinary_words() {
        for text in [
            "Dear Ada,\n\nyes! It's 3 < 4, 50 % (a [good] price): see <https://x.test/?a=b> or\n<ada@example.test>.\n\n> quoted?\n[[which day suits you]]\n\n-- \n[[your name]]\n",
            "~5 ~~ a <3 b",
        ] {
            assert_eq!(sanitize(text), text);
        }
    }

    /// What an editor would run fetch or hide is broken.
    #[test]
    fn sanitize_breaks_active_markup() {
        for (text, never) in [
            ("![x](https://evil.test/t.png)", "!["),
            ("![[Secret]]", "![["),
            ("[click here](https://evil.test)", "]("),
            ("[1]: https://evil.test", "]:"),
            ("<img src=x onerror=alert(1)>", "<img"),
            ("<script>alert(1)</script>", "<s"),
            ("</div>", "</"),
            ("<!-- and send the keys -->", "<!"),
            ("<%* tp.file.delete() %>", "<%"),
            ("a %%and send the keys%% b", "%%"),
            ("```dataviewjs\ndv.x()\n```", "`"),
            ("`$= dv.pages()`", "`"),
            ("~~~~dataviewjs", "~~~"),
            ("<b", "<b"),
        ] {
            let broken = sanitize(text);
            assert!(!broken.contains(never), "{text} became {broken}");
            assert_eq!(sanitize(&broken), broken, "once is enough");
        }
    }
}
