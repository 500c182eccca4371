//! [`OutgoingFile`]: a file to send, by its content, never by a path: which file it is was approved by its hash.
//!
//! Lives elsewhere: where it is in the vault, and that it may leave from there, is the host's.
//! Invariants: its content is the one that was announced; its name cannot end a line or be a path.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platinum_text::one_line;
use sha2::{Digest as _, Sha256};

use crate::shapes::FileShape;

/// The longest name, in characters: what WhatsApp shows.
const MAX_NAME: usize = 240;

/// A file to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// A file as it was announced, without its content: its name, made harmless, and its type.
///
/// # Errors
/// What is wrong with its name or type.
pub(crate) fn checked_name(file: &FileShape) -> Result<(String, String), &'static str> {
    let name = one_line(&file.name, MAX_NAME).replace(['/', '\\', '"'], "_");
    let is_part = |text: &str| {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || b"-+.".contains(&byte);
        !text.is_empty() && text.len() <= 100 && text.bytes().all(is_sign)
    };
    let media_type = file.media_type.split_once('/');
    if name.is_empty() {
        return Err("has no name");
    }
    match media_type.is_some_and(|(top, sub)| is_part(top) && is_part(sub)) {
        true => Ok((name, file.media_type.to_ascii_lowercase())),
        false => Err("has no media type such as application/pdf"),
    }
}

impl OutgoingFile {
    /// The file that was announced.
    ///
    /// # Errors
    /// If it has no content, or another one than its length and its hash say.
    pub(crate) fn new(file: &FileShape) -> Result<Self, &'static str> {
        let (name, media_type) = checked_name(file)?;
        let data = file.data.as_deref().ok_or("has no content, as `data`")?;
        let bytes = STANDARD.decode(data).map_err(|_| "is not in base64")?;
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let is_it = file.sha256.as_deref().is_some_and(|of| of == sha256);
        if bytes.len() as u64 != file.size || !is_it {
            return Err("is not the file that its size and hash are of");
        }
        Ok(Self {
            name,
            media_type,
            bytes,
        })
    }

    /// How a chat names it: `[document “offer.pdf”, application/pdf]`, and the text under it.
    #[must_use]
    pub fn in_words(&self, text: &str) -> String {
        let words = format!("[“{}”, {}]", self.name, self.media_type);
        format!("{words} {text}").trim_end().to_owned()
    }

    /// The body of a form with this file and these fields, and the line that parts it.
    #[must_use]
    pub fn form(&self, fields: &[(&str, &str)]) -> (Vec<u8>, String) {
        // In nothing that it parts: it is made of the hash of the file.
        let boundary = format!("platinum-{}", hex::encode(Sha256::digest(&self.bytes)));
        let mut body = String::new();
        for (name, value) in fields {
            body.push_str(&format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            ));
        }
        // How it is called is said with the message.
        body.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"file\"\r\n\
             Content-Type: {}\r\n\r\n",
            self.media_type
        ));
        let mut body = body.into_bytes();
        body.extend_from_slice(&self.bytes);
        body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        (body, boundary)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> FileShape {
        FileShape {
            name: "offer.pdf".into(),
            media_type: "application/pdf".into(),
            size: 3,
            sha256: Some("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad".into()),
            data: Some("YWJj".into()),
        }
    }

    #[test]
    fn file_is_the_one_that_was_announced() {
        let file = OutgoingFile::new(&shape()).unwrap();
        assert_eq!(file.bytes, b"abc");
        assert_eq!(file.in_words(""), "[“offer.pdf”, application/pdf]");
        type Spoil = fn(&mut FileShape);
        let cases: [(&str, Spoil); 6] = [
            ("has no content, as `data`", |file| file.data = None),
            ("is not in base64", |file| file.data = Some("?".into())),
            ("is not the file that its size and hash are of", |file| {
                file.size = 4;
            }),
            ("is not the file that its size and hash are of", |file| {
                file.data = Some("YWJk".into());
            }),
            ("is not the file that its size and hash are of", |file| {
                file.sha256 = None;
            }),
            ("has no media type such as application/pdf", |file| {
                file.media_type = "a/b\r\nX: y".into();
            }),
        ];
        for (words, spoil) in cases {
            let mut spoiled = shape();
            spoil(&mut spoiled);
            assert_eq!(OutgoingFile::new(&spoiled).unwrap_err(), words);
        }
    }

    #[test]
    fn form_has_the_fields_and_the_file() {
        let mut named = shape();
        named.name = "../a \"b\"\r\n.pdf".into();
        let file = OutgoingFile::new(&named).unwrap();
        assert_eq!(file.name, ".._a _b_ .pdf");
        let (body, boundary) = file.form(&[("type", "application/pdf")]);
        let expected = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"type\"\r\n\r\napplication/pdf\r\n--{boundary}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"file\"\r\nContent-Type: application/pdf\r\n\r\n\
             abc\r\n--{boundary}--\r\n"
        );
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }
}
