//! What is quoted in HTML mails, from the HTML to the words that are the writer's own.

use platinum_text::quotes::own_text;

use super::*;

/// Each body as a program writes it: the answer is the writer's, the question is quoted.
#[test]
fn quotes_of_html_mails_are_not_own() {
    for (program, html) in [
        (
            "Gmail",
            "<div dir=\"ltr\">Fine.</div><br><div class=\"gmail_quote gmail_quote_container\"><div dir=\"ltr\" class=\"gmail_attr\">On Thu, 19 Nov 2026 at 12:00, Olga &lt;<a href=\"mailto:o@x.test\">o@x.test</a>&gt; wrote:<br></div><blockquote class=\"gmail_quote\" style=\"margin:0px\"><div>Which day?</div></blockquote></div>",
        ),
        (
            "Gmail in Spanish",
            "<div>Fine.</div><div class=\"gmail_quote\"><div class=\"gmail_attr\">El jue, 19 nov 2026 a las 12:00, Olga (&lt;<a href=\"mailto:o@x.test\">o@x.test</a>&gt;) escribió:<br></div><blockquote class=\"gmail_quote\">Which day?</blockquote></div>",
        ),
        (
            "Outlook on the web",
            "<html><body><div>Fine.</div><div id=\"appendonsend\"></div><hr style=\"width:98%\"><div id=\"divRplyFwdMsg\"><b>Od:</b> Olga<br><b>Co:</b> x</div><div>Which day?</div></body></html>",
        ),
        (
            "Outlook of the desktop",
            "<div class=WordSection1><p>Fine.</p><div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'><p><b>Lähettäjä:</b> Olga</p></div></div><p>Which day?</p></div>",
        ),
        (
            "Outlook 2003",
            "<p>Fine.</p><table class=OutlookMessageHeader><tr><td>Von: Olga</td></tr></table><p>Which day?</p>",
        ),
        (
            "Outlook in English",
            "<div><p>Fine.</p></div><div><p><b>From:</b> Olga &lt;o@x.test&gt;<br><b>Sent:</b> Thursday 12:00<br><b>To:</b> Ann<br><b>Subject:</b> x</p></div><p>Which day?</p>",
        ),
        (
            "Outlook for phones",
            "<div>Fine.</div><div id=\"ms-outlook-mobile-signature\">Get it</div><div id=\"mail-editor-reference-message-container\"><div>Olga said</div><div>Which day?</div></div>",
        ),
        (
            "Outlook for Mac",
            "<div>Fine.</div><span id=\"OLK_SRC_BODY_SECTION\"><div>Olga said</div><div>Which day?</div></span>",
        ),
        (
            "Hotmail",
            "<div>Fine.</div><hr id=\"stopSpelling\">Date: Thu<br>From: Olga<br><div>Which day?</div>",
        ),
        (
            "Apple Mail",
            "<body>Fine.<br><div><br><blockquote type=\"cite\"><div>Am 19.11.2026 um 12:00 schrieb Olga &lt;o@x.test&gt;:</div><div>Which day?</div></blockquote></div></body>",
        ),
        (
            "Thunderbird",
            "<div class=\"moz-cite-prefix\">Am 19.11.26 um 12:00 schrieb Olga:<br></div><blockquote type=\"cite\" cite=\"mid:1@x\"><p>Which day?</p></blockquote><p>Fine.</p>",
        ),
        (
            "Thunderbird in Finnish",
            "<div class=\"moz-cite-prefix\">Olga kirjoitti 19.11.2026 klo 12.00:<br></div><blockquote type=\"cite\"><p>Which day?</p></blockquote><p>Fine.</p>",
        ),
        (
            "Roundcube",
            "<p id=\"reply-intro\">On 2026-11-19 12:00, Olga wrote:</p><blockquote type=\"cite\">Which day?</blockquote><p>Fine.</p>",
        ),
        (
            "Yahoo",
            "<div>Fine.</div><div id=\"yahoo_quoted_5067\" class=\"yahoo_quoted\"><div>Olga said</div><div>Which day?</div></div>",
        ),
        (
            "Proton",
            "<div>Fine.</div><div class=\"protonmail_quote\">On Thursday, November 19th, 2026 at 12:00, Olga &lt;o@x.test&gt; wrote:<br><blockquote class=\"protonmail_quote\" type=\"cite\">Which day?</blockquote></div>",
        ),
        (
            "tags that do not nest",
            "<div>Fine.</span></div></td><blockquote><b><p>Which day?</blockquote></b></div></body>",
        ),
    ] {
        let mail = read(&["Content-Type: text/html; charset=utf-8", "", html]);
        assert!(
            mail.text.contains("Which day?"),
            "{program} loses text: {}",
            mail.text
        );
        let own = own_text(&mail.text);
        assert!(
            !own.contains("Which day?"),
            "{program} asks back: {}",
            mail.text
        );
        assert!(
            own.contains("Fine."),
            "{program} loses the answer: {}",
            mail.text
        );
    }
}

/// An answer between two quotes is the writer's, also inside Gmail's frame of the quote.
#[test]
fn answers_between_html_quotes_are_own() {
    let html = "<div class=\"gmail_quote\"><div class=\"gmail_attr\">On 19 Nov 2026, Olga wrote:</div>\
                <blockquote class=\"gmail_quote\">Which day?</blockquote><div>Monday.</div>\
                <blockquote class=\"gmail_quote\">And what does it cost?</blockquote><div>Nothing. Who comes?</div></div>";
    let mail = read(&["Content-Type: text/html", "", html]);
    assert_eq!(own_text(&mail.text), "Monday.\n\nNothing. Who comes?");
}

/// A plain mail with an alternative takes the marks of its plain text.
#[test]
fn quotes_of_plain_mails_are_not_own() {
    let mail = read(&[
        "Content-Type: text/plain; charset=utf-8; format=flowed",
        "",
        "Ja, das passt uns.",
        "",
        "Von: Olga <o@x.test>",
        "Gesendet: Donnerstag, 19. November 2026 12:00",
        "An: Ann",
        "Betreff: AW: Angebot",
        "",
        "Passt der Dienstag?",
    ]);
    assert_eq!(own_text(&mail.text), "Ja, das passt uns.");
}
