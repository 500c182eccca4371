//! HTML turned into text, with bounds on size and nesting.
//!
//! What reaches the HTML renderer is rewritten first: a short list of elements without their attributes, everything
//! else dropped. When the rest nests too deep or is not well formed, a plain tag stripper does instead, which has
//! neither recursion nor a tree.

use super::facts::Limits;

/// Elements that are passed on.
const KEPT: &[&str] = &[
    "p",
    "div",
    "br",
    "hr",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "table",
    "tr",
    "td",
    "th",
];
/// Elements without an end.
const VOID: &[&str] = &["br", "hr"];
/// Elements whose content is not text.
const SILENT: &[&str] = &[
    "script", "style", "head", "title", "template", "noscript", "svg", "math", "textarea", "select",
];
/// The bounds of what the renderer gets.
const MAX_DEPTH: usize = 48;
const MAX_ELEMENTS: usize = 5000;
const WIDTH: usize = 100;

/// The text of an HTML document or a piece of one.
pub(super) fn to_text(html: &str) -> String {
    let html = &html[..html.floor_char_boundary(Limits::TEXT_BYTES)];
    let (clean, well_formed) = rewrite(html);
    if well_formed {
        // The renderer is a large piece of code on outside data: a bug in it must cost no more than the layout.
        let rendered = std::panic::catch_unwind(|| {
            html2text::config::plain_no_decorate()
                .no_table_borders()
                .allow_width_overflow()
                .string_from_read(clean.as_bytes(), WIDTH)
        });
        if let Ok(Ok(text)) = rendered {
            return text;
        }
    }
    mail_parser::decoders::html::html_to_text(&clean)
}

/// The kept elements and the text; and whether they nest properly within the bounds.
fn rewrite(html: &str) -> (String, bool) {
    let mut out = String::with_capacity(html.len());
    let mut open: Vec<&'static str> = Vec::new();
    let mut elements = 0;
    let mut well_formed = true;
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let begins = rest[1..]
            .starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?'));
        if !begins {
            out.push_str("&lt;");
            rest = &rest[1..];
            continue;
        }
        let Some(end) = tag_end(rest) else {
            rest = "";
            break;
        };
        let tag = &rest[1..end];
        rest = &rest[end + 1..];
        let (closing, tag) = tag
            .strip_prefix('/')
            .map_or((false, tag), |tag| (true, tag));
        let name: String = tag
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(12)
            .collect::<String>()
            .to_ascii_lowercase();
        if !closing && SILENT.contains(&name.as_str()) && !tag.ends_with('/') {
            rest = after_silent(rest, &name);
            continue;
        }
        let Some(name) = KEPT.iter().copied().find(|kept| **kept == *name) else {
            continue;
        };
        elements += 1;
        if VOID.contains(&name) {
            out.push_str(&format!("<{name}>"));
        } else if closing {
            // Paragraphs, list items and cells may be left open; a closing tag further out closes them.
            let implied = |inner: &&str| matches!(*inner, "p" | "li" | "tr" | "td" | "th");
            while open
                .last()
                .is_some_and(|inner| *inner != name && implied(inner))
            {
                if let Some(inner) = open.pop() {
                    out.push_str(&format!("</{inner}>"));
                }
            }
            if open.last() == Some(&name) {
                open.pop();
                out.push_str(&format!("</{name}>"));
            } else {
                well_formed = false;
            }
        } else {
            open.push(name);
            out.push_str(&format!("<{name}>"));
        }
        well_formed &= open.len() <= MAX_DEPTH && elements <= MAX_ELEMENTS;
    }
    out.push_str(rest);
    (out, well_formed)
}

/// Where a tag that begins here ends, quotes respected within reason.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate().take(2048) {
        match (quote, byte) {
            (None, b'"' | b'\'') if tag.as_bytes().get(at.wrapping_sub(1)) == Some(&b'=') => {
                quote = Some(byte);
            }
            (None, b'>') => return Some(at),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    tag.find('>')
}

/// What follows the end of an element whose content is not text; nothing, when it has no end.
fn after_silent<'a>(rest: &'a str, name: &str) -> &'a str {
    let bytes = rest.as_bytes();
    let mut at = 0;
    while let Some(found) = rest[at..].find("</") {
        let start = at + found + 2;
        let end = start + name.len();
        if bytes
            .get(start..end)
            .is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
        {
            return rest[end..]
                .find('>')
                .map_or("", |close| &rest[end + close + 1..]);
        }
        at = start;
    }
    ""
}
