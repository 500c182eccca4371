//! [`LockMemory`]: when the newest lock was written that this machine has used, so that an older one, which the
//! owner signed as well, does not count any more.
//!
//! Lives elsewhere: the lock is `file`'s; on the owner's machine the log of what was done remembers it, too, and
//! gives it back to this file when the daemon starts (`host/local`).
//! Invariants: it only ever grows; one that cannot be read is an error, not an empty one. A machine without one
//! uses the first lock that it meets.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use platinum_core::Timestamp;
use platinum_repo::replace_file;

/// The file in the state folder.
const MEMORY_FILE: &str = "skills-lock-seen";

/// The memory in a state folder.
#[derive(Debug, Clone)]
pub struct LockMemory(PathBuf);

impl LockMemory {
    /// That of this state folder.
    pub fn of(state: &Path) -> Self {
        Self(state.join(MEMORY_FILE))
    }

    /// When the newest lock was written that was used here; nothing if none was, or none that says so.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn newest(&self) -> io::Result<Option<Timestamp>> {
        let failed = |why: String| {
            let file = self.0.display();
            io::Error::other(format!(
                "{file} cannot be read ({why}); remove it, and the next lock counts"
            ))
        };
        match fs::read_to_string(&self.0) {
            Ok(text) => match text.trim().parse() {
                Ok(at) => Ok(Some(at)),
                Err(error) => Err(failed(error.to_string())),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    /// Remembers that a lock was used that was written then.
    ///
    /// # Errors
    /// If that cannot be noted durably.
    pub fn raise(&self, written: Timestamp) -> io::Result<()> {
        match self.newest()? {
            Some(newest) if newest >= written => Ok(()),
            _ => replace_file(&self.0, format!("{written}\n").as_bytes()),
        }
    }
}
