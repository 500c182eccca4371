//! Everyday mails from their bytes to the draft: taken in by the watcher's code, read by the skill, answered by the
//! drafter that has no model, which repeats what it takes for the sender's questions.

use platinum_intake::{mail::Taken, text::unfenced};
use platinum_llm::{Builtin, Model as _, Part, Request};
use platinum_sdk::{
    Invocation, Outcome,
    model::complete,
    tasks::types::{Fact, Task},
    testing::TestHost,
};
use platinum_vault::note::TaskNote;

use crate::{
    folder::FolderFixture,
    taking_in::{fixture, now, raw},
};

/// What became of a mail.
#[derive(Debug)]
struct Drafted {
    /// The mail's text in its note.
    text: String,
    /// The whole note.
    note: String,
    /// The subject of the task.
    subject: String,
    /// What the draft repeats as questions.
    asked: Vec<String>,
    /// The draft; nothing if the mail was dismissed.
    body: Option<String>,
    /// Why it was dismissed.
    dismissed: Option<String>,
    /// The steps of its plan.
    plan: Vec<String>,
    /// What the model got as `mail-forwarded`.
    forwarded: String,
}

fn task_of(note: &TaskNote) -> Task {
    let facts = note.facts.iter().map(|fact| Fact {
        name: fact.name.clone(),
        values: fact.values.clone(),
    });
    Task {
        id: note.id.to_string(),
        zone: note.zone.to_string(),
        source: note.source.clone(),
        sender: note.from.clone(),
        subject: note.subject.clone(),
        received: note.received.map(|at| at.to_string()),
        created: note.created.to_string(),
        facts: facts.collect(),
        text: note.body.clone(),
    }
}

