//! Which parts of a mail are its text, and in what state the text arrives.

use super::*;

/// A mail of parts: each its headers and its body.
fn of_parts(kind: &str, parts: &[(&str, &str)]) -> Parsed {
    read(&[&multipart(kind, "outer", parts)])
}

fn multipart(kind: &str, boundary: &str, parts: &[(&str, &str)]) -> String {
    let mut mail = format!("Content-Type: multipart/{kind}; boundary=\"{boundary}\"\r\n\r\n");
    for (head, body) in parts {
        mail.push_str(&format!("--{boundary}\r\n{head}\r\n\r\n{body}\r\n"));
    }
    mail + &format!("--{boundary}--\r\n")
}

const PLAIN: &str = "Content-Type: text/plain; charset=utf-8";
const HTML: &str = "Content-Type: text/html; charset=utf-8";

fn text_of(mail: &Parsed) -> Vec<&str> {
    mail.text.lines().filter(|line| !line.is_empty()).collect()
}

#[test]
fn texts_of_a_mixed_mail_are_shown_in_order() {
    let picture = ("Content-Type: image/png; name=p.png", "AAAA");
    let mail = of_parts(
        "mixed",
        &[
            (HTML, "<p>Which day?</p>"),
            picture,
            (PLAIN, "Or in June?"),
            (PLAIN, "____\nlist of us"),
        ],
    );
    assert_eq!(
        text_of(&mail),
        ["Which day?", "Or in June?", "____", "list of us"]
    );
    assert!(mail.from_html);
    assert_eq!(mail.attachments.len(), 1);
}

#[test]
fn plain_text_wins_in_its_alternative_alone() {
    let both = multipart(
        "alternative",
        "inner",
        &[(PLAIN, "Plain."), (HTML, "<p>Rich.</p>")],
    );
    let (head, body) = both.split_once("\r\n\r\n").unwrap();
    let mail = of_parts(
        "mixed",
        &[(head, body), (HTML, "<p>Footer of the list.</p>")],
    );
    assert_eq!(text_of(&mail), ["Plain.", "Footer of the list."]);
}

/// A plain part that says nothing, and one that only says that there is HTML.
#[test]
fn plain_text_that_says_nothing_gives_way_to_html() {
    let html =
        "<p>Hello, which day suits you? We would meet in your office, or in ours if you like.</p>";
    for plain in [
        "",
        "\r\n \r\n",
        "\u{200b}\u{200c}",
        "\u{fffc}",
        "\u{a0}",
        "This mail is HTML.",
        "Your mail client cannot show this.",
        "Öffnen Sie die Nachricht im Browser.",
    ] {
        let mail = of_parts("alternative", &[(PLAIN, plain), (HTML, html)]);
        assert!(
            mail.from_html && mail.text.starts_with("Hello, which day"),
            "{plain:?}: {}",
            mail.text
        );
    }
    let mail = of_parts(
        "alternative",
        &[
            (PLAIN, "Do you read HTML?"),
            (HTML, "<p>Do you read HTML?</p>"),
        ],
    );
    assert!(!mail.from_html);
    let amp = ("Content-Type: text/x-amp-html", "<html amp4email>x</html>");
    let mail = of_parts("alternative", &[(PLAIN, " "), amp, (HTML, "<p>Rich.</p>")]);
    assert_eq!(text_of(&mail), ["Rich."]);
}

/// As the body of some programs has a name, and a list puts a text below.
#[test]
fn text_with_a_file_name_is_the_body_if_it_is_first() {
    let footer = (PLAIN, "____\nlist of us");
    for head in [
        "Content-Type: text/plain; name=a.txt",
        "Content-Type: text/html; name=a.html\r\nContent-Disposition: inline; filename=a.html",
    ] {
        let mail = of_parts("mixed", &[(head, "Which day?"), footer]);
        assert_eq!(
            text_of(&mail),
            ["Which day?", "____", "list of us"],
            "{head}"
        );
        assert_eq!(mail.attachments.len(), 1);
        let mail = of_parts("mixed", &[(PLAIN, "See below."), (head, "A file."), footer]);
        assert_eq!(
            text_of(&mail),
            ["See below.", "____", "list of us"],
            "{head}"
        );
    }
    let attached = "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt";
    let mail = of_parts("mixed", &[(attached, "A file."), footer]);
    assert_eq!(text_of(&mail), ["____", "list of us"]);
}

