//! Opening the store: its folder, its tables, its bounds, its steps.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::chat::{Chat, chat};
use super::incoming::{self, Recorded};
use crate::event::ChatEvent;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS arrivals (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE IF NOT EXISTS chats (
    id TEXT PRIMARY KEY,
    number TEXT,
    user_id TEXT,
    name TEXT,
    is_group INTEGER NOT NULL,
    last_inbound INTEGER,
    has_own INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS chats_number ON chats (number);
CREATE INDEX IF NOT EXISTS chats_user ON chats (user_id);
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    chat TEXT NOT NULL,
    author TEXT NOT NULL,
    sender TEXT NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    quoted TEXT,
    at INTEGER NOT NULL,
    arrived INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS messages_chat ON messages (chat, seq);
CREATE TABLE IF NOT EXISTS deliveries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    message TEXT NOT NULL,
    progress TEXT NOT NULL,
    reference TEXT,
    at INTEGER NOT NULL,
    code INTEGER,
    words TEXT,
    UNIQUE (message, progress)
) STRICT;
CREATE INDEX IF NOT EXISTS deliveries_reference ON deliveries (reference);
CREATE TABLE IF NOT EXISTS attempts (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,
    chat TEXT NOT NULL,
    text TEXT NOT NULL,
    quoted TEXT,
    begun INTEGER NOT NULL,
    state TEXT NOT NULL,
    message TEXT,
    words TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS attempts_message ON attempts (message);
";
const FORMAT: i64 = 1;
/// The file in the state folder.
const FILE: &str = "whatsapp.sqlite";
/// How long one process waits for another.
const BUSY: Duration = Duration::from_secs(10);

/// How much is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreBounds {
    /// Messages, the newest ones.
    pub messages: i64,
    /// Ids by which a message is known to have come; WhatsApp brings a message again for a week at most.
    pub arrivals: i64,
    /// Deliveries, and attempts to send.
    pub records: i64,
}

impl Default for StoreBounds {
    fn default() -> Self {
        Self {
            messages: 50_000,
            arrivals: 200_000,
            records: 100_000,
        }
    }
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder cannot be made or looked at.
    #[error("cannot open the state folder {path}: {source}", path = .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// Others may open the folder.
    #[error("the state folder {path} can be opened by others (mode {mode:04o}); run: chmod 700 {path}", path = .path.display())]
    Open {
        /// The folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Made by a newer version.
    #[error("{path} has format {found}, and this program knows {FORMAT}; use the newer program", path = .path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: i64,
    },
    /// SQLite failed.
    #[error("the store of messages failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// The store. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Store {
    connection: Arc<Mutex<Connection>>,
    bounds: StoreBounds,
}

impl Store {
    /// Opens the store in a folder; makes both if they are not there.
    ///
    /// # Errors
    /// If others may open the folder, or it cannot be used.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with(folder, StoreBounds::default())
    }

    /// The same, with bounds of its own.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub fn open_with(folder: &Path, bounds: StoreBounds) -> Result<Self, StoreError> {
        make_private(folder)?;
        let path = folder.join(FILE);
        let mut connection = Connection::open(&path)?;
        connection.busy_timeout(BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: i64 = step.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > FORMAT {
            return Err(StoreError::Newer { path, found });
        }
        step.execute_batch(SCHEMA)?;
        step.pragma_update(None, "user_version", FORMAT)?;
        step.commit()?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            bounds,
        })
    }

    /// Runs something on the store without holding up other tasks.
    ///
    /// # Errors
    /// What it answers; or that it was cut off.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let ended = tokio::task::spawn_blocking(move || work(&store)).await;
        ended.unwrap_or(Err(StoreError::Sqlite(rusqlite::Error::InvalidQuery)))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// One step, whole or not at all, which no other process is in the middle of.
    pub(super) fn step<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.lock();
        let step = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let worked = work(&step)?;
        step.commit()?;
        Ok(worked)
    }

    /// Records what was brought, in one step: all of it or, with an error, nothing.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn record(&self, events: &[ChatEvent], now: Timestamp) -> Result<Recorded, StoreError> {
        self.step(|step| incoming::record(step, events, now, self.bounds))
    }

    /// The chat of this id.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn chat(&self, id: &str) -> Result<Option<Chat>, StoreError> {
        chat(&self.lock(), id)
    }
}

/// Makes the folder, for its owner alone; refuses one that others may open.
fn make_private(folder: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    let failed = |source| StoreError::Folder {
        path: folder.to_path_buf(),
        source,
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(failed)?;
    let metadata = std::fs::metadata(folder).map_err(failed)?;
    let mode = metadata.permissions().mode() & 0o7777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(StoreError::Open {
            path: folder.to_path_buf(),
            mode,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn store_folder_is_private_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("a/state");
        drop(Store::open(&made).unwrap());
        let mode = std::fs::metadata(&made).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, 0o700);
        std::fs::set_permissions(&made, std::fs::Permissions::from_mode(0o750)).unwrap();
        let refused = Store::open(&made).unwrap_err().to_string();
        let path = made.display();
        assert_eq!(
            refused,
            format!(
                "the state folder {path} can be opened by others (mode 0750); run: chmod 700 {path}"
            )
        );
    }

    #[test]
    fn store_of_a_newer_program_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        drop(Store::open(&state).unwrap());
        let connection = Connection::open(state.join(FILE)).unwrap();
        connection.pragma_update(None, "user_version", 9).unwrap();
        let refused = Store::open(&state).unwrap_err().to_string();
        assert!(
            refused.ends_with("has format 9, and this program knows 1; use the newer program"),
            "{refused}"
        );
    }
}
