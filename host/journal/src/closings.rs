//! What is still to be cleared away elsewhere of tasks that are over: a list that is worked off, and no part
//! of the log.

use platinum_core::TaskId;
use rusqlite::{Transaction, params};

use crate::{Journal, JournalError};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS closings (
        task  TEXT PRIMARY KEY,
        sent  TEXT,
        tries INTEGER NOT NULL
    ) STRICT;
";

/// Something to clear away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// The task that is over.
    pub task: TaskId,
    /// The text of the draft that was carried out for it, if one was.
    pub sent: Option<String>,
    /// How often it was tried.
    pub tries: u32,
}

/// Makes the table of a journal that has none yet.
pub(crate) fn prepare(file: &Transaction<'_>) -> Result<(), JournalError> {
    Ok(file.execute_batch(SCHEMA)?)
}

/// The list in a journal.
#[derive(Debug)]
pub struct Closings<'a>(pub(crate) &'a Journal);

impl Closings<'_> {
    /// Adds what is to be cleared away of a task; what was carried out for it stays known.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn add(&self, task: TaskId, sent: Option<&str>) -> Result<(), JournalError> {
        self.0
            .lock()
            .prepare_cached(
                "INSERT INTO closings (task, sent, tries) VALUES (?1, ?2, 0) ON CONFLICT (task)
                 DO UPDATE SET sent = ifnull(excluded.sent, sent), tries = 0",
            )?
            .execute(params![task.to_string(), sent])?;
        Ok(())
    }

    /// What is to be cleared away, what was tried least first, at most `limit`.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn first(&self, limit: u32) -> Result<Vec<Closing>, JournalError> {
        let connection = self.0.lock();
        let mut query = connection.prepare_cached(
            "SELECT task, sent, tries FROM closings ORDER BY tries, task LIMIT ?1",
        )?;
        let rows = query.query_map([limit], |row| {
            Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?))
        })?;
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        // Only ids are written here.
        let closing = |(task, sent, tries): (String, _, _)| {
            let task = task.parse().ok()?;
            Some(Closing { task, sent, tries })
        };
        Ok(rows.into_iter().filter_map(closing).collect())
    }

    /// Counts a try to clear away what is left of a task, or takes it from the list if it `is_done`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn note_try(&self, task: TaskId, is_done: bool) -> Result<(), JournalError> {
        let change = match is_done {
            true => "DELETE FROM closings WHERE task = ?1",
            false => "UPDATE closings SET tries = tries + 1 WHERE task = ?1",
        };
        self.0
            .lock()
            .prepare_cached(change)?
            .execute([task.to_string()])?;
        Ok(())
    }
}