#[test]
fn parts_without_an_empty_line_keep_their_text() {
    for (part, text) in [
        ("Which day suits you?", "Which day suits you?"),
        ("Note: which day?", "Note: which day?"),
        ("X-Part: 1\r\n", ""),
        (
            "Content-Type: text/plain\r\nWhich day?\r\n\r\nAnn",
            "Which day?\n\nAnn",
        ),
        ("12:30 suits me.\r\nAnd you?", "12:30 suits me.\nAnd you?"),
        ("https://x.test/a is it. OK?", "https://x.test/a is it. OK?"),
        ("Content-Type: text/plain;\r\n\tcharset=utf-8\r\nOK?", "OK?"),
        (
            "Content-Type: text/plain;\r\ncharset=iso-8859-1\r\n\r\nOK?",
            "OK?",
        ),
    ] {
        let mail = read(&[&format!(
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{part}\r\n--b--\r\n"
        )]);
        assert_eq!(mail.text, text);
    }
}

#[test]
fn text_with_a_file_name_is_the_body_if_it_is_alone() {
    let named = "Content-Type: text/plain; name=\"message.txt\"";
    let attached = "Content-Type: text/plain\r\nContent-Disposition: attachment; filename=ATT1.txt";
    for head in [named, attached] {
        let mail = read(&[head, "", "Which day?"]);
        assert_eq!(
            (mail.text.as_str(), mail.attachments.len()),
            ("Which day?", 0),
            "{head}"
        );
        let mail = of_parts(
            "mixed",
            &[(PLAIN, " "), (head, "Which day?"), (head, "Another file.")],
        );
        assert_eq!(
            (text_of(&mail), mail.attachments.len()),
            (vec!["Which day?"], 2),
            "{head}"
        );
        let mail = of_parts("mixed", &[(PLAIN, "See the file."), (head, "Which day?")]);
        assert_eq!(
            (text_of(&mail), mail.attachments.len()),
            (vec!["See the file."], 1),
            "{head}"
        );
    }
}

/// Half a megabyte of style and pictures costs the text nothing.
#[test]
fn html_is_cleaned_before_it_is_bounded() {
    let style = format!("<style>{}</style>", "p{color:red}".repeat(40_000));
    let picture = format!(
        "<img alt=\"x\" src=\"data:image/png;base64,{}\">",
        "A".repeat(500_000)
    );
    let comment = format!("<!-- {} -->", "x".repeat(300_000));
    for weight in [style, picture, comment] {
        let html =
            format!("<html><head>{weight}</head><body>{weight}<p>Which day?</p></body></html>");
        let mail = read(&[HTML, "", &html]);
        assert_eq!((text_of(&mail), mail.text_cut), (vec!["Which day?"], false));
    }
    let long = read(&[HTML, "", &"<p>one line</p>".repeat(60_000)]);
    assert!(
        long.text_cut
            && long.text.len() <= Limits::TEXT_BYTES
            && long.text.len() > Limits::TEXT_BYTES / 2
    );
}

