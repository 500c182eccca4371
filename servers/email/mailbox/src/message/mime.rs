//! The parts of a mail, each read by itself.
//!
//! A parser that builds the whole tree lets a small mail nest a hundred thousand messages. Here a part is a slice of
//! the mail; who walks them ([`super::body`]) bounds how many and how deep. Decoding the headers is left to
//! mail-parser, after [`super::header_repair`]; bodies are in [`super::transfer`] and [`super::charset`].

use std::borrow::Cow;

use mail_parser::{ContentType, HeaderName, HeaderValue, Message, MessageParser};

use super::facts::Limits;
use super::{charset, header_repair, transfer};

/// One part: its headers as read, its body as it came.
pub(super) struct Part<'a> {
    /// The decoded headers, when there are any.
    pub(super) headers: Option<Message<'static>>,
    /// The body, still encoded.
    pub(super) body: &'a [u8],
    /// `type/subtype`, lower case.
    pub(super) media_type: String,
    /// Whether all of its headers were read.
    pub(super) whole: bool,
}

impl<'a> Part<'a> {
    /// Reads a mail.
    pub(super) fn of_mail(all: &'a [u8]) -> Self {
        Self::read(split_head(all), false)
    }

    /// Reads a part of a multipart. Without a Content-Type it is text, or in a digest a mail.
    pub(super) fn of_multipart(all: &'a [u8], in_digest: bool) -> Self {
        let (head, _) = split_head(all);
        let mut lines = head.split(|byte| *byte == b'\n');
        // Its last line is followed by no empty one, and no line is a header of a part: `Note: which day?`.
        let is_text = head.len() == all.len() && !head.ends_with(b"\n") && !lines.any(is_of_part);
        let end = if is_text { 0 } else { headers_end(head) };
        Self::read(all.split_at(end), in_digest)
    }

    fn read((head, body): (&'a [u8], &'a [u8]), in_digest: bool) -> Self {
        let head_cut = &head[..head.len().min(Limits::HEADER_BYTES)];
        let headers = MessageParser::new()
            .with_mime_headers()
            .with_date_headers()
            .with_address_headers()
            .with_message_ids()
            .default_header_text()
            .parse_headers(&header_repair::repair(head_cut))
            .filter(|headers| !headers.parts.is_empty())
            .map(Message::into_owned);
        let mut part = Self {
            headers,
            body,
            media_type: String::new(),
            whole: head_cut.len() == head.len(),
        };
        part.media_type = match part.content_type() {
            Some(kind) => media_type(kind.ctype(), kind.subtype()),
            None if in_digest => "message/rfc822".to_owned(),
            None => "text/plain".to_owned(),
        };
        part
    }

    fn header(&self, name: HeaderName<'static>) -> Option<&HeaderValue<'_>> {
        self.headers.as_ref()?.header(name)
    }

    fn content_type(&self) -> Option<&ContentType<'_>> {
        self.header(HeaderName::ContentType)?.as_content_type()
    }

    fn disposition(&self) -> Option<&ContentType<'_>> {
        self.header(HeaderName::ContentDisposition)?
            .as_content_type()
    }

    /// A parameter of its Content-Type.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.content_type()?.attribute(name)
    }

    /// Whether it is marked as attached, or has a file name.
    pub(super) fn is_attached(&self) -> bool {
        self.is_attachment() || self.name().is_some()
    }

    /// Whether it is marked as attached.
    pub(super) fn is_attachment(&self) -> bool {
        self.disposition().is_some_and(ContentType::is_attachment)
    }

    /// The file name it gives.
    pub(super) fn name(&self) -> Option<&str> {
        let named = self
            .disposition()
            .and_then(|value| value.attribute("filename"));
        named.or_else(|| self.parameter("name"))
    }

    fn encoding(&self) -> &str {
        let value = self
            .header(HeaderName::ContentTransferEncoding)
            .and_then(HeaderValue::as_text);
        value.unwrap_or_default()
    }

    /// The size once decoded, reckoned without decoding.
    pub(super) fn size(&self) -> u64 {
        if !self.encoding().trim().eq_ignore_ascii_case("base64") {
            return self.body.len() as u64;
        }
        let digits = self
            .body
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
            .count();
        digits as u64 * 3 / 4
    }

    /// The body without its transfer encoding.
    pub(super) fn decoded(&self) -> Cow<'a, [u8]> {
        transfer::decode(self.encoding(), self.body)
    }

    /// The text of a text part, as it is written: HTML stays HTML.
    pub(super) fn text(&self) -> String {
        let bytes = self.decoded();
        let label = self.parameter("charset").map(str::to_owned);
        let label = match label {
            None if self.media_type == "text/html" => charset::of_html(&bytes),
            label => label,
        };
        let text = charset::decode(&bytes, label.as_deref());
        let is = |name: &str, value: &str| {
            let given = self.parameter(name);
            given.is_some_and(|given| given.trim().eq_ignore_ascii_case(value))
        };
        match self.media_type == "text/plain" && is("format", "flowed") {
            true => transfer::unflow(&text, is("delsp", "yes")),
            false => text,
        }
    }

    /// The parts between the boundary lines, at most `most`; and whether that is all of them. None if it has none.
    pub(super) fn children(&self, most: usize) -> (Vec<&'a [u8]>, bool) {
        let named = self.parameter("boundary");
        let named = named.filter(|name| !name.is_empty() && name.len() <= 200);
        let mut found = (Vec::new(), true);
        if let Some(name) = named {
            found = split_parts(self.body, name.trim_end().as_bytes(), most);
        }
        if found.0.is_empty()
            && let Some(used) = used_boundary(self.body)
        {
            found = split_parts(self.body, used, most);
        }
        found
    }
}

