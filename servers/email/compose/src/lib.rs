//! A typed mail turned into the exact bytes that are saved or sent, and into what an approval of it binds.
//!
//! - here: [`Outgoing`]; - [`error`]: why one cannot be written; - [`write`]: the bytes; - [`digest`]: what the owner approves of them;
//! - [`address`]: what an address may be; - [`file`]: attachments.
//!
//! Nothing here talks, waits or acts, so the host composes a mail when its owner approves it, and the mail servers
//! compose it when they save or send it, with the same code.
//!
//! Invariants: no field can add a header (line ends in a header field are refused), Bcc is never in the bytes,
//! the body reads back byte for byte (with `\n` line ends) in any reader; the same mail gives the same bytes.

mod address;
mod digest;
mod error;
mod file;
mod write;

use jiff::Timestamp;

/// The header that names what a mail was drafted as: some servers give a mail another Message-ID.
pub const DRAFT_HEADER: &str = "X-Platinum-Draft";

pub use address::{Address, domain_to_ascii, domain_to_unicode};
pub use digest::Digest;
pub use error::ComposeError;
pub use file::File;

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
    /// The Message-ID, without angle brackets.
    pub message_id: String,
    /// What it was drafted as: the header [`DRAFT_HEADER`], which is left out without it.
    pub draft: Option<String>,
    /// The Date header.
    pub date: Timestamp,
}

/// The fields of a mail as drafts and tools have them: text that nobody has checked. Message-IDs may have angle
/// brackets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    /// Recipients.
    pub to: Vec<String>,
    /// Recipients of a copy.
    pub cc: Vec<String>,
    /// Recipients that the others do not see.
    pub bcc: Vec<String>,
    /// Subject.
    pub subject: String,
    /// The text that leaves.
    pub body: String,
    /// The mail answered.
    pub in_reply_to: Option<String>,
    /// The thread, oldest first.
    pub references: Vec<String>,
    /// Files.
    pub attachments: Vec<File>,
    /// Its own Message-ID.
    pub message_id: String,
    /// What it was drafted as.
    pub draft: Option<String>,
}

impl Outgoing {
    /// The mail that these fields describe.
    ///
    /// A Message-ID of a received mail that cannot be named in a header is left out: it is the sender's, and no
    /// reason not to answer.
    ///
    /// # Errors
    /// If an address is none. All else is checked when it is written.
    pub fn new(from: Address, fields: Fields, date: Timestamp) -> Result<Self, ComposeError> {
        let all = |field, addresses: &[String]| {
            let addresses = addresses.iter();
            let addresses = addresses.map(|one| Address::parse(field, one));
            addresses.collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            from,
            to: all("to", &fields.to)?,
            cc: all("cc", &fields.cc)?,
            bcc: all("bcc", &fields.bcc)?,
            subject: fields.subject,
            body: fields.body,
            in_reply_to: fields.in_reply_to.as_deref().and_then(received_id),
            references: fields
                .references
                .iter()
                .filter_map(|id| received_id(id))
                .collect(),
            attachments: fields.attachments,
            message_id: bare(&fields.message_id),
            draft: fields.draft,
            date,
        })
    }

    /// The mail as RFC 5322 bytes: what is saved, sent and filed, without Bcc.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ComposeError> {
        write::write(self, write::DateHeader::Written)
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

/// The Message-ID of a received mail, if a header can name it.
fn received_id(id: &str) -> Option<String> {
    platinum_text::message_id(id).map(str::to_owned)
}

/// A Message-ID without its angle brackets.
#[must_use]
pub fn bare(id: &str) -> String {
    let id = id.trim();
    id.strip_prefix('<')
        .and_then(|id| id.strip_suffix('>'))
        .unwrap_or(id)
        .to_owned()
}

#[cfg(test)]
mod tests;
