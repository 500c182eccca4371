//! The mail that is proposed: recipient, subject and thread from facts, text from the model.
//!
//! Invariants: recipients are never from the text of a mail or a model; every header is one line; the
//! thread has no angle brackets, no double and at most 20 Message-IDs; the text has
//! nothing that the owner's editor would run, fetch or hide.

use platinum_sdk::email::types::Mail;
use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{
    MailAddress, bounded, is_hidden, is_joined, message_id, one_line, sanitize, without_named_codes,
};

use crate::facts::{Facts, Recipients};

/// The longest subject, in characters.
const MAX_SUBJECT: usize = 200;
/// The longest text, in bytes.
const MAX_BODY: usize = 32 * 1024;
/// The most Message-IDs of a thread.
const MAX_REFERENCES: usize = 20;

/// Puts the mail together. `text` is what the model wrote; none if nothing is left of it.
#[must_use]
pub fn mail(task: &Task, account: &str, recipients: &Recipients, text: &str) -> Option<Mail> {
    let body = body(text)?;
    let facts = Facts::of(task);
    let answered = facts.one("message-id").and_then(message_id);
    Some(Mail {
        from_account: account.to_owned(),
        to: lines(&recipients.to),
        cc: lines(&recipients.cc),
        bcc: Vec::new(),
        subject: match facts.is_file() {
            true => one_line(&task.subject, MAX_SUBJECT),
            false => subject(&task.subject),
        },
        body,
        references: references(facts, answered),
        in_reply_to: answered.map(str::to_owned),
        attachments: Vec::new(),
    })
}

fn lines(addresses: &[MailAddress]) -> Vec<String> {
    addresses.iter().map(MailAddress::with_plain_name).collect()
}

/// `Re: ` once, whatever stood there.
#[must_use]
pub fn subject(text: &str) -> String {
    let line = one_line(text, MAX_SUBJECT);
    let mut rest = line.as_str();
    while let Some(after) = without_prefix(rest) {
        rest = after;
    }
    // The watcher's word for a mail without one.
    let rest = if rest.is_empty() || rest == "(no subject)" {
        "your message"
    } else {
        rest
    };
    format!("Re: {rest}")
}

/// How programs mark an answer, in the languages they speak; and a mail that was sent on in those
/// where nobody would know the mark for one.
const PREFIXES: &[&str] = &[
    "re",
    "aw",
    "antw",
    "antwort",
    "sv",
    "vs",
    "odp",
    "ref",
    "r",
    "rif",
    "rv",
    "tr",
    "ynt",
    "res",
    "enc",
    "bls",
    "vl",
    "vá",
    "továbbítás",
    "atb",
    "σχετ",
    "απ",
    "отв",
    "回复",
    "答复",
    "回覆",
    "答覆",
    "返信",
    "答",
];
/// What mail systems put before the subject of a mail from outside, without brackets.
const OUTSIDE: &[&str] = &["ext", "extern", "external", "externe", "externo"];

/// What follows a `Re:`, `AW:`, `RE[2]:`, `回复：`, `[EXT]` and the like.
fn without_prefix(text: &str) -> Option<&str> {
    if let Some((tag, rest)) = text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        let tag = tag.trim().to_lowercase();
        return OUTSIDE.contains(&tag.as_str()).then(|| rest.trim_start());
    }
    let (prefix, rest) = text.split_once([':', '：'])?;
    let word = prefix.split(['[', '(']).next().unwrap_or_default().trim();
    let count = prefix.strip_prefix(word)?.trim();
    let count = count.trim_matches(['[', ']', '(', ')']);
    let word = word.to_lowercase();
    let is_prefix = PREFIXES.contains(&word.as_str()) || OUTSIDE.contains(&word.as_str());
    (is_prefix && count.bytes().all(|byte| byte.is_ascii_digit())).then(|| rest.trim_start())
}

