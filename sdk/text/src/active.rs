//! What a Markdown reader or one of its plugins would run, fetch or hide, found in a text.
//!
//! For Obsidian's reader, its core plugins and the common ones: Dataview, Templater, Tasks,
//! Meta Bind, Buttons. Lives elsewhere: making text from outside inert is `markdown`'s; who refuses
//! what is the caller's.
//! Invariants: the work is linear in the text, whatever it is made of; a text that [`crate::escape_markdown`] made has none.

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
    let mut label = Label::default();
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
            ']' if label.ends_link(&rest[1..]) && !is_escaped(text, at) => Some(Active::Link),
            '`' if !text[..at].ends_with('`') && is_inline(rest) => Some(Active::InlineCode),
            _ => None,
        };
        label.pass(c, || is_escaped(text, at));
        // A fence may be indented, and stand in a quotation or a list.
        is_line_start = match c {
            '\n' | '\r' => true,
            ' ' | '\t' | '>' | '-' | '*' | '+' | '0'..='9' | '.' | ')' => is_line_start,
            _ => false,
        };
        found.map(|found| (at, found))
    })
}

/// Where in a line that begins with a bracket a character is: it may be the label of a definition of
/// a link, which is not shown at all, and which may go on in the next line.
#[derive(Default)]
enum Label {
    /// Nothing but blanks and signs of a quotation so far.
    #[default]
    LineStart,
    /// Behind a bracket that nothing has closed yet.
    Open,
    /// Behind the one that closed it.
    Closed,
    /// The line begins with something else.
    Other,
}

impl Label {
    /// Goes on behind a character of the text.
    fn pass(&mut self, c: char, is_escaped: impl FnOnce() -> bool) {
        *self = match (&self, c) {
            (Self::Open, ']') if !is_escaped() => Self::Closed,
            (Self::Open, _) => Self::Open,
            // A carriage return alone ends a line to some readers, and to others not.
            (_, '\n' | '\r') => Self::LineStart,
            (Self::LineStart, ' ' | '\t' | '>') => Self::LineStart,
            (Self::LineStart, '[') => Self::Open,
            (Self::Closed, _) => Self::Closed,
            (Self::LineStart | Self::Other, _) => Self::Other,
        };
    }

    /// Whether a bracket before this ends the words of a link, or the label of a definition.
    fn ends_link(&self, after: &str) -> bool {
        let may_be_definition = matches!(self, Self::Open | Self::Closed);
        after.starts_with('(') || (after.starts_with(':') && may_be_definition)
    }
}

/// The characters that a text begins with as long as they are of a kind. Whatever is looked for
/// ahead is looked for with this, so that the tests can count it.
fn run_of(text: &str, is_part: impl Fn(char) -> bool) -> &str {
    let len = text.find(|c| !is_part(c)).unwrap_or(text.len());
    #[cfg(test)]
    tests::count(len + 1);
    &text[..len]
}

/// Whether a backslash takes its meaning from the character at a byte.
fn is_escaped(text: &str, at: usize) -> bool {
    let before = &text[..at];
    let slashes = before.len() - before.trim_end_matches('\\').len();
    #[cfg(test)]
    tests::count(slashes + 1);
    slashes % 2 == 1
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
    let name = run_of(after, |c| c.is_ascii_alphanumeric() || "-+.".contains(c));
    let is_harmless = SCHEMES.iter().any(|scheme| {
        after
            .get(..scheme.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    });
    match after[name.len()..].chars().next() {
        // `<a@b>` is an address.
        Some(':') => !is_harmless,
        Some(c) => c.is_whitespace() || c == '/' || c == '>',
        None => true,
    }
}

/// The run of backticks or tildes that a text begins with.
fn fence_of(rest: &str) -> &str {
    let sign = rest.chars().next().unwrap_or(' ');
    run_of(rest, |c| c == sign)
}

/// The rest of the line behind the fence that a text begins with; the break behind it stays.
fn info_of<'a>(rest: &'a str, fence: &str) -> &'a str {
    run_of(&rest[fence.len()..], |c| !matches!(c, '\n' | '\r'))
}

