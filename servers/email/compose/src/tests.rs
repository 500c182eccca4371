//! Tests of writing mails: what is written reads back, and no field can break out of its place.

use mail_parser::{MessageParser, MimeHeaders as _};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;

fn address(text: &str) -> Address {
    Address::parse("to", text).unwrap()
}

fn mail() -> Outgoing {
    Outgoing {
        from: address("Owner <owner@example.test>"),
        to: vec![address("ann@x.test")],
        cc: Vec::new(),
        bcc: Vec::new(),
        subject: "Hello".to_owned(),
        body: "Hi Ann\n".to_owned(),
        in_reply_to: None,
        references: Vec::new(),
        attachments: Vec::new(),
        message_id: "m1@example.test".to_owned(),
        draft: None,
        date: "2026-11-20T09:00:00Z".parse().unwrap(),
    }
}

fn text(mail: &Outgoing) -> String {
    String::from_utf8(mail.to_bytes().unwrap()).unwrap()
}

#[test]
fn reply_has_threading_headers_and_no_bcc() {
    let mail = Outgoing {
        bcc: vec![address("secret@x.test")],
        in_reply_to: Some("q@x.test".to_owned()),
        references: vec!["p@x.test".to_owned()],
        ..mail()
    };
    let bytes = text(&mail);
    assert!(bytes.contains("\r\nIn-Reply-To: <q@x.test>\r\n"), "{bytes}");
    assert!(
        bytes.contains("\r\nReferences: <p@x.test> <q@x.test>\r\n"),
        "{bytes}"
    );
    assert!(bytes.contains("\r\nMessage-ID: <m1@example.test>\r\n"));
    assert!(
        bytes.contains("\r\nDate: Fri, 20 Nov 2026 09:00:00 "),
        "{bytes}"
    );
    assert!(!bytes.to_lowercase().contains("bcc") && !bytes.contains("secret"));
    assert_eq!(mail.recipients().len(), 2);
    assert_eq!(bytes, text(&mail));
}

#[test]
fn mail_with_bcc_alone_says_undisclosed_recipients() {
    let mail = Outgoing {
        to: Vec::new(),
        bcc: vec![address("a@x.test")],
        ..mail()
    };
    assert!(text(&mail).contains("\r\nTo: undisclosed-recipients:;\r\n"));
}

#[test]
fn references_keep_the_first_and_the_newest() {
    let references = (0..80).map(|n| format!("{n}@x.test")).collect();
    let mail = Outgoing {
        references,
        in_reply_to: Some("79@x.test".to_owned()),
        ..mail()
    };
    let bytes = mail.to_bytes().unwrap();
    let read = MessageParser::default().parse(&bytes).unwrap();
    let references = read.references().as_text_list().unwrap();
    assert_eq!((&*references[0], references.len()), ("0@x.test", 50));
    assert_eq!(references[49], "79@x.test");
}

#[test]
fn field_cannot_inject_a_header() {
    let evil = "x\r\nBcc: evil@x.test";
    let file = |name: &str, kind: &str| {
        vec![File {
            name: name.into(),
            media_type: kind.into(),
            bytes: vec![1],
        }]
    };
    let tries = [
        Outgoing {
            subject: evil.into(),
            ..mail()
        },
        Outgoing {
            subject: "x\ny".into(),
            ..mail()
        },
        Outgoing {
            subject: "x\u{2028}y".into(),
            ..mail()
        },
        Outgoing {
            message_id: format!("a@{evil}"),
            ..mail()
        },
        Outgoing {
            in_reply_to: Some("a@b> \r\nBcc: c@d".into()),
            ..mail()
        },
        Outgoing {
            in_reply_to: Some("a@b> <c@d".into()),
            ..mail()
        },
        Outgoing {
            references: vec!["a b@c".into()],
            ..mail()
        },
        Outgoing {
            attachments: file(evil, "text/plain"),
            ..mail()
        },
        Outgoing {
            attachments: file("a", "text/plain\r\nBcc: a@b"),
            ..mail()
        },
        Outgoing {
            attachments: file("a", "text/plain; x=y"),
            ..mail()
        },
        Outgoing {
            attachments: file("a", "multipart/mixed"),
            ..mail()
        },
    ];
    for mail in tries {
        assert!(mail.to_bytes().is_err(), "{mail:?}");
    }
    assert!(Address::parse("to", evil).is_err());
}

