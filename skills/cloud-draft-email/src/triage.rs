//! Whether a mail needs an answer. Machines, lists and notices are dismissed, never answered.
//!
//! The owner approves every answer, so the rules for automatic responders (RFC 3834) do not hold
//! here: what decides is whether a person wrote. One header of bulk senders says nothing, because
//! programs for sales and help desks put it into a person's mail; two do.
//! Lives elsewhere: to whom an answer goes is decided when the mail comes (`host/intake`); what a
//! notice says of itself is read in [`notice`].
//! Invariants: pure; no text of a mail can talk its way in: a text can only take a draft away.

use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{MailAddress, one_line};

use crate::{
    facts::{Facts, Recipients, mail_text},
    notice,
    rules::{SenderRules, Verdict},
};

/// Whether to answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Triage {
    /// A person wrote; an answer goes to these.
    Answer(Recipients),
    /// Nothing to do: why, in one line.
    Dismiss(String),
}

/// Decides. What the owner said comes first: of this mail, then of its sender.
#[must_use]
pub fn decide(task: &Task, rules: &SenderRules) -> Triage {
    let facts = Facts::of(task);
    let sender = facts.sender();
    // It was filed without an answer, and the owner put it back.
    let is_asked_for = facts.one("filed-before").is_some();
    if is_asked_for && facts.one("left-out").is_some() {
        return Triage::Dismiss("the older mails that it lists are drafted one by one".into());
    }
    let verdict = sender.as_ref().and_then(|sender| rules.verdict(sender));
    let is_wanted = is_asked_for || verdict == Some(Verdict::Always);
    let from = sender
        .as_ref()
        .map(MailAddress::address)
        .unwrap_or_default();
    match verdict {
        _ if is_asked_for => {}
        Some(Verdict::Never) => {
            return Triage::Dismiss(format!("your handbook says never to answer {from}"));
        }
        Some(Verdict::OnlyTell) => {
            return Triage::Dismiss(format!(
                "your handbook says only to tell you of mail from {from}"
            ));
        }
        Some(Verdict::Always) | None => {}
    }
    let by_machine = || by_machine(facts).or_else(|| as_automatic(facts, &task.subject));
    let is_no_mail = by_machine().filter(|_| !is_asked_for).or_else(|| {
        about_event(facts)
            .or_else(|| in_bulk(facts))
            .or_else(|| as_spam(facts, &task.subject))
            .filter(|_| !is_wanted)
    });
    if let Some(reason) = is_no_mail {
        return Triage::Dismiss(reason);
    }
    if let Some(sender) = sender.as_ref().filter(|sender| sender.is_mail_system()) {
        return Triage::Dismiss(format!("a mail server's notice, from {}", sender.address()));
    }
    if let Some(reason) = facts.one("no-answer").filter(|_| !is_wanted) {
        return Triage::Dismiss(shown(reason, 200));
    }
    let mut recipients = facts.recipients();
    let unattended = recipients.to.iter().find(|to| to.is_unattended());
    let unattended = unattended.map(MailAddress::address);
    recipients.to.retain(|to| !to.is_unattended());
    if recipients.to.is_empty() {
        return Triage::Dismiss(match unattended {
            Some(address) => format!("{address} does not read answers"),
            None if facts.is_file() => ask_whom(""),
            None => "it names no address that could be answered".into(),
        });
    }
    let is_free_of_notices = is_wanted || is_conversation(facts) || facts.is_file();
    let text = mail_text(task);
    let local = sender.as_ref().map(MailAddress::local).unwrap_or_default();
    match notice::reason(&task.subject, text, local) {
        Some(reason) if !is_free_of_notices => Triage::Dismiss(reason.into()),
        _ => Triage::Answer(recipients),
    }
}

/// The question to whom a file should go; `about` is what is known, or nothing.
#[must_use]
pub fn ask_whom(about: &str) -> String {
    let about = one_line(about.trim_matches(['[', ']', '✎', ' ']), 60);
    let about = Some(about).filter(|about| !about.is_empty());
    let about = about.map_or(String::new(), |about| format!(" Open is: {about}."));
    format!(
        "it came as a file, not as a mail. Who should this go to?{about} Write `to: \
         name@example.org` into its frontmatter and drop it again"
    )
}

/// Whether it answers another mail: machines begin their threads.
fn is_conversation(facts: Facts<'_>) -> bool {
    facts.one("in-reply-to").is_some()
}

