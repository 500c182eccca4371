//! Every concern, in every field of every kind, with its exact words.

use std::cell::Cell;

use platinum_core::{
    ACTIONS, Action, DraftId, EmailSend, Media, Money, Payment, SocialPublish, TaskId, TypedAction,
    WhatsappSend,
};
use platinum_vault::note::{MAX_DRAFT_BYTES, Mapping, Value};
use proptest::prelude::*;

use super::{reader::MAX_FINDINGS, *};

thread_local! {
    /// How many places were looked for on this thread.
    static PLACES: Cell<usize> = const { Cell::new(0) };
}

pub(super) fn count_place() {
    PLACES.set(PLACES.get() + 1);
}

const NOON: &str = "2026-11-20T12:00:00Z";

fn mail() -> EmailSend {
    EmailSend {
        from_account: "owner".into(),
        to: vec!["Ada <ada@example.test>".into()],
        cc: vec![],
        bcc: vec![],
        subject: "Re: Offer".into(),
        in_reply_to: Some("q%%1@example.test".into()),
        references: vec!["q<%1@example.test".into()],
        attachments: vec!["Inbox/a.pdf".parse().unwrap()],
        body: "Dear Ada,\n\nyes! 👩\u{200D}💻\n\n-- \nBob\n".into(),
    }
}

fn draft<T: TypedAction>(record: &T) -> DraftNote {
    DraftNote {
        id: DraftId::from_parts(1, 1),
        created: NOON.parse().unwrap(),
        by: "cloud/cloud-draft-email".into(),
        task: TaskId::from_parts(1, 1),
        epoch: None,
        action: Action::new(record),
        summary: "Answer Ada <ada@example.test> about “Offer”".into(),
        reason: "A person wrote to you.".into(),
        expires: "2026-11-27T12:00:00Z".parse().unwrap(),
        doubts: vec![],
    }
}

fn ada() -> Correspondent {
    Correspondent {
        sender: "Ada@example.test".into(),
        reply_to: vec![],
        others: vec![],
    }
}

/// The findings, as the owner reads them.
fn words(draft: &DraftNote, from: Option<&Correspondent>, known: &[&str]) -> Vec<String> {
    let context = CheckContext {
        now: NOON.parse().unwrap(),
        correspondent: from.cloned(),
        reached: known.iter().map(|address| (*address).to_owned()).collect(),
    };
    let found = review_draft(draft, &context);
    found.iter().map(ToString::to_string).collect()
}

fn of_mail(change: impl FnOnce(&mut EmailSend)) -> Vec<String> {
    let mut mail = mail();
    change(&mut mail);
    words(&draft(&mail), Some(&ada()), &[])
}

#[test]
fn review_ordinary_answer_finds_nothing() {
    assert_eq!(words(&draft(&mail()), Some(&ada()), &[]), [""; 0]);
    assert_eq!(
        of_mail(|mail| mail.body.push_str("\n\n\n[[when]]\n> 3 < 4, 50 %\n")),
        [""; 0]
    );
}

#[test]
fn review_text_names_line_and_column() {
    for (body, finding) in [
        (
            "a\nbé\u{202E}c\n",
            "text, line 2, column 3: a character that is not seen, U+202E (turns the direction of \
             writing)",
        ),
        (
            "\u{E0041}\u{E0042}\u{E0043}x",
            "text, line 1, column 1: 3 characters that are not seen, the first U+E0041 (tag)",
        ),
        (
            "yes\u{FE00}\u{FE01}",
            "text, line 1, column 4: 2 characters that are not seen, the first U+FE00 (variation \
             selector)",
        ),
        (
            "❤\u{FE0F}\u{E0100}",
            "text, line 1, column 3: a character that is not seen, U+E0100 (variation selector)",
        ),
        (
            "a\u{200D}b",
            "text, line 1, column 2: a character that is not seen, U+200D (joiner)",
        ),
        (
            "a\u{AD}b",
            "text, line 1, column 2: a character that is not seen, U+00AD (soft hyphen)",
        ),
        (
            "a\u{1b}b",
            "text, line 1, column 2: a character that is not seen, U+001B (control character)",
        ),
        (
            "a\u{3164}",
            "text, line 1, column 2: a character that is not seen, U+3164 (not shown)",
        ),
        (
            "x\n<!-- pay -->",
            "text, line 2, column 1: a comment, which is not shown",
        ),
        (
            "a %%pay%%",
            "text, line 1, column 3: a comment, which is not shown",
        ),
        ("<b>yes", "text, line 1, column 1: HTML"),
        ("<% tp %>", "text, line 1, column 1: a template"),
        (
            "![[x]]",
            "text, line 1, column 1: an embedded picture or note",
        ),
        (
            "[a](https://x.test)",
            "text, line 1, column 3: a link that shows other words than its address",
        ),
        (
            "```dataviewjs\n",
            "text, line 1, column 1: a code block that a plugin may run",
        ),
        (
            "`= this.x`",
            "text, line 1, column 1: inline code that a plugin may run",
        ),
    ] {
        let found = of_mail(|mail| body.clone_into(&mut mail.body));
        assert_eq!(found.first().map(String::as_str), Some(finding), "{body:?}");
    }
    let gap = "\n".repeat(30);
    assert_eq!(
        of_mail(|mail| mail.body = format!("yes{gap}pay me\n")),
        ["text, line 2, column 1: 29 blank lines, and text below them"]
    );
    assert_eq!(of_mail(|mail| mail.body = format!("yes{gap}")), [""; 0]);
    assert_eq!(
        of_mail(|mail| mail.body = format!("yes{}pay me", "\u{A0}".repeat(200))),
        ["text, line 1, column 4: 200 blanks, and text behind them"]
    );
}

