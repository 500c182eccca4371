//! The mails, made here, and what must become of each.
//!
//! Lives elsewhere: how that is found out is in `quality`.

/// A mail and what must become of it.
pub(super) struct Case {
    pub(super) kind: &'static str,
    pub(super) mail: String,
    /// The recipients of the answer, To before Cc; none if it is not answered.
    pub(super) recipients: Option<Vec<&'static str>>,
    /// What the sender asks.
    pub(super) questions: Vec<&'static str>,
    /// What somebody else asked, further down.
    pub(super) quoted: Vec<&'static str>,
}

const FROM: &str = "From: Uma Client <uma@client.test>\r\nTo: Olga <olga@home.test>\r\n";
const UMA: &str = "uma@client.test";

/// A mail of these headers, `FROM` where there is no From, and this text.
fn mail(headers: &str, text: &str) -> String {
    let people = match headers.contains("From:") {
        true => "",
        false => FROM,
    };
    let id = headers.len() * 131 + text.len();
    let text = text.replace('\n', "\r\n");
    format!(
        "{people}{headers}Subject: Plan\r\nMessage-ID: <m{id}@client.test>\r\n\
         Date: Fri, 20 Nov 2026 10:00:00 +0100\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
    )
}

fn answered(
    kind: &'static str,
    headers: &str,
    text: &str,
    to: &[&'static str],
    questions: &[&'static str],
) -> Case {
    Case {
        kind,
        mail: mail(headers, text),
        recipients: Some(to.to_vec()),
        questions: questions.to_vec(),
        quoted: Vec::new(),
    }
}

fn dismissed(kind: &'static str, headers: &str, text: &str) -> Case {
    Case {
        kind,
        mail: mail(headers, text),
        recipients: None,
        questions: Vec::new(),
        quoted: Vec::new(),
    }
}

fn quoting(headers: &str, text: &str, question: &'static str, quoted: &'static str) -> Case {
    Case {
        quoted: vec![quoted],
        ..answered("quotes", headers, text, &[UMA], &[question])
    }
}

const DAY: &str = "Hello Olga,\n\nwhich day suits you?\n\nUma";

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn cases() -> Vec<Case> {
    let day = "which day suits you?";
    let mut cases = vec![
        // A person asks.
        answered("person", "", DAY, &[UMA], &[day]),
        answered(
            "person",
            "",
            "Hallo Olga,\n\nwann passt es dir? Und kommt Bo mit?\n\nUma",
            &[UMA],
            &["wann passt es dir?", "Und kommt Bo mit?"],
        ),
        answered(
            "person",
            "",
            "Hola Olga,\n\n¿qué día te viene bien?\n\nUma",
            &[UMA],
            &["qué día te viene bien?"],
        ),
        answered(
            "person",
            "",
            "Bonjour,\n\nquel jour vous convient ?\n\nUma",
            &[UMA],
            &["quel jour vous convient ?"],
        ),
        answered(
            "person",
            "",
            "オルガ様\n\nご都合はいかがですか？\n\nウマ",
            &[UMA],
            &["ご都合はいかがですか？"],
        ),
        answered(
            "person",
            "In-Reply-To: <1@x.test>\r\n",
            "Thank you, that was quick!\n\nUma",
            &[UMA],
            &[],
        ),
        answered(
            "person",
            "",
            "Hello,\n\nplease send the offer. What does the room cost? Is there a projector?\n\nUma",
            &[UMA],
            &["What does the room cost?", "Is there a projector?"],
        ),
        answered(
            "person",
            "",
            "We charge a one-time fee of 1500 euros.\nWhich day suits you?",
            &[UMA],
            &["Which day suits you?"],
        ),
        answered(
            "person",
            "From: Desk <support@client.test>\r\nTo: olga@home.test\r\n",
            "Error code 5003 appears. Which version do you use?",
            &["support@client.test"],
            &["Which version do you use?"],
        ),
        answered(
            "quotes",
            "",
            "On 12 May I wrote:\nWe need the contract.\nHave you decided?",
            &[UMA],
            &["Have you decided?"],
        ),
        // Others get it, too.
        answered(
            "several",
            "From: Uma <uma@client.test>\r\nTo: olga@home.test, bo@client.test\r\nCc: cy@client.test\r\n",
            DAY,
            &[UMA, "bo@client.test", "cy@client.test"],
            &[day],
        ),
        answered(
            "several",
            "From: Uma <uma@client.test>\r\nTo: olga@home.test; bo@client.test\r\n",
            DAY,
            &[UMA, "bo@client.test"],
            &[day],
        ),
        answered(
            "several",
            "From: Uma <uma@client.test>\r\nTo: olga+shop@home.test\r\nCc: olga@work.test, bo@client.test\r\n",
            DAY,
            &[UMA, "bo@client.test"],
            &[day],
        ),
        answered(
            "several",
            "From: Uma <uma@client.test>\r\nTo: Team: olga@home.test, bo@client.test;\r\n",
            DAY,
            &[UMA, "bo@client.test"],
            &[day],
        ),
        answered(
            "several",
            "From: Uma <uma@client.test>\r\nTo: olga@home.test\r\nCc: UMA@client.test, noreply@crm.test\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered(
            "several",
            "From: Uma <uma@client.test>, Vic <vic@client.test>\r\nTo: olga@home.test\r\n",
            DAY,
            &[UMA, "vic@client.test"],
            &[day],
        ),
        // The answer is wanted elsewhere.
        answered(
            "reply-to",
            "Reply-To: Desk <desk@client.test>\r\n",
            DAY,
            &["desk@client.test"],
            &[day],
        ),
        answered(
            "reply-to",
            "Reply-To: uma@client.test, desk@client.test\r\n",
            DAY,
            &[UMA, "desk@client.test"],
            &[day],
        ),
        answered(
            "reply-to",
            "Reply-To: olga@home.test, Uma <uma@client.test>\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered("reply-to", "Reply-To: Uma Client\r\n", DAY, &[UMA], &[day]),
        answered(
            "reply-to",
            "Reply-To: uma@c1ient.test\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered(
            "reply-to",
            "From: Form <no-reply@site.test>\r\nTo: olga@home.test\r\nReply-To: Vic <vic@client.test>\r\n",
            DAY,
            &["vic@client.test"],
            &[day],
        ),
        answered(
            "reply-to",
            "From: Olga <olga@home.test>\r\nTo: olga@home.test\r\nReply-To: vic@client.test\r\n",
            DAY,
            &["vic@client.test"],
            &[day],
        ),
        // Headers that break the grammar, and addresses that need quotes.
        answered(
            "odd address",
            "From: Client, Uma <uma@client.test>\r\nTo: olga@home.test\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered(
            "odd address",
            "From: <mailto:uma@client.test>\r\nTo: olga@home.test\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered(
            "odd address",
            "From: Uma uma@client.test\r\nTo: olga@home.test\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered(
            "odd address",
            "From: Uma <<uma@client.test>>\r\nTo: olga@home.test\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered(
            "odd address",
            "From: Uma <uma@client.test.>\r\nTo: olga@home.test\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered(
            "odd address",
            "From: Ken <ken..@phone.test>\r\nTo: olga@home.test\r\n",
            DAY,
            &["\"ken..\"@phone.test"],
            &[day],
        ),
        answered(
            "odd address",
            "From: B <b@xn--bcher-kva.test>\r\nTo: olga@home.test\r\n",
            DAY,
            &["b@bücher.test"],
            &[day],
        ),
        dismissed(
            "odd address",
            "From: Uma <uma@[192.0.2.7]>\r\nTo: olga@home.test\r\n",
            DAY,
        ),
        // In copy, or one's own.
        dismissed(
            "in copy",
            "From: Uma <uma@client.test>\r\nTo: bo@client.test\r\nCc: olga@home.test\r\n",
            "Bo, can you send me the figures?",
        ),
        dismissed(
            "in copy",
            "From: Uma <uma@client.test>\r\nTo: Bo <bo@client.test>\r\nCc: cy@client.test, olga@work.test\r\n",
            "Bo, when is it?",
        ),
        dismissed(
            "in copy",
            "From: Olga <olga@home.test>\r\nTo: olga@home.test\r\n",
            "Milk?",
        ),
        dismissed(
            "in copy",
            "From: Olga <olga+notes@home.test>\r\nTo: olga@work.test\r\n",
            "Milk?",
        ),
        answered(
            "in copy",
            "From: Uma <uma@client.test>\r\nTo: uma@client.test\r\nCc: olga@home.test\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered(
            "in copy",
            "From: Uma <uma@client.test>\r\nTo: undisclosed-recipients:;\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        // A person, carried by a program.
        answered("program", "Feedback-ID: i1:Mailer\r\n", DAY, &[UMA], &[day]),
        answered(
            "program",
            "List-Unsubscribe: <https://crm.test/u>\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered("program", "Precedence: bulk\r\n", DAY, &[UMA], &[day]),
        answered(
            "program",
            "X-Auto-Response-Suppress: DR, RN, NRN\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered(
            "program",
            "X-Auto-Response-Suppress: DR, OOF, AutoReply\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        answered(
            "program",
            "In-Reply-To: <1@home.test>\r\nFeedback-ID: 1\r\nPrecedence: bulk\r\n",
            DAY,
            &[UMA],
            &[day],
        ),
        // Machines.
        dismissed(
            "machine",
            "Auto-Submitted: auto-replied\r\n",
            "I am away. Is it urgent?",
        ),
        dismissed(
            "machine",
            "X-Autoreply: yes\r\nPrecedence: auto_reply\r\n",
            "I am away. Is it urgent?",
        ),
        dismissed(
            "machine",
            "X-Autorespond: vacation\r\n",
            "I am away. Is it urgent?",
        ),
        dismissed(
            "machine",
            "Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.test\r\nTo: olga@home.test\r\n",
            "It failed.",
        ),
        dismissed(
            "machine",
            "From: no-reply@shop.test\r\nTo: olga@home.test\r\n",
            "How was it?",
        ),
        dismissed(
            "machine",
            "X-Spam-Flag: YES\r\n",
            "Do you want 5,000,000 euros?",
        ),
        // Mail to many, and notices.
        dismissed(
            "notice",
            "List-Id: <news.shop.test>\r\nPrecedence: list\r\n",
            "What do you think?",
        ),
        dismissed(
            "notice",
            "List-Unsubscribe: <u>\r\nFeedback-ID: 1\r\n",
            "Have you seen our offers?",
        ),
        dismissed(
            "notice",
            "From: Shop <orders@shop.test>\r\nTo: olga@home.test\r\n",
            "Your order 88 has shipped.",
        ),
        dismissed(
            "notice",
            "From: Shop <hello@shop.test>\r\nTo: olga@home.test\r\n",
            "Your parcel comes. Please do not reply.",
        ),
        dismissed(
            "notice",
            "From: Bank <service@bank.test>\r\nTo: olga@home.test\r\n",
            "Your code is 482915. Did you not ask for it?",
        ),
        dismissed(
            "notice",
            "From: Konto <konto@bank.test>\r\nTo: olga@home.test\r\n",
            "Ihr Bestätigungscode: 482915. Nicht angefordert?",
        ),
        answered(
            "notice",
            "From: Shop <orders@shop.test>\r\nTo: olga@home.test\r\n",
            "About your order 88: which colour would you like?",
            &["orders@shop.test"],
            &["which colour would you like?"],
        ),
        dismissed(
            "notice",
            "From: Shop <info@shop.test>\r\nTo: olga@home.test\r\n",
            "Your order 4711 has shipped. Track it: https://shop.test/t?id=4711\nQuestions? Write to us.",
        ),
        answered(
            "notice",
            "",
            "What do they want?\n\n---------- Forwarded message ---------\nFrom: X\n\n\
             Please do not reply to this email.",
            &[UMA],
            &["What do they want?"],
        ),
        // Invitations and calendar files.
        calendar(
            "REQUEST",
            "Can you make it?",
            Some(vec![UMA]),
            &["Can you make it?"],
        ),
        calendar(
            "PUBLISH",
            "Could you give the talk?",
            Some(vec![UMA]),
            &["Could you give the talk?"],
        ),
        calendar(
            "REQUEST",
            "Verification code of the room: 482915. Which day suits you?",
            Some(vec![UMA]),
            &["Which day suits you?"],
        ),
        calendar("REPLY", "Accepted.", None, &[]),
        calendar("CANCEL", "Called off.", None, &[]),
        calendar("COUNTER", "Another time?", None, &[]),
        calendar(
            "",
            "Which slot suits you?",
            Some(vec![UMA]),
            &["Which slot suits you?"],
        ),
    ];
    // A thread: what is quoted was asked by somebody else.
    for (attribution, mark) in [
        (
            "On Thu, 19 Nov 2026 at 18:00, Olga Owner <olga@home.test> wrote:",
            "> ",
        ),
        (
            "Am 19.11.2026 um 18:00 schrieb Olga Owner <olga@home.test>:",
            "> ",
        ),
        (
            "Le 19 nov. 2026 à 18:00, Olga Owner <olga@home.test> a écrit :",
            "> ",
        ),
        (
            "El jue, 19 nov 2026 a las 18:00, Olga Owner (<olga@home.test>) escribió:",
            "> ",
        ),
        (
            "Il giorno gio 19 nov 2026 alle ore 18:00 Olga Owner <olga@home.test> ha scritto:",
            "> ",
        ),
        (
            "Op do 19 nov 2026 om 18:00 schreef Olga Owner <olga@home.test>:",
            "> ",
        ),
    ] {
        let text = format!(
            "Fine. Which day suits you?\n\nUma\n\n{attribution}\n{mark}Hello Uma,\n{mark}What does the hall cost?\n{mark}Olga"
        );
        cases.push(quoting(
            "In-Reply-To: <1@home.test>\r\n",
            &text,
            "Which day suits you?",
            "What does the hall cost?",
        ));
    }
    cases
}

fn calendar(
    method: &str,
    text: &str,
    recipients: Option<Vec<&'static str>>,
    questions: &[&'static str],
) -> Case {
    let line = match method {
        "" => String::new(),
        method => format!("METHOD:{method}\r\n"),
    };
    let mail = format!(
        "{FROM}Subject: Fair\r\nMessage-ID: <c{method}@client.test>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\n{text}\r\n\
         --b\r\nContent-Type: text/calendar; name=fair.ics\r\n\r\nBEGIN:VCALENDAR\r\n{line}\
         BEGIN:VEVENT\r\nSUMMARY:Fair\r\nDTSTART:20261201T090000Z\r\nLOCATION:Hall 3\r\n\
         END:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n"
    );
    Case {
        kind: "calendar",
        mail,
        recipients,
        questions: questions.to_vec(),
        quoted: Vec::new(),
    }
}
