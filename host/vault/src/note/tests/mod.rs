//! Tests of notes: every byte that is not edited stays, and hostile text stays text.

use platinum_core::{
    Action, ActionKind, ActionSpec, AgentName, ClaimId, DraftId, EmailSend, Media, Money,
    OdooPayment, OdooPost, Payment, PlanId, SocialPublish, TaskId, Timestamp, UpdateId, VaultPath,
    WhatsappSend, ZoneId, format_time,
};
use platinum_protocol::ClaimRecord;
use proptest::{collection::vec, option, prelude::*};

use super::*;

mod drafts;
mod flat;
mod reopened;

const NOTE: &str = "---\n# mine\nid: \"a\"\ntags: [x, \"y: z\"]   # list\nstatus:   open # for now\n\
    other: |\n  status: no key\n\n  # no comment\nlist:\n- one\n- two\n# between\n\n\"quo ted\": 'it''s'\n---\n\n# Body\n---\nstatus: body\n";

fn keys(note: &Note) -> Vec<&str> {
    note.front()
        .keys()
        .map(|key| key.as_str().unwrap())
        .collect()
}

#[test]
fn note_unedited_renders_the_same_text() {
    for text in [
        NOTE,
        "",
        "no frontmatter\n---\nat all",
        "---\n---\n",
        "---\n---",
        "---\r\na: 1\r\n---\r\nbody\r\n",
        "\u{FEFF}---\na: 1\n---\nbody",
        "---\n# a comment alone\n--- \nx",
        " ---\na: 1\n---\n",
    ] {
        let note = Note::parse(text).unwrap();
        assert_eq!(note.to_text(), text);
    }
}

#[test]
fn set_key_changes_its_lines_alone() {
    let mut note = Note::parse(NOTE).unwrap();
    assert_eq!(
        keys(&note),
        ["id", "tags", "status", "other", "list", "quo ted"]
    );
    note.set("status", "done").unwrap();
    note.set("list", vec!["three"]).unwrap();
    note.set("quo ted", 7).unwrap();
    note.set("new", true).unwrap();
    let expected = NOTE
        .replace("status:   open # for now", "status: \"done\" # for now")
        .replace("- one\n- two\n", "  - \"three\"\n")
        .replace(
            "\"quo ted\": 'it''s'\n---",
            "\"quo ted\": 7\nnew: true\n---",
        );
    assert_eq!(note.to_text(), expected);
    assert_eq!(Note::parse(&expected).unwrap(), note);
}

#[test]
fn set_same_value_changes_nothing() {
    let mut note = Note::parse(NOTE).unwrap();
    note.set("tags", vec!["x", "y: z"]).unwrap();
    note.set("quo ted", "it's").unwrap();
    assert_eq!(note.to_text(), NOTE);
}

#[test]
fn remove_key_removes_its_lines_alone() {
    let mut note = Note::parse(NOTE).unwrap();
    assert!(note.remove("other").unwrap());
    assert!(note.remove("list").unwrap());
    assert!(!note.remove("missing").unwrap());
    let expected = NOTE
        .replace("other: |\n  status: no key\n\n  # no comment\n", "")
        .replace("list:\n- one\n- two\n", "");
    assert_eq!(note.to_text(), expected);
}

#[test]
fn set_key_adds_missing_frontmatter() {
    let mut note = Note::parse("hello\r\n").unwrap();
    note.set("a", 1).unwrap();
    assert_eq!(note.to_text(), "---\r\na: 1\r\n---\r\nhello\r\n");
    let mut note = Note::parse("---\na: 1\n---").unwrap();
    note.set_body("now");
    assert_eq!(note.to_text(), "---\na: 1\n---\nnow");
    let mut note = Note::parse("").unwrap();
    note.set_body("---\nkind: task\n---\n");
    let again = Note::parse(&note.to_text()).unwrap();
    assert!(again.front().is_empty() && again.body() == "---\nkind: task\n---\n");
}

