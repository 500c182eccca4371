//! The tree of a mail's parts, walked with bounds and without building it.
//!
//! A parser that builds the whole tree lets a small mail nest a hundred thousand messages. Here a part is a slice;
//! at most [`Limits::PARTS`] are read, no deeper than [`Limits::DEPTH`], and a mail inside a mail is an attachment,
//! never entered. Decoding one part's headers and text is left to mail-parser.

use std::borrow::Cow;

use mail_parser::{ContentType, HeaderName, HeaderValue, Message, MessageParser};

use super::facts::Limits;

/// One part: its headers as read, its bytes as they came.
pub(super) struct Part<'a> {
    /// The decoded headers, when there are any.
    pub(super) headers: Option<Message<'a>>,
    /// Headers and body.
    pub(super) all: &'a [u8],
    /// The body, still encoded.
    pub(super) body: &'a [u8],
    /// `type/subtype`, lower case.
    pub(super) media_type: String,
    /// Whether it stands beside another way to say the same (`multipart/alternative`), at any height.
    pub(super) alternative: bool,
}

/// Walks the parts of a mail, outermost first; answers whether all were seen.
pub(super) fn walk<'a>(mail: &'a [u8], mut each: impl FnMut(&Part<'a>)) -> bool {
    let mut left = Limits::PARTS;
    let mut whole = true;
    // (bytes, depth, alternative, digest)
    let mut waiting = vec![(mail, 0, false, false)];
    while let Some((all, depth, alternative, digest)) = waiting.pop() {
        if left == 0 {
            return false;
        }
        left -= 1;
        let (head, body) = split_head(all);
        let head_cut = &head[..head.len().min(Limits::HEADER_BYTES)];
        whole &= head_cut.len() == head.len();
        let parser = MessageParser::new()
            .with_mime_headers()
            .with_date_headers()
            .with_address_headers()
            .with_message_ids()
            .default_header_text();
        let headers = parser
            .parse_headers(head_cut)
            .filter(|headers| !headers.parts.is_empty());
        let kind = headers
            .as_ref()
            .and_then(|headers| headers.header(HeaderName::ContentType))
            .and_then(HeaderValue::as_content_type);
        let media_type = match kind {
            Some(kind) => format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or("plain"))
                .to_ascii_lowercase(),
            None if digest => "message/rfc822".to_owned(),
            None => "text/plain".to_owned(),
        };
        let boundary = kind
            .and_then(|kind| kind.attribute("boundary"))
            .map(str::to_owned);
        let is_multipart = media_type.starts_with("multipart/");
        let part = Part {
            headers,
            all,
            body,
            media_type,
            alternative,
        };
        each(&part);
        let Some(boundary) = boundary
            .filter(|boundary| is_multipart && !boundary.is_empty() && boundary.len() <= 200)
        else {
            continue;
        };
        if depth >= Limits::DEPTH {
            whole = false;
            continue;
        }
        let alternative = alternative || part.media_type == "multipart/alternative";
        let digest = part.media_type == "multipart/digest";
        let (children, complete) = split_parts(body, boundary.as_bytes(), left);
        whole &= complete;
        if children.is_empty() {
            // It claims to have parts and has none: what is there is read as text.
            each(&Part {
                media_type: "text/plain".to_owned(),
                ..part
            });
            continue;
        }
        waiting.extend(
            children
                .into_iter()
                .rev()
                .map(|child| (child, depth + 1, alternative, digest)),
        );
    }
    whole
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

/// Line ends made `\n`. A bare CR is a blank in the first header block (it must not start a header) and a line end after it.
pub(super) fn normal_lines(mail: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(mail.len());
    let mut in_head = true;
    let mut bytes = mail.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'\r' if bytes.peek() == Some(&b'\n') => continue,
            b'\r' if in_head => b' ',
            b'\r' => b'\n',
            byte => byte,
        };
        if byte == b'\n' && out.last().is_none_or(|last| *last == b'\n') {
            in_head = false;
        }
        out.push(byte);
    }
    out
}

impl Part<'_> {
    fn header(&self, name: HeaderName<'static>) -> Option<&HeaderValue<'_>> {
        self.headers.as_ref()?.header(name)
    }

    fn disposition(&self) -> Option<&ContentType<'_>> {
        self.header(HeaderName::ContentDisposition)?
            .as_content_type()
    }

    /// Whether it is marked as attached, or has a file name.
    pub(super) fn is_attached(&self) -> bool {
        self.disposition().is_some_and(ContentType::is_attachment) || self.name().is_some()
    }

    /// The file name it gives.
    pub(super) fn name(&self) -> Option<&str> {
        let kind = self
            .header(HeaderName::ContentType)
            .and_then(HeaderValue::as_content_type);
        let named = self
            .disposition()
            .and_then(|value| value.attribute("filename"));
        named.or_else(|| kind.and_then(|value| value.attribute("name")))
    }

    /// What a calendar asks for, as its content type says.
    pub(super) fn method(&self) -> Option<&str> {
        let kind = self
            .header(HeaderName::ContentType)
            .and_then(HeaderValue::as_content_type);
        kind.and_then(|value| value.attribute("method"))
    }

    fn encoding(&self) -> String {
        let value = self
            .header(HeaderName::ContentTransferEncoding)
            .and_then(HeaderValue::as_text);
        value.unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The size once decoded, reckoned without decoding.
    pub(super) fn size(&self) -> u64 {
        if self.encoding() != "base64" {
            return self.body.len() as u64;
        }
        let digits = self
            .body
            .iter()
            .filter(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(byte))
            .count();
        digits as u64 * 3 / 4
    }

    /// The decoded text of a text part.
    pub(super) fn text(&self) -> Cow<'_, str> {
        // One part without a boundary: mail-parser decodes exactly this body.
        let read = MessageParser::new()
            .with_mime_headers()
            .default_header_ignore()
            .parse(self.all);
        match read
            .and_then(|mut message| message.parts.pop())
            .map(|part| part.body)
        {
            Some(mail_parser::PartType::Text(text) | mail_parser::PartType::Html(text)) => {
                Cow::Owned(text.into_owned())
            }
            // A calendar need not call itself text.
            Some(
                mail_parser::PartType::Binary(bytes) | mail_parser::PartType::InlineBinary(bytes),
            ) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
            _ => String::from_utf8_lossy(self.body),
        }
    }
}