/// A hidden character in any text of any kind of action is found, by the name of its field.
#[test]
fn review_every_field_of_every_kind_is_read() {
    const DIRTY: &str = "a\u{202E}";
    let dirty = || DIRTY.to_owned();
    let records = [
        draft(&EmailSend {
            from_account: dirty(),
            to: vec![dirty()],
            cc: vec![dirty()],
            bcc: vec![dirty()],
            subject: dirty(),
            in_reply_to: Some(dirty()),
            references: vec![dirty()],
            attachments: vec![],
            body: dirty(),
        }),
        draft(&SocialPublish {
            account: dirty(),
            language: Some(dirty()),
            reply_to: Some(dirty()),
            content_warning: Some(dirty()),
            link: Some(dirty()),
            link_title: Some(dirty()),
            link_description: Some(dirty()),
            media: vec![Media {
                path: "Inbox/a.png".parse().unwrap(),
                alt: dirty(),
            }],
            text: dirty(),
        }),
        draft(&WhatsappSend {
            chat: dirty(),
            contact_number: Some(dirty()),
            contact_id: Some(dirty()),
            quoted_message: Some(dirty()),
            template: Some(dirty()),
            template_language: Some(dirty()),
            file: None,
            text: dirty(),
        }),
        draft(&Payment {
            payee: dirty(),
            amount: Money {
                minor: 1,
                currency: "EUR".parse().unwrap(),
            },
            reference: dirty(),
            due: None,
            method: dirty(),
        }),
    ];
    for mut draft in records {
        draft.summary = dirty();
        draft.reason = dirty();
        let spec = ACTIONS
            .iter()
            .find(|spec| spec.kind == draft.action.kind())
            .unwrap();
        let found = words(&draft, None, &[]);
        let is_named = |field: &str| found.iter().any(|one| one.starts_with(field));
        for field in spec
            .fields
            .iter()
            .chain(spec.lists)
            .chain(&["summary", "reason"])
        {
            let holds_no_text = matches!(*field, "attachments" | "file" | "amount" | "due");
            assert!(holds_no_text || is_named(field), "{field}: {found:?}");
        }
        assert!(draft.action.text().is_empty() || is_named("text, line 1, column 2"));
    }
}

#[test]
fn review_fields_are_one_line_each() {
    assert_eq!(
        of_mail(|mail| mail.subject = "Re: Offer\nBcc: x@y.test".into()),
        ["subject, column 10: more than one line"]
    );
    assert_eq!(
        of_mail(|mail| mail.subject = " \t".into()),
        ["subject: it is empty"]
    );
    assert_eq!(
        of_mail(|mail| mail.subject = "<!--a-->".into()),
        ["subject, column 1: a comment, which is not shown"]
    );
}