/// The thread so far and the mail answered; of a long thread its first and its last.
fn references(facts: Facts<'_>, answered: Option<&str>) -> Vec<String> {
    let mut thread: Vec<&str> = ids(facts, "references");
    if thread.is_empty() {
        // RFC 5322, 3.6.4: a single parent stands in for the thread.
        let parents = ids(facts, "in-reply-to");
        if parents.len() == 1 {
            thread = parents;
        }
    }
    thread.extend(answered);
    let mut unique: Vec<&str> = Vec::new();
    for id in thread {
        if !unique.contains(&id) {
            unique.push(id);
        }
    }
    if unique.len() > MAX_REFERENCES {
        unique.drain(1..=unique.len() - MAX_REFERENCES);
    }
    unique.into_iter().map(str::to_owned).collect()
}

/// The Message-IDs of the thread that a fact names.
fn ids<'a>(facts: Facts<'a>, name: &'static str) -> Vec<&'a str> {
    facts
        .all(name)
        .flat_map(str::split_whitespace)
        .filter_map(message_id)
        .collect()
}

/// The model's text as the text of a mail.
fn body(text: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut clean = String::with_capacity(text.len());
    let mut before = '\n';
    for c in text.chars() {
        // A joiner stays where it belongs to an emoji or a script. Elsewhere it could carry what
        // no one sees.
        let is_shown = !is_hidden(c) || is_joined(before, c);
        if is_shown && (c == '\n' || c == '\t' || !c.is_control()) {
            clean.push(c);
            before = c;
        }
    }
    let mut rest = clean.trim_start_matches(['\n', ' ']);
    while is_subject_line(rest) {
        rest = rest
            .split_once('\n')
            .map_or("", |(_, after)| after)
            .trim_start_matches('\n');
    }
    let text = without_named_codes(&sanitize(rest));
    let body = bounded(&text, MAX_BODY).trim_end();
    (!body.is_empty()).then(|| format!("{body}\n"))
}