/// The media type in lower case. One that breaks the grammar is plain text (RFC 2045, 5.2).
fn media_type(kind: &str, subtype: Option<&str>) -> String {
    let subtype = subtype.map(str::trim).filter(|subtype| !subtype.is_empty());
    let (kind, subtype) = (kind.trim(), subtype);
    let whole =
        |default: &str| format!("{kind}/{}", subtype.unwrap_or(default)).to_ascii_lowercase();
    match kind.to_ascii_lowercase().as_str() {
        "text" => whole("plain"),
        "multipart" => whole("mixed"),
        "message" => whole("rfc822"),
        "image" | "audio" | "video" | "application" | "font" | "model" => whole("octet-stream"),
        "html" => "text/html".to_owned(),
        _ => match subtype {
            // An unknown type, which is some file.
            Some(_) => whole("octet-stream"),
            None => "text/plain".to_owned(),
        },
    }
}

/// Header block (with its empty line) and body.
fn split_head(all: &[u8]) -> (&[u8], &[u8]) {
    if all.first() == Some(&b'\n') {
        return all.split_at(1);
    }
    let end = all
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .map_or(all.len(), |at| at + 2);
    all.split_at(end)
}

/// Where the headers of a part end, if not at an empty line: before the first line that is no header and goes on
/// with none. A part without an empty line has a text all the same.
fn headers_end(head: &[u8]) -> usize {
    let mut end = 0;
    let mut goes_on = false;
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        let text = line.trim_ascii_end();
        let is_continued =
            goes_on || (end > 0 && line.starts_with(b" ") || line.starts_with(b"\t"));
        if !text.is_empty() && !is_continued && !is_header(text) {
            break;
        }
        // Some break a header after a semicolon without a blank below.
        goes_on = text.ends_with(b";");
        end += line.len();
    }
    end
}

/// Whether a line begins as a header does: a name, and a colon. The beginning of an address on the web is none.
fn is_header(line: &[u8]) -> bool {
    let colon = line.iter().position(|byte| *byte == b':');
    let (name, value) = line.split_at(colon.unwrap_or_default());
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    name.first().is_some_and(u8::is_ascii_alphabetic)
        && name.trim_ascii_end().iter().all(is_name)
        && !value.starts_with(b"://")
}

/// Whether a line is a header that parts have.
fn is_of_part(line: &[u8]) -> bool {
    line.get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"content-"))
}

/// The boundary that a body uses, whatever its header says: the first line `--x` that headers of a part follow.
fn used_boundary(body: &[u8]) -> Option<&[u8]> {
    let mut lines = body.split(|byte| *byte == b'\n').take(200).peekable();
    while let Some(line) = lines.next() {
        let name = line.strip_prefix(b"--").map(<[u8]>::trim_ascii_end);
        let next = lines.peek().copied().unwrap_or_default();
        if let Some(name) = name.filter(|name| is_of_part(next) && (1..=200).contains(&name.len()))
        {
            return Some(name);
        }
    }
    None
}

/// The parts between the boundary lines, at most `most`; answers whether that is all of them.
fn split_parts<'a>(body: &'a [u8], boundary: &[u8], most: usize) -> (Vec<&'a [u8]>, bool) {
    let mut parts = Vec::new();
    let mut start = None;
    let mut at = 0;
    while at < body.len() {
        let end = body[at..]
            .iter()
            .position(|byte| *byte == b'\n')
            .map_or(body.len(), |length| at + length + 1);
        let line = body[at..end]
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary));
        if let Some(rest) = line {
            let rest = rest.trim_ascii_end();
            let closing = rest == b"--";
            if closing || rest.is_empty() {
                if let Some(start) = start {
                    // The line end before a boundary belongs to the boundary.
                    parts.push(&body[start..at.max(start + 1) - 1]);
                }
                if parts.len() >= most {
                    return (parts, closing);
                }
                start = Some(end);
                if closing {
                    return (parts, true);
                }
            }
        }
        at = end;
    }
    if let Some(start) = start.filter(|start| *start < body.len()) {
        parts.push(&body[start..]);
    }
    (parts, true)
}

/// Line ends made `\n`, however many CR stand before the LF. A bare CR is a blank in the first header block (it must
/// not start a header) and a line end after it; in a mail without any LF it is the line end.
pub(super) fn normal_lines(mail: &[u8]) -> Vec<u8> {
    if !mail.contains(&b'\n') {
        let line_end = |byte: &u8| if *byte == b'\r' { b'\n' } else { *byte };
        return mail.iter().map(line_end).collect();
    }
    let mut out = Vec::with_capacity(mail.len());
    let mut in_head = true;
    let mut at = 0;
    while let Some(&byte) = mail.get(at) {
        let mut byte = byte;
        at += 1;
        if byte == b'\r' {
            let returns = mail[at..].iter().take_while(|byte| **byte == b'\r').count();
            if mail.get(at + returns) == Some(&b'\n') {
                at += returns;
                continue;
            }
            // These are no line end: they are not looked at again.
            let stand_in = if in_head { b' ' } else { b'\n' };
            out.extend(std::iter::repeat_n(stand_in, returns));
            at += returns;
            byte = stand_in;
        }
        if byte == b'\n' && out.last().is_none_or(|last| *last == b'\n') {
            in_head = false;
        }
        out.push(byte);
    }
    out
}