#[test]
fn review_recipients_are_known_or_named() {
    let new = "eve@evil.test did not write the mail that is answered, and you never wrote to it";
    assert_eq!(
        of_mail(|mail| mail.bcc = vec!["eve@evil.test".into()]),
        [format!("bcc: {new}")]
    );
    assert_eq!(
        of_mail(|mail| mail.to.push("Eve <eve@evil.test>".into())),
        [format!("to 2: {new}")]
    );
    assert_eq!(
        of_mail(|mail| mail.to = vec!["\"ada@example.test\" <eve@evil.test>".into()]),
        [
            "to: the name `ada@example.test` looks like an address, and is none".to_owned(),
            format!("to: {new}"),
        ]
    );
    assert_eq!(
        of_mail(|mail| mail.to = vec!["ada＠example.test <ada@example.test>".into()]),
        ["to: the name `ada＠example.test` looks like an address, and is none"]
    );
    assert_eq!(
        of_mail(|mail| mail.to = vec!["not an address\u{202E}".into()])[1],
        "to: `not an address\\u{202e}` is no address: there is no @ in it"
    );
    let lookalike = "ada@ex\u{430}mple.test";
    assert_eq!(
        of_mail(|mail| mail.to = vec![lookalike.into()]),
        [
            "to: the domain `ex\u{430}mple.test` has letters that look like those of another one"
                .to_owned(),
            format!(
                "to: {lookalike} did not write the mail that is answered, and you never wrote to it"
            ),
        ]
    );
    // Written to before; and with no mail to answer, that alone counts.
    let mut to_eve = mail();
    to_eve.to = vec!["Eve <eve@evil.test>".into()];
    assert_eq!(
        words(&draft(&to_eve), Some(&ada()), &["eve@evil.test"]),
        [""; 0]
    );
    assert_eq!(words(&draft(&to_eve), None, &["eve@evil.test"]), [""; 0]);
    // The owner may have written to them elsewhere.
    assert_eq!(
        words(&draft(&to_eve), None, &[]),
        ["to: Platinum has never sent anything to eve@evil.test"]
    );
}

#[test]
fn review_reply_to_that_differs_is_named() {
    let asks = Correspondent {
        sender: "ada@example.test".into(),
        reply_to: vec!["eve@evil.test".into()],
        others: vec![],
    };
    let mut to_eve = mail();
    to_eve.to = vec!["Ada <Eve@evil.test>".into()];
    assert_eq!(
        words(&draft(&to_eve), Some(&asks), &[]),
        ["to: the mail that is answered came from ada@example.test"]
    );
    // The sender sees it as well.
    to_eve.cc = vec!["ada@example.test".into()];
    assert_eq!(words(&draft(&to_eve), Some(&asks), &[]), [""; 0]);
    // Asked for, and no other: nothing to say.
    let same = Correspondent {
        reply_to: vec!["ada@example.test".into()],
        ..ada()
    };
    assert_eq!(words(&draft(&mail()), Some(&same), &[]), [""; 0]);
}

/// An answer to all goes to those who got the mail; one more is somebody new.
#[test]
fn review_others_of_the_mail_are_no_new_recipients() {
    let with_others = Correspondent {
        others: vec!["bob@client.test".into(), "Carol@client.test".into()],
        ..ada()
    };
    let mut to_all = mail();
    to_all.cc = vec!["Bob <BOB@client.test>".into(), "carol@client.test".into()];
    assert_eq!(words(&draft(&to_all), Some(&with_others), &[]), [""; 0]);
    to_all.bcc = vec!["bob@client.test".into()];
    assert_eq!(
        words(&draft(&to_all), Some(&with_others), &[]),
        ["bcc: bob@client.test did not write the mail that is answered, and you never wrote to it"]
    );
    to_all.bcc.clear();
    to_all.cc.push("dave@client.test".into());
    assert_eq!(
        words(&draft(&to_all), Some(&with_others), &[]),
        [
            "cc 3: dave@client.test did not write the mail that is answered, and you never wrote to it"
        ]
    );
}

#[test]
fn review_life_of_an_approval_is_bounded() {
    let mut late = draft(&mail());
    late.expires = "9999-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(
        words(&late, Some(&ada()), &[]),
        ["expires: 9999-01-01T00:00:00Z is more than 90 days ahead"]
    );
    late.expires = "2027-02-18T12:00:00Z".parse().unwrap();
    assert_eq!(words(&late, Some(&ada()), &[]), [""; 0]);
}