/// Automatic mail: answers of machines, bounces, codes.
fn by_machine(facts: Facts<'_>) -> Option<String> {
    if facts.one("one-time-code").is_some() {
        return Some("a one-time code; it is in your mailbox, and not repeated here".into());
    }
    if let Some(why) = facts.one("bounce-reason") {
        let to = facts.one("bounced-recipients").unwrap_or("somebody");
        let (to, why) = (shown(to, 80), shown(why, 120));
        return Some(format!(
            "a mail did not reach {to}: {why}; the report does not say which"
        ));
    }
    let event = facts.one("event").filter(|_| asks_for(facts, "request"));
    let about = event.map_or(String::new(), |event| {
        format!("; it invites to {}", shown(event, 140))
    });
    let submitted = facts.one("auto-submitted").map(first_word);
    if let Some(how) = submitted.filter(|how| how != "no") {
        let how = shown(&how, 40);
        return Some(format!("an automatic mail (Auto-Submitted: {how}){about}"));
    }
    if let Some(header) = facts.one("auto-reply") {
        return Some(format!("an automatic answer ({})", shown(header, 60)));
    }
    if facts.one("mail-kind") == Some("report") {
        return Some("a delivery report".into());
    }
    facts
        .one("return-path")
        .filter(|path| *path == "<>")
        .map(|_| format!("a mail without a sender to return to, as bounces are{about}"))
}

/// How mail programs begin the subject of an automatic answer, whose headers some gateways drop.
const AUTOMATIC: &[&str] = &[
    "automatic reply",
    "auto reply",
    "auto-reply",
    "autoreply",
    "out of office autoreply",
    "automatische antwort",
    "réponse automatique",
    "respuesta automática",
    "risposta automatica",
    "automatisch antwoord",
    "resposta automática",
    "autosvar",
    "automatiskt svar",
    "automatisk svar",
    "automatisches antwortschreiben",
    "automatische afwezigheidsreactie",
    "automaattinen vastaus",
    "odpowiedź automatyczna",
    "automatyczna odpowiedź",
    "automatická odpověď",
    "automatikus válasz",
    "otomatik yanıt",
    "автоматический ответ",
    "автоответ",
    "auto response",
    "autoresponse",
    "auto-response",
    "automatic response",
    "vacation reply",
    "out of office reply",
    "자동 회신",
    "自動応答",
    "自動返信",
    "自動回覆",
    "自动答复",
    "自动回复",
];
/// The same, where a person may begin a thread so, and answers one with `Re:`.
const AWAY: &[&str] = &[
    "out of office",
    "out of the office",
    "out-of-office",
    "ooo",
    "vacation",
    "auto",
    "abwesend",
    "abwesenheitsnotiz",
    "abwesenheit",
    "absence",
    "absence du bureau",
    "fuera de la oficina",
    "fuera de oficina",
    "ausente",
    "fuori sede",
    "fuori ufficio",
    "assente",
    "afwezig",
    "afwezigheid",
    "fora do escritório",
    "ausência",
    "frånvaro",
    "fravær",
    "nieobecność",
    "不在通知",
    // Receipts that lost their form on the way.
    "read",
    "gelesen",
    "lu",
    "leído",
    "letto",
    "gelezen",
    "lida",
    "開封済み",
    "已读",
];

/// Whether its subject says that it is an automatic answer.
fn as_automatic(facts: Facts<'_>, subject: &str) -> Option<String> {
    let (prefix, _) = subject.split_once([':', '：'])?;
    let prefix = prefix.trim().to_lowercase();
    let is_automatic = AUTOMATIC.contains(&prefix.as_str())
        || (is_conversation(facts) && AWAY.contains(&prefix.as_str()));
    is_automatic.then(|| "an automatic answer, says its subject".into())
}

/// What is said about an event, if it is no invitation: that is a question to the owner.
fn about_event(facts: Facts<'_>) -> Option<String> {
    let event = shown(facts.one("event")?, 150);
    let what = match facts.one("event-method")? {
        "reply" => "an answer to an invitation",
        "cancel" => "called off",
        "counter" => "another time is proposed",
        _ => return None,
    };
    Some(format!("{what}: {event}"))
}

fn asks_for(facts: Facts<'_>, method: &str) -> bool {
    facts.one("event-method") == Some(method)
}

