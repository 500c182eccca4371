//! The programs and folders of sessions: one at a time, and none left.
//!
//! Invariant: what is killed has the mark of a session of this state folder in its environment.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::Path,
};

/// By this variable the programs of a session are known.
pub(super) const MARK: &str = "PLATINUM_BROWSER";

/// The folder of all sessions, for this one alone. What an earlier one left is ended and removed.
pub(super) fn take_folder(home: &Path) -> io::Result<File> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(home)?;
    let only = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(home.join("lock"))?;
    match only.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    kill_marked(home);
    for entry in fs::read_dir(home)?.flatten() {
        if entry.file_name().to_string_lossy().starts_with("s-") {
            // What cannot be removed now is tried the next time.
            fs::remove_dir_all(entry.path()).ok();
        }
    }
    Ok(only)
}

/// Kills every program of the sessions in this folder, and says how many there were. Chromium leaves the process group
/// of what started it, so that is not enough.
pub(super) fn kill_marked(folder: &Path) -> usize {
    let mark = format!("{MARK}={}", folder.display()).into_bytes();
    let mut count = 0;
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    for entry in entries {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // What is not ours cannot be read.
        let Ok(environment) = fs::read(entry.path().join("environ")) else {
            continue;
        };
        let is_marked = environment
            .split(|byte| *byte == 0)
            .any(|one| one.starts_with(&mark));
        if is_marked && let Some(pid) = rustix::process::Pid::from_raw(pid) {
            count += 1;
            rustix::process::kill_process(pid, rustix::process::Signal::KILL).ok();
        }
    }
    count
}
