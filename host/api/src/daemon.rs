//! Whether the daemon runs.

use std::{fs::File, path::Path};

/// Whether a daemon holds the lock of the state folder.
pub fn is_daemon_running(state: &Path) -> bool {
    let Ok(lock) = File::open(state.join("lock")) else {
        return false;
    };
    matches!(
        lock.try_lock_shared(),
        Err(std::fs::TryLockError::WouldBlock)
    )
}
