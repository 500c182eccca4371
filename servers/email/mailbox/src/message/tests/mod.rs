//! Tests of reading mails, ordinary and hostile.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

mod corpus;
mod quoting;
mod structure;

fn read(lines: &[&str]) -> Parsed {
    parse(lines.join("\r\n").as_bytes())
}

#[test]
fn parse_ordinary_mail_gives_facts_and_text() {
    let mail = read(&[
        "Return-Path: <ann@x.test>",
        "From: =?utf-8?Q?J=C3=B6rg?= =?utf-8?B?IMOEcm1lbA==?= <j@x.test>",
        "To: Owner <owner@example.test>, two@y.test",
        "Cc: three@y.test",
        "Reply-To: desk@x.test",
        "Subject: =?iso-8859-1?Q?Gr=FC=DFe?=",
        "Message-ID: <a.b@x.test>",
        "In-Reply-To: <q@y.test>",
        "References: <p@y.test>",
        " <q@y.test>",
        "Date: Fri, 20 Nov 2026 10:00:00 +0100",
        "List-Id: News <news.x.test>",
        "List-Unsubscribe: <https://x.test/u>",
        "Precedence: Bulk",
        "Auto-Submitted: auto-generated",
        "X-Auto-Response-Suppress: OOF, AutoReply",
        "Feedback-ID: 1:2:3",
        "Content-Type: text/plain; charset=iso-8859-1",
        "",
        "Hi",
        "there",
    ]);
    let from = mail.from.unwrap();
    assert_eq!(
        (from.name.as_deref(), from.address.as_str()),
        (Some("Jörg Ärmel"), "j@x.test")
    );
    assert_eq!(
        (
            mail.to.listed.len(),
            mail.cc.listed.len(),
            mail.reply_to.listed.len()
        ),
        (2, 1, 1)
    );
    assert_eq!(mail.subject, "Grüße");
    assert_eq!(mail.message_id.as_deref(), Some("a.b@x.test"));
    assert_eq!(mail.in_reply_to, ["q@y.test"]);
    assert_eq!(mail.references, ["p@y.test", "q@y.test"]);
    assert_eq!(mail.date.unwrap().to_string(), "2026-11-20T09:00:00Z");
    assert!(mail.list_id.unwrap().contains("news.x.test"));
    assert!(mail.list_unsubscribe.unwrap().contains("https://x.test/u"));
    assert_eq!(mail.precedence.as_deref(), Some("bulk"));
    assert_eq!(mail.auto_submitted.as_deref(), Some("auto-generated"));
    assert_eq!(
        mail.auto_response_suppress.as_deref(),
        Some("oof, autoreply")
    );
    assert_eq!(mail.return_path.as_deref(), Some("ann@x.test"));
    assert_eq!(mail.feedback_id.as_deref(), Some("1:2:3"));
    assert_eq!(mail.text, "Hi\nthere");
    assert!(!mail.cut && !mail.text_cut && mail.kind == Kind::Plain);
}

#[test]
fn parse_bounce_is_a_report() {
    let mail = read(&[
        "Return-Path: <>",
        "Content-Type: multipart/report; boundary=b",
        "",
        "--b",
        "",
        "It failed.",
        "--b",
        "Content-Type: message/delivery-status",
        "",
        "Status: 5.1.1",
        "--b--",
    ]);
    assert_eq!(
        (mail.return_path.as_deref(), mail.kind),
        (Some(""), Kind::Report)
    );
    assert_eq!(mail.text, "It failed.");
}

#[test]
fn parse_prefers_plain_text_and_lists_attachments() {
    let mail = read(&[
        "Content-Type: multipart/mixed; boundary=\"m\"",
        "",
        "preamble",
        "--m",
        "Content-Type: multipart/alternative; boundary=a",
        "",
        "--a",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "caf=C3=A9",
        "--a",
        "Content-Type: text/html",
        "",
        "<b>html</b>",
        "--a--",
        "--m",
        "Content-Type: application/pdf",
        "Content-Disposition: attachment; filename=\"../../etc/passwd\"",
        "Content-Transfer-Encoding: base64",
        "",
        "SGVsbG8gd29ybGQh",
        "--m",
        "Content-Type: text/plain; name=notes.txt",
        "",
        "not the text",
        "--m--",
    ]);
    assert_eq!(mail.text, "café");
    let listed: Vec<_> = mail
        .attachments
        .iter()
        .map(|file| (file.name.as_deref(), file.size))
        .collect();
    assert_eq!(
        listed,
        [(Some("../../etc/passwd"), 12), (Some("notes.txt"), 12)]
    );
    assert_eq!(mail.attachments[0].media_type, "application/pdf");
}

#[test]
fn parse_invitation_is_known_by_its_part() {
    let mail = read(&[
        "Content-Type: text/calendar; method=REQUEST",
        "",
        "BEGIN:VCALENDAR",
    ]);
    assert_eq!(mail.kind, Kind::Calendar);
}

