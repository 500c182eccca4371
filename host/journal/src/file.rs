//! The journal's file: made private, checked, and set to survive a crash.
//!
//! Invariants: write-ahead log, `synchronous=FULL`; triggers refuse to change or remove an entry; a
//! reader's copy is of one moment, and reading leaves nothing behind.

use std::{
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use rusqlite::{
    Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior, backup::Backup,
};

use crate::{JournalError, approvals, closings, head::HeadKeeper};

/// `application_id` of the file: "Plat".
const APPLICATION: i64 = 0x506c_6174;
/// How long a call waits for another process to finish its transaction.
const BUSY: Duration = Duration::from_secs(10);

/// The step from each layout to the next one. The newest is the `user_version` of a file.
const LAYOUTS: [&str; 2] = [FIRST, SIGNED];

/// As the first version made a journal.
pub(crate) const FIRST: &str = "
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
    INSERT INTO head (id, seq, hash)
        VALUES (1, 0, '0000000000000000000000000000000000000000000000000000000000000000');
";

/// The entries as they are, with room for those of the audit; and the signature of the end.
const SIGNED: &str = "
    DROP TRIGGER entries_stay;
    DROP TRIGGER entries_remain;
    DROP INDEX entries_by_draft;
    DROP INDEX entries_by_task;
    ALTER TABLE entries RENAME TO entries_before;
    CREATE TABLE entries (
        seq   INTEGER PRIMARY KEY,
        draft TEXT NOT NULL,
        task  TEXT NOT NULL,
        event TEXT NOT NULL CHECK (event IN ('intent', 'outcome', 'audit')),
        data  TEXT NOT NULL,
        at    TEXT NOT NULL,
        hash  TEXT NOT NULL
    ) STRICT;
    INSERT INTO entries SELECT seq, draft, task, event, data, at, hash FROM entries_before;
    DROP TABLE entries_before;
    CREATE INDEX entries_by_draft ON entries (draft, seq);
    CREATE INDEX entries_by_task ON entries (task, seq);
    CREATE TRIGGER entries_stay BEFORE UPDATE ON entries
        BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END;
    CREATE TRIGGER entries_remain BEFORE DELETE ON entries
        BEGIN SELECT RAISE(ABORT, 'an entry is never removed'); END;
    ALTER TABLE head ADD COLUMN signature TEXT;
";

/// Opens the journal in this file, making it if there is none.
pub(crate) fn open(path: &Path, keeper: &HeadKeeper) -> Result<Connection, JournalError> {
    // One at a time in this process, so that `make_private` closes no file under a lock.
    static OPENING: Mutex<()> = Mutex::new(());
    let _alone = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    make_private(path).map_err(|source| JournalError::Open {
        path: path.to_owned(),
        source,
    })?;
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    keeper.register(&connection)?;
    let file = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    prepare(&file, path)?;
    approvals::prepare(&file)?;
    closings::prepare(&file)?;
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

/// A copy in memory of the journal in this file, in the newest layout. Nothing is written beside it.
pub(crate) fn open_copy(path: &Path, keeper: &HeadKeeper) -> Result<Connection, JournalError> {
    let failed = |source: io::Error| JournalError::Open {
        path: path.to_owned(),
        source,
    };
    // SQLite would say no more than that it cannot.
    File::open(path).map_err(failed)?;
    let mut copy = Connection::open_in_memory()?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    loop {
        // Without a write-ahead log nobody has the file open, and SQLite need not make its companions to
        // read it.
        let is_closed = !Path::new(&log).exists();
        let source = match is_closed {
            true => Connection::open_with_flags(
                format!("file:{}?immutable=1", escape(path)),
                OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
            )?,
            false => Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        };
        source.busy_timeout(BUSY)?;
        Backup::new(&source, &mut copy)?.run_to_completion(1 << 20, Duration::ZERO, None)?;
        // Opened meanwhile: the copy may be of two states.
        if !is_closed || !Path::new(&log).exists() {
            break;
        }
    }
    keeper.register(&copy)?;
    let file = copy.transaction_with_behavior(TransactionBehavior::Immediate)?;
    prepare(&file, path)?;
    approvals::prepare(&file)?;
    closings::prepare(&file)?;
    file.commit()?;
    Ok(copy)
}

/// A path inside a `file:` address.
fn escape(path: &Path) -> String {
    let mut escaped = String::new();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'/' | b'.' | b'-' | b'_' => escaped.push(char::from(*byte)),
            byte if byte.is_ascii_alphanumeric() => escaped.push(char::from(*byte)),
            byte => escaped.push_str(&format!("%{byte:02x}")),
        }
    }
    escaped
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

/// Checks that the file is a journal, or makes an empty file one, and brings it to the newest layout.
fn prepare(file: &Transaction<'_>, path: &Path) -> Result<(), JournalError> {
    let pragma = |name: &str| -> rusqlite::Result<i64> {
        file.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    };
    let application = pragma("application_id")?;
    let found = pragma("user_version")?;
    let tables: i64 = file.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_empty = application == 0 && found == 0 && tables == 0;
    if application != APPLICATION && !is_empty {
        return Err(JournalError::NotAJournal(path.to_owned()));
    }
    let known = LAYOUTS.len() as i64;
    let steps = usize::try_from(found)
        .ok()
        .and_then(|found| LAYOUTS.get(found..))
        .ok_or_else(|| JournalError::TooNew {
            path: path.to_owned(),
            found,
            known,
        })?;
    for step in steps {
        file.execute_batch(step)?;
    }
    if !steps.is_empty() {
        file.execute_batch(&format!(
            "PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {known};"
        ))?;
    }
    Ok(())
}