#[test]
fn mail_inside_a_mail_is_shown_as_forwarded() {
    let inner = "From: Bob <bob@x.test>\r\nTo: ann@x.test\r\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nCan we sign?";
    let attached = "Content-Type: message/rfc822\r\nContent-Disposition: attachment";
    let footer = (PLAIN, "list of us");
    let mail = of_parts("mixed", &[(PLAIN, "See below."), (attached, inner), footer]);
    assert_eq!(
        text_of(&mail),
        [
            "See below.",
            "list of us",
            "---------- Forwarded message ---------",
            "From: Bob <bob@x.test>",
            "Subject: Grüße",
            "To: ann@x.test",
            "Can we sign?"
        ]
    );
    assert_eq!(mail.attachments[0].media_type, "message/rfc822");
    let parts = platinum_text::quotes::split(&mail.text);
    assert!(parts.forwarded.ends_with("Can we sign?") && !parts.said.contains("Can we sign?"));
    // In base64, as some servers send it, and in a digest, where it has no type.
    let encoded = "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64";
    let mail = of_parts(
        "mixed",
        &[(encoded, "U3ViamVjdDogeA0KDQpDYW4gd2Ugc2lnbj8=")],
    );
    assert!(
        mail.text.ends_with("Subject: x\n\nCan we sign?"),
        "{}",
        mail.text
    );
    let mail = of_parts("digest", &[("", inner)]);
    assert!(mail.text.contains("Can we sign?"), "{}", mail.text);
    // What a bounce returns is not forwarded, and a forwarded bounce makes no bounce.
    let report = multipart("report", "r", &[(PLAIN, "It failed."), (attached, inner)]);
    let mail = read(&[&report]);
    assert_eq!(
        (text_of(&mail), mail.kind),
        (vec!["It failed."], Kind::Report)
    );
    let mail = of_parts("mixed", &[(PLAIN, "Is this yours?"), (attached, &report)]);
    assert_eq!(
        (mail.kind, text_of(&mail)[0]),
        (Kind::Plain, "Is this yours?")
    );
    assert!(mail.text.contains("It failed."), "{}", mail.text);
}

#[test]
fn encrypted_and_signed_mails_are_named() {
    let signature = (
        "Content-Type: application/pgp-signature; name=signature.asc",
        "abc",
    );
    let signed = of_parts(
        "signed; protocol=\"application/pgp-signature\"",
        &[(PLAIN, "Which day?"), signature],
    );
    assert_eq!(
        (signed.protection, signed.text.as_str()),
        (Some(Protection::SignedOpenPgp), "Which day?")
    );
    let smime = (
        "Content-Type: application/pkcs7-signature; name=smime.p7s",
        "AAAA",
    );
    let signed = of_parts(
        "signed; protocol=\"application/pkcs7-signature\"",
        &[(PLAIN, "Which day?"), smime],
    );
    assert_eq!(signed.protection, Some(Protection::SignedSmime));
    let parts = [
        ("Content-Type: application/pgp-encrypted", "Version: 1"),
        ("Content-Type: application/octet-stream", "x"),
    ];
    let encrypted = of_parts("encrypted; protocol=\"application/pgp-encrypted\"", &parts);
    assert_eq!(
        (encrypted.protection, encrypted.text.as_str()),
        (Some(Protection::EncryptedOpenPgp), "")
    );
    for (kind, protection) in [
        ("enveloped-data", Protection::EncryptedSmime),
        ("authEnveloped-data", Protection::EncryptedSmime),
        ("signed-data", Protection::SealedSmime),
    ] {
        let head =
            format!("Content-Type: application/pkcs7-mime; smime-type={kind}; name=smime.p7m");
        let mail = read(&[
            &head,
            "Content-Transfer-Encoding: base64",
            "",
            "MIAGCWZha2U=",
        ]);
        assert_eq!(
            (mail.protection, mail.attachments.len()),
            (Some(protection), 1),
            "{kind}"
        );
    }
    let inline = "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\nWhich day?\r\n\
                  -----BEGIN PGP SIGNATURE-----\r\n\r\niQ=\r\n-----END PGP SIGNATURE-----";
    let mail = read(&[PLAIN, "", inline]);
    assert_eq!(
        (mail.protection, mail.text.as_str()),
        (Some(Protection::SignedOpenPgp), "Which day?\n")
    );
    let inline = "-----BEGIN PGP MESSAGE-----\r\n\r\nhQ=\r\n-----END PGP MESSAGE-----";
    let mail = read(&[PLAIN, "", inline]);
    assert_eq!(
        (mail.protection, mail.text.as_str()),
        (Some(Protection::EncryptedOpenPgp), "")
    );
    let html = format!("<pre>{inline}</pre>");
    let lines = inline.replace("\r\n", "<br>\r\n");
    for html in [html, format!("<div>{lines}</div>")] {
        let mail = read(&[HTML, "", &html]);
        assert_eq!(
            (mail.protection, mail.text.trim()),
            (Some(Protection::EncryptedOpenPgp), "")
        );
    }
    assert_eq!(read(&[PLAIN, "", "Which day?"]).protection, None);
    // By its name alone; and a signed file in a mail that can be read.
    let named = "Content-Type: application/octet-stream; name=\"smime.p7m\"";
    let sealed = read(&[named, "", "MIAG"]);
    assert_eq!(sealed.protection, Some(Protection::EncryptedSmime));
    let footer = (PLAIN, "____ list");
    let sealed = of_parts("mixed", &[(named, "MIAG"), footer]);
    assert_eq!(sealed.protection, Some(Protection::EncryptedSmime));
    for kind in ["pkcs7-mime", "octet-stream"] {
        let file = format!("Content-Type: application/{kind}; name=invoice.xml.p7m");
        let mail = of_parts("mixed", &[(PLAIN, "Which day?"), (&file, "MIAG")]);
        assert_eq!(mail.protection, None, "{kind}");
    }
}

