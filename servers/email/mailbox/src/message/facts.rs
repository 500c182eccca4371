//! The records of a read mail, and the bounds they keep.

use jiff::Timestamp;

use super::calendar::Event;

/// The bounds of what [`super::parse`] keeps. Constants, stated in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits;

impl Limits {
    /// MIME parts that are read.
    pub const PARTS: usize = 1000;
    /// Nesting of MIME parts that are read.
    pub const DEPTH: usize = 32;
    /// Bytes of text kept.
    pub const TEXT_BYTES: usize = 256 * 1024;
    /// Bytes of one header value kept.
    pub const VALUE_BYTES: usize = 2048;
    /// People listed of one header.
    pub const PEOPLE: usize = 50;
    /// Message-IDs kept of References.
    pub const REFERENCES: usize = 50;
    /// Attachments listed.
    pub const ATTACHMENTS: usize = 100;
    /// Bytes of an attachment's name kept.
    pub const NAME_BYTES: usize = 200;
    /// Bytes of the header block that are read; what follows is left out.
    pub const HEADER_BYTES: usize = 512 * 1024;
}

/// The facts of a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Message-ID, without angle brackets.
    pub message_id: Option<String>,
    /// The mails it answers (In-Reply-To), without angle brackets.
    pub in_reply_to: Vec<String>,
    /// Its thread, oldest first; the first and the newest, [`Limits::REFERENCES`] of them.
    pub references: Vec<String>,
    /// Who wrote it (the first author).
    pub from: Option<Person>,
    /// The other authors, if there are several.
    pub other_authors: Vec<Person>,
    /// Where answers should go, when that is not the author.
    pub reply_to: People,
    /// Whom it was written to.
    pub to: People,
    /// Who got a copy.
    pub cc: People,
    /// Subject, decoded, one line.
    pub subject: String,
    /// The Date header.
    pub date: Option<Timestamp>,
    /// The text to read: plain text, or HTML turned into text; below it the mails that are forwarded inside.
    /// Line ends are `\n`. Which lines are quoted is told by `platinum_text::quotes`.
    pub text: String,
    /// Whether some of `text` was made from HTML.
    pub from_html: bool,
    /// Whether `text` is not all of it.
    pub text_cut: bool,
    /// What is attached; at most [`Limits::ATTACHMENTS`].
    pub attachments: Vec<Attachment>,
    /// Attachments that are not listed.
    pub attachments_left_out: usize,
    /// Whether the mail was longer than what was read, or has more parts than that.
    pub cut: bool,
    /// What kind of mail it is by its content type.
    pub kind: Kind,
    /// How it is signed or encrypted, if it says so. Nothing of that is checked.
    pub protection: Option<Protection>,
    /// Auto-Submitted (RFC 3834), lower case; `no` counts as absent.
    pub auto_submitted: Option<String>,
    /// Precedence, lower case (`bulk`, `list`, `junk`).
    pub precedence: Option<String>,
    /// List-Id.
    pub list_id: Option<String>,
    /// List-Unsubscribe.
    pub list_unsubscribe: Option<String>,
    /// Return-Path, without angle brackets; the empty string is the null sender of a bounce.
    pub return_path: Option<String>,
    /// X-Auto-Response-Suppress, lower case.
    pub auto_response_suppress: Option<String>,
    /// Feedback-ID.
    pub feedback_id: Option<String>,
    /// A header that programs for mail to many write, besides these.
    pub bulk_sender: Option<String>,
    /// A header that marks an automatic answer, besides the two above: `X-Autoreply: yes`.
    pub auto_reply: Option<String>,
    /// A header by which a filter calls the mail spam: `X-Spam-Flag: YES`.
    pub spam: Option<String>,
    /// The event that the mail invites to, or answers about.
    pub event: Option<Event>,
    /// Headers that may occur once, and are there more often. The first of each counts.
    pub repeated: Vec<&'static str>,
    /// X-Platinum-Draft: what it was drafted as, if Platinum sent it.
    pub draft: Option<String>,
}

impl Parsed {
    /// Everybody it was written to, or got a copy.
    pub fn recipients(&self) -> impl Iterator<Item = &Person> {
        self.to.listed.iter().chain(&self.cc.listed)
    }
}

/// A name and an address as a header gave them: outside text, not checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Person {
    /// The name, when there is one.
    pub name: Option<String>,
    /// The address; may be anything a mail can contain.
    pub address: String,
}

impl std::fmt::Display for Person {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.name {
            Some(name) if self.address.is_empty() => out.write_str(name),
            Some(name) => write!(out, "{name} <{}>", self.address),
            None => out.write_str(&self.address),
        }
    }
}

/// The people of one header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// The first [`Limits::PEOPLE`] of them.
    pub listed: Vec<Person>,
    /// How many more there are.
    pub left_out: usize,
}

/// Something attached to a mail; its bytes are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file name the mail gave: outside text, never a path.
    pub name: Option<String>,
    /// Its media type, lower case.
    pub media_type: String,
    /// Its size once decoded.
    pub size: u64,
}

/// Something attached to a mail, with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// What [`Parsed::attachments`] says of it; its size is reckoned.
    pub about: Attachment,
    /// Its content; none if it is longer than was wanted.
    pub content: Option<Vec<u8>>,
}

/// The kind of mail its content types say it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// An ordinary mail.
    #[default]
    Plain,
    /// It is an invitation or the answer to one (RFC 5546).
    Calendar,
    /// A report of a mail system: bounce, read receipt (`multipart/report`).
    Report,
}

/// What was done to a mail's content on its way, by what the mail says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Encrypted with OpenPGP: the text cannot be read here.
    EncryptedOpenPgp,
    /// Encrypted with S/MIME: the text cannot be read here.
    EncryptedSmime,
    /// Signed with S/MIME so that the text is inside the signature, and cannot be read here.
    SealedSmime,
    /// Signed with OpenPGP; the text is plain.
    SignedOpenPgp,
    /// Signed with S/MIME; the text is plain.
    SignedSmime,
}

impl Protection {
    /// Whether it keeps the text from being read here.
    #[must_use]
    pub fn is_unreadable(self) -> bool {
        match self {
            Self::EncryptedOpenPgp | Self::EncryptedSmime | Self::SealedSmime => true,
            Self::SignedOpenPgp | Self::SignedSmime => false,
        }
    }

    /// In words: `encrypted with S/MIME`.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::EncryptedOpenPgp => "encrypted with OpenPGP",
            Self::EncryptedSmime => "encrypted with S/MIME",
            Self::SealedSmime => "sealed in an S/MIME signature",
            Self::SignedOpenPgp => "signed with OpenPGP",
            Self::SignedSmime => "signed with S/MIME",
        }
    }
}