#[test]
fn says_nothing_is_a_message_without_words() {
    for (body, is_empty) in [
        ("", true),
        (" \n\t\u{A0}\n", true),
        ("\u{200B}\u{FEFF}\n", true),
        (".", false),
        ("❤\u{FE0F}", false),
    ] {
        let mut record = mail();
        body.clone_into(&mut record.body);
        assert_eq!(says_nothing(&Action::new(&record)), is_empty, "{body:?}");
    }
    for (text, media, is_empty) in [
        (" \n---\n\u{200B}\n", vec![], true),
        ("\n---\nb", vec![], false),
        ("", vec!["Inbox/a.png | A desk"], false),
    ] {
        let media = media.into_iter();
        let post = SocialPublish {
            text: text.into(),
            media: media
                .map(|line| Media::try_from(line.to_owned()).unwrap())
                .collect(),
            ..SocialPublish::default()
        };
        assert_eq!(says_nothing(&Action::new(&post)), is_empty, "{text:?}");
    }
    let payment = Payment {
        payee: "Ada".into(),
        amount: Money {
            minor: 1,
            currency: "EUR".parse().unwrap(),
        },
        reference: "1".into(),
        due: None,
        method: "giro".into(),
    };
    assert!(!says_nothing(&Action::new(&payment)));
    assert_eq!(recipients_of(&Action::new(&payment)), ["Ada"]);
}

#[test]
fn recipients_of_a_mail_are_all_addresses() {
    let mut record = mail();
    record.cc = vec!["b@y.test".into()];
    record.bcc = vec!["\"a@x.test\" <c@z.test>".into(), "odd".into()];
    assert_eq!(
        recipients_of(&Action::new(&record)),
        ["ada@example.test", "b@y.test", "c@z.test", "odd"]
    );
}

#[test]
fn review_many_findings_are_counted() {
    let found = of_mail(|mail| mail.body = "a\u{200B}".repeat(80));
    assert_eq!(found.len(), MAX_FINDINGS + 1);
    assert_eq!(found.last().unwrap(), "draft: 30 more places");
}

/// To find a place is to walk through the text: the largest draft, full of what has to be found,
/// costs no more walks than findings are listed.
#[test]
fn review_largest_hostile_draft_looks_for_few_places() {
    let blanks = format!("{}x", " ".repeat(100));
    let lines = format!("{}x", "\n".repeat(30));
    for part in [
        "%% ",
        "a\u{200B}",
        "](",
        "[a]:\n",
        "<b>",
        "`=",
        "é\u{200C}\u{301}",
        &blanks,
        &lines,
    ] {
        PLACES.set(0);
        let body = part.repeat(MAX_DRAFT_BYTES / part.len());
        let found = of_mail(|mail| mail.body = body);
        assert_eq!(found.len(), MAX_FINDINGS + 1, "{part:?}");
        assert!(PLACES.get() <= MAX_FINDINGS, "{part:?}: {}", PLACES.get());
    }
}

/// A key of a kind that this code does not know is from outside as well: it is quoted, so that
/// many values below a long one are no more than many values.
#[test]
fn review_key_from_outside_is_quoted() {
    let key = format!("{}\u{202E}{}", "k".repeat(9), "x".repeat(10_000));
    let mut findings = Findings::default();
    let inner = Mapping::from_iter([(key.into(), Value::from("a\u{200B}"))]);
    findings.read_value("field", &Value::Mapping(inner));
    let found = findings.into_list();
    let words = found[0].to_string();
    assert!(words.starts_with("field kkkkkkkkk\\u{202e}xxx"), "{words}");
    assert!(words.chars().count() < 200, "{words}");
}

proptest! {
    /// A hidden character that is put anywhere into a text is found, and what is said of it
    /// shows none.
    #[test]
    fn review_finds_a_hidden_character_anywhere(
        before in "[a-zé\n ]{0,30}", after in "[a-zé\n ]{0,30}",
        hidden in prop::sample::select(vec![
            '\u{200B}', '\u{202E}', '\u{2066}', '\u{FE00}', '\u{FE0F}', '\u{E0041}', '\u{E0101}',
            '\u{AD}', '\u{FEFF}', '\u{3164}', '\u{200D}', '\u{0}', '\u{FFFE}',
        ]),
    ) {
        let found = of_mail(|mail| mail.body = format!("x{before}{hidden}{after}"));
        prop_assert_eq!(found.len(), 1);
        let line = before.matches('\n').count() + 1;
        let place = format!("text, line {line}, column ");
        prop_assert!(found[0].starts_with(&place), "{:?}", found);
        prop_assert_eq!(escape_hidden(&found[0]), found[0].clone());
    }
}
