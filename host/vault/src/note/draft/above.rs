//! [`above`]: the message that a draft answers, as the owner reads it above the text that leaves; [`doubts`], what is to
//! be looked at before all of it; and [`card`], how what leaves will look, as a server shows it.
//!
//! Lives elsewhere: the line between the two is `platinum_core::text`'s.
//! Invariants: all of it is one heading and quotations, so that nothing in the message can be the
//! line, and a reader of Markdown runs, fetches and hides nothing of it; it is bounded, and says so
//! where it is cut. The markup of a card is its server's, which escapes what others wrote.

use platinum_core::{
    format_minute, layout,
    text::{bounded, escape_markdown, is_hidden, is_joined, one_line},
};

use crate::note::{ATTACHMENTS, TaskNote};

/// Longest part of a message that is shown, in bytes.
const MAX_MESSAGE_BYTES: usize = 24 * 1024;
/// Most lines of it.
const MAX_MESSAGE_LINES: usize = 400;
/// Longest doubt that is shown, in characters.
const MAX_DOUBT: usize = 500;
/// Most names in one line of its head.
const MAX_NAMES: usize = 20;
/// The facts of a message that its reader wants to see, and what they are called.
const HEAD: [(&str, &str); 4] = [
    ("to", "To"),
    ("cc", "Cc"),
    ("reply-to", "Reply to"),
    (ATTACHMENTS, "Attached"),
];

/// How a card begins.
pub(super) const CARD: &str = "> [!example] As it will look";

/// A name by which a person finds the note of a message, or of its answer.
pub(in crate::note) fn title(subject: &str, from: &str) -> String {
    let name = match from.split_once('<') {
        Some((name, _)) if !name.trim().is_empty() => name,
        _ => from,
    };
    let name = name.trim().trim_matches(['"', '<', '>']);
    one_line(&format!("{subject} · {}", one_line(name, 60)), 140)
}

/// What a draft's owner has to look at first, as Markdown; nothing of none.
pub(super) fn doubts(doubts: &[String]) -> String {
    if doubts.is_empty() {
        return String::new();
    }
    let mut out = "> [!warning] Look at this first\n".to_owned();
    for doubt in doubts {
        out.push_str(&format!("> - {}\n", escape_markdown(doubt, MAX_DOUBT)));
    }
    out.push('\n');
    out
}

