//! The IMAP backend: one TLS connection, made at the first use and again after it was lost.
//!
//! - here: what it keeps; - `mailbox`: the [`Mailbox`](crate::mailbox::Mailbox) over it; - [`connect`]: the connection; - [`commands`]: single commands with their time-outs
//!   and bounds; - [`query`]: the search language; - [`bounded`]: the stream that counts.
//!
//! Invariants: folders are opened with EXAMINE and bodies are fetched with PEEK, so nothing is marked as read;
//! every command has a time-out; a command that failed on the connection ends the connection;
//! a mail is appended at most once per call.

mod bounded;
mod commands;
mod connect;
mod mailbox;
mod query;

use std::time::Duration;

use crate::config::ImapSettings;
use crate::error::MailboxError;
use crate::mailbox::{Cursor, MAX_MAIL_BYTES};
use connect::Connection;

/// How long one command may take.
const COMMAND_TIME: Duration = Duration::from_secs(30);
/// How long fetching one mail, or storing one, may take.
const TRANSFER_TIME: Duration = Duration::from_secs(120);
/// How long one IDLE lasts: networks forget quiet connections.
const IDLE_TIME: Duration = Duration::from_secs(240);
/// How often a server without IDLE is looked at.
const POLL_TIME: Duration = Duration::from_secs(30);
/// The most bytes of one answer: a mail and its surroundings, or a list of UIDs.
const ANSWER_BYTES: u64 = MAX_MAIL_BYTES + 4 * 1024 * 1024;

/// A mailbox on an IMAP server.
#[derive(Debug)]
pub struct Imap {
    settings: ImapSettings,
    server: String,
    connection: Option<Connection>,
    /// The names of Drafts and Sent, once known.
    special: Option<commands::Special>,
    /// Where the last look at the inbox ended.
    looked_to: Option<Cursor>,
}

impl Imap {
    /// Nothing is connected yet.
    #[must_use]
    pub fn new(settings: ImapSettings) -> Self {
        let server = format!("{}:{}", settings.host, settings.port);
        Self {
            settings,
            server,
            connection: None,
            special: None,
            looked_to: None,
        }
    }

    async fn append(
        &mut self,
        folder: &str,
        flags: &'static str,
        mail: &[u8],
    ) -> Result<(), MailboxError> {
        // EXAMINE first: it shows that the connection lives and the folder is there, so APPEND is tried once only.
        match self.examine(folder).await {
            Ok(_) => {}
            Err(MailboxError::NoFolder(_)) => self.create(folder).await?,
            Err(error) => return Err(error),
        }
        self.append_once(folder, flags, mail).await
    }
}
