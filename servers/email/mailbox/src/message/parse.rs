//! How a [`Parsed`] record is filled from the headers. Its text and its attachments are filled by [`super::body`].

use jiff::Timestamp;
use mail_parser::{HeaderName, HeaderValue, Message};
use platinum_text::{bounded, is_hidden, is_joined};

use crate::compose::DRAFT_HEADER;

use super::facts::{Limits, Parsed, People, Person};
use super::{body, mime};

/// Reads a whole mail.
#[must_use]
pub fn parse(mail: &[u8]) -> Parsed {
    parse_cut(mail, false)
}

/// Reads a mail of which these are the first bytes (`cut`), or all of them.
#[must_use]
pub fn parse_cut(mail: &[u8], cut: bool) -> Parsed {
    let mail = mime::normal_lines(mail);
    let mut parsed = Parsed {
        cut,
        ..Parsed::default()
    };
    let mail = mime::Part::read(&mail, false);
    if let Some(headers) = &mail.headers {
        fill_headers(&mut parsed, headers);
    }
    body::read(&mail, &mut parsed);
    parsed
}

pub(super) fn fill_headers(parsed: &mut Parsed, headers: &Message<'_>) {
    let text =
        |name: &'static str| header(headers, name).map(|value| line(&value, Limits::VALUE_BYTES));
    let lower = |name| {
        text(name)
            .map(|value| value.to_lowercase())
            .filter(|value| !value.is_empty())
    };
    parsed.message_id = ids(headers.header(HeaderName::MessageId))
        .into_iter()
        .next();
    parsed.in_reply_to = ids(headers.header(HeaderName::InReplyTo));
    parsed.in_reply_to.truncate(Limits::REFERENCES);
    parsed.references = ids(headers.header(HeaderName::References));
    let over = parsed.references.len().saturating_sub(Limits::REFERENCES);
    parsed.references.drain(..over);
    parsed.from = people(headers.header(HeaderName::From))
        .listed
        .into_iter()
        .next();
    parsed.reply_to = people(headers.header(HeaderName::ReplyTo));
    parsed.to = people(headers.header(HeaderName::To));
    parsed.cc = people(headers.header(HeaderName::Cc));
    parsed.subject = text("Subject").unwrap_or_default();
    parsed.date = headers
        .date()
        .and_then(|date| Timestamp::from_second(date.to_timestamp()).ok());
    parsed.auto_submitted = lower("Auto-Submitted").filter(|value| value != "no");
    parsed.precedence = lower("Precedence");
    parsed.list_id = text("List-ID").filter(|value| !value.is_empty());
    parsed.list_unsubscribe = text("List-Unsubscribe").filter(|value| !value.is_empty());
    parsed.return_path =
        text("Return-Path").map(|value| value.trim_matches(['<', '>', ' ']).to_owned());
    parsed.auto_response_suppress = lower("X-Auto-Response-Suppress");
    parsed.feedback_id = text("Feedback-ID").filter(|value| !value.is_empty());
    parsed.draft = text(DRAFT_HEADER).filter(|value| !value.is_empty());
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
    let fits = |id: &&str| {
        !id.is_empty()
            && id.len() <= Limits::MESSAGE_ID_BYTES
            && !id.contains(|c: char| c.is_control() || c.is_whitespace())
    };
    all.into_iter()
        .map(|id| id.trim_matches(['<', '>', ' ']))
        .filter(fits)
        .map(str::to_owned)
        .collect()
}

fn people(value: Option<&HeaderValue<'_>>) -> People {
    let mut people = People::default();
    let Some(addresses) = value.and_then(HeaderValue::as_address) else {
        return people;
    };
    for one in addresses.iter() {
        if people.listed.len() == Limits::PEOPLE {
            people.left_out += 1;
            continue;
        }
        let name = one
            .name
            .as_deref()
            .map(|name| line(name, 200))
            .filter(|name| !name.is_empty());
        let address = one
            .address
            .as_deref()
            .map(|address| line(address, 320))
            .unwrap_or_default();
        if name.is_some() || !address.is_empty() {
            people.listed.push(Person { name, address });
        }
    }
    people
}

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