#[test]
fn edit_keeps_windows_line_ends() {
    let mut note = Note::parse("---\r\na: 1\r\nb: 2\r\n---\r\nx\r\n").unwrap();
    note.set("a", vec!["p"]).unwrap();
    note.set("c", "q").unwrap();
    assert_eq!(
        note.to_text(),
        "---\r\na:\r\n  - \"p\"\r\nb: 2\r\nc: \"q\"\r\n---\r\nx\r\n"
    );
}

#[test]
fn edit_unsupported_layout_is_refused() {
    for text in [
        "---\n{a: 1, b: 2}\n---\n",
        "---\n? a\n: 1\nb: 2\n---\n",
        "---\nb: \"x\na: 1\n  y\"\n\"a\" : {\nc: 1}\n---\n",
    ] {
        let Ok(mut note) = Note::parse(text) else {
            continue;
        };
        let before = note.clone();
        match note.set("a", 9) {
            Ok(()) => {
                assert_eq!(note.get("b"), before.get("b"));
                assert_eq!(Note::parse(&note.to_text()).unwrap(), note);
            }
            Err(error) => {
                assert_eq!(error, NoteError::Layout("a".to_owned()));
                assert_eq!(note, before);
            }
        }
    }
}

#[test]
fn parse_broken_frontmatter_names_the_line() {
    for (text, expected) in [
        (
            "---\na: 1\n",
            "line 1: the frontmatter that begins here is not closed",
        ),
        ("---\na: 1\nb: [1\n---\n", "line "),
        ("---\na: 1\na: 2\n---\n", "the key `a` stands there twice"),
        ("---\na: 1\nb: c: d\n---\n", "line 3: "),
        (
            "---\n- a\n---\n",
            "line 2: the frontmatter has to be `key: value` lines",
        ),
        (
            "---\na: 1\nb: &x 1\n---\n",
            "line 3: the frontmatter cannot be read: anchors",
        ),
        (
            "---\na: *x\n---\n",
            "line 2: the frontmatter cannot be read: anchors",
        ),
        (
            "---\na:\n  - [1, *x]\n---\n",
            "line 3: the frontmatter cannot be read: anchors",
        ),
        (
            "---\na: !!binary x\n---\n",
            "line 2: the frontmatter cannot be read: tags",
        ),
        ("---\n[a]: 1\n---\n", "a list or a mapping is no key"),
        (
            "---\na: 1\n...\nb: 2\n---\n",
            "the frontmatter cannot be read",
        ),
        ("---\na: \"\u{0}\"\n---\n", "the frontmatter cannot be read"),
    ] {
        let error = Note::parse(text).unwrap_err().to_string();
        assert!(error.contains(expected), "{text:?}: {error}");
    }
}

#[test]
fn parse_signs_inside_texts_are_no_anchors() {
    let text = "---\na: b & c * d ! e\nb: \"*x\"\nc: '&y'\nd: |\n  *x\n  &y\ne: -*x\n# &no\n\
        f: [a & b, c*]\ng: plain\n  *continued\nh: \"over\n  *lines\"\ni:\n  - |\n    *x\n  - k: >\n      &y\n    l: z\n---\n";
    let note = Note::parse(text).unwrap();
    assert_eq!(note.get_text("g"), Some("plain *continued"));
    assert_eq!(note.get_text("d"), Some("*x\n&y\n"));
}

