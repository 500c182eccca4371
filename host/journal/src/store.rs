//! [`Journal`]: the SQLite file.
//!
//! Invariants: write-ahead log, `synchronous=FULL`; every decision and the entry that follows from
//! it are one immediate transaction, so of two processes one decides after the other has written;
//! triggers refuse to change or remove an entry.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use platinum_core::{DraftId, TaskId, Timestamp};
use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params,
};

use crate::{
    Begin, Intent, JournalError, Outcome, State, TaskReceipt, Verified,
    chain::{Row, START},
};

/// `application_id` of the file: "Plat".
const APPLICATION: i64 = 0x506c_6174;
/// `user_version` of the file.
const LAYOUT: i64 = 1;
/// How long a call waits for another process to finish its transaction.
const BUSY: Duration = Duration::from_secs(10);

const SCHEMA: &str = "
    CREATE TABLE entries (
        seq   INTEGER PRIMARY KEY,
        draft TEXT NOT NULL,
        task  TEXT NOT NULL,
        event TEXT NOT NULL CHECK (event IN ('intent', 'outcome')),
        data  TEXT NOT NULL,
        at    TEXT NOT NULL,
        hash  TEXT NOT NULL
    ) STRICT;
    CREATE INDEX entries_by_draft ON entries (draft, seq);
    CREATE INDEX entries_by_task ON entries (task, seq);
    CREATE TABLE head (
        id   INTEGER PRIMARY KEY CHECK (id = 1),
        seq  INTEGER NOT NULL,
        hash TEXT NOT NULL
    ) STRICT;
    CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
        BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END;
    CREATE TRIGGER entries_remain BEFORE DELETE ON entries
        BEGIN SELECT RAISE(ABORT, 'an entry is never removed'); END;
";

/// The journal. Calls block on the disk: from async code, call them on a thread for blocking work.
#[derive(Debug)]
pub struct Journal(Mutex<Connection>);

