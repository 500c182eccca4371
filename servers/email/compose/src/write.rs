//! The bytes of an [`Outgoing`] mail: its headers are written here, its parts by mail-builder.
//!
//! The same mail always gives the same bytes: nothing is random, nothing reads a clock.
//! The text is always quoted-printable UTF-8, so every line is short ASCII and no server has a reason to change it.

use mail_builder::headers::HeaderType;
use mail_builder::headers::content_type::ContentType;
use mail_builder::headers::raw::Raw;
use mail_builder::mime::{BodyPart, MimePart};
use sha2::{Digest as _, Sha256};

use super::{Address, ComposeError, DRAFT_HEADER, File, Outgoing};

/// The bounds of an outgoing mail.
const MAX_RECIPIENTS: usize = 200;
const MAX_SUBJECT: usize = 900;
const MAX_BODY: usize = 1024 * 1024;
const MAX_ATTACHMENTS: usize = 50;
const MAX_ATTACHED_BYTES: usize = 25 * 1024 * 1024;
const MAX_REFERENCES: usize = 50;
const MAX_MESSAGE_ID: usize = 250;
const MAX_FILE_NAME: usize = 200;
const MAX_DRAFT_ID: usize = 60;

/// The octets of encoded words and folded lines stay below this.
const LINE: usize = 76;

/// Whether the header `Date` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DateHeader {
    /// As in every mail.
    Written,
    /// Left out: it says when the mail was composed, and all else is the same at every composing.
    LeftOut,
}

pub(super) fn write(mail: &Outgoing, date_header: DateHeader) -> Result<Vec<u8>, ComposeError> {
    check(mail)?;
    let mut out = Vec::with_capacity(mail.body.len() * 2 + 1024);
    header(&mut out, "From", std::iter::once(mailbox_words(&mail.from)));
    header(&mut out, "To", listed(&mail.to));
    header(&mut out, "Cc", listed(&mail.cc));
    if mail.to.is_empty() && mail.cc.is_empty() {
        header(
            &mut out,
            "To",
            std::iter::once(vec!["undisclosed-recipients:;".to_owned()]),
        );
    }
    header(
        &mut out,
        "Subject",
        std::iter::once(text_words(&mail.subject)),
    );
    if date_header == DateHeader::Written {
        header(&mut out, "Date", std::iter::once(vec![date(mail)?]));
    }
    header(
        &mut out,
        "Message-ID",
        std::iter::once(vec![format!("<{}>", mail.message_id)]),
    );
    if let Some(draft) = &mail.draft {
        header(&mut out, DRAFT_HEADER, std::iter::once(vec![draft.clone()]));
    }
    if let Some(answered) = &mail.in_reply_to {
        header(
            &mut out,
            "In-Reply-To",
            std::iter::once(vec![format!("<{answered}>")]),
        );
    }
    let thread = thread(mail);
    if !thread.is_empty() {
        header(
            &mut out,
            "References",
            std::iter::once(thread.iter().map(|id| format!("<{id}>")).collect()),
        );
    }
    out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    let text = text_part(&mail.body);
    let part = if mail.attachments.is_empty() {
        text
    } else {
        let digest = Sha256::digest(mail.message_id.as_bytes());
        // `=_` can be in neither quoted-printable nor base64 lines, so no part can contain the boundary.
        let boundary = format!("=_{}", hex::encode(&digest[..16]));
        let mut parts = vec![text];
        parts.extend(mail.attachments.iter().map(file_part));
        MimePart::new(
            ContentType::new("multipart/mixed").attribute("boundary", boundary),
            parts,
        )
    };
    part.write_part(&mut out)
        .map_err(|error| ComposeError::Write(error.to_string()))?;
    Ok(out)
}

fn raw(value: String) -> HeaderType<'static> {
    HeaderType::Raw(Raw::new(value))
}