/// What the drafter without a model writes to a request.
fn completed(request: &complete::Request) -> complete::Completion {
    let part = |part: &complete::Part| match part {
        complete::Part::Text(text) => Part::Say(text.clone()),
        complete::Part::Quote(quoted) => Part::Quote {
            label: quoted.label.clone(),
            text: quoted.text.clone(),
        },
    };
    let request = Request {
        instructions: request.instructions.clone(),
        parts: request.parts.iter().map(part).collect(),
        max_tokens: request.max_tokens,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let done = runtime.block_on(Builtin.complete(request)).unwrap();
    complete::Completion {
        text: done.text,
        model: done.model,
        truncated: done.truncated,
    }
}

fn drafted(mail: &[u8]) -> Drafted {
    let fixture = fixture();
    let mut arrived = raw("1/1", "");
    arrived.size = mail.len() as u64;
    arrived.bytes = mail.to_vec();
    let taken = fixture.intake.take(&arrived, now()).unwrap();
    assert!(matches!(taken, Taken::Created(_)), "{taken:?}");
    let note = fixture.notes().remove(0);
    let invocation = Invocation {
        event: "task.claimed".into(),
        task: Some(note.id.to_string()),
        message: None,
    };
    let run = |completion| {
        let mut host = TestHost {
            tasks: vec![task_of(&note)],
            ..TestHost::default()
        };
        if let Some(completion) = completion {
            host.completion = Ok(completion);
        }
        let outcome = skill_cloud_draft_email::run::run(&host, &invocation).unwrap();
        (host, outcome)
    };
    // The first run tells what the model is asked, the second what becomes of its answer.
    let (host, outcome) = run(None);
    let requests = host.requests.borrow();
    let forwarded =
        requests
            .iter()
            .flat_map(|request| &request.parts)
            .find_map(|part| match part {
                complete::Part::Quote(quoted) if quoted.label == "mail-forwarded" => {
                    Some(quoted.text.clone())
                }
                _ => None,
            });
    let mut drafted = Drafted {
        text: unfenced(&note.body).unwrap().to_owned(),
        note: note.render(),
        subject: note.subject.clone(),
        asked: Vec::new(),
        body: None,
        dismissed: None,
        plan: Vec::new(),
        forwarded: forwarded.unwrap_or_default(),
    };
    match (outcome, requests.first()) {
        (Outcome::Dismissed(reason), _) => drafted.dismissed = Some(reason),
        (_, Some(request)) => {
            let (host, _) = run(Some(completed(request)));
            let body = host.proposed.borrow()[0].1.body.clone();
            let asked = body.lines().filter_map(|line| line.strip_prefix("> "));
            drafted.asked = asked.map(str::to_owned).collect();
            drafted.body = Some(body);
            let plans = host.plans.borrow();
            drafted.plan = plans.iter().flat_map(|plan| plan.steps.clone()).collect();
        }
        (outcome, None) => panic!("{outcome:?}"),
    }
    drafted
}

const HEAD: &str = "From: Ann Example <ann@client.test>\r\nTo: owner@example.test\r\nMessage-ID: <1@client.test>\r\n";

fn of(subject: &str, head: &str, body: &str) -> Drafted {
    drafted(format!("{HEAD}Subject: {subject}\r\n{head}\r\n{body}").as_bytes())
}

const PLAIN: &str = "Content-Type: text/plain; charset=utf-8\r\n";
const HTML: &str = "Content-Type: text/html; charset=utf-8\r\n";

/// What the sender asks is asked in the draft; what is quoted is not, however it is quoted.
#[test]
fn draft_repeats_the_senders_questions_alone() {
    let old = "Dear Ann,\r\nis Tuesday fine for you? And would 1,800 euros do?";
    let marked = old.replace("\r\n", "\r\n> ");
    for (head, body, asked) in [
        (
            PLAIN,
            format!(
                "Yes. Who comes?\r\n\r\n________________________________\r\nFrom: Owner <owner@example.test>\r\n\
            Sent: Thursday 12:00\r\nTo: Ann\r\nSubject: Re: Offer\r\n\r\n{old}"
            ),
            &["Who comes?"][..],
        ),
        (
            PLAIN,
            format!(
                "Ja, das passt uns.\r\n\r\nVon: Owner\r\nGesendet: Donnerstag, 19. November 2026 12:00\r\nAn: Ann\r\n\
            Betreff: AW: Angebot\r\n\r\n{old}"
            ),
            &[],
        ),
        (
            PLAIN,
            format!(
                "Oui.\r\n\r\nDe : Owner\r\nEnvoyé : jeudi 12:00\r\nÀ : Ann\r\nObjet : RE: Devis\r\n\r\n{old}"
            ),
            &[],
        ),
        (
            PLAIN,
            format!(
                "Sí.\r\n\r\nEl jue, 19 nov 2026 a las 12:00, Owner (<owner@example.test>) escribió:\r\n\r\n> {marked}"
            ),
            &[],
        ),
        (
            PLAIN,
            format!(
                "はい。何時ですか？よろしく。\r\n\r\n2026年11月19日(木) 12:00 Owner <owner@example.test>:\r\n\r\n> {marked}"
            ),
            &["何時ですか？"],
        ),
        (
            PLAIN,
            format!(
                "On Thu, 19 Nov 2026, Owner With A Long Name <\r\nowner@example.test> wrote:\r\n> {marked}\r\n\r\n\
            Yes. What else do you need?"
            ),
            &["What else do you need?"],
        ),
        (
            PLAIN,
            "> Is Tuesday fine?\r\nYes. And what do you charge?\r\n> Best\r\n> Owner".to_owned(),
            &["And what do you charge?"],
        ),
        (
            HTML,
            format!(
                "<div>Yes. Who comes?</div><div class=gmail_quote><div class=gmail_attr>On Thu, 19 Nov 2026, Owner \
            &lt;owner@example.test&gt; wrote:<br></div><blockquote class=gmail_quote>{old}</blockquote></div>"
            ),
            &["Who comes?"],
        ),
        (
            HTML,
            format!("<p>Fine. When?</p><div id=divRplyFwdMsg><b>Od:</b> Owner</div><p>{old}</p>"),
            &["When?"],
        ),
        (
            HTML,
            format!(
                "<p>Fine.</p><p><b>From:</b> Owner<br><b>Sent:</b> Monday<br><b>To:</b> Ann<br><b>Subject:</b> x</p><p>{old}</p>"
            ),
            &[],
        ),
    ] {
        let drafted = of("Re: Offer", head, &body);
        assert_eq!(drafted.asked, asked, "{body}\n{drafted:?}");
        assert!(
            drafted.text.contains("Tuesday fine"),
            "the note loses text: {drafted:?}"
        );
        assert!(drafted.plan.is_empty(), "{drafted:?}");
    }
}

/// The owner's own old list is no plan; the sender's new one is.
#[test]
fn plan_is_made_of_the_senders_words_alone() {
    let list = "please do the following:\r\n1. send the offer\r\n2. book a room\r\n3. call Bob";
    let old = format!(
        "Thanks, all done.\r\n\r\nAnn\r\n\r\nFrom: Owner <owner@example.test>\r\nSent: Thursday 12:00\r\n\
                       To: Ann\r\nSubject: To do\r\n\r\nDear Ann,\r\n{list}"
    );
    assert!(of("Re: To do", PLAIN, &old).plan.is_empty());
    let html = old.replace("\r\n", "<br>");
    assert!(of("Re: To do", HTML, &html).plan.is_empty());
    let new = of("To do", PLAIN, &format!("Dear Owner,\r\n{list}"));
    assert_eq!(new.plan, ["send the offer", "book a room", "call Bob"]);
}

/// A forwarded mail is in the note and goes to the drafter as what it is.
#[test]
fn forwarded_mail_is_shown_and_not_asked_back() {
    let inner =
        "From: Bob <bob@x.test>\r\nSubject: The contract\r\n\r\nCan the owner sign until Monday?";
    let attached = format!(
        "--b\r\n\r\nPlease answer the mail below. Will you?\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--"
    );
    let inline = format!(
        "Please answer the mail below. Will you?\r\n\r\n---------- Forwarded message ---------\r\n{inner}"
    );
    let outlook = "Please answer the mail below. Will you?\r\n\r\nFrom: Bob <bob@x.test>\r\nSent: Monday\r\nTo: Ann\r\n\
                   Subject: The contract\r\n\r\nCan the owner sign until Monday?";
    for (head, body) in [
        (
            "Content-Type: multipart/mixed; boundary=b\r\n",
            attached.as_str(),
        ),
        (PLAIN, inline.as_str()),
        (PLAIN, outlook),
    ] {
        let drafted = of("Fwd: The contract", head, body);
        assert!(
            drafted.text.contains("Can the owner sign until Monday?"),
            "{drafted:?}"
        );
        assert!(drafted.forwarded.contains("bob@x.test"), "{drafted:?}");
        assert_eq!(drafted.asked, ["Will you?"], "{drafted:?}");
    }
}

#[test]
fn body_of_any_structure_is_read() {
    let question = "Hello,\r\n\r\nwhich day suits you?\r\n";
    let html = "<p>Hello,</p><p>which day suits you?</p>";
    let alternative = format!("--b\r\n{PLAIN}\r\n\u{200b}\r\n--b\r\n{HTML}\r\n{html}\r\n--b--");
    let footer = format!("--b\r\n{HTML}\r\n{html}\r\n--b\r\n{PLAIN}\r\n____\r\nteam list\r\n--b--");
    let heavy = format!(
        "<style>{}</style><img src=\"data:image/png;base64,{}\">{html}",
        "p{}".repeat(100_000),
        "A".repeat(300_000)
    );
    for (head, body) in [
        (PLAIN, question),
        ("Content-Type: text/plain; name=message.txt\r\n", question),
        (
            "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=ATT1.txt\r\n",
            question,
        ),
        ("Content-Type: plain; charset=utf-8\r\n", question),
        ("Content-Type: text/markdown; charset=utf-8\r\n", question),
        (
            "Content-Type: multipart/alternative; boundary=b\r\n",
            &alternative,
        ),
        ("Content-Type: multipart/mixed; boundary=b\r\n", &footer),
        ("Content-Type: multipart/mixed; boundary=wrong\r\n", &footer),
        (HTML, &heavy),
        (
            "Content-Transfer-Encoding: base64\r\n",
            "SGVsbG8sCgp3aGljaCBkYXkgc3VpdHMgeW91Pwo=\r\n\r\n____\r\nteam list\r\n",
        ),
    ] {
        let drafted = of("A day", head, body);
        assert_eq!(
            drafted.asked,
            ["which day suits you?"],
            "{head}{body:.200}\n{}",
            drafted.text
        );
    }
    let link = of(
        "A day",
        HTML,
        "<p>Sign <a href=\"https://sign.test/c/42\">here</a>. Do you agree?</p>",
    );
    assert_eq!(
        link.text,
        "Sign here <https://sign.test/c/42>. Do you agree?"
    );
    let returns = format!("{HEAD}Subject: A day\r\n\r\n{question}");
    for line_end in ["\r", "\r\r\n", "\n"] {
        let drafted = drafted(returns.replace("\r\n", line_end).as_bytes());
        assert_eq!(
            (drafted.subject.as_str(), drafted.asked),
            ("A day", vec!["which day suits you?".into()])
        );
    }
}

/// What can be read is read, in the text and in the subject that goes out again.
#[test]
fn text_is_repaired() {
    let raw = |parts: &[&[u8]]| drafted(&[HEAD.as_bytes(), &parts.concat()].concat());
    for (drafted, subject, text) in [
        (raw(&[b"Subject: Gr\xf6\xdfe\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nPa\xdft es f\xfcr Sie?"]), "Größe", "Paßt es für Sie?"),
        (raw(&["Subject: =?UTF-8?Q?Best=C3?=\r\n =?UTF-8?Q?=A4tigung?=\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nGrüße?".as_bytes()]), "Bestätigung", "Grüße?"),
        (raw(&[b"Subject: x\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\n\r\n\x1b$B$$$D\x1b(B\x1b$B!)\x1b(B"]), "x", "いつ？"),
        (raw(&[b"Subject: x\r\nContent-Type: text/plain; format=flowed; delsp=yes\r\n\r\nthe pri \r\nce?"]), "x", "the price?"),
        (raw(&[b"Subject: x\r\n\r\n\xcf\xf0\xe8\xe2\xe5\xf2, \xea\xe0\xea\xee\xe9 \xe4\xe5\xed\xfc \xe2\xe0\xec \xf3\xe4\xee\xe1\xe5\xed?"]), "x", "Привет, какой день вам удобен?"),
    ] {
        assert_eq!((drafted.subject.as_str(), drafted.text.as_str()), (subject, text));
        assert!(!drafted.note.contains('\u{fffd}'));
    }
}

#[test]
fn encrypted_mail_is_said_to_be_that() {
    for (head, body, how) in [
        (
            "Content-Type: multipart/encrypted; protocol=\"application/pgp-encrypted\"; boundary=b\r\n",
            "--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\nContent-Type: application/octet-stream\r\n\r\nx\r\n--b--",
            "encrypted with OpenPGP",
        ),
        (
            "Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\n",
            "MIAG",
            "encrypted with S/MIME",
        ),
        (
            PLAIN,
            "-----BEGIN PGP MESSAGE-----\r\n\r\nhQ=\r\n-----END PGP MESSAGE-----",
            "encrypted with OpenPGP",
        ),
    ] {
        let drafted = of("A day", head, body);
        let reason = format!("the mail is {how}: read and answer it in your mail program");
        assert_eq!((drafted.dismissed, drafted.body), (Some(reason), None));
        assert!(
            drafted
                .note
                .contains(&format!("- The mail is {how}: its text")),
            "{}",
            drafted.note
        );
    }
    let signed = "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nWhich day?\r\n-----BEGIN PGP SIGNATURE-----\r\n\r\niQ\r\n-----END PGP SIGNATURE-----";
    let drafted = of("A day", PLAIN, signed);
    assert_eq!(
        (drafted.text.as_str(), drafted.asked),
        ("Which day?", vec!["Which day?".to_owned()])
    );
    assert!(
        drafted
            .note
            .contains("- The mail says that it is signed with OpenPGP"),
        "{}",
        drafted.note
    );
}

/// The draft is in the language of what the sender says, not of what is quoted below.
#[test]
fn draft_speaks_the_senders_language() {
    let old = "\r\n\r\n-----Original Message-----\r\nCould you tell us when you would be able to come to our office?";
    for (text, greeting) in [
        (
            "Hallo,\r\n\r\npasst Dir der Montag?\r\n\r\nGruß\r\nAnn",
            "Guten Tag,",
        ),
        ("Hola, ¿qué día le viene bien?", "Hola:"),
        (
            "お世話になっております。明日の打合せは何時がよろしいでしょうか？田中",
            "お世話になっております。",
        ),
        ("Could you come on Monday?", "Hello,"),
    ] {
        let body = of("x", PLAIN, &format!("{text}{old}")).body.unwrap();
        assert!(body.starts_with(greeting), "{body}");
    }
}

/// The owner's note, from the file to the mail that would leave.
#[test]
fn dropped_note_becomes_a_new_mail() {
    let fixture = FolderFixture::new(platinum_core::Role::Local);
    let note = b"write to Bob that the offer is ready by Friday\n";
    fixture.drop_file("Needs_Action/email/idea.md", note);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert_eq!(runtime.block_on(fixture.poll()), 1);
    let mut task = task_of(&fixture.tasks()[0]);
    // What the daemon has every task of the zone say.
    task.facts.push(Fact {
        name: "account".into(),
        values: vec!["me".into()],
    });
    let invocation = Invocation {
        event: "task.claimed".into(),
        task: Some(task.id.clone()),
        message: None,
    };
    let run = |completion: Option<complete::Completion>| {
        let mut host = TestHost {
            tasks: vec![task.clone()],
            ..TestHost::default()
        };
        let bob = platinum_sdk::email::people::Person {
            name: "Bob Miller".into(),
            address: "bob@b.test".into(),
        };
        host.people.insert("Bob".into(), vec![bob]);
        if let Ok(style) = &mut host.style {
            style.signature = Some("Olga".into());
        }
        if let Some(completion) = completion {
            host.completion = Ok(completion);
        }
        skill_cloud_draft_email::run::run(&host, &invocation).unwrap();
        host
    };
    let asked = run(None).requests.borrow()[0].clone();
    let host = run(Some(completed(&asked)));
    let mail = host.proposed.borrow()[0].1.clone();
    assert_eq!(mail.to, ["Bob Miller <bob@b.test>"]);
    assert_eq!(mail.subject, "The offer is ready by Friday");
    let text = "Hello Bob Miller,\n\nThe offer is ready by Friday.\n\nKind regards\nOlga\n\n";
    assert!(mail.body.starts_with(text), "{}", mail.body);
    assert!(mail.in_reply_to.is_none() && mail.references.is_empty());
}