#[test]
fn parse_html_alone_becomes_text() {
    let html = "<html><head><title>T</title><style>p{}</style></head><body><p>Dear&nbsp;Ann &amp; Bob</p>\
                <script>alert('<p>')</script><ul><li>one<li>two</ul><!-- hidden --><a href='https://x.test'>link</a><br>\
                <table><tr><td colspan=99999999>cell</td></tr></table> 1 < 2</body></html>";
    let mail = read(&["Content-Type: text/html; charset=utf-8", "", html]);
    assert!(mail.from_html);
    for part in ["Bob", "one", "two", "link", "cell", "1 < 2"] {
        assert!(mail.text.contains(part), "{part}: {}", mail.text);
    }
    for part in ["alert", "hidden", "<", "p{}"] {
        assert!(
            !mail
                .text
                .replace("1 < 2", "")
                .replace("<https://x.test>", "")
                .contains(part),
            "{part}: {}",
            mail.text
        );
    }
}

#[test]
fn parse_deeply_nested_html_is_cheap() {
    let started = Instant::now();
    for html in [
        "<div>".repeat(60_000),
        "<table><tr><td>".repeat(20_000),
        "<b><p>".repeat(40_000),
        "<a=\"".repeat(60_000),
        "<!--".repeat(60_000),
        "<".repeat(250_000),
        "<script>".repeat(30_000),
        "</p><div></b>".repeat(20_000),
        format!("{}{}", "x".repeat(200_000), "<br>".repeat(900_000)),
        format!("{}{}", "x ".repeat(100_000), "<p></p>".repeat(60_000)),
    ] {
        let mail = read(&["Content-Type: text/html", "", &html, "end"]);
        assert!(mail.text.len() <= Limits::TEXT_BYTES);
    }
    for people in [
        format!("x@y{};", ":".repeat(120_000)),
        format!("{}{};", "x".repeat(120_000), ":".repeat(120_000)),
        format!("{}x@y{}", " ".repeat(120_000), ":".repeat(120_000)),
        format!("<x@y> {};", ":x".repeat(60_000)),
    ] {
        let mail = read(&[&format!("To: {people}"), "", "end"]);
        assert!(mail.to.listed.len() <= Limits::PEOPLE);
    }
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn parse_knows_spam_by_what_filters_write() {
    for (header, is_spam) in [
        ("X-Spam-Flag: YES", true),
        ("X-Spam-Flag: NO", false),
        ("X-Spam-Status: Yes, score=9.1", true),
        ("X-Rspamd-Action: rewrite subject", true),
        ("X-Rspamd-Action: no action", false),
        ("X-MS-Exchange-Organization-SCL: 9", true),
        ("X-MS-Exchange-Organization-SCL: 5", true),
        ("X-MS-Exchange-Organization-SCL: 1", false),
        ("X-MS-Exchange-Organization-SCL: -1", false),
        ("X-Barracuda-Spam-Flag: YES", true),
        ("X-DSPAM-Result: Innocent", false),
        ("X-Ovh-Spam-Status: SPAM", true),
        (
            "X-Forefront-Antispam-Report: CIP:1.2.3.4;SCL:9;SFV:SPM;CAT:SPM",
            true,
        ),
        (
            "X-Forefront-Antispam-Report: CIP:1.2.3.4;SCL:1;SFV:NSPM;",
            false,
        ),
        ("Subject: X-Spam-Flag: YES", false),
    ] {
        let mail = read(&["From: ann@x.test", header, "", "Hi"]);
        assert_eq!(mail.spam.is_some(), is_spam, "{header}");
    }
}

/// Programs that answer by themselves, and those that write to many, have headers of their own.
#[test]
fn parse_knows_programs_by_their_headers() {
    for (header, is_auto_reply, is_bulk) in [
        ("X-Autoreply: on", true, false),
        ("X-Auto-Reply: no", false, false),
        ("X-Autoresponse: vacation", true, false),
        ("X-POST-MessageClass: 9; Autoresponder", true, false),
        ("X-FC-MachineGenerated: true", true, false),
        ("X-Autogenerated: Forward", false, false),
        (
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            false,
            true,
        ),
        ("X-Campaign: may", false, true),
        ("Mailing-List: contact dev-help@x.test", false, true),
        ("X-Mailer: Thunderbird", false, false),
    ] {
        let mail = read(&["From: ann@x.test", header, "", "Hi"]);
        assert_eq!(
            (mail.auto_reply.is_some(), mail.bulk_sender.is_some()),
            (is_auto_reply, is_bulk),
            "{header}"
        );
    }
}

#[test]
fn parse_bare_cr_starts_no_header() {
    let mail = parse(b"Subject: hi\rReply-To: evil@x.test\r\nFrom: a@x.test\r\n\r\none\rtwo\r\n");
    assert_eq!(mail.subject, "hi Reply-To: evil@x.test");
    assert!(mail.reply_to.listed.is_empty());
    assert_eq!(mail.text, "one\ntwo\n");
}

#[test]
fn parse_unknown_and_invalid_charsets() {
    let mail = parse(
        b"Subject: \xff\xfe\x80\r\nContent-Type: text/plain; charset=klingon\r\n\r\nh\xe9llo\r\n",
    );
    assert!(
        mail.text.starts_with('h') && mail.text.contains("llo"),
        "{:?}",
        mail.text
    );
    assert!(
        !mail.subject.contains('\u{fffd}') && mail.subject.ends_with('€'),
        "{:?}",
        mail.subject
    );
    let mail = parse(b"Content-Type: text/plain; charset=shift_jis\r\n\r\n\x93\xfa\x96\x7b\r\n");
    assert_eq!(mail.text.trim(), "日本");
}

#[test]
fn parse_removes_invisible_characters() {
    let mail =
        parse("Subject: a\u{202e}b\u{0}c\r\n\r\nx\u{200f}\u{2066}y\u{1b}[31mz\r\n".as_bytes());
    assert_eq!(mail.subject, "a b c");
    assert!(!mail.text.contains(['\u{1b}', '\u{2066}']));
}

#[test]
fn parse_counts_ten_thousand_recipients() {
    let everyone: Vec<String> = (0..10_000).map(|n| format!("p{n}@x.test")).collect();
    let mail = read(&[&format!("To: {}", everyone.join(",\r\n ")), "", "hi"]);
    assert_eq!(mail.to.listed.len() + mail.to.left_out, 10_000);
    assert_eq!(mail.to.listed.len(), Limits::PEOPLE);
}

#[test]
fn parse_references_keep_the_newest_valid_ids() {
    let ids: Vec<String> = (0..200).map(|n| format!("<{n}@x.test>")).collect();
    let mail = read(&[
        &format!("References: {}", ids.join("\r\n ")),
        &format!("Message-ID: <{}@x>", "a".repeat(600)),
        "",
        "",
    ]);
    assert_eq!(mail.references.len(), Limits::REFERENCES);
    assert_eq!(mail.references.last().unwrap(), "199@x.test");
    assert_eq!(mail.message_id, None);
}

#[test]
fn parse_bounds_nested_mails_and_parts() {
    let started = Instant::now();
    let inner = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    let mail = parse(inner.as_bytes());
    assert_eq!(mail.attachments.len(), 1);
    let many = format!(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n{}",
        "--b\r\n\r\nx\r\n".repeat(100_000)
    );
    let mail = parse(many.as_bytes());
    assert!(mail.cut && mail.text.len() < 10_000);
    let deep: String = (0..5000)
        .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
        .collect();
    assert!(parse(deep.as_bytes()).cut);
    let missing: String = (0..5000)
        .map(|n| format!("--b\r\nContent-Type: multipart/mixed; boundary=no{n}\r\n\r\n"))
        .collect();
    let _ = parse(format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{missing}").as_bytes());
    let _ = parse(
        format!(
            "Content-Type: text/plain\r\n{}\r\n\r\nx",
            "X: y\r\n".repeat(400_000)
        )
        .as_bytes(),
    );
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
}

#[test]
fn parse_long_text_is_cut_and_marked() {
    let mail = parse(format!("Subject: x\r\n\r\n{}", "äb".repeat(300_000)).as_bytes());
    assert!(
        mail.text_cut
            && mail.text.len() <= Limits::TEXT_BYTES
            && mail.text.len() > Limits::TEXT_BYTES - 4
    );
    assert!(parse_cut(b"Subject: x\r\n\r\nhalf", true).cut);
}

#[test]
fn parse_empty_input_gives_an_empty_mail() {
    assert_eq!(parse(b""), Parsed::default());
    assert_eq!(parse(b"\r\n\r\nbody only").text, "\nbody only");
    let mail = read(&[
        "Content-Type: multipart/mixed; boundary=x",
        "",
        "no parts here",
    ]);
    assert_eq!(mail.text, "no parts here");
}

proptest! {
    #[test]
    fn parse_any_bytes_give_a_bounded_record(mail in proptest::collection::vec(any::<u8>(), 0..3000)) {
        check(&parse(&mail));
    }

    #[test]
    fn parse_mangled_mails_give_a_bounded_record(
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "From: a@b\r\n", "To: \"x\" <", "Subject: =?utf-8?Q?=C3?=\r\n", "Content-Type: multipart/mixed; boundary=b\r\n",
            "Content-Type: text/html\r\n", "Content-Type: message/rfc822\r\n", "Content-Transfer-Encoding: base64\r\n",
            "Content-Transfer-Encoding: quoted-printable\r\n", "\r\n", "\r", "\n\n", "--b\r\n", "--b--\r\n", "<p>", "</div>", "<table>",
            "=C3=", "////", "(((", "\"", "\u{0}", "Message-ID: <<>>\r\n", "References: <a> <", "Date: 99 Foo\r\n", "Content-Type: ;;\r\n",
        ]), 0..60)
    ) {
        check(&parse(pieces.concat().as_bytes()));
    }
}

fn check(mail: &Parsed) {
    assert!(mail.text.len() <= Limits::TEXT_BYTES && !mail.text.contains('\r'));
    assert!(!mail.subject.contains(char::is_control) && mail.subject.len() <= Limits::VALUE_BYTES);
    for id in mail.message_id.iter().chain(&mail.references) {
        assert!(!id.contains(|c: char| c.is_control() || c.is_whitespace()));
    }
}
