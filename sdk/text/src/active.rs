//! What a Markdown reader or one of its plugins would run, fetch or hide, found in a text.
//!
//! For Obsidian's reader, its core plugins and the common ones: Dataview, Templater, Tasks,
//! Meta Bind, Buttons. Lives elsewhere: making text from outside inert is `markdown`'s; who refuses
//! what is the caller's.
//! Invariants: one pass over the text; a text that [`crate::escape_markdown`] made has none.

use core::fmt;

/// Languages of a code block that are only shown. Plugins register others as they like.
const SHOWN_LANGUAGES: [&str; 12] = [
    "",
    "text",
    "txt",
    "plain",
    "plaintext",
    "csv",
    "diff",
    "log",
    "json",
    "yaml",
    "toml",
    "xml",
];

/// What inline code begins with that a plugin runs.
const INLINE: [&str; 7] = ["=", "$=", "INPUT[", "VIEW[", "BUTTON[", "button-", "$"];

/// Schemes of links between angle brackets that only open a page or a mail.
const SCHEMES: [&str; 3] = ["https://", "http://", "mailto:"];

/// A kind of markup that does more than show its own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Active {
    /// `<!-- … -->` or `%% … %%`: not shown.
    Comment,
    /// A tag, or a link with a scheme that programs answer to.
    Html,
    /// `<% … %>`.
    Template,
    /// `![…]`: a picture or a note, fetched when it is shown.
    Embed,
    /// Words that are shown in the place of an address.
    Link,
    /// A code block of a language that a plugin may run.
    CodeBlock,
    /// Inline code that a plugin runs.
    InlineCode,
}

impl fmt::Display for Active {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comment => "a comment, which is not shown",
            Self::Html => "HTML",
            Self::Template => "a template",
            Self::Embed => "an embedded picture or note",
            Self::Link => "a link that shows other words than its address",
            Self::CodeBlock => "a code block that a plugin may run",
            Self::InlineCode => "inline code that a plugin may run",
        })
    }
}

/// Everything active in a text, each with the byte it begins at, in order. In a code block that is
/// only shown that is a template alone, which is run wherever it is.
pub fn find_active(text: &str) -> impl Iterator<Item = (usize, Active)> + '_ {
    let mut is_line_start = true;
    // The fence of the code block that is only shown, and open.
    let mut open: Option<&str> = None;
    text.char_indices().filter_map(move |(at, c)| {
        let rest = &text[at..];
        let is_fence = is_line_start && matches!(c, '`' | '~') && fence_of(rest).len() >= 3;
        let found = match c {
            '<' if rest.starts_with("<%") => Some(Active::Template),
            _ if open.is_some() => {
                if is_fence && closes(rest, open.unwrap_or_default()) {
                    open = None;
                }
                None
            }
            '`' | '~' if is_fence => match is_shown_block(rest) {
                true => {
                    open = Some(fence_of(rest));
                    None
                }
                false => Some(Active::CodeBlock),
            },
            '<' if rest.starts_with("<!--") => Some(Active::Comment),
            '<' if is_html(&rest[1..]) => Some(Active::Html),
            '%' if rest.starts_with("%%") && !text[..at].ends_with('%') => Some(Active::Comment),
            '!' if rest.starts_with("![") && !is_escaped(text, at) => Some(Active::Embed),
            ']' if is_link_end(text, at) && !is_escaped(text, at) => Some(Active::Link),
            '`' if !text[..at].ends_with('`') && is_inline(rest) => Some(Active::InlineCode),
            _ => None,
        };
        // A fence may be indented, and stand in a quotation or a list.
        is_line_start = match c {
            '\n' | '\r' => true,
            ' ' | '\t' | '>' | '-' | '*' | '+' | '0'..='9' | '.' | ')' => is_line_start,
            _ => false,
        };
        found.map(|found| (at, found))
    })
}

/// Whether the bracket at a byte ends the words of a link, or the label of a definition of one,
/// which is not shown at all.
fn is_link_end(text: &str, at: usize) -> bool {
    match text[at + 1..].chars().next() {
        Some('(') => true,
        Some(':') => {
            let line = text[..at].rsplit('\n').next().unwrap_or_default();
            line.trim_start_matches([' ', '\t', '>']).starts_with('[')
        }
        _ => false,
    }
}

/// Whether a backslash takes its meaning from the character at a byte.
fn is_escaped(text: &str, at: usize) -> bool {
    let before = &text[..at];
    (before.len() - before.trim_end_matches('\\').len()) % 2 == 1
}

