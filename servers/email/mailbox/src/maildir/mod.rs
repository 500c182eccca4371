//! The Maildir backend (Maildir++): a folder with `new`, `cur` and `tmp`, and `.Drafts`, `.Sent`, `.Outbox` beside them.
//!
//! - here: the [`Mailbox`] over it; - `reading`: mails and searches; - [`files`]: the folders and files themselves, blocking.
//!
//! Invariants: a mail is written to `tmp`, made durable, then linked into place; an existing file is never replaced.
//! Nothing in the inbox is renamed but for the mark of an answer, and a mail stays unread until its owner reads it.

mod files;
mod reading;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;

use crate::error::MailboxError;
use crate::mailbox::{Cursor, MAX_MAIL_BYTES, Mailbox, NewMail, Query, SearchHit, Wake};
use crate::search;
use files::{Entry, Snapshot};
pub use files::{Folder, Stored};
use reading::{read_mail, search_folders};

/// How often a folder is polled while waiting.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// A mailbox in a folder of this machine.
#[derive(Debug)]
pub struct Maildir {
    root: PathBuf,
    snapshot: Option<Snapshot>,
}

impl Maildir {
    /// Opens an existing Maildir.
    pub fn open(root: &Path) -> Result<Self, MailboxError> {
        files::inbox(root).check()?;
        Ok(Self {
            root: root.to_path_buf(),
            snapshot: None,
        })
    }

    /// Makes a Maildir, or opens the one that is there.
    pub fn create(root: &Path) -> Result<Self, MailboxError> {
        files::inbox(root).make()?;
        Self::open(root)
    }

    /// Marks a mail of the inbox as answered, by its key.
    pub async fn mark_answered(&self, key: &str) -> Result<(), MailboxError> {
        let key = key.to_owned();
        self.blocking(move |root| files::inbox(root).mark_answered(&key))
            .await
    }

    /// Works on the folder of this name, off the async threads.
    pub async fn in_folder<T: Send + 'static>(
        &self,
        name: &'static str,
        work: impl FnOnce(&Folder) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        self.blocking(move |root| work(&files::folder(root, name)?))
            .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, MailboxError> + Send + 'static,
    ) -> Result<T, MailboxError> {
        let root = self.root.clone();
        tokio::task::spawn_blocking(move || work(&root))
            .await
            .map_err(|error| {
                MailboxError::Setup(format!("reading the Maildir was broken off: {error}"))
            })?
    }

    async fn inbox(&mut self) -> Result<Vec<Entry>, MailboxError> {
        let (snapshot, entries) = self
            .blocking(|root| {
                let inbox = files::inbox(root);
                let snapshot = inbox.snapshot(None)?;
                Ok((snapshot, inbox.list()?))
            })
            .await?;
        self.snapshot = Some(snapshot);
        Ok(entries)
    }
}

#[async_trait]
impl Mailbox for Maildir {
    async fn cursor_at_end(&mut self) -> Result<Cursor, MailboxError> {
        Ok(Cursor::default())
    }

    async fn keys(&mut self) -> Result<Vec<String>, MailboxError> {
        Ok(self
            .inbox()
            .await?
            .into_iter()
            .map(|entry| entry.key)
            .collect())
    }

    async fn poll_new(
        &mut self,
        cursor: &Cursor,
        limit: usize,
        seen: &(dyn for<'a> Fn(&'a str) -> bool + Send + Sync),
    ) -> Result<NewMail, MailboxError> {
        let mut entries = self.inbox().await?;
        entries.retain(|entry| !seen(&entry.key));
        let more = entries.len() > limit;
        entries.truncate(limit);
        let mails = self
            .blocking(move |root| {
                let inbox = files::inbox(root);
                // A mail that is gone meanwhile was taken away by its owner.
                entries
                    .iter()
                    .filter_map(|entry| inbox.read(entry, MAX_MAIL_BYTES).transpose())
                    .collect()
            })
            .await?;
        Ok(NewMail {
            mails,
            cursor: cursor.clone(),
            more,
        })
    }

    async fn wait(&mut self, at_most: Duration) -> Result<Wake, MailboxError> {
        let until = tokio::time::Instant::now() + at_most;
        loop {
            let before = self.snapshot.clone();
            let now = self
                .blocking(move |root| files::inbox(root).snapshot(before.as_ref()))
                .await?;
            let changed = self
                .snapshot
                .as_ref()
                .is_none_or(|before| !before.same_mails(&now));
            self.snapshot = Some(now);
            if changed {
                return Ok(Wake::Changed);
            }
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if left.is_zero() {
                return Ok(Wake::TimedOut);
            }
            tokio::time::sleep(left.min(POLL_INTERVAL)).await;
        }
    }

    async fn search(&mut self, query: &Query) -> Result<Vec<SearchHit>, MailboxError> {
        search::check(query)?;
        let query = query.clone();
        self.blocking(move |root| search_folders(root, &query))
            .await
    }

    async fn save_draft(
        &mut self,
        message_id: &str,
        draft: Option<&str>,
        mail: &[u8],
    ) -> Result<String, MailboxError> {
        let (message_id, mail) = (message_id.to_owned(), mail.to_vec());
        let draft = draft.map(str::to_owned);
        self.in_folder("Drafts", move |drafts| {
            if reading::has(drafts, &message_id)? {
                return Ok(());
            }
            let earlier = match draft {
                Some(draft) => reading::drafts_of(drafts, &draft)?,
                None => Vec::new(),
            };
            drafts.deliver(&mail, "DS")?;
            earlier.iter().try_for_each(|entry| drafts.remove(entry))
        })
        .await?;
        Ok("Drafts".to_owned())
    }

    async fn remove_drafts(&mut self, draft: &str) -> Result<usize, MailboxError> {
        let draft = draft.to_owned();
        self.in_folder("Drafts", move |drafts| {
            let found = reading::drafts_of(drafts, &draft)?;
            found.iter().try_for_each(|entry| drafts.remove(entry))?;
            Ok(found.len())
        })
        .await
    }
}

#[cfg(test)]
mod tests;