impl Journal {
    /// Opens the journal in this file, making it if there is none. It holds what was sent to
    /// whom, so nobody but its user may read it.
    ///
    /// # Errors
    /// If the file cannot be opened, is no journal, is of a newer layout, or lies on a file system
    /// that cannot keep it durably.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        // One at a time in this process, so that `make_private` closes no file under a lock.
        static OPENING: Mutex<()> = Mutex::new(());
        let _alone = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
        make_private(path).map_err(|source| JournalError::Open {
            path: path.to_owned(),
            source,
        })?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY)?;
        let file = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        prepare(&file, path)?;
        file.commit()?;
        let mode = write_ahead(&connection)?;
        if !mode.eq_ignore_ascii_case("wal") {
            return Err(JournalError::NotDurable {
                path: path.to_owned(),
                mode,
            });
        }
        connection.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA trusted_schema = OFF;",
        )?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Says whether an effect may be tried, and if so, writes the intent first.
    ///
    /// # Errors
    /// If the intent cannot be written: then the effect may not be tried.
    pub fn intend(&self, intent: &Intent) -> Result<Begin, JournalError> {
        let mut connection = self.lock();
        let write = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let reference = match state_of(&write, intent.draft)? {
            State::Absent => intent.reference.clone(),
            State::NotSent { intent: before, .. } => before.reference,
            State::Done(_, receipt) => return Ok(Begin::AlreadyDone(receipt)),
            State::Intended(before) | State::Unknown { intent: before, .. } => {
                return Ok(Begin::InDoubt(before));
            }
        };
        let intent = Intent {
            reference: reference.clone(),
            ..intent.clone()
        };
        let data = serde_json::to_string(&intent).map_err(JournalError::Unwritable)?;
        append(&write, &intent, INTENT, data, intent.at)?;
        write.commit()?;
        Ok(Begin::Go { reference })
    }

    /// Writes what came of an attempt, or what was found out later about one in doubt. The same
    /// receipt twice is no error.
    ///
    /// # Errors
    /// If no attempt is under way or in doubt, or it cannot be written.
    pub fn record(&self, draft: DraftId, outcome: &Outcome) -> Result<(), JournalError> {
        let mut connection = self.lock();
        let write = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let intent = match state_of(&write, draft)? {
            State::Intended(intent) | State::Unknown { intent, .. } => intent,
            State::Done(_, receipt) if *outcome == Outcome::Receipt(receipt.clone()) => {
                return Ok(());
            }
            State::Done(..) => return Err(JournalError::AlreadyDone(draft)),
            State::Absent | State::NotSent { .. } => return Err(JournalError::NoIntent(draft)),
        };
        let at = match outcome {
            Outcome::Receipt(receipt) => receipt.at,
            Outcome::NotSent { .. } | Outcome::Unknown { .. } => Timestamp::now(),
        };
        let data = serde_json::to_string(outcome).map_err(JournalError::Unwritable)?;
        append(&write, &intent, OUTCOME, data, at)?;
        write.commit()?;
        Ok(())
    }

    /// What the journal knows of a draft.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn state(&self, draft: DraftId) -> Result<State, JournalError> {
        state_of(&self.lock(), draft)
    }

    /// The attempts of which nobody knows what came of them, oldest first: those whose host died,
    /// and those whose outcome was recorded as unknown. Before any new effect, these are asked
    /// after.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn open_intents(&self) -> Result<Vec<Intent>, JournalError> {
        let connection = self.lock();
        // One statement reads one state of the file.
        let mut drafts = connection.prepare_cached(
            "SELECT draft FROM entries AS e
             WHERE seq = (SELECT max(seq) FROM entries WHERE draft = e.draft)
               AND (event = 'intent' OR json_extract(data, '$.outcome') = 'unknown')
             ORDER BY seq",
        )?;
        let drafts: Vec<String> = drafts
            .query_map([], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut open = Vec::new();
        for draft in drafts {
            let draft = draft.parse().map_err(|error: platinum_core::IdError| {
                JournalError::Unreadable {
                    entry: 0,
                    reason: error.to_string(),
                }
            })?;
            // It may have been recorded between the two statements.
            if let State::Intended(intent) | State::Unknown { intent, .. } =
                state_of(&connection, draft)?
            {
                open.push(intent);
            }
        }
        Ok(open)
    }

    /// The receipts of a task, oldest first.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn receipts_of(&self, task: TaskId) -> Result<Vec<TaskReceipt>, JournalError> {
        let connection = self.lock();
        let mut drafts = connection.prepare_cached(
            "SELECT draft FROM entries WHERE task = ?1 AND event = 'outcome'
               AND json_extract(data, '$.outcome') = 'receipt' ORDER BY seq",
        )?;
        let drafts: Vec<String> = drafts
            .query_map([task.to_string()], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        let mut receipts = Vec::new();
        for draft in drafts {
            let draft = draft.parse().map_err(|error: platinum_core::IdError| {
                JournalError::Unreadable {
                    entry: 0,
                    reason: error.to_string(),
                }
            })?;
            if let State::Done(intent, receipt) = state_of(&connection, draft)? {
                receipts.push(TaskReceipt {
                    draft,
                    kind: intent.kind,
                    receipt,
                });
            }
        }
        Ok(receipts)
    }

    /// Reads every entry and checks that none was changed, moved, added behind the journal's back
    /// or taken out.
    ///
    /// # Errors
    /// [`JournalError::Broken`], with the first entry that is not as it was written.
    pub fn verify(&self) -> Result<Verified, JournalError> {
        let mut connection = self.lock();
        let read = connection.transaction()?;
        let mut rows = read
            .prepare("SELECT seq, draft, task, event, data, at, hash FROM entries ORDER BY seq")?;
        let mut rows = rows.query([])?;
        let (mut last, mut head) = (0_i64, START.to_owned());
        while let Some(row) = rows.next()? {
            let hash: String = row.get(6)?;
            let row = Row {
                seq: row.get(0)?,
                draft: row.get(1)?,
                task: row.get(2)?,
                event: row.get(3)?,
                data: row.get(4)?,
                at: row.get(5)?,
            };
            let broken = |reason| JournalError::Broken {
                entry: row.seq,
                reason,
            };
            if row.seq != last + 1 {
                return Err(broken("the entry before it is missing"));
            }
            if row.hash(&head) != hash {
                return Err(broken("its text is not the one that was written"));
            }
            (last, head) = (row.seq, hash);
        }
        if head_of(&read)? != (last, head.clone()) {
            return Err(JournalError::Broken {
                entry: last,
                reason: "the entries end elsewhere than they did",
            });
        }
        Ok(Verified {
            entries: last.unsigned_abs(),
            head,
        })
    }

    #[cfg(test)]
    pub(crate) fn pragma(&self, name: &str) -> String {
        use rusqlite::types::Value;
        let sql = format!("PRAGMA {name}");
        match self.lock().query_row(&sql, [], |row| row.get(0)).unwrap() {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    /// A panic elsewhere leaves no half transaction behind: SQLite rolled it back.
    fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const INTENT: &str = "intent";
const OUTCOME: &str = "outcome";

/// Makes the file for its user alone, and its name durable. SQLite gives its companions the same
/// permissions. A file that is there is not opened here: closing it would take away the locks that
/// SQLite holds on it for this process.
fn make_private(path: &Path) -> io::Result<()> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(file) => file.sync_all()?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return fs::set_permissions(path, Permissions::from_mode(0o600));
        }
        Err(error) => return Err(error),
    }
    match path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        Some(folder) => File::open(folder)?.sync_all(),
        None => File::open(".")?.sync_all(),
    }
}

