//! [`read`]: whether a mail is about one that Platinum sent: it came back, or was answered by a program.
//!
//! A mail that came back is a report (RFC 3464), or what older servers write instead: a text, with the headers of
//! what came back below it. Which mail that was is told by its Message-ID or its header `X-Platinum-Draft`.
//! Lives elsewhere: whether that mail was sent at all, and what follows, is the host's.
//! Invariants: pure and bounded; a person who forwards such a report, as an attachment or as text, is a person; what
//! a report only says to be late is not back. All text is from outside, and anybody can write a report.

use mail_parser::{HeaderName, HeaderValue, Message, MessageParser};

use crate::answer::DRAFT_PREFIX;
use crate::compose::DRAFT_HEADER;
use crate::message::auto_reply;

/// The most bytes of a mail that are looked through.
const MAX_BYTES: usize = 1024 * 1024;
/// The most parts of a report that are looked at.
const MAX_PARTS: usize = 16;
/// The most recipients that are named.
const MAX_RECIPIENTS: usize = 20;
/// The longest reason, in bytes.
const MAX_REASON: usize = 300;
/// The longest address, in bytes.
const MAX_ADDRESS: usize = 254;
/// How long the id of a draft is behind its prefix.
const ULID_LENGTH: usize = 26;

/// By these, in lower case, a mail system that makes no report says that it does not try any more.
const GIVEN_UP: [&str; 9] = [
    "permanent",
    "giving up",
    "given up",
    "gave up",
    "not going to try again",
    "too long",
    "endgültig",
    "définitiv",
    "definitiv",
];
/// By these that it goes on trying.
const STILL_TRYING: [&str; 28] = [
    "delayed",
    "warning",
    "not yet",
    "will continue",
    "will keep trying",
    "will be retried",
    "will retry",
    "still undelivered",
    "no action is required",
    "temporar",
    "verzögert",
    "noch nicht",
    "warnung",
    "weiter versucht",
    "erneut versucht",
    "retard",
    "pas encore",
    "avertissement",
    "retrasad",
    "aún no",
    "advertencia",
    "in ritardo",
    "non è ancora",
    "vertraagd",
    "nog niet",
    "ainda não",
    "遅延",
    "延迟",
];
/// By these that it did not deliver the mail.
const FAILED: [&str; 37] = [
    "fail",
    "could not be delivered",
    "couldn't be delivered",
    "unable to deliver",
    "undeliver",
    "not be delivered",
    "does not exist",
    "user unknown",
    "unknown user",
    "no such user",
    "rejected",
    "bounce",
    "unzustellbar",
    "nicht zugestellt",
    "konnte nicht",
    "zurückgewiesen",
    "existiert nicht",
    "pas pu être",
    "échec",
    "n'existe pas",
    "non remis",
    "no se pudo",
    "no se ha podido",
    "no existe",
    "devuelto",
    "impossibile",
    "non è stato possibile",
    "non esiste",
    "kon niet",
    "onbestelbaar",
    "bestaat niet",
    "não foi possível",
    "falha",
    "não existe",
    "配信でき",
    "无法",
    "退信",
];

/// What a mail says of one that Platinum sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// It could not be delivered.
    Bounced {
        /// The draft that it was, lower case, if the report names one: a mail of somebody else's comes back alike.
        draft: Option<String>,
        /// To whom not, as far as the report says.
        recipients: Vec<String>,
        /// Why, in words, one line.
        reason: String,
    },
    /// A program answered it.
    AutoReply {
        /// The draft that it was, lower case.
        draft: String,
    },
}

impl Returned {
    /// Whether it names a draft of ours.
    #[must_use]
    pub fn is_of_draft(&self) -> bool {
        !matches!(self, Self::Bounced { draft: None, .. })
    }
}

