//! HTML turned into text, in one pass over its tags, without a tree.
//!
//! A mail's HTML is seldom well formed and often hostile; a pass that keeps a few counters has no depth to bound and
//! nothing to overflow, and keeps what a reader of the text needs: lines where blocks begin, `>` before what is
//! quoted, the address of a link behind its words. What is no text (styles, scripts, comments, pictures) is left out
//! as it is met, before any bound is applied.
//!
//! A library that lays HTML out for a terminal (html2text) breaks the addresses of links at its width, wants
//! well-formed input of bounded depth, and shows no difference between a quote and an indentation.
//!
//! Invariants: linear work; the text has at most the bytes asked for.

mod quote_marks;
mod tags;
mod writer;

use tags::{Tag, Unclosed};
use writer::Writer;

/// Elements whose content is not text.
const SILENT: &[&str] = &[
    "script", "style", "title", "template", "svg", "math", "textarea", "select", "xml",
];
/// The longest beginning of a tag without an end that is taken for text.
const MAX_LOOSE: usize = 200;

/// The text of an HTML document or a piece of one, at most `most` bytes; and whether something was cut off.
pub(super) fn to_text(html: &str, most: usize) -> (String, bool) {
    let mut writer = Writer::new(most);
    let mut unclosed = Unclosed::default();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        writer.text(&rest[..at]);
        rest = &rest[at..];
        if writer.is_full {
            break;
        }
        if rest.starts_with("<!--") {
            rest = unclosed.after_comment(rest);
            continue;
        }
        let begins = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!' | '?');
        if !rest[1..].starts_with(begins) {
            writer.text("<");
            rest = &rest[1..];
            continue;
        }
        let Some(end) = unclosed.tag_end(rest) else {
            // A tag that was cut off, or no tag at all.
            if rest.len() > MAX_LOOSE {
                rest = "";
            }
            break;
        };
        let tag = Tag::read(&rest[1..end]);
        rest = &rest[end + 1..];
        if tag.is_opening() && SILENT.contains(&tag.name.as_str()) {
            rest = unclosed.after_silent(rest, &tag.name);
        } else {
            writer.tag(&tag);
        }
    }
    writer.text(rest);
    writer.finish()
}