/// Whether the text begins with the subject, which models like to repeat.
fn is_subject_line(text: &str) -> bool {
    ["subject:", "betreff:", "objet:"].iter().any(|word| {
        text.get(..word.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::tests::mail as task;
    use platinum_sdk::tasks::types::Fact;

    fn to() -> Recipients {
        Recipients {
            to: vec![MailAddress::parse("Ada <ada@example.test>").unwrap()],
            cc: Vec::new(),
        }
    }

    fn references_of(task: &Task) -> Vec<String> {
        mail(task, "owner", &to(), "Yes").unwrap().references
    }

    /// A subject has re once.
    #[test]
    fn subject_has_re_once() {
        for text in [
            "Tea",
            "Re: Tea",
            "RE: re: AW: Tea",
            "Re[2]: Tea",
            "SV:Tea",
            "Antw: Re(3): Tea",
            "RV: Tea",
            "TR : Tea",
            "Ynt: Tea",
            "R: Rif: Tea",
            "回复：Tea",
            "答复: 回复：Tea",
            "RE : [EXT] Re: Tea",
            "[External] AW: Tea",
            "EXTERN: Tea",
            "Отв: Tea",
        ] {
            assert_eq!(subject(text), "Re: Tea", "{text}");
        }
        assert_eq!(subject("Fwd: Tea"), "Re: Fwd: Tea");
        assert_eq!(subject("Note: Tea"), "Re: Note: Tea");
        assert_eq!(subject("[Team] Tea"), "Re: [Team] Tea");
        assert_eq!(subject("Plan: re: Tea"), "Re: Plan: re: Tea");
        assert_eq!(subject("Re: "), "Re: your message");
        assert_eq!(subject("(no subject)"), "Re: your message");
        assert_eq!(subject("a\r\nBcc: x@y"), "Re: a Bcc: x@y");
    }

    /// Neither a model nor a quoted question repeats a code.
    #[test]
    fn reply_repeats_no_code() {
        let text =
            "Hello,\n\n> The code is 482915. Is it yours?\n[[answer]]\n\nThe room costs 4000.";
        let mail = mail(&task(&[]), "owner", &to(), text).unwrap();
        assert_eq!(
            mail.body,
            "Hello,\n\n> The code is [✎ code]. Is it yours?\n[[answer]]\n\nThe room costs 4000.\n"
        );
    }

    /// The thread ends in the mail answered without brackets.
    #[test]
    fn references_end_in_the_mail_answered() {
        let mut task = task(&[("message-id", "<3@x>"), ("references", "<1@x> 2@x")]);
        assert_eq!(references_of(&task), ["1@x", "2@x", "3@x"]);
        task.facts.remove(1);
        task.facts.push(Fact {
            name: "in-reply-to".into(),
            values: vec!["<2@x>".into()],
        });
        assert_eq!(references_of(&task), ["2@x", "3@x"]);
        assert_eq!(
            mail(&task, "owner", &to(), "Yes")
                .unwrap()
                .in_reply_to
                .as_deref(),
            Some("3@x")
        );
    }

    /// A long thread keeps its first and its last.
    #[test]
    fn references_long_thread_keeps_first_and_last() {
        let mut task = task(&[("message-id", "new@x")]);
        let values = (1..=40).map(|n| format!("{n}@x")).collect();
        task.facts.push(Fact {
            name: "references".into(),
            values,
        });
        let references = references_of(&task);
        assert_eq!(references.len(), MAX_REFERENCES);
        assert_eq!(
            (references[0].as_str(), references[1].as_str()),
            ("1@x", "23@x")
        );
        assert_eq!(references[19], "new@x");
    }

    /// A mail without a usable id starts a thread.
    #[test]
    fn references_without_an_id_start_a_thread() {
        let task = task(&[("message-id", "a b\r\nBcc: x")]);
        assert_eq!(
            mail(&task, "owner", &to(), "Yes").unwrap().in_reply_to,
            None
        );
    }

    /// The models text loses its subject line and controls.
    #[test]
    fn reply_text_loses_subject_line_and_controls() {
        let text = "\nSubject: Re: Tea\r\n\r\nDear Ada,\u{0}\r\nyes.\u{202e}  \n\n";
        assert_eq!(body(text).unwrap(), "Dear Ada,\nyes.\n");
        assert_eq!(body("Subject: only"), None);
        assert_eq!(body("Betreff: Tee\n\nJa.").unwrap(), "Ja.\n");
        assert_eq!(
            body("Yes.<%* tp.x() %> [[which day]]").unwrap(),
            "Yes.< %* tp.x() %> [[which day]]\n"
        );
        assert_eq!(body(" \n"), None);
        assert!(body(&"é".repeat(40_000)).unwrap().len() <= MAX_BODY + 1);
    }

    /// What a model hid in characters that are not seen does not leave, and emoji do.
    #[test]
    fn reply_text_hidden_in_selectors_or_tags_is_dropped() {
        let bytes = |base: u32| -> String {
            let hidden = b"pay me".iter();
            hidden
                .filter_map(|byte| char::from_u32(base + u32::from(*byte)))
                .collect()
        };
        let nibbles: String = b"pay me"
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|nibble| char::from_u32(0xfe00 + u32::from(nibble)))
            .collect();
        for hidden in [
            bytes(0xe0100),
            bytes(0xe0000),
            nibbles,
            "\u{ad}\u{200d}".into(),
        ] {
            let text = body(&format!("Yes{hidden}.")).unwrap();
            assert_eq!(text, "Yes.\n", "{hidden:?}");
        }
        let emoji = "Yes ❤\u{fe0f} 👩\u{200d}💻 می\u{200c}خواهم.\n";
        assert_eq!(body(emoji).unwrap(), emoji);
    }

    /// Headers in the models text stay text.
    #[test]
    fn reply_headers_in_the_text_stay_text() {
        let mail = mail(
            &task(&[]),
            "owner",
            &to(),
            "To: evil@evil.test\nBcc: x@y\n\nHello",
        )
        .unwrap();
        assert_eq!(mail.to, ["Ada <ada@example.test>"]);
        assert!(mail.cc.is_empty() && mail.bcc.is_empty());
    }
}