fn check(mail: &Outgoing) -> Result<(), ComposeError> {
    let most = |field, found: usize, most: usize| {
        if found > most {
            Err(ComposeError::TooMuch { field, found, most })
        } else {
            Ok(())
        }
    };
    let recipients = mail.to.len() + mail.cc.len() + mail.bcc.len();
    if recipients == 0 {
        return Err(ComposeError::NoRecipient);
    }
    most("recipients", recipients, MAX_RECIPIENTS)?;
    one_line("subject", &mail.subject)?;
    most("subject (bytes)", mail.subject.len(), MAX_SUBJECT)?;
    most("body (bytes)", mail.body.len(), MAX_BODY)?;
    most("attachments", mail.attachments.len(), MAX_ATTACHMENTS)?;
    let attached = mail.attachments.iter().map(|file| file.bytes.len()).sum();
    most("attachments (bytes)", attached, MAX_ATTACHED_BYTES)?;
    message_id("message_id", &mail.message_id)?;
    if let Some(draft) = &mail.draft {
        draft_id(draft)?;
    }
    let received = mail.references.iter().map(|id| ("references", id));
    let answered = mail.in_reply_to.iter().map(|id| ("in_reply_to", id));
    for (field, id) in answered.chain(received) {
        if platinum_text::message_id(id) != Some(id.as_str()) {
            return Err(no_message_id(field, id));
        }
    }
    for file in &mail.attachments {
        one_line("attachment name", &file.name)?;
        most("attachment name (bytes)", file.name.len(), MAX_FILE_NAME)?;
        media_type(file)?;
    }
    Ok(())
}

fn one_line(field: &'static str, text: &str) -> Result<(), ComposeError> {
    let line_end = |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}';
    if text.contains(line_end) {
        Err(ComposeError::ControlCharacter { field })
    } else {
        Ok(())
    }
}

/// Our own Message-IDs are strictly those of RFC 5322.
fn message_id(field: &'static str, given: &str) -> Result<(), ComposeError> {
    one_line(field, given)?;
    let printable = given
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !b"<>,;\"\\() ".contains(&byte));
    let split = given
        .rsplit_once('@')
        .is_some_and(|(left, right)| !left.is_empty() && !right.is_empty());
    if printable && split && given.len() <= MAX_MESSAGE_ID {
        return Ok(());
    }
    Err(no_message_id(field, given))
}

fn no_message_id(field: &'static str, given: &str) -> ComposeError {
    ComposeError::MessageId {
        field,
        given: given.chars().take(80).collect(),
    }
}

fn draft_id(given: &str) -> Result<(), ComposeError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    if (1..=MAX_DRAFT_ID).contains(&given.len()) && given.bytes().all(fits) {
        return Ok(());
    }
    Err(ComposeError::Draft {
        given: given.chars().take(80).collect(),
    })
}

fn media_type(file: &File) -> Result<(), ComposeError> {
    let token = |part: &str| {
        !part.is_empty()
            && part.len() <= 100
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    match file.media_type.split_once('/') {
        // A multipart or message as an attachment would be read as structure, not as a file.
        Some((kind, sub))
            if token(kind) && token(sub) && !["multipart", "message"].contains(&kind) =>
        {
            Ok(())
        }
        _ => Err(ComposeError::MediaType {
            name: file.name.clone(),
            media_type: file.media_type.chars().take(80).collect(),
        }),
    }
}

/// References: what was given, with the answered mail at the end; the first and the newest when there are too many.
fn thread(mail: &Outgoing) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for id in mail.references.iter().chain(&mail.in_reply_to) {
        if let Some(known) = ids.iter().position(|known| known == id) {
            ids.remove(known);
        }
        ids.push(id);
    }
    if ids.len() > MAX_REFERENCES {
        let newest = ids.split_off(ids.len() - (MAX_REFERENCES - 1));
        ids.truncate(1);
        ids.extend(newest);
    }
    ids
}

fn date(mail: &Outgoing) -> Result<String, ComposeError> {
    jiff::fmt::rfc2822::to_string(&mail.date.to_zoned(jiff::tz::TimeZone::UTC))
        .map_err(|error| ComposeError::Write(format!("the date cannot be written: {error}")))
}

