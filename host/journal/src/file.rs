//! The journal's file: made private, checked, and set to survive a crash.
//!
//! Invariants: write-ahead log, `synchronous=FULL`; triggers refuse to change or remove an entry.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{Connection, ErrorCode, Transaction, TransactionBehavior};

use crate::{JournalError, approvals, chain::START};

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

/// Opens the journal in this file, making it if there is none.
pub(crate) fn open(path: &Path) -> Result<Connection, JournalError> {
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
    approvals::prepare(&file)?;
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
    Ok(connection)
}

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
