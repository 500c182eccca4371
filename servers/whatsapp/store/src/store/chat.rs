//! [`Chat`] and [`StoredMessage`]: what they are, and how they are read from their tables.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row};

use super::StoreError;
use crate::contact::{ContactPair, window_until};
use crate::event::Author;

/// A chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chat {
    /// Its id here: what it was first known by.
    pub id: String,
    /// Who it is with; nobody, of a group.
    pub contact: ContactPair,
    /// The name that the other side gives itself.
    pub name: Option<String>,
    /// Whether it is a group.
    pub is_group: bool,
    /// When the other side wrote last.
    pub last_inbound: Option<Timestamp>,
    /// Whether the owner has ever written there.
    pub is_known: bool,
}

impl Chat {
    /// Until when the other side may be answered in free text; none if it never wrote.
    #[must_use]
    pub fn open_until(&self) -> Option<Timestamp> {
        self.last_inbound.map(window_until)
    }

    /// How a person calls it: the name and the number.
    #[must_use]
    pub fn title(&self) -> String {
        let other = match self.is_group {
            true => "a group".to_owned(),
            false => self.contact.title(),
        };
        match &self.name {
            Some(name) => format!("{name}, {other}"),
            None => other,
        }
    }
}

/// A message of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// Its place in the order in which messages came.
    pub seq: i64,
    /// WhatsApp's id of it.
    pub id: String,
    /// The chat.
    pub chat: String,
    /// Who wrote it.
    pub author: Author,
    /// Who wrote it, in words.
    pub sender: String,
    /// What it is.
    pub kind: String,
    /// What it says.
    pub text: String,
    /// The message that it answers.
    pub quoted: Option<String>,
    /// When it was written.
    pub at: Timestamp,
    /// When it came.
    pub arrived: Timestamp,
}

const CHAT: &str = "SELECT id, number, user_id, name, is_group, last_inbound, has_own FROM chats";

/// The chat of this id.
pub(super) fn chat(connection: &Connection, id: &str) -> Result<Option<Chat>, StoreError> {
    find_chat(connection, "id", Some(id))
}

/// The chat with this in a column.
pub(super) fn find_chat(
    connection: &Connection,
    column: &'static str,
    value: Option<&str>,
) -> Result<Option<Chat>, StoreError> {
    let Some(value) = value else {
        return Ok(None);
    };
    let mut query = connection.prepare_cached(&format!("{CHAT} WHERE {column} = ?1 LIMIT 1"))?;
    Ok(query.query_row([value], read_chat).optional()?)
}

fn read_chat(row: &Row<'_>) -> rusqlite::Result<Chat> {
    Ok(Chat {
        id: row.get(0)?,
        contact: ContactPair {
            number: row.get(1)?,
            id: row.get(2)?,
        },
        name: row.get(3)?,
        is_group: row.get(4)?,
        last_inbound: row.get::<_, Option<i64>>(5)?.map(time),
        is_known: row.get(6)?,
    })
}

/// A time as the store has it: milliseconds.
pub(super) fn time(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(milliseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) fn author_word(author: Author) -> &'static str {
    match author {
        Author::Other => "other",
        Author::OwnerInApp => "app",
        Author::Platinum => "platinum",
        Author::System => "system",
    }
}

pub(super) fn author_of(word: &str) -> Author {
    match word {
        "other" => Author::Other,
        "app" => Author::OwnerInApp,
        "platinum" => Author::Platinum,
        _ => Author::System,
    }
}