/// What these bytes of a mail say of one that Platinum sent, if they do.
#[must_use]
pub fn read(mail: &[u8]) -> Option<Returned> {
    let text = String::from_utf8_lossy(&mail[..mail.len().min(MAX_BYTES)]).replace("\r\n", "\n");
    let (head, body) = split_head(&text);
    let headers = MessageParser::new()
        .with_mime_headers()
        .with_address_headers()
        .with_message_ids()
        .default_header_text()
        .parse_headers(format!("{head}\n\n").as_bytes())?
        .into_owned();
    let kind = headers
        .header(HeaderName::ContentType)
        .and_then(HeaderValue::as_content_type);
    let attribute = |name: &str| kind.and_then(|kind| kind.attribute(name));
    let is = |value: Option<&str>, wanted: &str| {
        value.is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    };
    let is_report = kind.is_some_and(|kind| {
        kind.ctype().eq_ignore_ascii_case("multipart") && is(kind.subtype(), "report")
    });
    if is_report && is(attribute("report-type"), "delivery-status") {
        return report(&headers, body, attribute("boundary")?);
    }
    if !is_report
        && is_from_a_mail_system(&headers)
        && let Some(bounced) = plain_bounce(&headers, body)
    {
        return Some(bounced);
    }
    // The answer of a program comes from nobody as well.
    if is_automatic(&headers) {
        let draft = draft_answered(&headers)?;
        return Some(Returned::AutoReply { draft });
    }
    None
}

/// The report of a mail system, by its parts.
fn report(headers: &Message<'_>, body: &str, boundary: &str) -> Option<Returned> {
    let mut draft = None;
    let mut status = None;
    let mut said = String::new();
    for part in parts(body, boundary) {
        let (head, content) = split_head(part);
        match media_type(head).as_str() {
            "message/delivery-status" | "message/global-delivery-status" => {
                status = status.or_else(|| failed(content));
            }
            "message/rfc822"
            | "text/rfc822-headers"
            | "message/global"
            | "message/global-headers" => {
                let (returned, _) = split_head(content.trim_start_matches('\n'));
                draft = draft.or_else(|| draft_in_headers(returned));
            }
            _ if said.is_empty() => said = content.to_owned(),
            _ => {}
        }
    }
    let (recipients, words) = status?;
    let reason = match words.is_empty() {
        true => reason_in(&said),
        false => words,
    };
    Some(Returned::Bounced {
        // Some send nothing back of what came.
        draft: draft.or_else(|| draft_answered(headers)),
        recipients,
        reason,
    })
}

/// The recipients that a status says it failed for, and why; none if it failed for none.
fn failed(status: &str) -> Option<(Vec<String>, String)> {
    let mut recipients = Vec::new();
    let mut reason = None;
    for group in unfolded(status).split("\n\n") {
        let field = |name: &str| {
            group.lines().find_map(|line| {
                let (key, value) = line.split_once(':')?;
                key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
            })
        };
        if !field("Action").is_some_and(|action| action.eq_ignore_ascii_case("failed")) {
            continue;
        }
        let value_of = |typed: &str| {
            let value = typed.split_once(';').map_or(typed, |(_, value)| value);
            value.trim().to_owned()
        };
        let address = field("Original-Recipient").or_else(|| field("Final-Recipient"));
        if let Some(address) = address.map(value_of).filter(|one| one.len() <= MAX_ADDRESS)
            && recipients.len() < MAX_RECIPIENTS
        {
            recipients.push(address.trim_matches(['<', '>']).to_lowercase());
        }
        let code = field("Status").unwrap_or_default();
        let diagnostic = field("Diagnostic-Code").map(value_of).unwrap_or_default();
        reason.get_or_insert_with(|| match (meaning_of(code), diagnostic.as_str()) {
            (Some(meaning), "") => meaning.to_owned(),
            (Some(meaning), said) => line(&format!("{meaning} ({said})")),
            (None, said) => line(said),
        });
    }
    reason.map(|reason| (recipients, reason))
}

/// What an enhanced status code (RFC 3463) means, for those that a person can do something about.
fn meaning_of(status: &str) -> Option<&'static str> {
    let mut parts = status.split('.').map(str::trim);
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    Some(match (class, subject, detail) {
        (_, "1", "1" | "6") => "there is no such address",
        (_, "1", "2") | (_, "4", "4") => "there is no such mail domain",
        (_, "1", "3") => "the address is not written as one",
        (_, "1", "10") => "the domain takes no mail",
        (_, "2", "1") => "the mailbox is switched off",
        (_, "2", "2") => "the mailbox is full",
        (_, "2", "3") | (_, "3", "4") => "the mail is too large",
        (_, "4", "1" | "2" | "7") => "the other server could not be reached",
        (_, "7", _) => "the other server does not take mail like this",
        _ => return None,
    })
}

