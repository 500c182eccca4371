//! What is read of the store: the messages of a chat, what came since, what was not delivered.
//!
//! Invariant: every answer is bounded by its caller.

use jiff::Timestamp;
use rusqlite::{Row, params};

use super::chat::{Chat, StoredMessage, author_of, chat, time};
use super::{Store, StoreError};

/// A message that came, with its chat as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The message.
    pub message: StoredMessage,
    /// The chat.
    pub chat: Chat,
}

/// A message of the owner's that was not delivered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its place in the order of reports.
    pub seq: i64,
    /// The chat, if the message is known here.
    pub chat: Option<Chat>,
    /// Our name of the attempt.
    pub reference: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Why, in WhatsApp's words.
    pub words: String,
}

const MESSAGE: &str =
    "SELECT seq, id, chat, author, sender, kind, text, quoted, at, arrived FROM messages";

fn read_message(row: &Row<'_>) -> rusqlite::Result<StoredMessage> {
    let author: String = row.get(3)?;
    Ok(StoredMessage {
        seq: row.get(0)?,
        id: row.get(1)?,
        chat: row.get(2)?,
        author: author_of(&author),
        sender: row.get(4)?,
        kind: row.get(5)?,
        text: row.get(6)?,
        quoted: row.get(7)?,
        at: time(row.get(8)?),
        arrived: time(row.get(9)?),
    })
}

impl Store {
    /// The last messages of a chat, the newest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn messages(&self, chat: &str, limit: u32) -> Result<Vec<StoredMessage>, StoreError> {
        let connection = self.lock();
        let query = format!("{MESSAGE} WHERE chat = ?1 ORDER BY seq DESC LIMIT ?2");
        let mut query = connection.prepare_cached(&query)?;
        let rows = query.query_map(params![chat, limit], read_message)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// What came after this place, of all chats and authors, the oldest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn arrivals(&self, after: i64, limit: u32) -> Result<Vec<Arrival>, StoreError> {
        let connection = self.lock();
        let query = format!("{MESSAGE} WHERE seq > ?1 ORDER BY seq LIMIT ?2");
        let mut query = connection.prepare_cached(&query)?;
        let rows = query.query_map(params![after, limit], read_message)?;
        let messages: Vec<StoredMessage> = rows.collect::<Result<_, _>>()?;
        let mut arrivals = Vec::with_capacity(messages.len());
        for message in messages {
            if let Some(chat) = chat(&connection, &message.chat)? {
                arrivals.push(Arrival { message, chat });
            }
        }
        Ok(arrivals)
    }

    /// What was not delivered, after this place, the oldest first.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn failures(&self, after: i64, limit: u32) -> Result<Vec<Failure>, StoreError> {
        let connection = self.lock();
        let mut query = connection.prepare_cached(
            "SELECT deliveries.seq, deliveries.reference, deliveries.at, deliveries.words, messages.chat
             FROM deliveries LEFT JOIN messages ON messages.id = deliveries.message
             WHERE deliveries.seq > ?1 AND deliveries.progress = 'failed' ORDER BY deliveries.seq LIMIT ?2",
        )?;
        let rows = query.query_map(params![after, limit], |row| {
            let of: Option<String> = row.get(4)?;
            let failure = Failure {
                seq: row.get(0)?,
                chat: None,
                reference: row.get(1)?,
                at: time(row.get(2)?),
                words: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            };
            Ok((failure, of))
        })?;
        let rows: Vec<(Failure, Option<String>)> = rows.collect::<Result<_, _>>()?;
        let mut failures = Vec::with_capacity(rows.len());
        for (failure, of) in rows {
            let chat = match of {
                Some(id) => chat(&connection, &id)?,
                None => None,
            };
            failures.push(Failure { chat, ..failure });
        }
        Ok(failures)
    }

    /// When anything came last; none if nothing ever did.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn last_arrival(&self) -> Result<Option<Timestamp>, StoreError> {
        let connection = self.lock();
        let at: Option<i64> =
            connection.query_row("SELECT max(arrived) FROM messages", [], |row| row.get(0))?;
        Ok(at.map(time))
    }
}
