//! A typed mail turned into the exact bytes that are saved or sent.
//!
//! - here: [`Outgoing`] and the errors; - [`write`]: the bytes; - [`address`]: what an address may be.
//!
//! Invariants: no field can add a header (line ends in a header field are refused), Bcc is never in the bytes,
//! the body reads back byte for byte (with `\n` line ends) in any reader.

mod address;
mod write;

use jiff::Timestamp;

/// The header that names what a mail was drafted as: some servers give a mail another Message-ID.
pub const DRAFT_HEADER: &str = "X-Platinum-Draft";

pub use address::Address;

/// A mail to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The author.
    pub from: Address,
    /// Recipients.
    pub to: Vec<Address>,
    /// Recipients of a copy.
    pub cc: Vec<Address>,
    /// Recipients that the others do not see: part of the envelope only.
    pub bcc: Vec<Address>,
    /// Subject, one line.
    pub subject: String,
    /// The text that leaves, as it is.
    pub body: String,
    /// The mail answered, without angle brackets.
    pub in_reply_to: Option<String>,
    /// The thread, oldest first, without angle brackets; the mail answered is added when it is not there.
    pub references: Vec<String>,
    /// Files.
    pub attachments: Vec<File>,
    /// The Message-ID, without angle brackets; [`new_message_id`] makes one.
    pub message_id: String,
    /// What it was drafted as: the header [`DRAFT_HEADER`], which is left out without it.
    pub draft: Option<String>,
    /// The Date header.
    pub date: Timestamp,
}

/// A file to attach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its name, one line.
    pub name: String,
    /// `type/subtype`.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl File {
    /// Reads an attachment given as base64 text.
    pub fn from_base64(name: &str, media_type: &str, base64: &str) -> Result<Self, ComposeError> {
        let digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=\r\n".contains(&byte);
        let bytes = Some(base64)
            .filter(|text| text.bytes().all(digit))
            .and_then(|text| mail_parser::decoders::base64::base64_decode(text.as_bytes()))
            .ok_or_else(|| ComposeError::Base64 {
                name: name.chars().take(80).collect(),
            })?;
        Ok(Self {
            name: name.to_owned(),
            media_type: media_type.to_owned(),
            bytes,
        })
    }
}

/// Why a mail cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A one-line field has a line end or another control character in it.
    #[error("{field} contains a line end or another control character; give one line of text")]
    ControlCharacter {
        /// The field.
        field: &'static str,
    },
    /// Not an address.
    #[error("{field}: {given:?} is not a mail address: {reason}")]
    Address {
        /// The field.
        field: &'static str,
        /// What was given, cut.
        given: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Not a Message-ID.
    #[error("{field}: {given:?} is not a Message-ID; write it as left@right")]
    MessageId {
        /// The field.
        field: &'static str,
        /// What was given, cut.
        given: String,
    },
    /// There is no recipient.
    #[error("no recipient: give at least one address in to, cc or bcc")]
    NoRecipient,
    /// Not the id of a draft.
    #[error("draft: {given:?} is not an id; write letters, digits, `_` and `-`")]
    Draft {
        /// What was given, cut.
        given: String,
    },
    /// Not a media type.
    #[error("attachment {name:?}: {media_type:?} is not a media type; write it as application/pdf")]
    MediaType {
        /// The attachment.
        name: String,
        /// What was given, cut.
        media_type: String,
    },
    /// Not base64.
    #[error("attachment {name:?}: its content is not base64")]
    Base64 {
        /// The attachment.
        name: String,
    },
    /// Too much of something.
    #[error("{field}: {found} is more than the {most} allowed")]
    TooMuch {
        /// The field.
        field: &'static str,
        /// How much was given.
        found: usize,
        /// How much may be.
        most: usize,
    },
    /// The mail could not be written.
    #[error("the mail could not be written: {0}")]
    Write(String),
}

impl Outgoing {
    /// The mail as RFC 5322 bytes: what is saved, sent and filed, without Bcc.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ComposeError> {
        write::write(self)
    }

    /// Everyone it goes to, once each: the envelope.
    #[must_use]
    pub fn recipients(&self) -> Vec<&Address> {
        let mut once = Vec::new();
        for address in self.to.iter().chain(&self.cc).chain(&self.bcc) {
            if !once
                .iter()
                .any(|known: &&Address| known.email().eq_ignore_ascii_case(address.email()))
            {
                once.push(address);
            }
        }
        once
    }
}

/// A new Message-ID at the author's domain, without angle brackets.
#[must_use]
pub fn new_message_id(from: &Address) -> String {
    format!(
        "{}@{}",
        hex::encode(rand::random::<[u8; 16]>()),
        from.domain()
    )
}

#[cfg(test)]
mod tests;