/// What a mail system writes that makes no report: a text, and the headers of what came back below it.
fn plain_bounce(headers: &Message<'_>, body: &str) -> Option<Returned> {
    let draft = draft_in_headers(body).or_else(|| {
        // A program that answers from nobody names what it answers, too.
        is_by_a_mail_system(headers).then(|| draft_answered(headers))?
    })?;
    // What is below was sent, whatever its words are.
    let lower = body.to_lowercase();
    let copy = lower.find(&draft).and_then(|at| lower[..at].rfind("\n\n"));
    let notice = &lower[..copy.unwrap_or(lower.len())];
    let subject = headers.subject().unwrap_or_default();
    is_failure(&format!("{}\n{notice}", subject.to_lowercase())).then(|| Returned::Bounced {
        draft: Some(draft),
        recipients: Vec::new(),
        reason: reason_in(body),
    })
}

/// Whether a notice, in lower case, says that a mail was not delivered and will not be.
fn is_failure(notice: &str) -> bool {
    let has = |words: &[&str]| words.iter().any(|word| notice.contains(word));
    let codes = || notice.lines().filter_map(code_in);
    has(&GIVEN_UP)
        || codes().any(|code| code.starts_with("5."))
        || !has(&STILL_TRYING)
            && !codes().any(|code| code.starts_with('4'))
            && (codes().next().is_some() || has(&FAILED))
}

/// The code in a line by which a mail system says that it could not deliver a mail: `5.1.1`, or `550` where it
/// is no other number; not yet, if it begins with 4.
fn code_in(line: &str) -> Option<&str> {
    let is_number =
        |part: &&str| matches!(part.len(), 1..=3) && part.bytes().all(|b| b.is_ascii_digit());
    let is_code = |word: &&str| {
        let parts: Vec<&str> = word.split('.').collect();
        let before = || line.split(word).next().unwrap_or_default().trim_end();
        word.starts_with(['4', '5'])
            && parts.iter().all(is_number)
            && match parts.as_slice() {
                [basic] => basic.len() == 3 && !before().ends_with(|c| !":([<#'\"".contains(c)),
                [class, _, _] => class.len() == 1,
                _ => false,
            }
    };
    let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
    words.map(|word| word.trim_matches('.')).find(is_code)
}

/// The line of a text that says most of why: one with a code, or the first one.
fn reason_in(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| {
        !line.is_empty() && !line.starts_with("--") && !line.to_lowercase().starts_with("content-")
    });
    let has_code = |line: &&str| code_in(line).is_some();
    let first = lines.next().unwrap_or_default();
    let best = std::iter::once(first).chain(lines).find(has_code);
    line(best.unwrap_or(first))
}

/// Whether a mail comes from nobody, or from a mail system's own address.
fn is_from_a_mail_system(headers: &Message<'_>) -> bool {
    let mut all = headers.headers().iter();
    let path = all.find(|header| header.name.as_str().eq_ignore_ascii_case("Return-Path"));
    let path = path.map(|header| {
        &headers.raw_message[header.offset_start as usize..header.offset_end as usize]
    });
    is_by_a_mail_system(headers) || path.is_some_and(|path| path.trim_ascii() == b"<>")
}

/// Whether the author of a mail is a mail system.
fn is_by_a_mail_system(headers: &Message<'_>) -> bool {
    let from = headers
        .from()
        .and_then(|from| from.first()?.address.as_deref());
    let local = from
        .and_then(|from| from.split('@').next())
        .unwrap_or_default();
    ["mailer-daemon", "postmaster"]
        .iter()
        .any(|name| local.eq_ignore_ascii_case(name))
}