/// Mail to many.
fn in_bulk(facts: Facts<'_>) -> Option<String> {
    if facts.one("own-list").is_some() {
        return None;
    }
    let precedence = facts.one("precedence").map(first_word);
    if let Some(kind) = precedence
        .as_deref()
        .filter(|kind| ["list", "junk"].contains(kind))
    {
        return Some(format!("bulk mail (Precedence: {kind})"));
    }
    if let Some(list) = facts.one("list-id") {
        return Some(format!("mail of the list {}", shown(list, 80)));
    }
    let suppress = facts.one("x-auto-response-suppress").map(first_word);
    let local = facts.sender().map(|sender| sender.local().to_lowercase());
    let marks = [
        (
            facts.one("list-unsubscribe").is_some(),
            "it can be unsubscribed from",
        ),
        (facts.one("feedback-id").is_some(), "Feedback-ID"),
        (
            facts.one("bulk-sender").is_some(),
            "a header of programs for mail to many",
        ),
        (precedence.as_deref() == Some("bulk"), "Precedence: bulk"),
        (
            suppress.as_deref() == Some("all"),
            "X-Auto-Response-Suppress",
        ),
        (
            local.is_some_and(|local| is_circular(&local)),
            "its sender's name",
        ),
    ];
    let marks = marks.into_iter().filter(|(is_set, _)| *is_set);
    let marks: Vec<&str> = marks.map(|(_, mark)| mark).collect();
    let is_bulk = marks.len() > 1 && !is_conversation(facts);
    is_bulk.then(|| format!("bulk mail ({})", marks.join(", ")))
}

/// Names of senders that write to many.
fn is_circular(local: &str) -> bool {
    const NAMES: &[&str] = &[
        "newsletter",
        "news",
        "marketing",
        "notifications",
        "notification",
        "updates",
        "mailing",
        "campaign",
        "offers",
        "promo",
        "alerts",
        "digest",
    ];
    let first = local.split(['+', '-', '_', '.']).next().unwrap_or_default();
    NAMES.contains(&first) || NAMES.contains(&local)
}

/// What a filter on the way took for spam.
fn as_spam(facts: Facts<'_>, subject: &str) -> Option<String> {
    if let Some(header) = facts.one("spam") {
        return Some(format!(
            "spam, says your mail provider ({})",
            shown(header, 60)
        ));
    }
    let marked = subject.trim_start();
    let word = marked.trim_start_matches(['*', '[', '{', ' ']);
    let is_marked = word.len() < marked.len()
        && word
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("spam"))
        && word[4..].starts_with(['*', ']', '}', '?']);
    is_marked.then(|| "spam, says its subject".into())
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

