//! The tables of approvals and pauses: their schema, and reading and writing their rows.

use platinum_core::{DraftId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::{Approval, Pause, PendingFile};
use crate::{JournalError, store::read_back};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS approvals (
        seq   INTEGER PRIMARY KEY,
        draft TEXT NOT NULL,
        event TEXT NOT NULL CHECK (event IN ('approved', 'withdrawn')),
        data  TEXT NOT NULL,
        at    TEXT NOT NULL
    ) STRICT;
    CREATE INDEX IF NOT EXISTS approvals_by_draft ON approvals (draft, seq);
    CREATE TRIGGER IF NOT EXISTS approvals_stay BEFORE UPDATE ON approvals
        BEGIN SELECT RAISE(ABORT, 'an approval is never changed'); END;
    CREATE TRIGGER IF NOT EXISTS approvals_remain BEFORE DELETE ON approvals
        BEGIN SELECT RAISE(ABORT, 'an approval is never removed'); END;
    CREATE TABLE IF NOT EXISTS pauses (
        seq    INTEGER PRIMARY KEY,
        event  TEXT NOT NULL CHECK (event IN ('paused', 'resumed')),
        reason TEXT NOT NULL,
        at     TEXT NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS pending_files (
        draft  TEXT PRIMARY KEY,
        inode  TEXT NOT NULL,
        born   INTEGER,
        sha256 TEXT NOT NULL,
        placed INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// Makes the tables of a journal that has none yet.
pub(crate) fn prepare(file: &Transaction<'_>) -> Result<(), JournalError> {
    Ok(file.execute_batch(SCHEMA)?)
}

pub(super) const APPROVED: &str = "approved";
pub(super) const WITHDRAWN: &str = "withdrawn";

/// Appends a row.
pub(super) fn append(
    write: &Transaction<'_>,
    draft: DraftId,
    event: &str,
    data: &str,
    at: Timestamp,
) -> Result<(), JournalError> {
    write
        .prepare_cached("INSERT INTO approvals (draft, event, data, at) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![draft.to_string(), event, data, at.to_string()])?;
    Ok(())
}

/// The approval of a draft that counts now.
pub(super) fn approval_of(
    connection: &Connection,
    draft: DraftId,
) -> Result<Option<Approval>, JournalError> {
    let mut last = connection.prepare_cached(
        "SELECT seq, event, data FROM approvals WHERE draft = ?1 ORDER BY seq DESC LIMIT 1",
    )?;
    let found: Option<(i64, String, String)> = last
        .query_row([draft.to_string()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
        .optional()?;
    match found {
        Some((seq, event, data)) if event == APPROVED => {
            let approval: Approval = read_back(seq, &data)?;
            // A row that says it is another draft's was not written by this code.
            if approval.draft != draft {
                return Err(unreadable(format!("the approval of {draft} names another")));
            }
            Ok(Some(approval))
        }
        _ => Ok(None),
    }
}

/// Whether the approval that counts now was given after the last outcome.
pub(super) fn is_approved_anew(
    connection: &Connection,
    draft: DraftId,
) -> Result<bool, JournalError> {
    if approval_of(connection, draft)?.is_none() {
        return Ok(false);
    }
    let mut newer = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM entries
             WHERE seq > (SELECT ifnull(max(seq), 0) FROM entries
                          WHERE draft = ?1 AND event = 'outcome')
               AND event = 'audit' AND json_extract(data, '$.audit') = 'approved'
               AND json_extract(data, '$.subject') = ?1)",
    )?;
    Ok(newer.query_row([draft.to_string()], |row| row.get(0))?)
}

/// Notes which file waits under a draft's name.
pub(super) fn note_pending_in(
    connection: &Connection,
    draft: DraftId,
    file: &PendingFile,
) -> Result<(), JournalError> {
    // SQLite's integers have a sign.
    let inode = file.identity.inode.to_string();
    connection
        .prepare_cached(
            "INSERT INTO pending_files (draft, inode, born, sha256, placed)
             VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (draft) DO UPDATE SET inode = excluded.inode, born = excluded.born,
                 sha256 = excluded.sha256, placed = excluded.placed",
        )?
        .execute(params![
            draft.to_string(),
            inode,
            file.identity.born,
            file.sha256,
            file.is_placed
        ])?;
    Ok(())
}

/// Whether everything is paused.
pub(super) fn paused(connection: &Connection) -> Result<Option<Pause>, JournalError> {
    let mut last = connection
        .prepare_cached("SELECT event, reason, at FROM pauses ORDER BY seq DESC LIMIT 1")?;
    let found: Option<(String, String, String)> = last
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    match found {
        Some((event, reason, at)) if event == "paused" => {
            let since = at
                .parse()
                .map_err(|error| unreadable(format!("the time of a pause: {error}")))?;
            Ok(Some(Pause { since, reason }))
        }
        _ => Ok(None),
    }
}

pub(super) fn unreadable(reason: String) -> JournalError {
    JournalError::Unreadable { entry: 0, reason }
}
