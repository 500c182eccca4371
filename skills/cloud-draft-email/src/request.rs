//! What the model is given: the skill's instructions and the owner's handbook, and everything from
//! outside as quotes.
//!
//! Invariants: text of a mail is never in `say`, and the handbook never in a quote, which a model is
//! instructed not to obey: the owner alone can write that note. All parts together stay below the interface's
//! bound.

use platinum_sdk::email::types::Message;
use platinum_sdk::model::complete::{Part, Quoted, Request};
use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{bounded, one_line, quotes};

use crate::facts::{Facts, Recipients, mail_text};
use crate::note::Letter;
use crate::style::OwnStyle;

const MAX_INSTRUCTIONS: usize = 24 * 1024;
const MAX_HANDBOOK: usize = 16 * 1024;
const MAX_THREAD: usize = 24 * 1024;
const MAX_RELATED: usize = 8 * 1024;
const MAX_HEAD: usize = 4 * 1024;
const MAX_MAIL: usize = 32 * 1024;
const MAX_QUOTED: usize = 6 * 1024;
/// What is known of the owner's own way to write, each part of it.
const MAX_STYLE: usize = 6 * 1024;
/// Room for a long answer, and for the thoughts of a model that thinks first.
const MAX_TOKENS: u32 = 4_000;

/// What was read for the answer.
#[derive(Debug, Default)]
pub struct Material {
    /// The SKILL.md's body.
    pub instructions: String,
    /// `Company_Handbook.md`, if there is one.
    pub handbook: Option<String>,
    /// Other mails of the thread.
    pub thread: Vec<Message>,
    /// Other mails of the same sender.
    pub related: Vec<Message>,
    /// How the owner writes to those the mail goes to.
    pub style: OwnStyle,
    /// The mail that the owner's note asks for; none for an answer.
    pub letter: Option<Letter>,
    /// The time.
    pub now: String,
}

/// The request for an answer to the task's mail.
#[must_use]
pub fn build(task: &Task, material: &Material) -> Request {
    let mut parts = Vec::new();
    if let Some(handbook) = material.handbook.as_deref().map(str::trim)
        && !handbook.is_empty()
    {
        parts.push(Part::Text(format!(
            "The owner's handbook:\n\n{}",
            bounded(handbook, MAX_HANDBOOK)
        )));
    }
    let mut quote = |label: &str, text: &str, max: usize| {
        if !text.trim().is_empty() {
            let text = bounded(text, max).to_owned();
            parts.push(Part::Quote(Quoted {
                label: label.into(),
                text,
            }));
        }
    };
    quote(
        "related",
        &listed(&material.related, MAX_RELATED),
        MAX_RELATED,
    );
    quote("thread", &listed(&material.thread, MAX_THREAD), MAX_THREAD);
    for (label, text) in material.style.quotes() {
        quote(label, text, MAX_STYLE);
    }
    let mut head = format!(
        "From: {}\nDate: {}\nSubject: {}\n",
        one_line(&task.sender, 200),
        one_line(task.received.as_deref().unwrap_or("unknown"), 40),
        one_line(&task.subject, 300),
    );
    let facts = Facts::of(task);
    if let Some(event) = facts.one("event") {
        head.push_str(&format!("Event: {}\n", one_line(event, 300)));
    }
    let Recipients { to, cc } = facts.recipients();
    if to.len() + cc.len() > 1 {
        let to = one_line(&Recipients::listed(&to), 600);
        head.push_str(&format!("Your answer goes to: {to}\n"));
    }
    if !cc.is_empty() {
        let cc = one_line(&Recipients::listed(&cc), 1500);
        head.push_str(&format!("Copies of it go to: {cc}\n"));
    }
    let label = match &material.letter {
        Some(letter) => {
            let name = letter.name.as_deref().unwrap_or_default();
            quote("recipient", name, MAX_HEAD);
            let message = letter.message.as_deref().unwrap_or_default();
            quote("message", message, MAX_HEAD);
            "note"
        }
        None => {
            quote("mail-header", &head, MAX_HEAD);
            "mail"
        }
    };
    let mut mail = quotes::split(mail_text(task));
    if quotes::is_forwarded_subject(&task.subject) && mail.forwarded.is_empty() {
        // Outlook writes a forwarded mail like one that it answers; the subject tells.
        mail.forwarded = core::mem::take(&mut mail.quoted);
    }
    quote("mail-quoted", &mail.quoted, MAX_QUOTED);
    quote("mail-forwarded", &mail.forwarded, MAX_QUOTED);
    // Also if it is empty: a drafter writes for what is quoted so.
    parts.push(Part::Quote(Quoted {
        label: label.into(),
        text: bounded(&mail.said, MAX_MAIL).to_owned(),
    }));
    let what = match material.letter {
        Some(_) => "the new mail that the owner's note quoted as `note` asks for",
        None => "the answer to the mail quoted as `mail`",
    };
    parts.push(Part::Text(format!(
        "It is {}. Write the text of {what}: the text alone, without a subject, without headers.",
        one_line(&material.now, 40)
    )));
    Request {
        instructions: bounded(&material.instructions, MAX_INSTRUCTIONS).to_owned(),
        parts,
        max_tokens: MAX_TOKENS,
    }
}

