//! The IMAP backend: one TLS connection, made at the first use and again after it was lost.
//!
//! - here: the [`Mailbox`] over it; - [`connect`]: the connection; - [`commands`]: single commands with their time-outs
//!   and bounds; - [`query`]: the search language; - [`bounded`]: the stream that counts.
//!
//! Invariants: folders are opened with EXAMINE and bodies are fetched with PEEK, so nothing is marked as read;
//! every command has a time-out; a command that failed on the connection ends the connection;
//! a mail is appended at most once per call.

mod bounded;
mod commands;
mod connect;
mod query;

use std::time::Duration;

use async_trait::async_trait;

use crate::config::ImapSettings;
use crate::error::MailboxError;
use crate::mailbox::{Cursor, Found, MAX_MAIL_BYTES, Mailbox, NewMail, Query, Queued, Wake};
use crate::search;
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

#[async_trait]
impl Mailbox for Imap {
    async fn cursor_at_end(&mut self) -> Result<Cursor, MailboxError> {
        let inbox = self.examine("INBOX").await?;
        let next_uid = match inbox.next_uid {
            Some(next) => next,
            None => self
                .uids("UID 1:*")
                .await?
                .last()
                .map_or(1, |last| last.saturating_add(1)),
        };
        Ok(Cursor {
            uid_validity: inbox.uid_validity,
            next_uid,
        })
    }

    async fn keys(&mut self) -> Result<Vec<String>, MailboxError> {
        let inbox = self.examine("INBOX").await?;
        if inbox.exists == 0 {
            return Ok(Vec::new());
        }
        Ok(self
            .uids("ALL")
            .await?
            .into_iter()
            .map(|uid| key(inbox.uid_validity, uid))
            .collect())
    }

    async fn poll_new(
        &mut self,
        cursor: &Cursor,
        limit: usize,
        seen: &(dyn for<'a> Fn(&'a str) -> bool + Send + Sync),
    ) -> Result<NewMail, MailboxError> {
        let inbox = self.examine("INBOX").await?;
        let same = cursor.uid_validity == inbox.uid_validity;
        let start = if same { cursor.next_uid.max(1) } else { 1 };
        let mut end = Cursor {
            uid_validity: inbox.uid_validity,
            next_uid: start,
        };
        let mut new = NewMail::default();
        if inbox.exists > 0 && inbox.next_uid.is_none_or(|next| start < next) {
            // `n:*` always names the last mail, even one before n.
            let mut uids = self.uids(&format!("UID {start}:*")).await?;
            uids.retain(|uid| *uid >= start);
            for uid in uids {
                let key = key(inbox.uid_validity, uid);
                if seen(&key) {
                    end.next_uid = uid.saturating_add(1);
                    continue;
                }
                if new.mails.len() >= limit {
                    new.more = true;
                    break;
                }
                // A mail that is gone meanwhile was taken away by its owner.
                new.mails.extend(self.fetch(uid, key).await?);
                end.next_uid = uid.saturating_add(1);
            }
        }
        if !new.more {
            self.looked_to = Some(Cursor {
                next_uid: inbox.next_uid.unwrap_or(end.next_uid).max(end.next_uid),
                ..end.clone()
            });
        }
        new.cursor = end;
        Ok(new)
    }

    async fn wait(&mut self, at_most: Duration) -> Result<Wake, MailboxError> {
        let inbox = self.examine("INBOX").await?;
        // What came between the last look and now is not announced any more.
        if let Some(looked_to) = &self.looked_to {
            let next = inbox.next_uid.unwrap_or(looked_to.next_uid);
            if (inbox.uid_validity, next) != (looked_to.uid_validity, looked_to.next_uid) {
                self.looked_to = None;
                return Ok(Wake::Changed);
            }
        }
        if self
            .connection
            .as_ref()
            .is_some_and(|connection| connection.idle)
        {
            return self.idle(at_most.min(IDLE_TIME)).await;
        }
        tokio::time::sleep(at_most.min(POLL_TIME)).await;
        Ok(Wake::Changed)
    }

    async fn search(&mut self, query: &Query) -> Result<Vec<Found>, MailboxError> {
        search::check(query)?;
        let asked = query::to_imap(query);
        let folders = match &query.folder {
            Some(folder) => vec![folder.clone()],
            None => {
                let special = self.special().await?;
                search::folders(query, &special.sent, &special.drafts)
            }
        };
        let mut found = Vec::new();
        for folder in folders {
            let opened = match self.examine(&folder).await {
                Ok(opened) => opened,
                Err(MailboxError::NoFolder(_)) if query.folder.is_none() => continue,
                Err(error) => return Err(error),
            };
            if opened.exists == 0 {
                continue;
            }
            let uids = self.uids(&asked).await?;
            for uid in uids.into_iter().rev().take(query.limit) {
                if let Some(mail) = self.fetch(uid, key(opened.uid_validity, uid)).await? {
                    found.push(Found {
                        folder: folder.clone(),
                        mail,
                    });
                }
            }
        }
        search::newest_first(&mut found, query.limit);
        Ok(found)
    }

    async fn save_draft(&mut self, mail: &[u8]) -> Result<String, MailboxError> {
        let folder = self.special().await?.drafts;
        self.append(&folder, "(\\Draft \\Seen)", mail).await?;
        Ok(folder)
    }

    async fn file_sent(&mut self, mail: &[u8]) -> Result<String, MailboxError> {
        let folder = self.special().await?.sent;
        self.append(&folder, "(\\Seen)", mail).await?;
        Ok(folder)
    }

    async fn queue_outbox(&mut self, _: &str, _: &[u8]) -> Result<Queued, MailboxError> {
        Err(MailboxError::Unsupported(
            "an IMAP mailbox has no outbox: give the account an smtp table",
        ))
    }
}

fn key(uid_validity: u32, uid: u32) -> String {
    format!("{uid_validity}/{uid}")
}