/// Whether the fence at the beginning of a text ends the block of another one.
fn closes(rest: &str, open: &str) -> bool {
    let fence = fence_of(rest);
    fence.starts_with(open) && info_of(rest, fence).trim().is_empty()
}

/// Whether the code block that begins here is only shown.
fn is_shown_block(rest: &str) -> bool {
    let fence = fence_of(rest);
    let info = info_of(rest, fence);
    let language = info.trim().split([' ', '\t', ',']).next().unwrap_or("");
    // Readers do not agree on where a line ends in which a carriage return stands alone.
    let behind = &rest[fence.len() + info.len()..];
    let ends_plainly = !behind.starts_with('\r') || behind.starts_with("\r\n");
    ends_plainly
        && !info.contains('{')
        && SHOWN_LANGUAGES
            .iter()
            .any(|known| language.eq_ignore_ascii_case(known))
}

fn is_inline(rest: &str) -> bool {
    let code = &rest[run_of(rest, |c| c == '`').len()..];
    let code = &code[run_of(code, char::is_whitespace).len()..];
    INLINE.iter().any(|start| code.starts_with(start))
}

#[cfg(test)]
mod tests {
    extern crate std;

    use alloc::{string::String, vec::Vec};
    use core::cell::Cell;

    use proptest::prelude::*;

    use super::*;
    use crate::escape_markdown;

    std::thread_local! {
        /// Bytes looked at ahead of a place or before it, on this thread.
        static LOOKED_AT: Cell<usize> = const { Cell::new(0) };
    }

    pub(super) fn count(bytes: usize) {
        LOOKED_AT.set(LOOKED_AT.get() + bytes);
    }

    fn found(text: &str) -> Vec<(usize, Active)> {
        find_active(text).collect()
    }

    /// How many bytes are looked at more than once to read a text.
    fn work(text: &str) -> usize {
        LOOKED_AT.set(0);
        find_active(text).for_each(drop);
        LOOKED_AT.get()
    }

    /// What active markup and the way to it are made of.
    const PARTS: [&str; 33] = [
        "<!--",
        "%%",
        "<%",
        "<img",
        "![",
        "](",
        "```",
        "```dataview",
        "`=",
        "` ",
        "~~~x",
        "~~~~",
        "]:",
        "<",
        "%",
        "!",
        "[",
        "]",
        "`",
        "~",
        "\n",
        "\r",
        "\r\n",
        " ",
        "a",
        "\\",
        ">",
        "-",
        ":",
        "<a:",
        "text",
        "{",
        "é",
    ];

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
            ("[a\nb]: https://x.test", (4, Active::Link)),
            ("[a\\]\n> b]: https://x.test", (8, Active::Link)),
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

    /// A line may end in a carriage return alone: what is active in either reading is found.
    #[test]
    fn find_active_lone_carriage_return_ends_no_block_early() {
        for (text, expected) in [
            ("a\r[b]: x", (4, Active::Link)),
            ("[a\rb]:", (4, Active::Link)),
            ("```text\rdataviewjs\n```", (0, Active::CodeBlock)),
            ("```\n```\r![[x]]", (8, Active::Embed)),
        ] {
            assert_eq!(found(text).first(), Some(&expected), "{text:?}");
        }
        assert_eq!(found("```text\r\na\r\n```\r\n"), []);
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

        /// However its parts are put together and repeated, reading a text twice as long is no
        /// more than twice the work.
        #[test]
        fn find_active_work_is_linear_in_the_text(
            start in prop::collection::vec(prop::sample::select(&PARTS[..]), 0..3),
            parts in prop::collection::vec(prop::sample::select(&PARTS[..]), 1..6),
        ) {
            let text = start.concat() + &parts.concat().repeat(2000);
            let work = work(&text);
            prop_assert!(work <= 6 * text.len(), "{work} of {}: {start:?} {parts:?}", text.len());
        }
    }
}
