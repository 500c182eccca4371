//! How a [`Parsed`] record is filled from the headers. Its text and its attachments are filled by [`super::body`].

use jiff::Timestamp;
use mail_parser::{HeaderName, HeaderValue, Message};
use platinum_text::{bounded, is_hidden, is_joined};

use crate::compose::DRAFT_HEADER;

use super::facts::{File, Limits, Parsed, People};
use super::{body, mime, people};

/// Reads a whole mail.
#[must_use]
pub fn parse(mail: &[u8]) -> Parsed {
    parse_cut(mail, false)
}

/// Reads a mail of which these are the first bytes (`cut`), or all of them.
#[must_use]
pub fn parse_cut(mail: &[u8], cut: bool) -> Parsed {
    read(mail, cut, None).0
}

/// The same, and the files attached to the mail, as many as [`Parsed::attachments`] lists and in its order, with
/// their content if it is no longer than `most` bytes.
#[must_use]
pub fn parse_with_files(mail: &[u8], cut: bool, most: u64) -> (Parsed, Vec<File>) {
    read(mail, cut, Some(most))
}

fn read(mail: &[u8], cut: bool, most_content: Option<u64>) -> (Parsed, Vec<File>) {
    let mail = mime::normal_lines(mail);
    let mut parsed = Parsed {
        cut,
        ..Parsed::default()
    };
    let mail = mime::Part::of_mail(&mail);
    if let Some(headers) = &mail.headers {
        fill_headers(&mut parsed, headers);
    }
    let files = body::read(&mail, &mut parsed, most_content);
    (parsed, files)
}

pub(super) fn fill_headers(parsed: &mut Parsed, headers: &Message<'_>) {
    let text =
        |name: &'static str| header(headers, name).map(|value| line(&value, Limits::VALUE_BYTES));
    let lower = |name| {
        text(name)
            .map(|value| value.to_lowercase())
            .filter(|value| !value.is_empty())
    };
    parsed.message_id = ids(first(headers, &HeaderName::MessageId))
        .into_iter()
        .next();
    parsed.in_reply_to = ids(first(headers, &HeaderName::InReplyTo));
    parsed.in_reply_to.truncate(Limits::REFERENCES);
    parsed.references = ids(first(headers, &HeaderName::References));
    // The root and the newest: what is between them tells least.
    let over = parsed.references.len().saturating_sub(Limits::REFERENCES);
    if over > 0 {
        parsed.references.drain(1..=over);
    }
    // Of a header that may occur once the first counts, for all of them alike.
    let authors = all_people(headers, &HeaderName::From, 1).listed;
    let mut authors = authors.into_iter();
    parsed.from = authors.next();
    parsed.other_authors = authors.collect();
    if parsed
        .from
        .as_ref()
        .is_none_or(|from| from.address.is_empty())
    {
        let sender = all_people(headers, &HeaderName::Sender, 1);
        let named = sender
            .listed
            .into_iter()
            .find(|one| !one.address.is_empty());
        parsed.from = named.or_else(|| parsed.from.take());
    }
    parsed.reply_to = all_people(headers, &HeaderName::ReplyTo, usize::MAX);
    parsed.to = all_people(headers, &HeaderName::To, usize::MAX);
    parsed.cc = all_people(headers, &HeaderName::Cc, usize::MAX);
    let count =
        |name: &HeaderName<'_>| headers.headers().iter().filter(|h| h.name == *name).count();
    for (name, of) in [
        ("From", HeaderName::From),
        ("Subject", HeaderName::Subject),
        ("Date", HeaderName::Date),
        ("Message-ID", HeaderName::MessageId),
    ] {
        if count(&of) > 1 {
            parsed.repeated.push(name);
        }
    }
    parsed.subject = text("Subject").unwrap_or_default();
    parsed.date = first(headers, &HeaderName::Date)
        .and_then(HeaderValue::as_datetime)
        .and_then(|date| Timestamp::from_second(date.to_timestamp()).ok());
    parsed.auto_submitted = lower("Auto-Submitted").filter(|value| value != "no");
    parsed.precedence = lower("Precedence");
    parsed.list_id = text("List-ID").filter(|value| !value.is_empty());
    parsed.list_unsubscribe = text("List-Unsubscribe").filter(|value| !value.is_empty());
    parsed.return_path =
        text("Return-Path").map(|value| value.trim_matches(['<', '>', ' ']).to_owned());
    parsed.auto_response_suppress = lower("X-Auto-Response-Suppress");
    parsed.feedback_id = text("Feedback-ID").filter(|value| !value.is_empty());
    parsed.auto_reply = auto_reply(headers);
    parsed.bulk_sender = marks(&text, BULK_SENDERS);
    parsed.spam = marks(&text, SPAM).or_else(|| {
        SPAM_WITHIN.iter().find_map(|(name, sign)| {
            let value = text(name)?;
            value.contains(sign).then(|| format!("{name}: {sign}"))
        })
    });
    parsed.draft = text(DRAFT_HEADER).filter(|value| !value.is_empty());
}

