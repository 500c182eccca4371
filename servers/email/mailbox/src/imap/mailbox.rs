//! The [`Mailbox`] over an IMAP connection.
//!
//! Lives elsewhere: single commands with their time-outs and bounds are in [`commands`](super::commands).

use std::time::Duration;

use async_trait::async_trait;

use super::{IDLE_TIME, Imap, POLL_TIME, utf7};
use crate::error::MailboxError;
use crate::mailbox::{Cursor, MailPart, Mailbox, NewMail, Query, RawMail, SearchHit, Wake};
use crate::message;
use crate::search;

/// So often a mail is tried that cannot be fetched for a reason that may pass.
const MAX_FAILED: u32 = 6;

#[async_trait]
impl Mailbox for Imap {
    async fn cursor_at_end(&mut self) -> Result<Cursor, MailboxError> {
        let inbox = self.client.examine("INBOX").await?;
        let next_uid = match inbox.next_uid {
            Some(next) => next,
            None => self
                .client
                .uids("UID *")
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
        let inbox = self.client.examine("INBOX").await?;
        if inbox.exists == 0 {
            return Ok(Vec::new());
        }
        Ok(self
            .client
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
        let inbox = self.client.examine("INBOX").await?;
        let same = cursor.uid_validity == inbox.uid_validity;
        let start = if same { cursor.next_uid.max(1) } else { 1 };
        let mut end = Cursor {
            uid_validity: inbox.uid_validity,
            next_uid: start,
        };
        let mut new = NewMail::default();
        if inbox.exists > 0 && inbox.next_uid.is_none_or(|next| start < next) {
            // `n:*` always names the last mail, even one before n.
            let mut uids = self.client.uids(&format!("UID {start}:*")).await?;
            uids.retain(|uid| *uid >= start);
            for uid in uids {
                if seen(&key(inbox.uid_validity, uid)) {
                    end.next_uid = uid.saturating_add(1);
                    continue;
                }
                if new.mails.len() >= limit {
                    new.more = true;
                    break;
                }
                let fetched = self
                    .client
                    .fetch(inbox.uid_validity, uid, MailPart::Whole)
                    .await;
                let mail = match fetched {
                    Err(error) => self.stand_in(inbox.uid_validity, uid, error).await,
                    mail => mail,
                };
                match mail {
                    // What was read is dealt with first; the next poll meets the error again.
                    Err(error) if !new.mails.is_empty() => {
                        tracing::debug!(server = self.client.server, %error, "fetching ends here for now");
                        new.more = true;
                        break;
                    }
                    // A mail that is gone meanwhile was taken away by its owner.
                    mail => new.mails.extend(mail?),
                }
                end.next_uid = uid.saturating_add(1);
            }
        }
        if !new.more {
            self.polled_to = Some(Cursor {
                next_uid: inbox.next_uid.unwrap_or(end.next_uid).max(end.next_uid),
                ..end.clone()
            });
        }
        new.cursor = end;
        Ok(new)
    }

    async fn wait(&mut self, at_most: Duration) -> Result<Wake, MailboxError> {
        let inbox = self.client.examine("INBOX").await?;
        // What came between the last poll and now is not announced any more.
        if let Some(polled_to) = &self.polled_to {
            let next = inbox.next_uid.unwrap_or(polled_to.next_uid);
            if (inbox.uid_validity, next) != (polled_to.uid_validity, polled_to.next_uid) {
                self.polled_to = None;
                return Ok(Wake::Changed);
            }
        }
        if self.client.has_idle() {
            return self.client.idle(at_most.min(IDLE_TIME)).await;
        }
        tokio::time::sleep(at_most.min(POLL_TIME)).await;
        Ok(Wake::Changed)
    }

    async fn search(&mut self, query: &Query) -> Result<Vec<SearchHit>, MailboxError> {
        search::check(query)?;
        let folders = match &query.folder {
            Some(folder) => vec![self.resolve(folder).await?],
            None => {
                let special = self.special().await?;
                search::folders(query, &special.sent, &special.drafts)
            }
        };
        let mut found = Vec::new();
        for folder in folders {
            let opened = match self.client.examine(&folder).await {
                Ok(opened) => opened,
                Err(MailboxError::NoFolder(_)) if query.folder.is_none() => continue,
                Err(error) => return Err(error),
            };
            if opened.exists == 0 {
                continue;
            }
            let uids = self.find_uids(query, opened.exists).await?;
            if matches!(query.part, MailPart::Beginning | MailPart::People) {
                let newest = &uids[uids.len().saturating_sub(query.limit)..];
                let mails = self
                    .client
                    .fetch_all(opened.uid_validity, newest, query.part);
                found.extend(mails.await?.into_iter().map(|mail| SearchHit {
                    folder: utf7::decode(&folder),
                    mail,
                }));
                continue;
            }
            // A server finds a part of an address as well: some more are looked at for those that are meant.
            let before = found.len();
            for uid in uids.into_iter().rev().take(query.limit * 3) {
                if found.len() - before == query.limit {
                    break;
                }
                let fetched = self
                    .client
                    .fetch(opened.uid_validity, uid, query.part)
                    .await?;
                let Some(mail) = fetched else {
                    continue;
                };
                let is_meant = |sender: &String| {
                    search::is_from(sender, &message::parse_cut(&mail.bytes, mail.truncated))
                };
                if query.sender.as_ref().is_none_or(is_meant) {
                    found.push(SearchHit {
                        folder: utf7::decode(&folder),
                        mail,
                    });
                }
            }
        }
        search::newest_first(&mut found, query.limit);
        Ok(found)
    }

    async fn save_draft(
        &mut self,
        message_id: &str,
        draft: Option<&str>,
        mail: &[u8],
    ) -> Result<String, MailboxError> {
        let folder = self.special().await?.drafts;
        if self.has(&folder, message_id).await? {
            return Ok(utf7::decode(&folder));
        }
        let earlier = match draft {
            Some(draft) => self.drafts_of(&folder, draft).await?,
            None => Vec::new(),
        };
        self.append(&folder, "(\\Draft \\Seen)", mail).await?;
        // The new one is there: from now on nothing can be lost.
        self.client.remove(&folder, &earlier).await?;
        Ok(utf7::decode(&folder))
    }

    async fn remove_drafts(&mut self, draft: &str) -> Result<usize, MailboxError> {
        let folder = self.special().await?.drafts;
        let found = self.drafts_of(&folder, draft).await?;
        self.client.remove(&folder, &found).await?;
        Ok(found.len())
    }
}

impl Imap {
    /// A mail in place of one that the server does not give, although it knows it: one mail must not hold back
    /// all that come after it. What may pass is tried some times before.
    async fn stand_in(
        &mut self,
        uid_validity: u32,
        uid: u32,
        error: MailboxError,
    ) -> Result<Option<RawMail>, MailboxError> {
        let times = match self.failed {
            (failed, times) if failed == uid => times.saturating_add(1),
            _ => 1,
        };
        self.failed = (uid, times);
        if error.is_passing() && times < MAX_FAILED {
            return Err(error);
        }
        // Whether it is this mail alone; the connection may be lost.
        self.client.examine("INBOX").await?;
        let mail = self.client.fetch_flags(uid_validity, uid).await?;
        tracing::warn!(server = self.client.server, uid, %error, "cannot read a mail; a task says so in its place");
        Ok(mail.map(|mail| RawMail {
            bytes: format!(
                "Subject: A mail that could not be read\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n\
                 The mail server has a mail that it did not give ({}): {error}. Read it in your mail program.\r\n",
                mail.key
            )
            .into_bytes(),
            ..mail
        }))
    }

    /// The keys of what a folder has with this `X-Platinum-Draft`; a folder that is not there has nothing.
    async fn drafts_of(&mut self, folder: &str, draft: &str) -> Result<Vec<String>, MailboxError> {
        let query = Query {
            draft: Some(draft.to_owned()),
            limit: search::MAX_LIMIT,
            ..Query::default()
        };
        search::check(&query)?;
        let opened = match self.client.examine(folder).await {
            Err(MailboxError::NoFolder(_)) => return Ok(Vec::new()),
            opened => opened?,
        };
        let mut found = Vec::new();
        if opened.exists == 0 {
            return Ok(found);
        }
        for uid in self.find_uids(&query, opened.exists).await? {
            let mail = self.client.fetch(opened.uid_validity, uid, MailPart::Whole);
            // IMAP finds a part of a header, too.
            let mail = mail.await?.filter(|mail| {
                let parsed = message::parse_cut(&mail.bytes, mail.truncated);
                parsed.draft.as_deref() == Some(draft)
            });
            found.extend(mail.map(|mail| mail.key));
        }
        Ok(found)
    }
}

/// How a mail of a folder is named.
pub(super) fn key(uid_validity: u32, uid: u32) -> String {
    format!("{uid_validity}/{uid}")
}