#[test]
fn parse_yaml_bombs_are_refused_cheaply() {
    let mut aliases = "---\na0: &a0 [x, x]\n".to_owned();
    for n in 1..30 {
        aliases.push_str(&format!("a{n}: &a{n} [*a{0}, *a{0}]\n", n - 1));
    }
    // Hidden from the scan by a key that looks like a block of text.
    let hidden = aliases.replace("---\na0", "---\n? |\n k\n: v\na0");
    let many = format!("---\na: [{}]\n---\n", "1,".repeat(25_000));
    for (text, what) in [
        (
            format!("---\na: {}\n---\n", "[".repeat(30_000)),
            "nests too deep",
        ),
        (
            format!("---\n{}x\n---\n", "- ".repeat(30_000)),
            "nests deeper than 16",
        ),
        (format!("{aliases}---\n"), "anchors"),
        (format!("{hidden}---\n"), "the frontmatter cannot be read"),
        (many, "more than 20000 values"),
        (
            format!("---\na: {}\n---\n", "x".repeat(70_000)),
            "65536 is the most",
        ),
        (
            format!("---\n{}", "a: 1\n".repeat(200_000)),
            "65536 is the most",
        ),
    ] {
        let start = std::time::Instant::now();
        let error = Note::parse(&text).unwrap_err().to_string();
        assert!(error.contains(what), "{what}: {error}");
        assert!(start.elapsed().as_secs() < 10, "{what}");
    }
}

/// Even aliases that the scan does not see are bounded by counting.
#[test]
fn parse_uncounted_aliases_are_bounded() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        bomb.push_str(&format!(
            "a{n}: &a{n} [{}]\n",
            vec![format!("*a{}", n - 1); 8].join(", ")
        ));
    }
    assert!(super::front::read_bounded(&bomb).is_err());
}

#[test]
fn task_note_renders_as_documented() {
    let facts = vec![("message-id", vec!["a@b"]), ("to", vec!["c: d", "e"])];
    let mut task = task("Re: Angebot", facts, "Hello\n");
    task.claim = Some(claim());
    let text = task.render();
    let (received, created) = (task.received.map(format_time), format_time(task.created));
    assert_eq!(
        text,
        format!(
            "---\nid: task_00000000010000000000000002\nkind: task\nzone: email\nsource: \"maildir:owner\"\n\
             from: \"Ann <ann@example.test>\"\nsubject: \"Re: Angebot\"\nreceived: {}\n\
             created: {created}\nby: \"local/intake\"\naliases:\n  - \"Re: Angebot · Ann\"\n\
             facts:\n  - \"message-id: a@b\"\n  - \"to: c: d\"\n  - \"to: e\"\n\
             claim: \"claim_00000000010000000000000002\"\nclaim-agent: \"cloud\"\nclaim-epoch: 3\n\
             claim-at: \"2026-11-20T18:42:00Z\"\nclaim-base: \"{}\"\n---\nHello\n",
            received.unwrap(),
            "ab".repeat(20)
        )
    );
    assert_eq!(TaskNote::parse(&text).unwrap(), task);
}

#[test]
fn note_error_names_key_and_line() {
    let text = task("s", vec![], "").render();
    let error = |from: &str, to: &str| {
        TaskNote::parse(&text.replace(from, to))
            .unwrap_err()
            .to_string()
    };
    assert_eq!(error("zone: email\n", ""), "the note has no key `zone`");
    assert_eq!(
        error("kind: task", "kind: draft"),
        "the note is of kind `draft`, not `task`"
    );
    let zone = error("zone: email", "zone: my garden");
    assert!(
        zone.starts_with(
            "line 4: the key `zone` cannot be read: invalid zone id `my garden`: use a-z"
        ),
        "{zone}"
    );
    let subject = error("subject: \"s\"", "subject: 2026");
    assert!(
        subject.contains("line 7: the key `subject` cannot be read: it has to be text"),
        "{subject}"
    );
    assert_eq!(TaskNote::parse("hello").unwrap_err(), NoteError::NoFront);
}

