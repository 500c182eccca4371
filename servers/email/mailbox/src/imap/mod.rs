//! The IMAP backend: one encrypted connection, made at the first use and again after it was lost.
//!
//! - here: what it keeps; - `mailbox`: the [`Mailbox`](crate::mailbox::Mailbox) over it; - [`connect`]: the connection; - [`commands`]: the connection's single commands with their time-outs
//!   and bounds; - [`folders`]: which folders there are, and where; - [`utf7`]: their names on the wire; - [`raw`]: commands that the library does not know; - [`query`]: the search language; - [`bounded`]: the stream that counts; - [`login_backoff`]: a refused
//!   login is not tried again at once.
//!
//! Invariants: folders are opened with EXAMINE and bodies are fetched with PEEK, so nothing is marked as read;
//! what changes a mail is in `changes` alone; every command has a time-out; a command that failed on the connection ends the connection;
//! a mail is appended at most once per call.

mod bounded;
mod changes;
mod commands;
mod connect;
mod folders;
mod login_backoff;
mod mailbox;
mod query;
mod raw;
mod utf7;

use std::time::Duration;

use crate::config::ImapSettings;
use crate::error::MailboxError;
use crate::mailbox::{Cursor, MAX_MAIL_BYTES, Query};
use crate::search;
use commands::Client;

/// How long a server may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// For connecting and for the TLS handshake, each.
    pub connect: Duration,
    /// For one command.
    pub command: Duration,
    /// For fetching one mail, or storing one.
    pub transfer: Duration,
}

/// What every mailbox has unless it is given others.
pub const TIME_LIMITS: TimeLimits = TimeLimits {
    connect: Duration::from_secs(15),
    command: Duration::from_secs(30),
    transfer: Duration::from_secs(120),
};
/// How long one IDLE lasts: networks forget quiet connections.
const IDLE_TIME: Duration = Duration::from_secs(240);
/// How often a server without IDLE is polled.
const POLL_TIME: Duration = Duration::from_secs(30);
/// The most bytes of one answer: a mail and its surroundings, or a list of UIDs.
const ANSWER_BYTES: u64 = MAX_MAIL_BYTES + SURROUNDINGS;
/// What an answer may have besides a mail.
const SURROUNDINGS: u64 = 4 * 1024 * 1024;

/// A mailbox on an IMAP server.
#[derive(Debug)]
pub struct Imap {
    client: Client,
    /// The names of Drafts and Sent, once known.
    special: Option<folders::Special>,
    /// Where the last poll of the inbox ended.
    polled_to: Option<Cursor>,
    /// The UID of the mail that could not be fetched, and how often in a row.
    failed: (u32, u32),
}

impl Imap {
    /// Nothing is connected yet.
    #[must_use]
    pub fn new(settings: ImapSettings) -> Self {
        Self::with_limits(settings, TIME_LIMITS)
    }

    /// As [`Imap::new`], with other patience.
    #[must_use]
    pub fn with_limits(settings: ImapSettings, limits: TimeLimits) -> Self {
        Self {
            client: Client::new(settings, limits),
            special: None,
            polled_to: None,
            failed: (0, 0),
        }
    }

    /// The name of the folder of sent mails, as on the wire.
    pub async fn sent_folder(&mut self) -> Result<String, MailboxError> {
        Ok(self.special().await?.sent)
    }

    /// Appends a mail to a folder named as on the wire, which is made if it is not there; `flags` as IMAP writes them.
    pub async fn append(
        &mut self,
        folder: &str,
        flags: &'static str,
        mail: &[u8],
    ) -> Result<(), MailboxError> {
        // EXAMINE first: it shows that the connection lives and the folder is there, so APPEND is tried once only.
        match self.client.examine(folder).await {
            Ok(_) => {}
            Err(MailboxError::NoFolder(_)) => self.client.create(folder).await?,
            Err(error) => return Err(error),
        }
        self.client.append_once(folder, flags, mail).await
    }

    /// Adds a flag to the mails of these keys, as a search answered them.
    pub async fn mark(
        &mut self,
        folder: &str,
        keys: &[String],
        flag: &'static str,
    ) -> Result<(), MailboxError> {
        self.client.mark(folder, keys, flag).await
    }

    /// The UIDs of a query in the open folder of so many mails, lowest first.
    async fn find_uids(&mut self, query: &Query, exists: u32) -> Result<Vec<u32>, MailboxError> {
        let mut found = Vec::new();
        for search in query::to_imap(query, exists) {
            found.extend(self.client.uids(&search).await?);
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// Whether a folder has a mail with this Message-ID; a folder that is not there has none.
    async fn has(&mut self, folder: &str, message_id: &str) -> Result<bool, MailboxError> {
        let query = Query {
            message_id: Some(message_id.to_owned()),
            limit: 1,
            ..Query::default()
        };
        search::check(&query)?;
        match self.client.examine(folder).await {
            Ok(opened) if opened.exists == 0 => return Ok(false),
            Ok(_) => {}
            Err(MailboxError::NoFolder(_)) => return Ok(false),
            Err(error) => return Err(error),
        }
        Ok(!self.find_uids(&query, 0).await?.is_empty())
    }
}
