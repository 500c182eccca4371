//! Marking and removing mails: the only commands that change what is in a folder, beside APPEND.
//!
//! Invariants: a mail is named by its UID under the UIDVALIDITY under which it was found, so that no other is meant;
//! what is removed is removed alone (UID EXPUNGE), and stays with its mark on a server that cannot do that.

use async_imap::types::Fetch;
use futures::TryStreamExt as _;
use tokio::time::timeout;

use super::commands::Client;
use crate::error::MailboxError;

impl Client {
    /// Adds a flag to the mails of these keys, as a search answered them.
    pub(super) async fn mark(
        &mut self,
        folder: &str,
        keys: &[String],
        flag: &'static str,
    ) -> Result<(), MailboxError> {
        let Some(uids) = self.open_to_change(folder, keys).await? else {
            return Ok(());
        };
        self.store(&uids, flag).await
    }

    /// Removes the mails of these keys, as a search answered them.
    pub(super) async fn remove(
        &mut self,
        folder: &str,
        keys: &[String],
    ) -> Result<(), MailboxError> {
        if keys.is_empty() {
            return Ok(());
        }
        let Some(uids) = self.open_to_change(folder, keys).await? else {
            return Ok(());
        };
        self.store(&uids, "\\Deleted").await?;
        match self.expunge(&uids).await {
            Err(error @ MailboxError::Refused { .. }) => {
                tracing::debug!(%error, "removed mails stay marked as deleted");
                Ok(())
            }
            expunged => expunged,
        }
    }

    /// Opens a folder for changes; the UIDs of these keys that mean something there, as a set.
    async fn open_to_change(
        &mut self,
        folder: &str,
        keys: &[String],
    ) -> Result<Option<String>, MailboxError> {
        let mut connection = self.begin()?;
        let outcome = timeout(self.limits.command, connection.session.select(folder)).await;
        let opened = self.end(connection, "SELECT", self.limits.command, outcome)?;
        let validity = opened.uid_validity.unwrap_or_default();
        let uids: Vec<&str> = keys
            .iter()
            .filter_map(|key| key.split_once('/'))
            .filter(|(of, _)| of.parse() == Ok(validity))
            .map(|(_, uid)| uid)
            .collect();
        Ok((!uids.is_empty()).then(|| uids.join(",")))
    }

    async fn store(&mut self, uids: &str, flag: &str) -> Result<(), MailboxError> {
        let mut connection = self.begin()?;
        let session = &mut connection.session;
        let outcome = timeout(self.limits.command, async {
            session
                .uid_store(uids, format!("+FLAGS.SILENT ({flag})"))
                .await?
                .try_collect::<Vec<Fetch>>()
                .await
        })
        .await;
        self.end(connection, "UID STORE", self.limits.command, outcome)
            .map(drop)
    }

    async fn expunge(&mut self, uids: &str) -> Result<(), MailboxError> {
        let mut connection = self.begin()?;
        let session = &mut connection.session;
        let outcome = timeout(self.limits.command, async {
            session
                .uid_expunge(uids)
                .await?
                .try_collect::<Vec<u32>>()
                .await
        })
        .await;
        self.end(connection, "UID EXPUNGE", self.limits.command, outcome)
            .map(drop)
    }
}
