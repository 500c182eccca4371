//! Whether a mail needs an answer. Machines and lists are dismissed, never answered.
//!
//! Invariants: pure; decides from facts of the headers alone, so that no text of a mail can talk
//! its way in or out. The rules follow RFC 3834 (automatic responders) and what bulk senders set.

use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::one_line;

use crate::facts::{Address, Facts};

/// Whether to answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Triage {
    /// A person wrote; an answer goes there.
    Answer(Address),
    /// Nothing to do: why, in one line.
    Dismiss(String),
}

/// Decides.
#[must_use]
pub fn decide(task: &Task) -> Triage {
    let facts = Facts::of(task);
    if let Some(reason) = by_machine(facts).or_else(|| in_bulk(facts)) {
        return Triage::Dismiss(reason);
    }
    let sender = facts.sender();
    if let Some(reason) = sender.as_ref().and_then(|sender| is_robot(&sender.local())) {
        return Triage::Dismiss(reason.into());
    }
    let Some(answer_to) = facts.answer_to() else {
        let question = match facts.is_file() {
            true => {
                "it came as a file, not as a mail. Who should this go to? Write `to: \
                 name@example.org` into its frontmatter and drop it again"
            }
            false => "it names no address that could be answered",
        };
        return Triage::Dismiss(question.into());
    };
    match does_not_read(&answer_to.local()) {
        true => Triage::Dismiss(format!("{} does not read answers", answer_to.bare())),
        false => Triage::Answer(answer_to),
    }
}

/// Automatic mail: replies of machines, bounces, invitations.
fn by_machine(facts: Facts<'_>) -> Option<String> {
    let submitted = facts.one("auto-submitted").map(first_word);
    if let Some(how) = submitted.filter(|how| how != "no") {
        return Some(format!(
            "an automatic mail (Auto-Submitted: {})",
            shown(&how)
        ));
    }
    match facts.one("mail-kind") {
        Some("calendar") => return Some("a calendar notice".into()),
        Some("report") => return Some("a delivery report".into()),
        _ => {}
    }
    for kind in facts.all("content-kinds").map(first_word) {
        match kind.as_str() {
            "text/calendar" => return Some("a calendar notice".into()),
            "multipart/report" | "message/delivery-status" => {
                return Some("a delivery report".into());
            }
            _ => {}
        }
    }
    if facts.one("return-path").is_some_and(|path| path == "<>") {
        return Some("a mail without a sender to return to, as bounces are".into());
    }
    let suppress = facts.one("x-auto-response-suppress").map(first_word);
    suppress
        .filter(|what| what != "none")
        .map(|_| "its sender wants no automatic answers (X-Auto-Response-Suppress)".into())
}

/// Mail to many.
fn in_bulk(facts: Facts<'_>) -> Option<String> {
    let precedence = facts.one("precedence").map(first_word);
    if let Some(kind) = precedence.filter(|kind| ["bulk", "list", "junk"].contains(&kind.as_str()))
    {
        return Some(format!("bulk mail (Precedence: {kind})"));
    }
    if let Some(list) = facts.one("list-id") {
        return Some(format!("mail of the list {}", shown(list)));
    }
    if facts.one("list-unsubscribe").is_some() {
        return Some("bulk mail (it can be unsubscribed from)".into());
    }
    facts
        .one("feedback-id")
        .map(|_| "bulk mail (Feedback-ID)".into())
}

/// Senders that are programs, wherever an answer would go.
fn is_robot(local: &str) -> Option<&'static str> {
    let word = squeezed(local);
    if word == "mailerdaemon" || word == "postmaster" {
        return Some("a mail server's notice");
    }
    let bounce = ["bounce", "bounces"];
    let first = local
        .split(['+', '-', '_', '.', '='])
        .next()
        .unwrap_or_default();
    bounce
        .contains(&first)
        .then_some("a bounce address sent it")
}

/// Addresses whose name says that they are not read.
fn does_not_read(local: &str) -> bool {
    let word = squeezed(local);
    let unread = [
        "noreply",
        "donotreply",
        "dontreply",
        "noresponse",
        "neverreply",
    ];
    unread
        .iter()
        .any(|name| word.starts_with(name) || word.ends_with(name))
        || is_robot(local).is_some()
}