/// Finishing a task keeps every other byte and repeats nothing.
#[test]
fn finish_task_keeps_every_other_byte() {
    let at: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
    let mut task = task("s", vec![], "Body\n---\n");
    task.claim = Some(claim());
    let text = task
        .render()
        .replace("source:", "# mine\nmy_tags: [a]\nsource:");
    let mut note = Note::parse(&text).unwrap();
    let receipt = ReceiptRecord {
        draft: DraftId::from_parts(1, 2),
        kind: ActionKind::EMAIL_SEND,
        at,
        reference: "x@y".to_owned(),
        answer: "250 ok: \"queued\"\n---".to_owned(),
        recipients: vec!["ada@example.test".to_owned()],
        sha256: "ab".repeat(32),
        came_back: None,
    };
    for _ in 0..2 {
        finish(
            &mut note,
            "done",
            "Sent: \"yes\"",
            at,
            std::slice::from_ref(&receipt),
        )
        .unwrap();
    }
    let filed = note.to_text();
    assert!(
        filed.starts_with(text.split("---\nBody").next().unwrap()),
        "{filed}"
    );
    assert!(filed.ends_with("---\nBody\n---\n"));
    let again = Note::parse(&filed).unwrap();
    assert_eq!(receipts_of(&again).unwrap(), [receipt]);
    assert_eq!(again.get_text("outcome"), Some("done"));
    assert_eq!(TaskNote::from_note(&again).unwrap(), task);
    note.set("receipts", "none").unwrap();
    let before = note.clone();
    assert!(finish(&mut note, "failed", "x", at, &receipts_of(&again).unwrap()).is_err());
    assert_eq!(note, before);
}

#[test]
fn draft_note_accepts_the_owners_keys() {
    let text = draft(email("a@b", "Hi\n")).render();
    let edited = text
        .replace("to:\n  - \"a@b\"\n", "to: c@d\ncc:\n")
        .replace("kind: draft", "kind: draft\ntags: [mine]\ncssclasses: wide");
    let read = DraftNote::parse(&edited).unwrap();
    let mail: EmailSend = read.action.read().unwrap();
    assert_eq!((mail.to, mail.cc), (vec!["c@d".to_owned()], vec![]));
    for wrong in ["Cc: [x@y]", "in_reply_to: x"] {
        let text = text.replace("kind: draft", &format!("kind: draft\n{wrong}"));
        let error = DraftNote::parse(&text).unwrap_err().to_string();
        assert!(error.contains("the field is written `"), "{error}");
    }
    let error = DraftNote::parse(&text.replace("email-send", "email-spam"))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the key `action` cannot be read: unknown kind of action `email-spam`"),
        "{error}"
    );
}

#[test]
fn plan_note_steps_stay_one_line_each() {
    let plan = PlanNote {
        id: PlanId::from_parts(1, 2),
        created: Timestamp::UNIX_EPOCH,
        by: "cloud".to_owned(),
        task: TaskId::from_parts(1, 2),
        title: "T\n---\nkind: draft".to_owned(),
        steps: vec!["one\n# two".to_owned(), "\u{202E}three".to_owned()],
    };
    let note = Note::parse(&plan.render()).unwrap();
    assert_eq!(
        note.body(),
        "# T --- kind: draft\n\n- [ ] one \\# two\n- [ ] three\n"
    );
    assert_eq!(
        keys(&note),
        ["id", "kind", "created", "by", "task", "title", "aliases"]
    );
}

#[test]
fn plan_note_escapes_outside_markup() {
    let plan = PlanNote {
        id: PlanId::from_parts(1, 2),
        created: Timestamp::UNIX_EPOCH,
        by: "cloud".to_owned(),
        task: TaskId::from_parts(1, 2),
        title: String::new(),
        steps: vec![],
    };
    for (text, never) in [
        ("[pay](https://evil.test)", "[pay]("),
        ("https://evil.test", "://"),
        ("![x](y)", "!["),
        ("![[Approved/x]]", "[["),
        ("<img src=x onerror=alert(1)>", "<"),
        ("<%* app.vault.delete() %>", "<%"),
        ("%%hidden%%", "%%"),
        ("`= this.file` and `$= dv`", "`"),
        ("#tag", " #"),
        ("&lt;b&gt;", "&lt;b"),
    ] {
        let plan = PlanNote {
            title: format!("a {text}"),
            ..plan.clone()
        };
        let body = plan
            .render()
            .rsplit_once("---\n")
            .unwrap()
            .1
            .replacen("# ", "", 1);
        assert!(!body.contains(never), "{text} became {body}");
    }
}