/// Mails oldest first, the newest kept if not all fit.
fn listed(newest_first: &[Message], max_bytes: usize) -> String {
    let mut texts = Vec::new();
    let mut size = 0;
    for message in newest_first {
        let text = format!(
            "From: {}\nDate: {}\nSubject: {}\n\n{}\n",
            one_line(&message.sender, 200),
            one_line(message.date.as_deref().unwrap_or("unknown"), 40),
            one_line(&message.subject, 300),
            bounded(&message.text, max_bytes / 3).trim_end()
        );
        size += text.len() + 5;
        if size > max_bytes {
            break;
        }
        texts.push(text);
    }
    texts.reverse();
    texts.join("\n---\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::tests::mail;
    use platinum_sdk::email::people::Style;

    fn message(number: usize, text: &str) -> Message {
        Message {
            message_id: format!("{number}@x"),
            sender: "Ada <ada@example.test>".into(),
            to: Vec::new(),
            subject: "Tea".into(),
            date: None,
            folder: "INBOX".into(),
            text: text.into(),
        }
    }

    fn labels(request: &Request) -> Vec<String> {
        let label = |part: &Part| match part {
            Part::Quote(quoted) => quoted.label.clone(),
            Part::Text(_) => "say".into(),
        };
        request.parts.iter().map(label).collect()
    }

    /// Everything from outside is quoted and the owner's rules are stated.
    #[test]
    fn request_quotes_outside_text_and_states_rules() {
        let material = Material {
            handbook: Some("Be kind.".into()),
            thread: vec![message(2, "newer"), message(1, "older")],
            related: vec![message(9, "other")],
            ..Material::default()
        };
        let request = build(&mail(&[]), &material);
        assert_eq!(
            labels(&request),
            ["say", "related", "thread", "mail-header", "mail", "say"]
        );
        let Part::Text(handbook) = &request.parts[0] else {
            panic!("the handbook is quoted: a model would not follow it")
        };
        assert!(handbook.ends_with("handbook:\n\nBe kind."));
        let Part::Quote(thread) = &request.parts[2] else {
            panic!("no quote")
        };
        assert!(thread.text.find("older").unwrap() < thread.text.find("newer").unwrap());
        let Some(Part::Text(say)) = request.parts.last() else {
            panic!("no text")
        };
        assert!(!say.contains("Monday"));
    }

    /// A mail alone is enough.
    #[test]
    fn request_of_a_mail_alone_is_complete() {
        assert_eq!(
            labels(&build(&mail(&[]), &Material::default())),
            ["mail-header", "mail", "say"]
        );
    }

    /// What the sender quotes and forwards is told apart from what the sender says.
    #[test]
    fn request_separates_what_is_quoted() {
        let texts = |subject: &str, text: &str| {
            let mut task = mail(&[]);
            task.subject = subject.into();
            task.text = text.into();
            let parts = build(&task, &Material::default()).parts;
            let of = |label: &str| {
                parts.iter().find_map(|part| match part {
                    Part::Quote(quoted) if quoted.label == label => Some(quoted.text.clone()),
                    _ => None,
                })
            };
            (of("mail").unwrap(), of("mail-quoted"), of("mail-forwarded"))
        };
        let below = "Von: Olga\nGesendet: Montag\nAn: Ann\nBetreff: Angebot\n\nPasst es?";
        let answer = format!("Ja.\n\n{below}");
        let quoted = Some(below.to_owned());
        assert_eq!(
            texts("AW: Angebot", &answer),
            ("Ja.".into(), quoted.clone(), None)
        );
        assert_eq!(texts("WG: Angebot", &answer), ("Ja.".into(), None, quoted));
        let (said, _, forwarded) = texts(
            "x",
            "Bitte.\n\n---------- Forwarded message ---------\nGeht das?",
        );
        assert_eq!(said, "Bitte.");
        assert!(forwarded.unwrap().ends_with("Geht das?"));
        let between = "> Passt es?\nJa. Und der Preis?";
        assert_eq!(texts("Re: x", between), (between.into(), None, None));
    }

    /// All together stays below the bound.
    #[test]
    fn request_with_everything_is_bounded() {
        let huge = "é".repeat(200_000);
        let material = Material {
            instructions: huge.clone(),
            handbook: Some(huge.clone()),
            thread: (0..50).map(|n| message(n, &huge)).collect(),
            related: (0..50).map(|n| message(n, &huge)).collect(),
            style: OwnStyle::from(Style {
                signature: Some(huge.clone()),
                greeting: Some(huge.clone()),
                closing: Some(huge.clone()),
                texts: vec![huge.clone(); 3],
                sources: Vec::new(),
            }),
            letter: None,
            now: huge.clone(),
        };
        let mut task = mail(&[]);
        task.text = huge;
        let request = build(&task, &material);
        let size = |part: &Part| match part {
            Part::Quote(quoted) => quoted.text.len(),
            Part::Text(text) => text.len(),
        };
        let total = request.instructions.len() + request.parts.iter().map(size).sum::<usize>();
        assert!(total <= 128 * 1024, "{total}");
    }
}