/// The header by which a program says that it answers by itself, besides those of RFC 3834.
pub(crate) fn auto_reply(headers: &Message<'_>) -> Option<String> {
    marks(
        &|name| header(headers, name).map(|value| line(&value, Limits::VALUE_BYTES)),
        AUTO_REPLIES,
    )
}

/// The text of the first header of this name, decoded.
fn header(headers: &Message<'_>, name: &'static str) -> Option<String> {
    let found = headers
        .headers()
        .iter()
        .find(|header| header.name.as_str().eq_ignore_ascii_case(name))?;
    Some(match &found.value {
        HeaderValue::Text(text) => text.clone().into_owned(),
        HeaderValue::TextList(texts) => texts.join(", "),
        HeaderValue::Address(addresses) => {
            let each = addresses
                .iter()
                .filter_map(|one| one.address.as_deref().or(one.name.as_deref()));
            each.take(Limits::PEOPLE)
                .map(|one| format!("<{one}>"))
                .collect::<Vec<_>>()
                .join(", ")
        }
        _ => String::new(),
    })
}

/// The Message-IDs of a header; what cannot be one is dropped.
fn ids(value: Option<&HeaderValue<'_>>) -> Vec<String> {
    let all: Vec<&str> = match value {
        Some(HeaderValue::Text(text)) => vec![text.as_ref()],
        Some(HeaderValue::TextList(texts)) => texts.iter().map(AsRef::as_ref).collect(),
        _ => Vec::new(),
    };
    all.into_iter()
        .filter_map(platinum_text::message_id)
        .map(str::to_owned)
        .collect()
}

/// The first header of this name.
fn first<'a, 'x>(headers: &'a Message<'x>, name: &HeaderName<'_>) -> Option<&'a HeaderValue<'x>> {
    let found = headers
        .headers()
        .iter()
        .find(|header| header.name == *name)?;
    Some(&found.value)
}

/// The people of the first headers of this name.
fn all_people(headers: &Message<'_>, name: &HeaderName<'_>, most: usize) -> People {
    let mut all = People::default();
    let of_name = headers
        .headers()
        .iter()
        .filter(|header| header.name == *name);
    for header in of_name.take(most) {
        let (start, end) = (header.offset_start as usize, header.offset_end as usize);
        people::read(
            headers.raw_message.get(start..end).unwrap_or_default(),
            &mut all,
        );
    }
    all
}