#[test]
fn oversized_mail_and_no_recipient_are_refused() {
    let no_recipient = Outgoing {
        to: Vec::new(),
        ..mail()
    };
    assert_eq!(no_recipient.to_bytes(), Err(ComposeError::NoRecipient));
    let many = Outgoing {
        to: (0..201).map(|n| address(&format!("p{n}@x.test"))).collect(),
        ..mail()
    };
    assert_eq!(
        many.to_bytes().unwrap_err().to_string(),
        "recipients: 201 is more than the 200 allowed"
    );
}

#[test]
fn attachments_round_trip() {
    let files = [
        ("a b.txt", "text/plain"),
        ("Bücher – liste.pdf", "application/pdf"),
        ("q\";x=y.bin", "application/octet-stream"),
    ];
    let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let attachments = files
        .map(|(name, kind)| File {
            name: name.into(),
            media_type: kind.into(),
            bytes: bytes.clone(),
        })
        .to_vec();
    let mail = Outgoing {
        attachments,
        body: "See files\n--=_x\n".into(),
        ..mail()
    };
    let sent = mail.to_bytes().unwrap();
    let whole = MessageParser::default().parse(&sent).unwrap();
    let text = whole.body_text(0).unwrap().replace("\r\n", "\n");
    assert_eq!(text, "See files\n--=_x\n");
    let listed: Vec<_> = whole
        .attachments()
        .map(|file| {
            let kind = file.content_type().unwrap();
            let media_type = format!("{}/{}", kind.ctype(), kind.subtype().unwrap());
            (file.attachment_name().unwrap(), media_type)
        })
        .collect();
    assert_eq!(listed, files.map(|(name, kind)| (name, kind.to_owned())));
    for index in 1..3 {
        assert!(
            whole.attachment(index).unwrap().contents() == bytes,
            "attachment {index}"
        );
    }
}

proptest! {
    #[test]
    fn body_round_trips(body in "(\\PC|[ \t=.\n\r]|From |\n\\.\n){0,300}") {
        let sent = Outgoing { body: body.clone(), ..mail() }.to_bytes().unwrap();
        prop_assert!(sent.is_ascii());
        prop_assert!(sent.split(|byte| *byte == b'\n').all(|line| line.len() <= 78 && line.last() == Some(&b'\r') || line.is_empty()));
        let read = MessageParser::default().parse(&sent).unwrap();
        prop_assert_eq!(read.body_text(0).unwrap().replace("\r\n", "\n"), write::normal_body(&body));
    }

    #[test]
    fn subject_and_name_round_trip(subject in "(\\PC|=\\?|  ){0,120}", name in "(\\PC|[\"\\\\,;<>]|=\\?){0,40}") {
        let name: String = name.replace(['<', '>', '\u{2028}', '\u{2029}'], "").trim().to_owned();
        let subject = subject.replace(['\u{2028}', '\u{2029}'], "");
        prop_assume!(!name.starts_with('"') && !name.contains('\\') && name.trim() == name);
        let mail = Outgoing { subject: subject.clone(), to: vec![address(&format!("{name} <ann@x.test>"))], ..mail() };
        let sent = mail.to_bytes().unwrap();
        prop_assert!(sent.split(|byte| *byte == b'\n').all(|line| line.len() <= 79), "{}", String::from_utf8_lossy(&sent));
        let read = MessageParser::default().parse(&sent).unwrap();
        prop_assert_eq!(read.subject().unwrap_or_default(), subject);
        let to = read.to().unwrap().first().unwrap();
        prop_assert_eq!(to.address.as_deref(), Some("ann@x.test"));
        prop_assert_eq!(to.name.as_deref().unwrap_or_default(), name);
    }
}

#[test]
fn draft_id_is_a_header_of_its_own() {
    let with = |draft: &str| Outgoing {
        draft: Some(draft.to_owned()),
        ..mail()
    };
    let bytes = text(&with("draft_01k"));
    assert!(
        bytes.contains("\r\nX-Platinum-Draft: draft_01k\r\n"),
        "{bytes}"
    );
    let read = MessageParser::default().parse(bytes.as_bytes()).unwrap();
    let draft = read.header(DRAFT_HEADER).unwrap().as_text();
    assert_eq!(draft, Some("draft_01k"));
    for bad in ["", "a b", "a\r\nBcc: x@y.test", "ä", &"a".repeat(61)] {
        let error = with(bad).to_bytes().unwrap_err();
        assert!(matches!(error, ComposeError::Draft { .. }), "{bad:?}");
    }
    assert!(!text(&mail()).contains("X-Platinum"));
}

