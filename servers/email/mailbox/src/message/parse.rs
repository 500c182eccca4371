//! How a [`Parsed`] record is filled. The walk over the parts is in [`super::mime`], HTML in [`super::html`].

use jiff::Timestamp;
use mail_parser::{HeaderName, HeaderValue, Message};
use platinum_text::{bounded, is_hidden};

use crate::compose::DRAFT_HEADER;

use super::calendar::{Event, Method};
use super::facts::{Attachment, Kind, Limits, Parsed, People};
use super::{html, mime, people};

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
        let is_top = std::mem::take(&mut first);
        if let (true, Some(headers)) = (is_top, &part.headers) {
            fill_headers(&mut parsed, headers);
        }
        match part.media_type.as_str() {
            "text/calendar" | "application/ics" => {
                let event = Event::read(&part.text(), part.method());
                // A file with dates is a file; an invitation, or the answer to one, is what the mail is for.
                if event.method != Method::Publish {
                    parsed.kind = Kind::Calendar;
                    parsed.event.get_or_insert(event);
                }
            }
            // Inside of a person's mail it is something that the person sends on.
            "multipart/report" if is_top => parsed.kind = Kind::Report,
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
    parsed.auto_reply = marks(&text, AUTO_REPLIES);
    parsed.spam = marks(&text, SPAM);
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
        is_meant.then(|| format!("{name}: {value}"))
    })
}

/// Headers of automatic answers besides those of RFC 3834, with how their value begins.
const AUTO_REPLIES: &[(&str, &str)] = &[
    ("X-Autoreply", "yes"),
    ("X-Auto-Reply", "yes"),
    ("X-Autorespond", ""),
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
    ("X-Bogosity", "spam"),
    ("X-Bogosity", "yes"),
];

/// One line: control characters and line ends become blanks, the length is bounded.
pub(super) fn line(text: &str, most: usize) -> String {
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