/// The first of these headers whose value begins like this, as `name: value`.
fn marks(
    text: &dyn Fn(&'static str) -> Option<String>,
    signs: &[(&'static str, &str)],
) -> Option<String> {
    signs.iter().find_map(|(name, begin)| {
        let value = text(name).filter(|value| !value.is_empty())?;
        let is_meant = value
            .get(..begin.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(begin));
        let is_no = ["no", "false", "0"]
            .iter()
            .any(|no| value.eq_ignore_ascii_case(no));
        (is_meant && !is_no).then(|| format!("{name}: {value}"))
    })
}

/// Headers of automatic answers besides those of RFC 3834, with how their value begins.
const AUTO_REPLIES: &[(&str, &str)] = &[
    ("X-Autoreply", ""),
    ("X-Auto-Reply", ""),
    ("X-Autorespond", ""),
    ("X-Autoresponse", ""),
    ("X-Autoresponder", ""),
    ("X-Auto-Response", ""),
    ("X-POST-MessageClass", "9; autoresponder"),
    ("X-FC-MachineGenerated", ""),
    ("X-AutoReply-From", ""),
    ("X-Mail-Autoreply", ""),
    ("X-Autogenerated", "reply"),
    ("X-Loop-Auto-Reply", ""),
    ("Preference", "auto_reply"),
    ("X-Precedence", "auto_reply"),
    ("Precedence", "auto_reply"),
    ("Precedence", "auto-reply"),
];

/// What filters on the way write into a mail that they take for spam.
const SPAM: &[(&str, &str)] = &[
    ("X-Spam-Flag", "yes"),
    ("X-Spam-Status", "yes"),
    ("X-Spam", "yes"),
    ("X-Spam-Action", "reject"),
    ("X-Spam-Action", "add header"),
    ("X-Spamd-Result", "default: true"),
    ("X-Rspamd-Action", "add header"),
    ("X-Rspamd-Action", "rewrite subject"),
    // Exchange: 5 and above is spam, 9 is certain.
    ("X-MS-Exchange-Organization-SCL", "5"),
    ("X-MS-Exchange-Organization-SCL", "6"),
    ("X-MS-Exchange-Organization-SCL", "7"),
    ("X-MS-Exchange-Organization-SCL", "8"),
    ("X-MS-Exchange-Organization-SCL", "9"),
    ("X-Bogosity", "spam"),
    ("X-Bogosity", "yes"),
    ("X-Barracuda-Spam-Flag", "yes"),
    ("X-Barracuda-Spam-Status", "yes"),
    ("X-DSPAM-Result", "spam"),
    ("X-Spambayes-Classification", "spam"),
    ("X-Proofpoint-Spam-Details", "rule=spam"),
    ("X-VR-SPAMSTATE", "spam"),
    ("X-Ovh-Spam-Status", "spam"),
    ("X-KAS-Spam", "yes"),
    ("X-Amavis-Alert", "spam"),
];
/// What filters write somewhere in a header: Exchange Online, of spam, of a sender that is blocked, and where to.
const SPAM_WITHIN: &[(&str, &str)] = &[
    ("X-Forefront-Antispam-Report", "SFV:SPM"),
    ("X-Forefront-Antispam-Report", "SFV:SKB"),
    ("X-Microsoft-Antispam-Mailbox-Delivery", "dest:J;"),
];

/// What programs for mail to many write, and those of a person do not. Each is one mark among others.
const BULK_SENDERS: &[(&str, &str)] = &[
    ("List-Unsubscribe-Post", "list-unsubscribe=one-click"),
    ("X-Campaign", ""),
    ("X-Campaign-ID", ""),
    ("X-CampaignID", ""),
    ("X-MC-User", ""),
    ("X-Mailgun-Tag", ""),
    ("X-CSA-Complaints", ""),
    ("X-Mailing-ID", ""),
    ("X-Mailing-List", ""),
    ("Mailing-List", ""),
    ("List-Post", ""),
    ("X-Newsletter", ""),
];

/// One line: control characters and line ends become blanks, the length is bounded.
pub(super) fn line(text: &str, most: usize) -> String {
    let one: String = bounded(text, most * 2)
        .chars()
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect();
    bounded(one.trim(), most).to_owned()
}

/// Lines: `\n` only, no other control characters but tabs, no hidden ones but those that join what is seen.
pub(super) fn text_lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut before = '\n';
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\n' | '\t') || !is_hidden(c) || is_joined(before, c) {
            out.push(c);
            before = c;
        }
    }
    out
}