/// Text that tries to be more than text.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => any::<String>(),
        4 => prop::sample::select(vec![
            "---", "---\n", "\n---\nkind: draft\n", "\r", "\r\n", ": ", "#", " #", "\"", "'", "\\",
            "|", "&a", "*a", "!!x", "- ", "? ", "[", "{", "\u{202E}", "\u{2028}", "\u{85}", "\0",
            "\u{FEFF}", "\t", " ", "\n", "...", "%YAML", "approved: true", "<<", "\u{7F}",
            "\u{1FFFE}", "\u{FFFF}", "\u{E0001}", "null", "~", "1e3", "0x1F", "\\x41", "``", "@",
        ]).prop_map(str::to_owned),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

fn claim() -> ClaimRecord {
    ClaimRecord {
        id: ClaimId::from_parts(1, 2),
        agent: "cloud".parse::<AgentName>().unwrap(),
        epoch: 3,
        at: "2026-11-20T18:42:00Z".parse().unwrap(),
        base: "ab".repeat(20),
        heartbeats: 0,
    }
}

fn task(subject: &str, facts: Vec<(&str, Vec<&str>)>, body: &str) -> TaskNote {
    TaskNote {
        id: TaskId::from_parts(1, 2),
        zone: ZoneId::EMAIL,
        source: "maildir:owner".to_owned(),
        from: "Ann <ann@example.test>".to_owned(),
        subject: subject.to_owned(),
        received: Some("2026-11-20T18:40:00Z".parse().unwrap()),
        created: "2026-11-20T18:41:00Z".parse().unwrap(),
        by: "local/intake".to_owned(),
        facts: facts
            .into_iter()
            .map(|(name, values)| Fact {
                name: name.to_owned(),
                values: values.into_iter().map(str::to_owned).collect(),
            })
            .collect(),
        claim: None,
        body: body.to_owned(),
    }
}

fn email(to: &str, body: &str) -> Action {
    Action::new(&EmailSend {
        from_account: "owner".to_owned(),
        to: vec![to.to_owned()],
        cc: vec![],
        bcc: vec![],
        subject: "Hi".to_owned(),
        in_reply_to: None,
        references: vec![],
        attachments: vec![],
        body: body.to_owned(),
    })
}

/// A draft says under which claim it was made if it knows.
#[test]
fn draft_note_records_its_claim_epoch() {
    let action = Action::new(&platinum_core::EmailSend {
        from_account: "owner".to_owned(),
        to: vec!["ann@example.test".to_owned()],
        cc: vec![],
        bcc: vec![],
        subject: "Tea".to_owned(),
        in_reply_to: None,
        references: vec![],
        attachments: vec![],
        body: "Yes\n".to_owned(),
    });
    for epoch in [None, Some(0), Some(7), Some(u64::MAX)] {
        let note = DraftNote {
            epoch,
            ..draft(action.clone())
        };
        assert_eq!(DraftNote::parse(&note.render()).unwrap(), note);
    }
    let text = draft(action).render();
    let text = text.replace("action:", "epoch: many\naction:");
    assert!(DraftNote::parse(&text).is_err());
}

fn draft(action: Action) -> DraftNote {
    DraftNote {
        id: DraftId::from_parts(1, 2),
        created: "2026-11-20T18:41:00Z".parse().unwrap(),
        by: "cloud/cloud-draft-email".to_owned(),
        task: TaskId::from_parts(1, 2),
        epoch: None,
        action,
        summary: "Answers Ann".to_owned(),
        reason: "She asks".to_owned(),
        expires: "2026-11-27T18:41:00Z".parse().unwrap(),
        doubts: vec![],
    }
}

