//! The trait [`Mailbox`] and the records it takes and answers.
//!
//! The backends are in [`crate::maildir`] and [`crate::imap`]; turning bytes into text is [`crate::message`].

use std::any::Any;
use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::MailboxError;

/// The most bytes of one mail that are kept; the rest of a larger mail is not read.
pub const MAX_MAIL_BYTES: u64 = 4 * 1024 * 1024;
/// The same of a mail that is read for the files attached to it: what providers let through, as it is encoded.
pub const MAX_WHOLE_MAIL_BYTES: u64 = 48 * 1024 * 1024;

/// How far a reader has come in an inbox. Plain data: keep it anywhere.
///
/// Only IMAP uses it. A Maildir has no order, so there the `seen` question of [`Mailbox::poll_new`] decides alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Cursor {
    /// The UIDVALIDITY under which `next_uid` means something; 0 before the first poll.
    pub uid_validity: u32,
    /// The lowest UID that was not answered yet; 0 before the first poll.
    pub next_uid: u32,
}

/// One mail as it lies in the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMail {
    /// Its name in this mailbox: `uidvalidity/uid`, or a Maildir's unique name without its flags.
    pub key: String,
    /// The size of the whole mail.
    pub size: u64,
    /// The mail's first bytes, at most [`MAX_MAIL_BYTES`].
    pub bytes: Vec<u8>,
    /// Whether the mail is longer than `bytes`.
    pub truncated: bool,
    /// When the mailbox received it.
    pub internal_date: Option<Timestamp>,
    /// Whether it carries the mark of a mail that was answered.
    pub answered: bool,
    /// Whether it carries the mark of a mail that was read.
    pub is_read: bool,
}

/// What [`Mailbox::poll_new`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewMail {
    /// The mails, oldest first; never more than the limit asked for.
    pub mails: Vec<RawMail>,
    /// Where to go on. Keep it only after `mails` are dealt with.
    pub cursor: Cursor,
    /// Whether the limit cut the answer: ask again at once.
    pub more: bool,
}

/// Why [`Mailbox::wait`] came back. It carries no data: poll again in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The mailbox reported a change.
    Changed,
    /// The time was over.
    TimedOut,
}

/// How much of each mail a search reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum MailPart {
    /// As much as of a new mail.
    #[default]
    Whole,
    /// So much that the files attached to it are read: [`MAX_WHOLE_MAIL_BYTES`].
    WithFiles,
    /// The first [`BEGINNING_BYTES`]: what its writer wrote, without what is attached.
    Beginning,
    /// The header fields From, To and Cc alone, at most [`PEOPLE_BYTES`].
    People,
}

/// The most bytes of a mail's beginning.
pub const BEGINNING_BYTES: u64 = 64 * 1024;
/// The most bytes of the header fields with people: some 200 of them.
pub const PEOPLE_BYTES: u64 = 8 * 1024;

/// What to search for; all given parts must hold. With none given, the newest mails are answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Words, each of which is in the subject, the addresses or the text; words in quotation marks belong together.
    pub text: Option<String>,
    /// The sender's address, or a part of the name or the address.
    pub sender: Option<String>,
    /// In the name or address of somebody in To or Cc.
    pub recipient: Option<String>,
    /// Mails of the threads of these Message-IDs (without angle brackets).
    pub thread: Vec<String>,
    /// The one mail with this Message-ID (without angle brackets).
    pub message_id: Option<String>,
    /// A mail of the folder of sent mails, whatever its name is: one with this `X-Platinum-Draft`, or whose
    /// Message-ID begins with this.
    pub sent_as: Option<String>,
    /// A mail with exactly this `X-Platinum-Draft`.
    pub draft: Option<String>,
    /// Only in the folder of sent mails, whatever its name is.
    pub is_sent: bool,
    /// Only in this folder (`INBOX`, `Sent`, ...); without it, in the inbox, and in Sent, and in Drafts for `message_id`.
    pub folder: Option<String>,
    /// The most answers wanted.
    pub limit: usize,
    /// How much of each is read.
    pub part: MailPart,
}

/// A mail that a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SearchHit {
    /// The folder it is in.
    pub folder: String,
    /// The mail; its bytes are cut like those of a new mail.
    pub mail: RawMail,
}

/// A person's mailbox. One owner at a time; every method has its own time-out inside and connects again when needed.
///
/// Nothing here files a mail as sent or hands one on: the acting crate does that over the backend itself, which it
/// finds by [`Any`].
#[async_trait]
pub trait Mailbox: Any + Debug + Send + Sync {
    /// The inbox as it is now, seen from its end: a cursor after which only mails to come are new.
    /// A Maildir answers the empty cursor.
    async fn cursor_at_end(&mut self) -> Result<Cursor, MailboxError>;

    /// The keys of all mails now in the inbox, without reading them.
    async fn keys(&mut self) -> Result<Vec<String>, MailboxError>;

    /// Mails of the inbox from `cursor` on whose key is not `seen`, oldest first, at most `limit`.
    ///
    /// When the server gave the inbox a new UIDVALIDITY, all its mails are answered again under new keys:
    /// know them by their Message-ID.
    async fn poll_new(
        &mut self,
        cursor: &Cursor,
        limit: usize,
        seen: &(dyn for<'a> Fn(&'a str) -> bool + Send + Sync),
    ) -> Result<NewMail, MailboxError>;

    /// Waits until the inbox changed, or `at_most` this long.
    async fn wait(&mut self, at_most: Duration) -> Result<Wake, MailboxError>;

    /// Searches, newest first.
    async fn search(&mut self, query: &Query) -> Result<Vec<SearchHit>, MailboxError>;

    /// Puts these bytes into the drafts, marked as a draft, unless a draft with this Message-ID is there;
    /// answers the folder's name. With `draft`, which is the mail's `X-Platinum-Draft`, it takes the place of those
    /// that have the same; what the owner's own program made of one does not, and stays.
    async fn save_draft(
        &mut self,
        message_id: &str,
        draft: Option<&str>,
        mail: &[u8],
    ) -> Result<String, MailboxError>;

    /// Removes the drafts with this `X-Platinum-Draft`; answers how many there were.
    async fn remove_drafts(&mut self, draft: &str) -> Result<usize, MailboxError>;
}
