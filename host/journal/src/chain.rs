//! The hash chain over the journal's entries: a row, the end that is noted in `head`, and adding a
//! row, which is the only way an entry gets into the log.
//!
//! Lives elsewhere: who signs the end is in `head`; reading the whole chain again in `verify`.
//! Invariant: an entry's hash covers the hash before it and every column, each with its length, so
//! no two different entries have the same input.

use platinum_core::Timestamp;
use rusqlite::{Connection, Transaction, params};
use sha2::{Digest, Sha256};

use crate::JournalError;

/// What stands before the first entry.
pub(crate) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is wrong where the head names another entry than the last one.
pub(crate) const ENDS_ELSEWHERE: &str = "the entries end elsewhere than they did";

/// One entry as the table has it.
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) draft: String,
    pub(crate) task: String,
    pub(crate) event: String,
    pub(crate) data: String,
    pub(crate) at: String,
}

impl Row {
    /// An entry of a query for these columns, in this order, before all others.
    pub(crate) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            draft: row.get(1)?,
            task: row.get(2)?,
            event: row.get(3)?,
            data: row.get(4)?,
            at: row.get(5)?,
        })
    }

    /// The hash of this entry after the one whose hash is `before`.
    pub(crate) fn hash(&self, before: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"platinum-journal-1\n");
        let seq = self.seq.to_string();
        for part in [
            before,
            &seq,
            &self.draft,
            &self.task,
            &self.event,
            &self.data,
            &self.at,
        ] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hex::encode(hasher.finalize())
    }
}

/// The end of the log, as it is noted.
pub(crate) struct Head {
    pub(crate) seq: i64,
    pub(crate) hash: String,
    pub(crate) signature: Option<String>,
}

/// The end of the log, sound or not.
pub(crate) fn head_of(connection: &Connection) -> rusqlite::Result<Head> {
    let mut head =
        connection.prepare_cached("SELECT seq, hash, signature FROM head WHERE id = 1")?;
    head.query_row([], |row| {
        Ok(Head {
            seq: row.get(0)?,
            hash: row.get(1)?,
            signature: row.get(2)?,
        })
    })
}

/// The number and the hash of the last entry, if something may be added after it: it is the one that was
/// written last, and signed as this journal's keeper signs.
pub(crate) fn sound_head(connection: &Connection) -> Result<(i64, String), JournalError> {
    let mut head = connection.prepare_cached(
        "SELECT seq, hash, head_trouble(seq, hash, signature),
                (SELECT max(seq) FROM entries) IS NULLIF(seq, 0)
                AND (SELECT hash FROM entries WHERE seq = head.seq)
                    IS CASE seq WHEN 0 THEN NULL ELSE hash END
         FROM head WHERE id = 1",
    )?;
    type HeadColumns = (i64, String, Option<String>, bool);
    let (seq, hash, trouble, is_last): HeadColumns = head.query_row([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    if let Some(reason) = trouble {
        return Err(JournalError::Distrusted(reason));
    }
    match is_last {
        true => Ok((seq, hash)),
        false => Err(JournalError::Broken {
            entry: seq,
            reason: ENDS_ELSEWHERE,
        }),
    }
}

/// Notes the end of the log, and signs it.
pub(crate) fn set_head(write: &Transaction<'_>, seq: i64, hash: &str) -> rusqlite::Result<usize> {
    write
        .prepare_cached(
            "UPDATE head SET seq = ?1, hash = ?2, signature = head_signature(?1, ?2) WHERE id = 1",
        )?
        .execute(params![seq, hash])
}

/// Adds an entry to the log. Without it, what it says may not happen.
pub(crate) fn append_row(
    write: &Transaction<'_>,
    draft: &str,
    task: &str,
    event: &str,
    data: String,
    at: Timestamp,
) -> Result<(), JournalError> {
    let (last, before) = sound_head(write)?;
    let row = Row {
        seq: last + 1,
        draft: draft.to_owned(),
        task: task.to_owned(),
        event: event.to_owned(),
        data,
        at: at.to_string(),
    };
    let hash = row.hash(&before);
    write
        .prepare_cached(
            "INSERT INTO entries (seq, draft, task, event, data, at, hash)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            row.seq, row.draft, row.task, row.event, row.data, row.at, hash
        ])?;
    fail::fail_point!("journal-appended");
    set_head(write, row.seq, &hash)?;
    fail::fail_point!("journal-signed");
    Ok(())
}