fn shown(text: &str, max_chars: usize) -> String {
    one_line(text, max_chars)
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

    fn outcome(task: &Task) -> String {
        match decide(task, &SenderRules::default()) {
            Triage::Dismiss(reason) => reason,
            Triage::Answer(to) => format!("answered to {}", Recipients::listed(&to.to)),
        }
    }

    fn reason(facts: &[(&str, &str)]) -> String {
        outcome(&mail(facts))
    }

    const ADA: &str = "answered to Ada <ada@example.test>";

    /// A person's mail is answered to its sender, whatever program carried it.
    #[test]
    fn triage_persons_mail_is_answered() {
        assert_eq!(reason(&[]), ADA);
        let harmless: [&[(&str, &str)]; 9] = [
            &[("bulk-sender", "X-Campaign: 12")],
            &[("auto-submitted", "No"), ("precedence", "first-class")],
            &[("return-path", "<ada@example.test>")],
            &[("feedback-id", "i12:Mailer")],
            &[("list-unsubscribe", "<https://crm.test/u/1>")],
            &[("precedence", "bulk")],
            &[
                ("x-auto-response-suppress", "dr, oof, autoreply"),
                ("list-unsubscribe", "<u>"),
            ],
            // Somebody in a conversation, through a help desk.
            &[
                ("feedback-id", "1"),
                ("precedence", "bulk"),
                ("in-reply-to", "1@x"),
            ],
            &[
                ("list-id", "<info.example.org>"),
                ("precedence", "list"),
                ("own-list", "yes"),
            ],
        ];
        for facts in harmless {
            assert_eq!(reason(facts), ADA, "{facts:?}");
        }
    }

    /// An invitation is a question to the owner; what else is said about an event is told and filed.
    #[test]
    fn triage_of_an_event_depends_on_its_method() {
        let event = ("event", "“Fair”, 2026-12-01 09:00 UTC, Hall 3");
        for (method, expected) in [
            ("request", ADA),
            ("publish", ADA),
            (
                "reply",
                "an answer to an invitation: “Fair”, 2026-12-01 09:00 UTC, Hall 3",
            ),
            ("cancel", "called off: “Fair”, 2026-12-01 09:00 UTC, Hall 3"),
            (
                "counter",
                "another time is proposed: “Fair”, 2026-12-01 09:00 UTC, Hall 3",
            ),
        ] {
            assert_eq!(reason(&[event, ("event-method", method)]), expected);
        }
        assert_eq!(
            reason(&[
                event,
                ("event-method", "request"),
                ("auto-submitted", "auto-generated")
            ]),
            "an automatic mail (Auto-Submitted: auto-generated); it invites to “Fair”, 2026-12-01 09:00 \
             UTC, Hall 3"
        );
    }

    /// Machines and lists are dismissed with the reason.
    #[test]
    fn triage_machines_and_lists_are_dismissed() {
        for (facts, part) in [
            (
                &[("auto-submitted", "auto-replied; owner")] as &[(&str, &str)],
                "Auto-Submitted: auto-replied",
            ),
            (&[("auto-submitted", "auto-generated")], "Auto-Submitted"),
            (
                &[("auto-reply", "X-Autoreply: yes")],
                "automatic answer (X-Autoreply: yes)",
            ),
            (
                &[
                    ("bounced-recipients", "ann@x.test"),
                    ("bounce-reason", "full"),
                    ("auto-submitted", "auto-replied"),
                ],
                "a mail did not reach ann@x.test: full",
            ),
            (&[("precedence", "junk")], "Precedence: junk"),
            (&[("precedence", "list")], "Precedence: list"),
            (&[("list-id", "Rust <rust.lists.test>")], "list Rust"),
            (
                &[("list-unsubscribe", "<u>"), ("feedback-id", "1:2:3")],
                "unsubscribed from, Feedback-ID",
            ),
            (
                &[("precedence", "Bulk"), ("x-auto-response-suppress", "all")],
                "Precedence: bulk",
            ),
            (
                &[
                    ("list-unsubscribe", "<u>"),
                    (
                        "bulk-sender",
                        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
                    ),
                ],
                "unsubscribed from, a header of programs for mail to many",
            ),
            (&[("mail-kind", "report")], "delivery report"),
            (&[("return-path", "<>")], "without a sender"),
            (
                &[("spam", "X-Spam-Flag: YES")],
                "spam, says your mail provider (X-Spam-Flag: YES)",
            ),
            (&[("one-time-code", "yes")], "a one-time code"),
            (
                &[("no-answer", "you are only in copy")],
                "you are only in copy",
            ),
        ] {
            assert!(reason(facts).contains(part), "{facts:?}: {}", reason(facts));
        }
        for subject in ["***SPAM*** You won", "[SPAM] You won", "{Spam?} You won"] {
            let task = Task {
                subject: subject.into(),
                ..mail(&[])
            };
            assert_eq!(outcome(&task), "spam, says its subject", "{subject}");
        }
        let automatic = "an automatic answer, says its subject";
        let answers = ("in-reply-to", "1@x");
        for (subject, facts, expected) in [
            ("Automatic reply: Tea", &[] as &[(&str, &str)], automatic),
            ("Réponse automatique\u{a0}: Thé", &[], automatic),
            ("自动回复：茶", &[answers], automatic),
            ("Abwesenheitsnotiz: Tee", &[answers], automatic),
            ("Automatiskt svar: Te", &[], automatic),
            ("Odpowiedź automatyczna: Herbata", &[], automatic),
            ("Автоматический ответ: Чай", &[], automatic),
            ("Fuori ufficio: Tè", &[answers], automatic),
            ("OOO: Tea", &[answers], automatic),
            ("Gelesen: Tee", &[answers], automatic),
            ("Auto: in der Werkstatt", &[], ADA),
            ("Read: my new article", &[], ADA),
            ("Re: Absence: when?", &[answers], ADA),
            ("Out of office: my dates", &[], ADA),
            ("Re: Automatic reply: Tea", &[answers], ADA),
            ("Automatic replies: which text?", &[], ADA),
        ] {
            let task = Task {
                subject: subject.into(),
                ..mail(facts)
            };
            assert_eq!(outcome(&task), expected, "{subject}");
        }
        let task = Task {
            subject: "[Spamalot] tickets".into(),
            ..mail(&[])
        };
        assert_eq!(outcome(&task), ADA);
        let news = Task {
            sender: "Shop <news@shop.test>".into(),
            ..mail(&[("list-unsubscribe", "<u>")])
        };
        assert!(outcome(&news).contains("its sender's name"));
    }

    /// Senders that are not read are dismissed.
    #[test]
    fn triage_unread_senders_are_dismissed() {
        for local in [
            "no-reply",
            "No_Reply",
            "orders-noreply",
            "mailer-daemon",
            "postmaster",
            "bounces+12=a.test",
        ] {
            let task = Task {
                sender: format!("X <{local}@example.test>"),
                ..mail(&[])
            };
            assert!(
                matches!(decide(&task, &SenderRules::default()), Triage::Dismiss(_)),
                "{local}"
            );
        }
        for local in ["nora", "replyall", "bouncer", "noah.reply"] {
            let task = Task {
                sender: format!("{local}@example.test"),
                ..mail(&[])
            };
            assert!(
                matches!(decide(&task, &SenderRules::default()), Triage::Answer(_)),
                "{local}"
            );
        }
    }

    /// A contact form is answered to the person behind it.
    #[test]
    fn triage_contact_form_answers_the_person() {
        let form = Task {
            sender: "Form <no-reply@site.test>".into(),
            ..mail(&[("reply-to", "Bo <bo@b.test>")])
        };
        assert_eq!(outcome(&form), "answered to Bo <bo@b.test>");
    }

    /// A mail without a sender is dismissed.
    #[test]
    fn triage_without_a_sender_dismisses() {
        for sender in ["", "<>", "(no sender)"] {
            let task = Task {
                sender: sender.into(),
                ..mail(&[])
            };
            assert_eq!(outcome(&task), "it names no address that could be answered");
        }
    }

    #[test]
    fn dropped_file_without_an_address_asks_the_owner() {
        let file = Task {
            source: "file:Inbox/idea.md".into(),
            sender: "A file that was dropped here".into(),
            ..mail(&[])
        };
        let Triage::Dismiss(question) = decide(&file, &SenderRules::default()) else {
            panic!("it is answered");
        };
        assert!(question.contains("Who should this go to?"), "{question}");
        let facts = mail(&[("reply-to", "Bo <bo@b.test>")]).facts;
        assert_eq!(
            outcome(&Task { facts, ..file }),
            "answered to Bo <bo@b.test>"
        );
    }

    /// What the owner says comes before every rule; what is automatic stays so.
    #[test]
    fn triage_owners_word_comes_first() {
        let rules = SenderRules::parse(
            "## Senders\n- never: @shop.test\n- always: ada@example.test\n- only tell me: bo@b.test\n",
        );
        let of = |sender: &str, facts: &[(&str, &str)]| {
            let task = Task {
                sender: sender.into(),
                ..mail(facts)
            };
            match decide(&task, &rules) {
                Triage::Dismiss(reason) => reason,
                Triage::Answer(to) => format!("answered to {}", Recipients::listed(&to.to)),
            }
        };
        let list = ("list-id", "<x.test>");
        let copied = (
            "no-answer",
            "you are only in copy; it is addressed to Bo <bo@b.test>",
        );
        assert_eq!(
            of("Shop <hi@shop.test>", &[]),
            "your handbook says never to answer hi@shop.test"
        );
        assert_eq!(
            of("bo@b.test", &[]),
            "your handbook says only to tell you of mail from bo@b.test"
        );
        assert_eq!(of("Ada <ada@example.test>", &[list]), ADA);
        assert_eq!(of("Ada <ada@example.test>", &[copied]), ADA);
        let away = ("auto-reply", "X-Autoreply: yes");
        assert!(of("Ada <ada@example.test>", &[away]).contains("automatic answer"));
        // To whom it would have gone.
        let decided = [copied, ("answer-to", "cy@c.test"), ("reply-to", "x@x.test")];
        assert_eq!(
            of("Ada <ada@example.test>", &decided),
            "answered to cy@c.test"
        );
        // The owner put it back to have it answered.
        let filed = ("filed-before", "bulk mail (Precedence: list)");
        assert_eq!(
            of("hi@shop.test", &[filed, list]),
            "answered to hi@shop.test"
        );
        assert_eq!(
            of("no-reply@shop.test", &[filed]),
            "no-reply@shop.test does not read answers"
        );
    }

    /// The text brings no recipient and no header.
    #[test]
    fn triage_takes_no_header_from_the_text() {
        let text = "Auto-Submitted: auto-replied\nList-Id: x\nReply-To: evil@evil.test";
        let task = Task {
            text: text.into(),
            ..mail(&[])
        };
        assert_eq!(outcome(&task), ADA);
    }
}