/// Switches to a write-ahead log; answers what the file has then. SQLite does not wait by itself
/// for another process that has just opened the file.
fn write_ahead(connection: &Connection) -> rusqlite::Result<String> {
    let deadline = Instant::now() + BUSY;
    loop {
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
        match mode {
            Err(rusqlite::Error::SqliteFailure(error, _))
                if error.code == ErrorCode::DatabaseBusy && Instant::now() < deadline =>
            {
                thread::park_timeout(Duration::from_millis(5));
            }
            mode => return mode,
        }
    }
}

/// Checks that the file is a journal, or makes an empty file one.
fn prepare(file: &Transaction<'_>, path: &Path) -> Result<(), JournalError> {
    let pragma = |name: &str| -> rusqlite::Result<i64> {
        file.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    };
    let application = pragma("application_id")?;
    let found = pragma("user_version")?;
    let tables: i64 = file.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && found == 0 && tables == 0 {
        file.execute_batch(SCHEMA)?;
        file.execute(
            "INSERT INTO head (id, seq, hash) VALUES (1, 0, ?1)",
            [START],
        )?;
        return Ok(file.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {LAYOUT};"
        ))?);
    }
    if application != APPLICATION {
        return Err(JournalError::NotAJournal(path.to_owned()));
    }
    if found > LAYOUT {
        return Err(JournalError::TooNew {
            path: path.to_owned(),
            found,
            known: LAYOUT,
        });
    }
    Ok(())
}

fn head_of(connection: &Connection) -> rusqlite::Result<(i64, String)> {
    let mut head = connection.prepare_cached("SELECT seq, hash FROM head WHERE id = 1")?;
    head.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn append(
    write: &Transaction<'_>,
    intent: &Intent,
    event: &str,
    data: String,
    at: Timestamp,
) -> Result<(), JournalError> {
    let (last, before) = head_of(write)?;
    let row = Row {
        seq: last + 1,
        draft: intent.draft.to_string(),
        task: intent.task.to_string(),
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
    write
        .prepare_cached("UPDATE head SET seq = ?1, hash = ?2 WHERE id = 1")?
        .execute(params![row.seq, hash])?;
    Ok(())
}

/// The last attempt of a draft and what came of it.
fn state_of(connection: &Connection, draft: DraftId) -> Result<State, JournalError> {
    let mut last = connection.prepare_cached(
        "SELECT i.seq, i.data, o.seq, o.data
         FROM (SELECT seq, data FROM entries WHERE draft = ?1 AND event = 'intent'
               ORDER BY seq DESC LIMIT 1) AS i
         LEFT JOIN entries AS o ON o.draft = ?1 AND o.event = 'outcome' AND o.seq > i.seq
         ORDER BY o.seq DESC LIMIT 1",
    )?;
    type Found = (i64, String, Option<i64>, Option<String>);
    let found: Option<Found> = last
        .query_row([draft.to_string()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((seq, intent, outcome_seq, outcome)) = found else {
        return Ok(State::Absent);
    };
    let intent: Intent = read_back(seq, &intent)?;
    let Some(outcome) = outcome else {
        return Ok(State::Intended(intent));
    };
    Ok(match read_back(outcome_seq.unwrap_or(seq), &outcome)? {
        Outcome::Receipt(receipt) => State::Done(intent, receipt),
        Outcome::NotSent { reason, retry } => State::NotSent {
            intent,
            reason,
            retry,
        },
        Outcome::Unknown { reason } => State::Unknown { intent, reason },
    })
}

fn read_back<T: serde::de::DeserializeOwned>(entry: i64, data: &str) -> Result<T, JournalError> {
    serde_json::from_str(data).map_err(|error| JournalError::Unreadable {
        entry,
        reason: error.to_string(),
    })
}