/// Letters and digits alone: `no-reply` and `no_reply` are one word.
fn squeezed(local: &str) -> String {
    local.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// A header's first token, lower case: `auto-replied; x=y` is `auto-replied`.
fn first_word(value: &str) -> String {
    value
        .split([';', ',', ' ', '('])
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase()
}

fn shown(text: &str) -> String {
    one_line(text, 80)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use platinum_sdk::tasks::types::Fact;

    pub(crate) fn mail(facts: &[(&str, &str)]) -> Task {
        let fact = |&(name, value): &(&str, &str)| Fact {
            name: name.into(),
            values: vec![value.into()],
        };
        Task {
            id: "task_1".into(),
            zone: "email".into(),
            source: "maildir:owner".into(),
            sender: "Ada <ada@example.test>".into(),
            subject: "Tea".into(),
            received: Some("2026-11-20T17:00:00Z".into()),
            created: "2026-11-20T17:00:01Z".into(),
            facts: facts.iter().map(fact).collect(),
            text: "Would Monday suit you?".into(),
        }
    }

    fn reason(facts: &[(&str, &str)]) -> String {
        match decide(&mail(facts)) {
            Triage::Dismiss(reason) => reason,
            Triage::Answer(address) => format!("answered to {}", address.bare()),
        }
    }

    /// A persons mail is answered to its sender.
    #[test]
    fn triage_persons_mail_is_answered() {
        assert_eq!(reason(&[]), "answered to ada@example.test");
        let harmless = [
            ("auto-submitted", "No"),
            ("precedence", "first-class"),
            ("x-auto-response-suppress", "None"),
            ("return-path", "<ada@example.test>"),
        ];
        assert_eq!(reason(&harmless), "answered to ada@example.test");
    }

    /// Machines and lists are dismissed with the reason.
    #[test]
    fn triage_machines_and_lists_are_dismissed() {
        for (name, value, part) in [
            (
                "auto-submitted",
                "auto-replied; owner",
                "Auto-Submitted: auto-replied",
            ),
            ("auto-submitted", "auto-generated", "Auto-Submitted"),
            ("precedence", "Bulk", "Precedence: bulk"),
            ("precedence", "junk", "Precedence: junk"),
            ("precedence", "list", "Precedence: list"),
            ("list-id", "Rust <rust.lists.test>", "list Rust"),
            ("list-unsubscribe", "<https://x.test>", "unsubscribed"),
            ("feedback-id", "1:2:3", "Feedback-ID"),
            ("x-auto-response-suppress", "all", "no automatic answers"),
            ("mail-kind", "calendar", "calendar"),
            ("mail-kind", "report", "delivery report"),
            ("content-kinds", "text/calendar; method=REQUEST", "calendar"),
            ("content-kinds", "multipart/report", "delivery report"),
            ("return-path", "<>", "without a sender"),
        ] {
            assert!(reason(&[(name, value)]).contains(part), "{name}: {value}");
        }
    }

    /// Senders that are not read are dismissed.
    #[test]
    fn triage_unread_senders_are_dismissed() {
        for local in [
            "no-reply",
            "noreply",
            "No_Reply",
            "do-not-reply",
            "donotreply",
            "orders-noreply",
            "noreply+x1",
            "mailer-daemon",
            "MAILER-DAEMON",
            "postmaster",
            "bounces+12=a.test",
            "bounce-1",
        ] {
            let task = Task {
                sender: format!("X <{local}@example.test>"),
                ..mail(&[])
            };
            assert!(matches!(decide(&task), Triage::Dismiss(_)), "{local}");
        }
        for local in ["nora", "replyall", "bouncer", "noah.reply"] {
            let task = Task {
                sender: format!("{local}@example.test"),
                ..mail(&[])
            };
            assert!(matches!(decide(&task), Triage::Answer(_)), "{local}");
        }
    }

    /// A contact form is answered to the person behind it.
    #[test]
    fn triage_contact_form_answers_the_person() {
        let form = Task {
            sender: "Form <no-reply@site.test>".into(),
            ..mail(&[("reply-to", "Bo <bo@b.test>")])
        };
        assert!(matches!(decide(&form), Triage::Answer(address) if address.bare() == "bo@b.test"));
    }

    /// A mail without a sender is dismissed.
    #[test]
    fn triage_without_a_sender_dismisses() {
        for sender in ["", "<>", "(no sender)"] {
            let task = Task {
                sender: sender.into(),
                ..mail(&[])
            };
            assert!(
                matches!(decide(&task), Triage::Dismiss(reason) if reason.contains("no address"))
            );
        }
    }

    #[test]
    fn dropped_file_without_an_address_asks_the_owner() {
        let file = Task {
            source: "file:Inbox/idea.md".into(),
            sender: "A file that was dropped here".into(),
            ..mail(&[])
        };
        let Triage::Dismiss(question) = decide(&file) else {
            panic!("it is answered");
        };
        assert!(question.contains("Who should this go to?"), "{question}");
        let facts = mail(&[("reply-to", "Bo <bo@b.test>")]).facts;
        let decided = decide(&Task { facts, ..file });
        assert!(matches!(decided, Triage::Answer(address) if address.bare() == "bo@b.test"));
    }

    /// The text decides nothing.
    #[test]
    fn triage_ignores_the_text() {
        let text = "Auto-Submitted: auto-replied\nList-Id: x\nReply-To: evil@evil.test";
        let task = Task {
            text: text.into(),
            ..mail(&[])
        };
        assert!(
            matches!(decide(&task), Triage::Answer(address) if address.bare() == "ada@example.test")
        );
    }
}