/// RFC 2045, 5.2, and RFC 2046, 4.1.4.
#[test]
fn unknown_types_are_plain_text() {
    for kind in [
        "text",
        "plain; charset=utf-8",
        "text/markdown",
        "text/x-anything; charset=utf-8",
        "TEXT/PLAIN",
        ";;",
        "",
        "text/",
    ] {
        let mail = read(&[&format!("Content-Type: {kind}"), "", "Which day?"]);
        assert_eq!(
            (mail.text.as_str(), mail.attachments.len()),
            ("Which day?", 0),
            "{kind}"
        );
    }
    for kind in [
        "text/calendar",
        "text/vcard",
        "text/csv",
        "application/x-y",
        "image/png",
    ] {
        let mail = read(&[&format!("Content-Type: {kind}"), "", "x"]);
        assert_eq!(
            (mail.text.as_str(), mail.attachments.len()),
            ("", 1),
            "{kind}"
        );
    }
    let html = read(&[
        PLAIN,
        "",
        "<html><body><p>Which</p><p>day?</p></body></html>",
    ]);
    assert_eq!(text_of(&html), ["Which", "day?"]);
}

#[test]
fn boundary_that_is_misnamed_is_found() {
    for named in ["other", "", "real "] {
        let head = format!("Content-Type: multipart/mixed; boundary=\"{named}\"");
        let mail = read(&[
            &head,
            "",
            "--real",
            "Content-Type: text/plain",
            "",
            "Which day?",
            "--real--",
        ]);
        assert_eq!(mail.text, "Which day?", "{named:?}");
    }
}

#[test]
fn odd_line_ends_are_line_ends() {
    let mail = "From: ann@x.test\nSubject: Hi\n\nHello,\n\nwhich day?\n";
    for line_end in ["\n", "\r\n", "\r\r\n", "\r\r\r\n", "\r"] {
        let parsed = parse(mail.replace('\n', line_end).as_bytes());
        let (subject, text) = (parsed.subject.as_str(), parsed.text.as_str());
        assert_eq!(
            (subject, text),
            ("Hi", "Hello,\n\nwhich day?\n"),
            "{line_end:?}"
        );
    }
}

#[test]
fn base64_body_keeps_the_footer_of_a_list() {
    let mail = read(&[
        PLAIN,
        "Content-Transfer-Encoding: base64",
        "",
        "V2hpY2ggZGF5Pw==",
        "",
        "_______",
        "list of us - us@lists.test",
    ]);
    assert_eq!(
        text_of(&mail),
        ["Which day?", "_______", "list of us - us@lists.test"]
    );
}

/// The words of a link do not say where it leads.
#[test]
fn links_keep_their_address() {
    let long = format!("https://sign.test/c?id={}", "a1".repeat(300));
    for (html, text) in [
        (
            "<p>Sign <a href=\"https://sign.test/c/4?a=1&amp;b=2\">here</a>, please.</p>",
            "Sign here <https://sign.test/c/4?a=1&b=2>, please.",
        ),
        ("<a href='https://x.test/'>x.test</a>", "x.test"),
        (
            "<a href=https://www.x.test/a>https://x.test/a</a>",
            "https://x.test/a",
        ),
        (
            "<a href='https://evil.test'>https://bank.test</a>",
            "https://bank.test <https://evil.test>",
        ),
        (
            "<a href='mailto:a@x.test?subject=y'>write</a>",
            "write <a@x.test>",
        ),
        (
            "<a href='mailto:a@x.test'>Ann (a@x.test)</a>",
            "Ann (a@x.test)",
        ),
        (
            "<a href='#top'>up</a> <a href='javascript:x'>b</a> <a name=x>c</a>",
            "up b c",
        ),
        (
            "<a href='https://x.test/s'><img alt='Sign now' src='cid:1'></a>",
            "Sign now <https://x.test/s>",
        ),
        (
            &format!("<a href='{long}'>here</a>"),
            &format!("here <{long}>"),
        ),
    ] {
        assert_eq!(read(&[HTML, "", html]).text.trim_end(), text, "{html}");
    }
}