/// The bytes without the header `Date`, cut as anybody cuts it who has received them.
fn without_date(mail: &Outgoing) -> Vec<u8> {
    let text = text(mail);
    let start = text.find("\r\nDate: ").unwrap() + 2;
    let end = start + text[start..].find("\r\n").unwrap() + 2;
    format!("{}{}", &text[..start], &text[end..]).into_bytes()
}

/// A mail with every part that a mail can have, or none of them.
fn any_mail() -> impl Strategy<Value = Outgoing> {
    let addresses = || proptest::collection::vec("[a-z]{1,8}", 0..4);
    let file = (
        "[a-zé ]{1,12}",
        proptest::collection::vec(any::<u8>(), 0..200),
    );
    let files = proptest::collection::vec(file, 0..3);
    let (subject, body) = ("[ -~äß–]{0,80}", "(\\PC|[\r\n\t]){0,200}");
    let draft = proptest::option::of("[a-z0-9_]{1,20}");
    let parts = (
        addresses(),
        addresses(),
        addresses(),
        subject,
        body,
        files,
        draft,
    );
    parts.prop_map(|(to, cc, bcc, subject, body, files, draft)| {
        let all = |names: Vec<String>, domain| {
            let names = names.into_iter();
            let addresses = names.map(|name| address(&format!("{name} <{name}@{domain}>")));
            addresses.collect::<Vec<_>>()
        };
        let mut bcc = all(bcc, "bcc.test");
        bcc.push(address("always@bcc.test"));
        let files = files.into_iter().map(|(name, bytes)| File {
            name,
            media_type: "application/pdf".to_owned(),
            bytes,
        });
        Outgoing {
            to: all(to, "to.test"),
            cc: all(cc, "cc.test"),
            bcc,
            subject,
            body,
            draft,
            in_reply_to: Some("q@x.test".to_owned()),
            attachments: files.collect(),
            ..mail()
        }
    })
}

proptest! {
    /// Composed again at any other time, a mail has the digest of what a server receives of it.
    #[test]
    fn digest_is_that_of_the_bytes_without_date(mail in any_mail(), second in 0_i64..4_000_000_000) {
        let digest = mail.digest().unwrap();
        prop_assert_eq!(&digest.sha256, &hex::encode(Sha256::digest(without_date(&mail))));
        let later = Outgoing { date: Timestamp::from_second(second).unwrap(), ..mail.clone() };
        prop_assert_eq!(&later.digest().unwrap(), &digest);
        prop_assert_eq!(without_date(&later), without_date(&mail));
        prop_assert_eq!(digest.from, "owner@example.test");
        let envelope: Vec<_> = mail.recipients().iter().map(|one| one.email().to_owned()).collect();
        prop_assert_eq!(digest.recipients, envelope);
    }

    /// No two mails that read otherwise have one digest.
    #[test]
    fn digest_differs_with_every_field(mail in any_mail()) {
        let digest = mail.digest().unwrap();
        let file = File { name: "x".to_owned(), media_type: "text/plain".to_owned(), bytes: vec![0] };
        let more = |list: &[Address]| [list, &[address("new@x.test")]].concat();
        let others = [
            Outgoing { from: address("Ownér <owner@example.test>"), ..mail.clone() },
            Outgoing { from: address("Owner <other@example.test>"), ..mail.clone() },
            Outgoing { to: more(&mail.to), ..mail.clone() },
            Outgoing { cc: more(&mail.cc), ..mail.clone() },
            Outgoing { bcc: more(&mail.bcc), ..mail.clone() },
            Outgoing { subject: format!("{}.", mail.subject), ..mail.clone() },
            Outgoing { body: format!("{}.", mail.body), ..mail.clone() },
            Outgoing { in_reply_to: None, ..mail.clone() },
            Outgoing { references: vec!["p@x.test".to_owned()], ..mail.clone() },
            Outgoing { message_id: "m1.2@example.test".to_owned(), ..mail.clone() },
            Outgoing { draft: Some("draft_other".to_owned()), ..mail.clone() },
            Outgoing { attachments: [mail.attachments.clone(), vec![file]].concat(), ..mail.clone() },
        ];
        for other in others {
            prop_assert_ne!(other.digest().unwrap(), digest.clone(), "{:?}", other);
        }
    }
}