/// Writes one header, folded between words. Nothing is written for no values.
fn header(out: &mut Vec<u8>, name: &str, values: impl Iterator<Item = Vec<String>>) {
    let values: Vec<Vec<String>> = values.collect();
    if values.is_empty() {
        return;
    }
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    let mut column = name.len() + 1;
    let last = values.len() - 1;
    for (index, words) in values.into_iter().enumerate() {
        let count = words.len();
        for (place, mut word) in words.into_iter().enumerate() {
            if place + 1 == count && index < last {
                word.push(',');
            }
            if column + 1 + word.len() > LINE && column > name.len() + 1 {
                out.extend_from_slice(b"\r\n");
                column = 0;
            }
            out.push(b' ');
            out.extend_from_slice(word.as_bytes());
            column += 1 + word.len();
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn listed(addresses: &[Address]) -> impl Iterator<Item = Vec<String>> {
    addresses.iter().map(mailbox_words)
}

/// A name and an address as words of a header. A name is a quoted string, or encoded words outside of quotes.
fn mailbox_words(address: &Address) -> Vec<String> {
    let Some(name) = address.name() else {
        return vec![address.email().to_owned()];
    };
    let mut words = if name.is_ascii() && !name.contains("=?") && name.len() < LINE - 8 {
        vec![format!(
            "\"{}\"",
            name.replace('\\', "\\\\").replace('"', "\\\"")
        )]
    } else {
        encoded_words(name)
    };
    words.push(format!("<{}>", address.email()));
    words
}

/// An unstructured text as words: plain when every reader gives it back, else encoded.
fn text_words(text: &str) -> Vec<String> {
    let plain = text.is_ascii()
        && !text.contains("=?")
        && !text.contains("  ")
        && text.trim() == text
        && text.split(' ').all(|word| word.len() < LINE);
    if plain {
        text.split(' ').map(str::to_owned).collect()
    } else {
        encoded_words(text)
    }
}

/// RFC 2047 encoded words in UTF-8; each decodes by itself, and readers join them without a gap.
fn encoded_words(text: &str) -> Vec<String> {
    // 75 octets a word, less `=?utf-8?Q?` and `?=`; shorter, so that one fits beside a header's name.
    const ROOM: usize = 56;
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        let mut bytes = [0; 4];
        let mut piece = String::new();
        for byte in character.encode_utf8(&mut bytes).bytes() {
            match byte {
                b' ' => piece.push('_'),
                byte if byte.is_ascii_alphanumeric() || b"!*+-/".contains(&byte) => {
                    piece.push(char::from(byte));
                }
                byte => piece.push_str(&format!("={byte:02X}")),
            }
        }
        if word.len() + piece.len() > ROOM {
            words.push(format!("=?utf-8?Q?{word}?="));
            word.clear();
        }
        word.push_str(&piece);
    }
    words.push(format!("=?utf-8?Q?{word}?="));
    words
}

/// The text, with `\r\n` line ends and a final one: SMTP cannot carry a text without.
fn text_part(body: &str) -> MimePart<'static> {
    MimePart {
        headers: vec![
            (
                "Content-Type".into(),
                raw("text/plain; charset=utf-8".to_owned()),
            ),
            (
                "Content-Transfer-Encoding".into(),
                raw("quoted-printable".to_owned()),
            ),
        ],
        contents: BodyPart::Text(quoted_printable(&normal_body(body)).into()),
    }
}

/// The text as a reader gets it: every line end is `\n`, and the last line has one.
pub(super) fn normal_body(body: &str) -> String {
    let mut text = body.replace("\r\n", "\n").replace('\r', "\n");
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

fn quoted_printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 8);
    for line in text.split_terminator('\n') {
        let bytes = line.as_bytes();
        let mut column = 0;
        for (index, &byte) in bytes.iter().enumerate() {
            let last = index + 1 == bytes.len();
            // A trailing blank would be eaten, `From ` at a line's start is changed by some mailboxes, a lone dot ends SMTP data.
            let plain = match byte {
                b' ' | b'\t' => !last,
                b'F' => !(index == 0 && line.starts_with("From ")),
                b'.' => index != 0,
                b'=' => false,
                byte => byte.is_ascii_graphic(),
            };
            let width = if plain { 1 } else { 3 };
            if column + width > LINE - 1 {
                out.push_str("=\r\n");
                column = 0;
            }
            // A dot that a soft line break moved to a line's start is one, too.
            if plain && !(byte == b'.' && column == 0) {
                out.push(char::from(byte));
                column += 1;
            } else {
                out.push_str(&format!("={byte:02X}"));
                column += 3;
            }
        }
        out.push_str("\r\n");
    }
    out
}

fn file_part(file: &File) -> MimePart<'static> {
    let simple = |byte: u8| byte.is_ascii_alphanumeric() || b"-_. ()+,".contains(&byte);
    let disposition = if file.name.len() <= 40 && file.name.bytes().all(simple) {
        format!("attachment; filename=\"{}\"", file.name)
    } else {
        let mut name = String::new();
        for byte in file.name.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.".contains(&byte) {
                name.push(char::from(byte));
            } else {
                name.push_str(&format!("%{byte:02X}"));
            }
        }
        format!("attachment; filename*=utf-8''{name}")
    };
    let mut base64 = Vec::with_capacity(file.bytes.len() * 4 / 3 + 64);
    // Writing into memory cannot fail.
    let _ = mail_builder::encoders::base64::base64_encode_mime(&file.bytes, &mut base64, false);
    MimePart {
        headers: vec![
            ("Content-Type".into(), raw(file.media_type.clone())),
            ("Content-Disposition".into(), raw(disposition)),
            ("Content-Transfer-Encoding".into(), raw("base64".to_owned())),
        ],
        contents: BodyPart::Binary(base64.into()),
    }
}
