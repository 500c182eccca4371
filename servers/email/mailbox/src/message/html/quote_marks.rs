//! What in a mail's HTML says that a mail program quotes an older mail there.
//!
//! Most programs put the older mail into a `blockquote`. Outlook puts it below a mark, up to the end of the mail.

use super::tags::Tag;

/// Where the quote is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// Inside the element.
    Inside,
    /// From the element on.
    Below,
}

/// Ids and classes of elements that hold an older mail.
const INSIDE: &[&str] = &[
    "olk_src_body_section",
    "yahoo_quoted",
    "mail-editor-reference-message-container",
    "ms-outlook-mobile-reference-message",
];
/// Ids and classes of elements above an older mail: Outlook on the web, of the desktop, Hotmail.
const BELOW: &[&str] = &[
    "appendonsend",
    "divrplyfwdmsg",
    "outlookmessageheader",
    "stopspelling",
    "x_divrplyfwdmsg",
];

/// Whether this opening tag begins a quote.
pub(super) fn mark_of(tag: &Tag<'_>) -> Option<Mark> {
    if tag.name == "blockquote" {
        return (!is_indentation(tag)).then_some(Mark::Inside);
    }
    let named = |names: &[&str]| {
        let given = ["id", "class"]
            .into_iter()
            .filter_map(|name| tag.attribute(name));
        given.into_iter().any(|value| {
            let mut words = value.split_ascii_whitespace();
            words.any(|word| {
                let word = word.to_ascii_lowercase();
                // Programs number the ids of quotes: `yahoo_quoted_5067`.
                names.iter().any(|name| {
                    word == **name || (*name == "yahoo_quoted" && word.starts_with(name))
                })
            })
        })
    };
    match tag.name.as_str() {
        "div" | "span" | "section" | "table" if named(INSIDE) => Some(Mark::Inside),
        "div" | "hr" | "p" if named(BELOW) || is_outlook_rule(tag) => Some(Mark::Below),
        // `OutlookMessageHeader` is a table in older ones.
        "table" if named(BELOW) => Some(Mark::Below),
        _ => None,
    }
}

/// Whether a `blockquote` only moves its text to the right, as the button for that does in Gmail and Apple Mail.
fn is_indentation(tag: &Tag<'_>) -> bool {
    let class = tag.attribute("class").unwrap_or_default();
    let cite = tag.attribute("type").is_some() || tag.attribute("cite").is_some();
    let style = style(tag);
    class.is_empty() && !cite && style.contains("border:none") && !style.contains("border-left")
}

/// Whether it is the line that Outlook draws above the header block of the mail it answers.
fn is_outlook_rule(tag: &Tag<'_>) -> bool {
    let style = style(tag);
    style.contains("border-top:solid") && style.contains("padding:3.0pt0")
}

fn style(tag: &Tag<'_>) -> String {
    let style = tag.attribute("style").unwrap_or_default();
    style
        .to_ascii_lowercase()
        .split_ascii_whitespace()
        .collect()
}