/// Whether a program wrote a mail as an answer (RFC 3834, and what is used beside it).
fn is_automatic(headers: &Message<'_>) -> bool {
    let value = |name: &str| {
        let mut all = headers.headers().iter();
        let found = all.find(|header| header.name.as_str().eq_ignore_ascii_case(name));
        found
            .and_then(|header| header.value.as_text())
            .unwrap_or_default()
    };
    let submitted = value("Auto-Submitted").to_lowercase();
    let mut words = submitted.split(|c: char| !c.is_alphanumeric() && c != '-');
    let submitted = words.find(|word| !word.is_empty());
    submitted.is_some_and(|how| how != "no") || auto_reply(headers).is_some()
}

/// The draft that a mail answers, by the Message-IDs that it names.
fn draft_answered(headers: &Message<'_>) -> Option<String> {
    let ids = [headers.in_reply_to(), headers.references()];
    let texts = ids.into_iter().flat_map(|ids| match ids {
        HeaderValue::Text(id) => vec![id.as_ref()],
        HeaderValue::TextList(ids) => ids.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    });
    // The one that it answers comes first, and the newest of its thread last.
    let all: Vec<&str> = texts.collect();
    let (first, rest) = all.split_first()?;
    std::iter::once(first)
        .chain(rest.iter().rev())
        .find_map(|id| draft_id(id))
}

/// The draft that header lines name: in the header of ours, or as the Message-ID.
fn draft_in_headers(text: &str) -> Option<String> {
    let text = unfolded(text);
    let of_header = |name: &str| {
        text.lines().find_map(|line| {
            let (key, value) = line.trim_start_matches(['>', ' ', '\t']).split_once(':')?;
            let value = value.trim().trim_start_matches('<');
            key.trim()
                .eq_ignore_ascii_case(name)
                .then(|| draft_id(value))?
        })
    };
    of_header(DRAFT_HEADER).or_else(|| of_header("Message-ID"))
}

/// The id of the draft with which a Message-ID or a header begins.
fn draft_id(text: &str) -> Option<String> {
    let end = DRAFT_PREFIX.len() + ULID_LENGTH;
    let id = text.get(..end)?.to_lowercase();
    let is_ulid = id.strip_prefix(DRAFT_PREFIX)?;
    let whole = text[end..]
        .chars()
        .next()
        .is_none_or(|c| !c.is_ascii_alphanumeric());
    (whole && is_ulid.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(id)
}

/// The parts between the boundary lines of a body, the first [`MAX_PARTS`].
fn parts<'a>(body: &'a str, boundary: &str) -> Vec<&'a str> {
    let mark = format!("--{boundary}");
    let mut found = Vec::new();
    let mut begin = None;
    let mut at = 0;
    for line in body.split_inclusive('\n') {
        let next = at + line.len();
        if let Some(rest) = line.trim_end().strip_prefix(&mark)
            && (rest.is_empty() || rest == "--")
        {
            found.extend(begin.map(|begin| &body[begin..at]));
            begin = rest.is_empty().then_some(next);
        }
        at = next;
    }
    found.extend(begin.map(|begin| &body[begin..]));
    found.truncate(MAX_PARTS);
    found
}

/// `type/subtype` of a part, lower case.
fn media_type(head: &str) -> String {
    let head = unfolded(head);
    let value = head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.trim()
            .eq_ignore_ascii_case("content-type")
            .then_some(value)
    });
    let value = value.unwrap_or("text/plain");
    value
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_lowercase()
}

/// Header block and what follows its empty line.
fn split_head(text: &str) -> (&str, &str) {
    if let Some(body) = text.strip_prefix('\n') {
        return ("", body);
    }
    text.split_once("\n\n").unwrap_or((text, ""))
}

/// With continued lines joined.
fn unfolded(text: &str) -> String {
    text.replace("\n ", " ").replace("\n\t", " ")
}

