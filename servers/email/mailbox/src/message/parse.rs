//! How a [`Parsed`] record is filled. The walk over the parts is in [`super::mime`], HTML in [`super::html`].

use jiff::Timestamp;
use mail_parser::{HeaderName, HeaderValue, Message};
use platinum_text::{bounded, is_hidden};

use crate::compose::DRAFT_HEADER;

use super::facts::{Attachment, Kind, Limits, Parsed, People, Person};
use super::{html, mime};

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
    let mut body = Body::default();
    let mut first = true;
    let whole = mime::walk(&mail, |part| {
        if let (true, Some(headers)) = (std::mem::take(&mut first), &part.headers) {
            fill_headers(&mut parsed, headers);
        }
        match part.media_type.as_str() {
            "text/calendar" | "application/ics" => parsed.kind = Kind::Calendar,
            "multipart/report" => parsed.kind = Kind::Report,
            _ => {}
        }
        if part.media_type.starts_with("multipart/") {
            return;
        }
        let is_text = matches!(part.media_type.as_str(), "text/plain" | "text/html");
        if is_text && !part.is_attached() && body.take(part) {
            return;
        }
        if parsed.attachments.len() < Limits::ATTACHMENTS {
            parsed.attachments.push(Attachment {
                name: part
                    .name()
                    .map(|name| line(name, Limits::NAME_BYTES))
                    .filter(|name| !name.is_empty()),
                media_type: line(&part.media_type, 100),
                size: part.size(),
            });
        } else {
            parsed.attachments_left_out += 1;
        }
    });
    parsed.cut |= !whole;
    body.finish(&mut parsed);
    parsed
}

/// The text parts as they are found: plain text is preferred to HTML.
#[derive(Default)]
struct Body {
    plain: String,
    html: String,
    cut: bool,
}

impl Body {
    /// Keeps a text part; `false` when it is to be listed as an attachment.
    fn take(&mut self, part: &mime::Part<'_>) -> bool {
        let is_html = part.media_type == "text/html";
        let kept = if is_html {
            &mut self.html
        } else {
            &mut self.plain
        };
        let room = Limits::TEXT_BYTES.saturating_sub(kept.len());
        if room == 0 {
            self.cut = true;
            return part.alternative;
        }
        if !kept.is_empty() && !kept.ends_with('\n') {
            kept.push('\n');
        }
        let text = part.text();
        let cut = bounded(&text, room);
        self.cut |= cut.len() < text.len();
        kept.push_str(cut);
        true
    }

    fn finish(self, parsed: &mut Parsed) {
        let plain = text_lines(&self.plain);
        let (text, cut) = if plain.trim().is_empty() && !self.html.trim().is_empty() {
            parsed.from_html = true;
            let text = text_lines(&html::to_text(&self.html));
            let cut = bounded(&text, Limits::TEXT_BYTES).len();
            (text[..cut].to_owned(), self.cut || cut < text.len())
        } else {
            (plain, self.cut)
        };
        parsed.text = text;
        parsed.text_cut = cut;
    }
}

fn fill_headers(parsed: &mut Parsed, headers: &Message<'_>) {
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
fn line(text: &str, most: usize) -> String {
    let one: String = bounded(text, most * 2)
        .chars()
        .map(|c| if is_hidden(c) { ' ' } else { c })
        .collect();
    bounded(one.trim(), most).to_owned()
}

/// Lines: `\n` only, no other control characters but tabs.
fn text_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .chars()
        .filter(|c| matches!(c, '\n' | '\t') || !is_hidden(*c))
        .collect()
}
