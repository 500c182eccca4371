//! [`Ledger`]: what was seen, mails as a rule, and which tasks it became; durable (SQLite).
//!
//! A mail goes through three steps, each durable before the next: *chosen* (its keys, the task's
//! id and the whole note are stored), the note is created in the vault, *written* is stored. A
//! note that was chosen and not written can always be finished from here, without the mailbox.
//! Invariants: one task per mail; a key, once known, stays known; one process at a time.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use platinum_core::{TaskId, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, TransactionBehavior, params};

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS start (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at TEXT NOT NULL,
    first TEXT NOT NULL,
    cursor TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS mail (
    task TEXT PRIMARY KEY,
    identity TEXT NOT NULL,
    content TEXT NOT NULL,
    note TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS mail_identity ON mail (identity);
CREATE INDEX IF NOT EXISTS mail_unwritten ON mail (task) WHERE note IS NOT NULL;
CREATE TABLE IF NOT EXISTS outline (
    task TEXT PRIMARY KEY,
    lines BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS left_out (
    key TEXT PRIMARY KEY,
    task TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS pending_left_out (
    key TEXT PRIMARY KEY,
    line TEXT NOT NULL,
    is_old INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS filed_left_out (
    task TEXT PRIMARY KEY,
    epoch INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS wanted (
    key TEXT PRIMARY KEY
) STRICT;
CREATE TABLE IF NOT EXISTS seen (
    key TEXT PRIMARY KEY
) STRICT;
";
const FORMAT: i64 = 1;

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another process has it.
    #[error("another watcher works with {0}; only one may, end it first")]
    InUse(PathBuf),
    /// The folder or the lock cannot be made.
    #[error("cannot open {path}: {source}")]
    Open {
        /// Which file.
        path: PathBuf,
        /// What the system answered.
        source: std::io::Error,
    },
    /// Made by a newer version.
    #[error("{path} has format {found}, and this program knows {FORMAT}; use the newer program")]
    Newer {
        /// Which file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// SQLite failed.
    #[error("the record of what was seen failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// Something in it is not what this program writes.
    #[error("the record of what was seen is damaged: {0}")]
    Damaged(String),
}

impl LedgerError {
    /// Whether a person has to mend it before a further try makes sense.
    pub fn is_lasting(&self) -> bool {
        matches!(self, Self::Newer { .. } | Self::InUse(_))
    }
}

/// How a mail is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Its name in the mailbox.
    pub key: String,
    /// Hash of the Message-ID, or of the content if it has none.
    pub identity: String,
    /// Hash of the content.
    pub content: String,
}

/// What [`Ledger::choose`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// A mail of this identity and content has a task already: nothing to do.
    Known(TaskId),
    /// It is new, and has this note now.
    New,
}

/// When the watcher first ran, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// When.
    pub at: Timestamp,
    /// Where that was.
    pub first: String,
    /// Where it stands now.
    pub cursor: String,
}

/// The mails that were left out and that no note lists yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pending {
    /// How many.
    pub count: usize,
    /// Whether all of them are old.
    pub are_old: bool,
    /// When the first and the last of them were left out.
    pub first: Timestamp,
    /// As `first`.
    pub last: Timestamp,
    /// What is said of the first of them, a line each.
    pub lines: Vec<String>,
}

/// The record of one account. Where its reader stands is text that only the reader understands.
#[derive(Debug)]
pub struct Ledger {
    connection: Connection,
    _lock: File,
}

impl Ledger {
    /// Opens the record at `path`, makes it if there is none, and locks it.
    ///
    /// # Errors
    /// If another process has it, or it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let lock_path = path.with_extension("lock");
        let failed = |source| LedgerError::Open {
            path: lock_path.clone(),
            source,
        };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let lock = File::create(&lock_path).map_err(failed)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => LedgerError::InUse(path.to_owned()),
            TryLockError::Error(source) => failed(source),
        })?;
        let connection = Connection::open(path)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > FORMAT {
            return Err(LedgerError::Newer {
                path: path.to_owned(),
                found,
            });
        }
        connection.execute_batch(SCHEMA)?;
        connection.pragma_update(None, "user_version", FORMAT)?;
        Ok(Self {
            connection,
            _lock: lock,
        })
    }

    /// The first start, if there was one.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn start(&self) -> Result<Option<Start>, LedgerError> {
        let query = "SELECT at, first, cursor FROM start";
        let columns = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, row.get(1)?, row.get(2)?));
        let row = self.connection.query_row(query, [], columns).optional()?;
        let Some((at, first, cursor)) = row else {
            return Ok(None);
        };
        let at = at
            .parse()
            .map_err(|_| LedgerError::Damaged(format!("`{at}` is no time")))?;
        Ok(Some(Start { at, first, cursor }))
    }

    /// Stores the first start, and the names of mails that were there before and become no tasks.
    ///
    /// # Errors
    /// If there was one already, or it cannot be stored. Then nothing is.
    pub fn begin(&mut self, start: &Start, before: &[String]) -> Result<(), LedgerError> {
        let step = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        step.execute(
            "INSERT INTO start (one, at, first, cursor) VALUES (1, ?1, ?2, ?3)",
            params![start.at.to_string(), start.first, start.cursor],
        )?;
        for key in before {
            step.prepare_cached("INSERT OR IGNORE INTO seen (key) VALUES (?1)")?
                .execute([key])?;
        }
        step.commit()?;
        Ok(())
    }

    /// Stores how far the mailbox was read. Only after everything before it was chosen.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn advance(&self, cursor: &str) -> Result<(), LedgerError> {
        self.connection
            .execute("UPDATE start SET cursor = ?1 WHERE cursor <> ?1", [cursor])?;
        Ok(())
    }

    /// Whether a mail of this name was dealt with.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn knows(&self, key: &str) -> Result<bool, LedgerError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT 1 FROM seen WHERE key = ?1")?;
        Ok(query.exists([key])?)
    }

    /// Remembers a mail that becomes no task.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn skip(&self, key: &str) -> Result<(), LedgerError> {
        self.connection
            .execute("INSERT OR IGNORE INTO seen (key) VALUES (?1)", [key])?;
        Ok(())
    }

    /// The task of an earlier mail with this identity: the one of equal content, if there is one.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn known(&self, mail: &Identity) -> Result<Option<(TaskId, bool)>, LedgerError> {
        known(&self.connection, mail)
    }

    /// Stores, in one step, that the mail is seen and which note it becomes; unless an equal mail
    /// has a task.
    ///
    /// # Errors
    /// If it cannot be stored. Then nothing is.
    pub fn choose(
        &mut self,
        mail: &Identity,
        task: TaskId,
        note: &str,
    ) -> Result<Chosen, LedgerError> {
        self.choose_all(mail, &[], task, note)
    }

    /// The same, of several things that become one task: these names are known with it.
    ///
    /// # Errors
    /// As [`Ledger::choose`].
    pub fn choose_all(
        &mut self,
        mail: &Identity,
        keys: &[String],
        task: TaskId,
        note: &str,
    ) -> Result<Chosen, LedgerError> {
        let step = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = known(&step, mail)?;
        for key in keys.iter().chain([&mail.key]) {
            step.prepare_cached("INSERT OR IGNORE INTO seen (key) VALUES (?1)")?
                .execute([key])?;
        }
        let chosen = if let Some((task, true)) = before {
            Chosen::Known(task)
        } else {
            step.execute(
                "INSERT INTO mail (task, identity, content, note) VALUES (?1, ?2, ?3, ?4)",
                params![task.to_string(), mail.identity, mail.content, note],
            )?;
            Chosen::New
        };
        step.commit()?;
        Ok(chosen)
    }

    /// Stores the outline of the mail that a task is of.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn keep_outline(&self, task: TaskId, outline: &[u8]) -> Result<(), LedgerError> {
        self.connection.execute(
            "INSERT OR REPLACE INTO outline (task, lines) VALUES (?1, ?2)",
            params![task.to_string(), outline],
        )?;
        Ok(())
    }

    /// The outline of the mail that a task is of; none if it was taken in before there were any.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn outline(&self, task: TaskId) -> Result<Option<Vec<u8>>, LedgerError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT lines FROM outline WHERE task = ?1")?;
        Ok(query
            .query_row([task.to_string()], |row| row.get(0))
            .optional()?)
    }

    /// Stores, in one step, that a mail is seen and was left out, and what a note will say of it.
    ///
    /// # Errors
    /// If it cannot be stored. Then nothing is.
    pub fn leave_out(
        &mut self,
        key: &str,
        line: &str,
        is_old: bool,
        now: Timestamp,
    ) -> Result<(), LedgerError> {
        let step = self.connection.transaction()?;
        step.execute("INSERT OR IGNORE INTO seen (key) VALUES (?1)", [key])?;
        step.execute(
            "INSERT OR IGNORE INTO pending_left_out (key, line, is_old, at) VALUES (?1, ?2, ?3, ?4)",
            params![key, line, is_old, now.as_millisecond()],
        )?;
        step.commit()?;
        Ok(())
    }

    /// What was left out and is in no note yet, with at most so many lines; none if nothing is.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn pending_left_out(&self, max_lines: usize) -> Result<Option<Pending>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT count(*), min(is_old), min(at), max(at) FROM pending_left_out",
        )?;
        let columns =
            |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
        let (count, are_old, first, last): (_, Option<bool>, Option<i64>, Option<i64>) =
            query.query_row([], columns)?;
        let (Some(are_old), Some(first), Some(last)) = (are_old, first, last) else {
            return Ok(None);
        };
        let mut query = self
            .connection
            .prepare_cached("SELECT line FROM pending_left_out ORDER BY at, rowid LIMIT ?1")?;
        let max_lines = i64::try_from(max_lines).unwrap_or(i64::MAX);
        let lines = query.query_map([max_lines], |row| row.get(0))?;
        let time = |at| {
            Timestamp::from_millisecond(at)
                .map_err(|_| LedgerError::Damaged(format!("{at} is no time")))
        };
        Ok(Some(Pending {
            count: usize::try_from(count).unwrap_or(usize::MAX),
            are_old,
            first: time(first)?,
            last: time(last)?,
            lines: lines.collect::<Result<_, _>>()?,
        }))
    }

    /// Stores, in one step, the note that lists all that was left out and is in no other.
    ///
    /// # Errors
    /// If it cannot be stored. Then nothing is.
    pub fn list_left_out(
        &mut self,
        task: TaskId,
        identity: &str,
        note: &str,
    ) -> Result<(), LedgerError> {
        let task = task.to_string();
        let step = self.connection.transaction()?;
        step.execute(
            "INSERT OR IGNORE INTO left_out (key, task) SELECT key, ?1 FROM pending_left_out",
            [&task],
        )?;
        step.execute("DELETE FROM pending_left_out", [])?;
        step.execute(
            "INSERT INTO mail (task, identity, content, note) VALUES (?1, ?2, '', ?3)",
            params![task, identity, note],
        )?;
        step.commit()?;
        Ok(())
    }

    /// The tasks whose notes list mails that were left out, made since then; the others are forgotten.
    ///
    /// # Errors
    /// If the record cannot be read or written.
    pub fn left_out(&self, since: Timestamp) -> Result<Vec<TaskId>, LedgerError> {
        // An id begins with its time.
        let since = u64::try_from(since.as_millisecond()).unwrap_or(0);
        let first = TaskId::from_parts(since, 0).to_string();
        for table in ["left_out", "filed_left_out"] {
            let forget = format!("DELETE FROM {table} WHERE task < ?1");
            self.connection.prepare_cached(&forget)?.execute([&first])?;
        }
        let mut query = self
            .connection
            .prepare_cached("SELECT DISTINCT task FROM left_out")?;
        let tasks = query.query_map([], |row| row.get::<_, String>(0))?;
        tasks.map(|task| task_id(&task?)).collect()
    }

    /// By which claim a note of what was left out was filed when it was first seen to be; stores this one
    /// if none is.
    ///
    /// # Errors
    /// If the record cannot be read or written.
    pub fn first_filed(&self, task: TaskId, epoch: u64) -> Result<u64, LedgerError> {
        let task = task.to_string();
        let epoch = i64::try_from(epoch).unwrap_or(i64::MAX);
        self.connection
            .prepare_cached("INSERT OR IGNORE INTO filed_left_out (task, epoch) VALUES (?1, ?2)")?
            .execute(params![task, epoch])?;
        let mut query = self
            .connection
            .prepare_cached("SELECT epoch FROM filed_left_out WHERE task = ?1")?;
        let first: i64 = query.query_row([task], |row| row.get(0))?;
        Ok(u64::try_from(first).unwrap_or(0))
    }

    /// Forgets that the mails of a task's note were seen: they are wanted, and taken in as any other.
    /// Answers how many they are.
    ///
    /// # Errors
    /// If it cannot be stored. Then nothing is.
    pub fn take_up(&mut self, task: TaskId) -> Result<usize, LedgerError> {
        let task = task.to_string();
        let step = self.connection.transaction()?;
        step.execute(
            "INSERT OR IGNORE INTO wanted (key) SELECT key FROM left_out WHERE task = ?1",
            [&task],
        )?;
        step.execute(
            "DELETE FROM seen WHERE key IN (SELECT key FROM left_out WHERE task = ?1)",
            [&task],
        )?;
        let taken_up = step.execute("DELETE FROM left_out WHERE task = ?1", [&task])?;
        step.execute("DELETE FROM filed_left_out WHERE task = ?1", [&task])?;
        step.commit()?;
        Ok(taken_up)
    }

    /// The names of the mails that the owner wants and that were not taken in yet.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn wanted(&self) -> Result<Vec<String>, LedgerError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT key FROM wanted WHERE key NOT IN (SELECT key FROM seen)")?;
        let keys = query.query_map([], |row| row.get(0))?;
        Ok(keys.collect::<Result<_, _>>()?)
    }

    /// Whether the owner wants this mail taken in, however old it is.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn is_wanted(&self, key: &str) -> Result<bool, LedgerError> {
        let mut query = self
            .connection
            .prepare_cached("SELECT 1 FROM wanted WHERE key = ?1")?;
        Ok(query.exists([key])?)
    }

    /// Notes that were chosen and of which it is not known that they were written, oldest first,
    /// at most `limit`.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn unwritten(&self, limit: usize) -> Result<Vec<(TaskId, String)>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT task, note FROM mail WHERE note IS NOT NULL ORDER BY task LIMIT ?1",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = query.query_map([limit], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))?;
        rows.map(|row| {
            let (task, note) = row?;
            Ok((task_id(&task)?, note))
        })
        .collect()
    }

    /// Stores that the note was written. Only after it is durable.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn written(&self, task: TaskId) -> Result<(), LedgerError> {
        self.connection.execute(
            "UPDATE mail SET note = NULL WHERE task = ?1",
            [task.to_string()],
        )?;
        Ok(())
    }
}