/// One line, bounded.
fn line(text: &str) -> String {
    platinum_text::one_line(text, MAX_REASON)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAFT: &str = "draft_01m8m5pytdk2rncdyv1ekvj1z9";

    fn bounced(recipients: &[&str], reason: &str) -> Option<Returned> {
        bounced_of(Some(DRAFT), recipients, reason)
    }

    fn bounced_of(draft: Option<&str>, recipients: &[&str], reason: &str) -> Option<Returned> {
        Some(Returned::Bounced {
            draft: draft.map(str::to_owned),
            recipients: recipients.iter().map(|&one| one.to_owned()).collect(),
            reason: reason.to_owned(),
        })
    }

    fn report(status: &str, returned: &str) -> String {
        format!(
            "From: Mail Delivery System <MAILER-DAEMON@mx.test>\r\nReturn-Path: <>\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"b=1\"\r\n\r\n\
             --b=1\r\nContent-Type: text/plain\r\n\r\nSorry: host said 550 5.1.1 gone\r\n\
             --b=1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\n\r\n{status}\r\n\
             --b=1\r\n{returned}\r\n--b=1--\r\n"
        )
    }

    const FAILED: &str = "Final-Recipient: rfc822; Joerg@client.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\
        Diagnostic-Code: smtp; 550 no such\r\n user\r\n";

    #[test]
    fn report_names_the_draft_the_recipient_and_the_reason() {
        let whole = format!(
            "Content-Type: message/rfc822\r\n\r\nSubject: Re: x\r\nMessage-ID:\r\n <{DRAFT}.2@me.test>\r\n\r\nbody"
        );
        let renamed = format!(
            "Content-Type: text/rfc822-headers\r\n\r\nMessage-ID: <0102@ses.test>\r\nX-Platinum-Draft: {DRAFT}\r\n"
        );
        for returned in [whole, renamed] {
            assert_eq!(
                read(report(FAILED, &returned).as_bytes()),
                bounced(
                    &["joerg@client.test"],
                    "there is no such address (550 no such user)"
                )
            );
            let late = FAILED.replace("failed", "delayed");
            assert_eq!(read(report(&late, &returned).as_bytes()), None);
        }
    }

    #[test]
    fn report_of_another_mail_is_not_ours() {
        let to = ["joerg@client.test"];
        let not_ours = bounced_of(None, &to, "there is no such address (550 no such user)");
        let other = "Content-Type: message/rfc822\r\n\r\nMessage-ID: <draft_1@me.test>\r\n\r\nbody";
        assert_eq!(read(report(FAILED, other).as_bytes()), not_ours);
        // The words of the report say nothing of which mail it was, its own headers do.
        let quoted = format!("Content-Type: text/html\r\n\r\nMessage-ID: <{DRAFT}@me.test>");
        let without = report(FAILED, &quoted);
        assert_eq!(read(without.as_bytes()), not_ours);
        assert_eq!(
            read(format!("References: <a@x> <{DRAFT}@me.test>\r\n{without}").as_bytes()),
            bounced(
                &["joerg@client.test"],
                "there is no such address (550 no such user)"
            )
        );
    }

    #[test]
    fn bounce_without_a_report_is_read_by_its_text() {
        let qmail = format!(
            "Return-Path: <>\r\nFrom: MAILER-DAEMON@client.test\r\nSubject: failure notice\r\n\r\n\
             Hi. This is the qmail-send program at client.test.\r\n\r\n<joerg@client.test>:\r\n\
             550 5.2.2 mailbox is full\r\n\r\n--- Below this line is a copy of the message.\r\n\r\n\
             Subject: Re: x\r\nMessage-ID: <{DRAFT}@me.test>\r\n\r\nbody\r\n"
        );
        assert_eq!(
            read(qmail.as_bytes()),
            bounced(&[], "550 5.2.2 mailbox is full")
        );
        let unknown = qmail.replace(DRAFT, "1234");
        assert_eq!(read(unknown.as_bytes()), None);
        let named = format!("In-Reply-To: <{DRAFT}@me.test>\r\n{unknown}");
        assert_eq!(
            read(named.as_bytes()),
            bounced(&[], "550 5.2.2 mailbox is full")
        );
    }

    /// In any language, with or without a code; not while the mail system still tries.
    #[test]
    fn bounce_without_a_report_is_one_that_gave_up() {
        let notice = |subject: &str, text: &str| {
            let mail = format!(
                "Return-Path: <>\r\nFrom: Mail Delivery System <mailer-daemon@mx.test>\r\nSubject: {subject}\r\n\r\n\
                 {text}\r\n\r\nReceived: from me\r\nSubject: warning: not yet delayed, 550 failed\r\n\
                 Message-ID: <{DRAFT}@me.test>\r\n\r\nIt is temporary.\r\n"
            );
            read(mail.as_bytes())
        };
        for (subject, text) in [
            ("failure", "host said: 550 no such user"),
            (
                "Mail",
                "All retries failed; giving up. 4.4.1 no route to host",
            ),
            ("Mail", "The user unknown@client.test: user unknown"),
            (
                "Unzustellbar",
                "Ihre Nachricht konnte nicht zugestellt werden.",
            ),
            ("Mail", "Votre message n'a pas pu être remis."),
            ("Mail", "No se pudo entregar el mensaje."),
            ("Mail", "メールを配信できませんでした"),
            ("Warning", "It was delayed and has expired: 5.4.7"),
        ] {
            assert!(notice(subject, text).is_some(), "{text}");
        }
        for (subject, text) in [
            ("Warning: message delayed 24 hours", "It failed so far."),
            (
                "Mail",
                "A message that you sent has not yet been delivered to joerg@client.test.\r\nAttempts will continue.",
            ),
            ("Mail", "Delivery failed: 451 4.4.1 no route to host"),
            (
                "Mail",
                "Ihre Nachricht konnte noch nicht zugestellt werden.",
            ),
            ("Mail", "Votre message n'a pas encore pu être remis."),
            ("Received", "Your mail of 500 kB has arrived."),
        ] {
            assert_eq!(notice(subject, text), None, "{text}");
        }
    }

    /// A person, whatever they pass on.
    #[test]
    fn person_who_forwards_a_bounce_is_a_person() {
        let attached = format!(
            "From: Ann <ann@client.test>\r\nReturn-Path: <ann@client.test>\r\n\
             Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nWhich address is right?\r\n\
             --b\r\nContent-Type: message/delivery-status\r\n\r\n{FAILED}\r\n\
             --b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <{DRAFT}@me.test>\r\n--b--\r\n"
        );
        assert_eq!(read(attached.as_bytes()), None);
        let inline = format!(
            "From: Ann <ann@client.test>\r\nIn-Reply-To: <{DRAFT}@me.test>\r\n\r\nIt bounced:\r\n> 550\r\n\
             > Message-ID: <{DRAFT}@me.test>\r\n"
        );
        assert_eq!(read(inline.as_bytes()), None);
    }

    #[test]
    fn automatic_answer_names_the_draft_it_answers() {
        let reply = |headers: &str| {
            let mail = format!(
                "{headers}\r\nFrom: Ann <ann@client.test>\r\nReturn-Path: <ann@client.test>\r\n\r\nAway.\r\n"
            );
            read(mail.as_bytes())
        };
        let found = Some(Returned::AutoReply {
            draft: DRAFT.to_owned(),
        });
        for automatic in [
            "Auto-Submitted: auto-replied (vacation)",
            "Auto-Submitted: auto-generated",
            "Precedence: auto_reply",
            "X-Autoreply: yes",
        ] {
            let ids = format!("References: <1@x> <{}@me.test>", DRAFT.to_uppercase());
            assert_eq!(
                reply(&format!("{ids}\r\n{automatic}")),
                found,
                "{automatic}"
            );
            assert_eq!(reply(&format!("In-Reply-To: <2@x>\r\n{automatic}")), None);
            // As RFC 3834 wants it: from nobody.
            let vacation = format!("{ids}\r\n{automatic}\r\nReturn-Path: <>");
            assert_eq!(reply(&vacation), found, "{automatic}");
        }
        let ids = format!("In-Reply-To: <{DRAFT}@me.test>");
        assert_eq!(reply(&format!("{ids}\r\nAuto-Submitted: no")), None);
        assert_eq!(reply(&format!("In-Reply-To: <{DRAFT}@me.test>")), None);
    }
}