fn money() -> impl Strategy<Value = Money> {
    (any::<i64>(), "[A-Z]{3}").prop_map(|(minor, code)| Money {
        minor,
        currency: code.parse().unwrap(),
    })
}

fn date() -> impl Strategy<Value = jiff::civil::Date> {
    (1_i16..9999, 1_i8..=12, 1_i8..=28).prop_map(|(y, m, d)| jiff::civil::date(y, m, d))
}

fn files() -> impl Strategy<Value = Vec<VaultPath>> {
    vec(
        "[a-zä #&-]{1,8}x".prop_map(|name| format!("Inbox/f{name}.pdf").parse().unwrap()),
        0..3,
    )
}

fn action() -> impl Strategy<Value = Action> {
    let texts = || vec(hostile(), 0..3);
    let mail = (
        hostile(),
        texts(),
        texts(),
        texts(),
        hostile(),
        option::of(hostile()),
        texts(),
    );
    prop_oneof![
        (mail, files(), hostile()).prop_map(
            |((from_account, to, cc, bcc, subject, in_reply_to, references), attachments, body)| {
                Action::new(&EmailSend {
                    from_account,
                    to,
                    cc,
                    bcc,
                    subject,
                    in_reply_to,
                    references,
                    attachments,
                    body,
                })
            }
        ),
        (
            hostile(),
            vec(option::of(hostile()), 6),
            files(),
            hostile(),
            hostile()
        )
            .prop_map(|(account, mut optional, files, alt, text)| {
                let alt = format!("x{alt}").trim().to_owned();
                let media = files.into_iter().map(|path| Media {
                    path,
                    alt: alt.clone(),
                });
                let mut next = || optional.pop().flatten();
                Action::new(&SocialPublish {
                    account,
                    language: next(),
                    reply_to: next(),
                    content_warning: next(),
                    link: next(),
                    link_title: next(),
                    link_description: next(),
                    media: media.collect(),
                    text,
                })
            }),
        (any::<u64>(), money(), option::of(date()), hostile()).prop_map(
            |(document, total, due, shown)| {
                Action::new(&OdooPost {
                    document,
                    total,
                    due,
                    shown,
                })
            }
        ),
        (any::<u64>(), money(), date(), hostile(), hostile()).prop_map(
            |(invoice, amount, date, journal, shown)| {
                Action::new(&OdooPayment {
                    invoice,
                    amount,
                    date,
                    journal,
                    shown,
                })
            }
        ),
        (
            hostile(),
            [(); 3].map(|()| option::of(hostile())),
            hostile()
        )
            .prop_map(
                |(chat, [contact_number, contact_id, quoted_message], text)| {
                    Action::new(&WhatsappSend {
                        chat,
                        contact_number,
                        contact_id,
                        quoted_message,
                        text,
                        ..WhatsappSend::default()
                    })
                }
            ),
        (hostile(), money(), hostile(), option::of(date()), hostile()).prop_map(
            |(payee, amount, reference, due, method)| {
                Action::new(&Payment {
                    payee,
                    amount,
                    reference,
                    due,
                    method,
                })
            }
        ),
    ]
}