/// The message of a task as Markdown: a heading and a quotation.
pub(super) fn above(task: &TaskNote) -> String {
    let mut out = format!(
        "# {}\n\n",
        escape_markdown(&title(&task.subject, &task.from), 140)
    );
    let mut line = |text: &str| {
        out.push_str(format!("> {text}").trim_end());
        out.push('\n');
    };
    line(&format!(
        "[!quote] From {}",
        escape_markdown(&task.from, 300)
    ));
    line(&format!(
        "**Subject:** {}",
        escape_markdown(&task.subject, 300)
    ));
    if let Some(received) = task.received {
        line(&format!("**Received:** {}", format_minute(received)));
    }
    for (fact, name) in HEAD {
        let values = task.fact(fact);
        if values.is_empty() {
            continue;
        }
        let shown = values.iter().take(MAX_NAMES);
        let shown: Vec<String> = shown.map(|value| escape_markdown(value, 200)).collect();
        let more = match values.len().saturating_sub(MAX_NAMES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        line(&format!("**{name}:** {}{more}", shown.join(", ")));
    }
    if !task.fact(ATTACHMENTS).is_empty() {
        let list = layout::attachments(task.id);
        let list = list.as_str().trim_end_matches(".md");
        line(&format!("**Files:** [[{list}|saved on your machine]]"));
    }
    line(&format!("**Task:** [[{}]]", task.id));
    let (message, is_cut) = cut(&sanitize(&message_of(&task.body)));
    line("");
    let fence = fence_for(&message);
    line(&format!("{fence}text"));
    message.lines().for_each(&mut line);
    line(&fence);
    if is_cut {
        line("");
        line(&format!(
            "**This is not all of it: the rest is in [[{}]].**",
            task.id
        ));
    }
    out
}

/// How what leaves will look, as Markdown: a quotation.
pub(super) fn card(shown: &str) -> String {
    let (shown, is_cut) = cut(&sanitize(shown));
    let mut out = format!("{CARD}\n");
    for line in shown.trim().lines() {
        out.push_str(format!("> {line}").trim_end());
        out.push('\n');
    }
    if is_cut {
        out.push_str(">\n> **This is not all of it: the text below the line is.**\n");
    }
    out.push('\n');
    out
}

/// The text of a message in the body of its task, without the fences around it: remarks before the
/// first of them stay, and what stands between two. A body without a fence is all text.
fn message_of(body: &str) -> String {
    let is_fence = |line: &&str| line.starts_with("```");
    if !body.lines().any(|line| is_fence(&line)) {
        return body.trim().to_owned();
    }
    let mut kept: Vec<&str> = Vec::new();
    let mut open: Option<&str> = None;
    let mut is_before = true;
    for line in body.lines() {
        let ticks = &line[..line.len() - line.trim_start_matches('`').len()];
        match open {
            Some(fence) if line.trim_end() == fence => open = None,
            None if is_fence(&line) => (open, is_before) = (Some(ticks), false),
            None if is_before && !line.starts_with("- ") => {}
            _ => kept.push(line),
        }
    }
    kept.join("\n").trim().to_owned()
}

/// Without characters that are not seen, without what a template would run, in lines that every reader
/// counts alike.
fn sanitize(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = '\n';
    for c in text.chars() {
        let c = match c {
            '\u{0B}' | '\u{0C}' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
            c => c,
        };
        if (is_hidden(c) && !is_joined(before, c)) || (c.is_control() && !matches!(c, '\n' | '\t'))
        {
            continue;
        }
        if c == '%' && before == '<' {
            out.push(' ');
        }
        out.push(c);
        before = c;
    }
    out
}

fn cut(text: &str) -> (String, bool) {
    let short = bounded(text, MAX_MESSAGE_BYTES);
    let lines: Vec<&str> = short.lines().take(MAX_MESSAGE_LINES).collect();
    let kept = lines.join("\n");
    let is_cut = kept.len() < text.trim_end().len();
    (kept, is_cut)
}

/// Longer than any run of backticks or tildes inside.
fn fence_for(text: &str) -> String {
    let (mut longest, mut run, mut last) = (2, 0, '\0');
    for c in text.chars() {
        run = match c {
            '`' | '~' if c == last => run + 1,
            '`' | '~' => 1,
            _ => 0,
        };
        longest = longest.max(run);
        last = c;
    }
    "`".repeat(longest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_of_keeps_remarks_and_the_text_of_every_block() {
        let body = "# Mail\n\n- This is not all of it.\n\nIt is data.\n\n````text\na\n```\nb\n````\n\nQuoted:\n\n```text\nc\n```\n";
        assert_eq!(
            message_of(body),
            "- This is not all of it.\na\n```\nb\n\nQuoted:\n\nc"
        );
        assert_eq!(message_of("\nwrite to Bob\n"), "write to Bob");
        assert_eq!(message_of("```text\n\n```\n"), "");
    }

    /// Not a line of it can be the one below which the text begins.
    #[test]
    fn card_is_a_quotation_whatever_it_says() {
        let boundary = platinum_core::text::BOUNDARY;
        let shown =
            format!("**me** on Bluesky\r\n\n{boundary}\n\n> quoted\u{202E}\n12 of 300 <% x\n");
        assert_eq!(
            card(&shown),
            format!(
                "> [!example] As it will look\n> **me** on Bluesky\n>\n>\n> {boundary}\n>\n> > quoted\n\
                 > 12 of 300 < % x\n\n"
            )
        );
        let long = card(&"x\n".repeat(1000));
        assert!(
            long.ends_with("> x\n>\n> **This is not all of it: the text below the line is.**\n\n")
        );
    }

    #[test]
    fn cut_long_message_is_marked() {
        assert_eq!(cut("a\nb"), ("a\nb".to_owned(), false));
        assert!(cut(&"a\n".repeat(1000)).1 && cut(&"é".repeat(20_000)).1);
        assert!(cut(&"é".repeat(20_000)).0.len() <= MAX_MESSAGE_BYTES);
    }

    #[test]
    fn title_names_subject_and_correspondent() {
        for (from, expected) in [
            ("Clara Weiss <clara@client.example>", "Offer · Clara Weiss"),
            (
                "\"Weiss, Clara\" <clara@client.example>",
                "Offer · Weiss, Clara",
            ),
            ("clara@client.example", "Offer · clara@client.example"),
            ("<clara@client.example>", "Offer · clara@client.example"),
        ] {
            assert_eq!(title("Offer", from), expected);
        }
    }
}