fn known(connection: &Connection, mail: &Identity) -> Result<Option<(TaskId, bool)>, LedgerError> {
    let mut query = connection.prepare_cached(
        "SELECT task, content = ?2 FROM mail WHERE identity = ?1
         ORDER BY content = ?2 DESC, task LIMIT 1",
    )?;
    let row: Option<(String, bool)> = query
        .query_row([&mail.identity, &mail.content], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    row.map(|(task, same)| Ok((task_id(&task)?, same)))
        .transpose()
}

fn task_id(text: &str) -> Result<TaskId, LedgerError> {
    text.parse()
        .map_err(|error: platinum_core::IdError| LedgerError::Damaged(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(key: &str, identity: &str, content: &str) -> Identity {
        Identity {
            key: key.to_owned(),
            identity: identity.to_owned(),
            content: content.to_owned(),
        }
    }

    fn id(n: u128) -> TaskId {
        TaskId::from_parts(1, n)
    }

    #[test]
    fn same_mail_under_another_name_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("mail.sqlite")).unwrap();
        assert_eq!(
            ledger
                .choose(&mail("1/1", "a", "x"), id(1), "note")
                .unwrap(),
            Chosen::New
        );
        let again = ledger
            .choose(&mail("2/1", "a", "x"), id(2), "note")
            .unwrap();
        assert_eq!(again, Chosen::Known(id(1)));
        assert!(ledger.knows("2/1").unwrap() && !ledger.knows("3/1").unwrap());
    }

    #[test]
    fn other_content_under_a_known_id_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("mail.sqlite")).unwrap();
        ledger.choose(&mail("1", "a", "x"), id(1), "one").unwrap();
        let forged = mail("2", "a", "y");
        assert_eq!(ledger.known(&forged).unwrap(), Some((id(1), false)));
        assert_eq!(ledger.choose(&forged, id(2), "two").unwrap(), Chosen::New);
        assert_eq!(ledger.known(&forged).unwrap(), Some((id(2), true)));
    }

    #[test]
    fn unwritten_notes_survive_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/mail.sqlite");
        let mut ledger = Ledger::open(&path).unwrap();
        let start = Start {
            at: "2026-11-20T10:00:00Z".parse().unwrap(),
            first: "{}".to_owned(),
            cursor: "{}".to_owned(),
        };
        ledger.begin(&start, &["0".to_owned()]).unwrap();
        assert!(
            ledger.begin(&start, &[]).is_err(),
            "there is one first start"
        );
        assert!(ledger.knows("0").unwrap());
        ledger.advance("{1}").unwrap();
        ledger.choose(&mail("1", "a", "x"), id(1), "one").unwrap();
        ledger.choose(&mail("2", "b", "y"), id(2), "two").unwrap();
        ledger.written(id(1)).unwrap();
        assert!(matches!(Ledger::open(&path), Err(LedgerError::InUse(_))));
        drop(ledger);

        let ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.unwritten(10).unwrap(), [(id(2), "two".to_owned())]);
        let start = ledger.start().unwrap().unwrap();
        assert_eq!((start.first.as_str(), start.cursor.as_str()), ("{}", "{1}"));
    }
}