proptest! {
    #[test]
    fn draft_note_round_trips(action in action(), summary in hostile(), reason in hostile(), by in hostile()) {
        let mut draft = draft(action);
        (draft.summary, draft.reason, draft.by) = (summary, reason, by);
        let text = draft.render();
        prop_assert_eq!(&DraftNote::parse(&text).unwrap(), &draft);
        let note = Note::parse(&text).unwrap();
        prop_assert_eq!(note.body(), draft.action.text());
        let ActionSpec { fields: single, lists, .. } = ActionSpec::find(draft.action.kind()).unwrap();
        let own = ["id", "kind", "created", "by", "task", "action", "summary", "reason", "expires"];
        for key in keys(&note) {
            prop_assert!(own.contains(&key) || single.contains(&key) || lists.contains(&key), "{}", key);
        }
    }

    #[test]
    fn task_note_round_trips_with_exact_keys(
        texts in (hostile(), hostile(), hostile(), hostile(), hostile()),
        facts in prop::collection::btree_map(hostile(), vec(hostile(), 0..3), 0..4),
        received in any::<bool>(),
        claimed in any::<bool>(),
    ) {
        let mut task = task("", vec![], "");
        (task.source, task.from, task.subject, task.by, task.body) = texts;
        task.facts = facts.into_iter().map(|(name, values)| Fact { name, values }).collect();
        task.received = task.received.filter(|_| received);
        task.claim = claimed.then(claim);
        let text = task.render();
        prop_assert_eq!(&TaskNote::parse(&text).unwrap(), &task);
        let note = Note::parse(&text).unwrap();
        let mut expected = vec!["id", "kind", "zone", "source", "from", "subject"];
        expected.extend(received.then_some("received"));
        expected.extend(["created", "by", "aliases"]);
        expected.extend((!task.facts.is_empty()).then_some("facts"));
        let claim = ["claim", "claim-agent", "claim-epoch", "claim-at", "claim-base"];
        expected.extend(claim.into_iter().filter(|_| claimed));
        prop_assert_eq!(keys(&note), expected);
        prop_assert_eq!(note.body(), task.body);
    }

    #[test]
    fn update_note_round_trips(headline in hostile(), by in hostile(), about in any::<bool>()) {
        let update = UpdateNote {
            id: UpdateId::from_parts(1, 2),
            created: Timestamp::UNIX_EPOCH,
            by,
            task: about.then(|| TaskId::from_parts(1, 2)),
            headline,
        };
        let text = update.render();
        prop_assert_eq!(UpdateNote::parse(&text).unwrap(), update);
        prop_assert!(text.lines().all(|line| line == "---" || line.contains(": ")));
    }

    /// Any text at all is read or refused and comes out the same.
    #[test]
    fn parse_any_text_round_trips_or_is_refused(text in hostile(), front in any::<bool>()) {
        let text = if front { format!("---\n{text}\n---\n") } else { text };
        if let Ok(note) = Note::parse(&text) {
            prop_assert_eq!(note.to_text(), text);
        }
    }

    /// An edit of any note keeps every other key and the body.
    #[test]
    fn edit_any_note_keeps_other_keys_and_body(
        values in vec(hostile(), 1..5), value in hostile(), body in hostile(), at in 0_usize..6, style in 0_u8..3,
    ) {
        // Frontmatter in the layouts that people and editors write.
        let mut text = "---\n".to_owned();
        for (n, value) in values.iter().enumerate() {
            let plain = one_line(value, 40).replace(['"', '\'', '\\'], "");
            match style {
                0 => text.push_str(&format!("k{n}: \"{plain}\" # c{n}\n")),
                1 => text.push_str(&format!("# c{n}\nk{n}: |\n  {plain}\n\n  k0: x\n")),
                _ => text.push_str(&format!("k{n}:\n- '{plain}'\n# c{n}\n- \"k1: x\n\n  y\"\n\n")),
            }
        }
        text.push_str(&format!("---\n{body}"));
        if let Ok(before) = Note::parse(&text) {
            let mut note = before.clone();
            let key = format!("k{at}");
            note.set(&key, value.clone()).unwrap();
            let again = Note::parse(&note.to_text()).unwrap();
            prop_assert_eq!(&again, &note);
            prop_assert_eq!(note.get_text(&key), Some(value.as_str()));
            prop_assert_eq!(again.body(), &body);
            for (other, kept) in before.front() {
                prop_assert!(other.as_str() == Some(&key) || again.front().get(other) == Some(kept));
            }
            let comments = |note: &str| note.matches("# c").count();
            if style == 0 {
                prop_assert!(comments(&note.to_text()) >= comments(&text));
            }
            note.remove(&key).unwrap();
            prop_assert!(note.get(&key).is_none());
            prop_assert_eq!(Note::parse(&note.to_text()).unwrap(), note);
        }
    }
}