/// What an everyday HTML mail looks like as text.
#[test]
fn html_keeps_its_lines() {
    for (html, text) in [
        ("<p>a</p>\n<p>b<br>c</p>", "a\n\nb\nc"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        (
            "<ul><li>a<li><p>b</p></ul><ol><li>c</li><li>d</li></ol>",
            "* a\n* b\n\n1. c\n2. d",
        ),
        (
            "<table><tr><td>Item<td>5&nbsp;&euro;</tr><tr><td><p>x</p></td></tr></table>",
            "Item | 5 €\n\nx",
        ),
        ("<pre>a\n  b</pre>", "a\n  b"),
        (
            "a<b>b</b> <i> c</i>\n d &lt;e&gt; &#8364; &#150; &#x20ac; &bogus; & f",
            "ab c d <e> € – € &bogus; & f",
        ),
        ("1 < 2 and <3 <b", "1 < 2 and <3 <b"),
        (
            "<style>x{}</style><title>t</title>a<script>b</script><!-- c -->d",
            "ad",
        ),
        ("a<style>never ends", "anever ends"),
        ("<div title=\"a > b\">c</div>", "c"),
        (
            "<blockquote style='margin:0 0 0 40px;border:none;padding:0'>moved right</blockquote>",
            "moved right",
        ),
    ] {
        assert_eq!(read(&[HTML, "", html]).text.trim_end(), text, "{html}");
    }
}

#[test]
fn flowed_text_obeys_delsp() {
    let head = "Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes";
    assert_eq!(
        read(&[head, "", "the pri ", "ce?", " From"]).text,
        "the price?\nFrom"
    );
    let head = "Content-Type: text/plain; charset=utf-8; format=flowed";
    assert_eq!(
        read(&[head, "", "the new ", "price?", " From"]).text,
        "the new \nprice?\nFrom"
    );
}

#[test]
fn text_of_a_wrong_charset_is_read() {
    let of = |head: &str, body: &[u8]| {
        let mail = [head.as_bytes(), b"\r\n\r\n", body].concat();
        parse(&mail).text
    };
    assert_eq!(
        of(
            "Content-Type: text/plain; charset=us-ascii",
            "Grüße?".as_bytes()
        ),
        "Grüße?"
    );
    assert_eq!(
        of(
            "Content-Type: text/plain",
            b"Welcher Tag pa\xdft f\xfcr Sie?"
        ),
        "Welcher Tag paßt für Sie?"
    );
    assert_eq!(
        of(
            "Content-Type: text/plain; charset=utf-8",
            b"it\x92s \xc3\xbc\xc3\xb6 fine"
        ),
        "it\u{2019}s üö fine"
    );
    let html = b"<html><head><meta charset=windows-1251></head><p>\xca\xe0\xea\xee\xe9?</p></html>";
    assert_eq!(of("Content-Type: text/html", html).trim(), "Какой?");
}

/// A calendar's words are read like those of a text, and a forwarded invitation invites nobody.
#[test]
fn event_of_an_invitation_is_read_in_its_charset() {
    let calendar = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:Gr\u{f6}\u{df}e\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
    let latin: Vec<u8> = calendar
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let head = b"Content-Type: text/calendar; method=REQUEST; charset=iso-8859-1\r\n\r\n";
    let invitation = [&head[..], &latin].concat();
    let mail = parse(&invitation);
    assert_eq!(mail.event.unwrap().summary, "Gr\u{f6}\u{df}e");
    let outer = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nLook.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n";
    let forwarded = parse(&[&outer[..], &invitation, b"\r\n--b--"].concat());
    assert!(forwarded.event.is_none() && forwarded.kind == Kind::Plain);
}