/// Whether a tag, a closing one, a declaration or a link that is none of the harmless ones follows
/// the `<`.
fn is_html(after: &str) -> bool {
    if after.starts_with(['/', '!', '?']) {
        return true;
    }
    if !after.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return false;
    }
    let name = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-+.".contains(c));
    let is_harmless = SCHEMES.iter().any(|scheme| {
        after
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    match name.chars().next() {
        // `<a@b>` is an address.
        Some(':') => !is_harmless,
        Some(c) => c.is_whitespace() || c == '/' || c == '>',
        None => true,
    }
}

/// The run of backticks or tildes that a text begins with.
fn fence_of(rest: &str) -> &str {
    let sign = rest.chars().next().unwrap_or(' ');
    &rest[..rest.len() - rest.trim_start_matches(sign).len()]
}

/// Whether the fence at the beginning of a text ends the block of another one.
fn closes(rest: &str, open: &str) -> bool {
    let fence = fence_of(rest);
    let line = rest.lines().next().unwrap_or_default();
    fence.len() >= open.len() && fence.starts_with(open) && line[fence.len()..].trim().is_empty()
}

/// Whether the code block that begins here is only shown.
fn is_shown_block(rest: &str) -> bool {
    let info = rest[fence_of(rest).len()..].lines().next().unwrap_or("");
    let language = info.trim().split([' ', '\t', ',']).next().unwrap_or("");
    !info.contains('{')
        && SHOWN_LANGUAGES
            .iter()
            .any(|known| language.eq_ignore_ascii_case(known))
}

fn is_inline(rest: &str) -> bool {
    let code = rest.trim_start_matches('`').trim_start();
    INLINE.iter().any(|start| code.starts_with(start))
}

#[cfg(test)]
mod tests {
    use alloc::{string::String, vec::Vec};

    use proptest::prelude::*;

    use super::*;
    use crate::escape_markdown;

    fn found(text: &str) -> Vec<(usize, Active)> {
        find_active(text).collect()
    }

    #[test]
    fn find_active_ordinary_text_has_none() {
        for text in [
            "Dear Ada,\n\nyes! 3 < 4, 50 % (a [good] price): <https://x.test/?a=b> <ada@x.test>\n",
            "> quoted?\n[[which day suits you]]\n\n-- \n[[your name]]\n- [ ] step [x] done",
            "~5 ~~ a <3 b ~~~~",
            "a `word` and ``two``",
            "```\ncode\n```",
            "~~~text\nx\n~~~",
            "````text\n<b> ![x](y) ```dataview\n```\n%%a%%\n````\n",
            "Re: [EXTERNAL]: Offer",
            "[Ticket][123] is done",
            "100 %",
            "5%, 6%",
            "> - ```json\n> {}\n> ```",
        ] {
            assert_eq!(found(text), [], "{text:?}");
        }
    }

    #[test]
    fn find_active_every_kind_is_found_where_it_begins() {
        for (text, expected) in [
            ("a <!-- b -->", (2, Active::Comment)),
            ("é %%b%%", (3, Active::Comment)),
            ("<img src=x>", (0, Active::Html)),
            ("a</b>", (1, Active::Html)),
            ("<?php", (0, Active::Html)),
            ("<script", (0, Active::Html)),
            ("<iframe/>", (0, Active::Html)),
            ("<obsidian://open?vault=x>", (0, Active::Html)),
            ("<javascript:alert(1)>", (0, Active::Html)),
            ("x <% tp.x() %>", (2, Active::Template)),
            ("<%* tp.x() %>", (0, Active::Template)),
            ("![x](https://x.test/t.png)", (0, Active::Embed)),
            ("![[Secret]]", (0, Active::Embed)),
            ("[a](https://x.test)", (2, Active::Link)),
            ("[a]: https://x.test", (2, Active::Link)),
            ("x\n> [a b]: https://x.test", (8, Active::Link)),
            ("```dataviewjs\nx\n```", (0, Active::CodeBlock)),
            ("```DataviewJS\n", (0, Active::CodeBlock)),
            ("~~~~tasks\n", (0, Active::CodeBlock)),
            ("> - ```query\n", (4, Active::CodeBlock)),
            ("  ``` {r}\n", (2, Active::CodeBlock)),
            ("1. ```text {run}\n", (3, Active::CodeBlock)),
            ("```text\n<% x %>\n```", (8, Active::Template)),
            ("```text\nx\n```\n<b>", (14, Active::Html)),
            (
                "````\n```\n````\n~~~\n````\n~~~\n![[x]]",
                (27, Active::Embed),
            ),
            ("a `= this.file.name`", (2, Active::InlineCode)),
            ("a `$= dv.pages()`", (2, Active::InlineCode)),
            ("``  =1``", (0, Active::InlineCode)),
            ("`INPUT[toggle:x]`", (0, Active::InlineCode)),
        ] {
            assert_eq!(found(text).first(), Some(&expected), "{text:?}");
        }
    }

    proptest! {
        /// What a writer escaped cannot be refused by who looks for it.
        #[test]
        fn find_active_escaped_text_has_none(
            text in any::<String>(),
            parts in prop::collection::vec(
                prop::sample::select(Vec::from([
                    "<!--", "%%", "<%", "<img", "![[", "](", "```dataview\n", "`=", "`$=", "~~~x",
                    "]:", "<", "%", "!", "[", "]", "`", "\n", " ", "a",
                ])), 0..12),
        ) {
            for text in [text, parts.concat()] {
                let escaped = escape_markdown(&text, 2000);
                prop_assert_eq!(found(&escaped), [], "{}", escaped);
            }
        }
    }
}
