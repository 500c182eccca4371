//! [`rerun_unprivileged`]: a test as a user to whom the permissions of files apply.

use std::{
    fs,
    os::unix::{fs::MetadataExt as _, process::CommandExt as _},
    process::Command,
};

use anyhow::{Context as _, ensure};

/// Who owns nothing.
const NOBODY: u32 = 65_534;

/// Runs the test of this name, as its program has it, once more as another user if this one is root, to whom
/// nothing is unreadable; answers whether it did, and the caller has nothing left to do.
///
/// # Errors
/// If the test fails there, or there is none of that name.
pub fn rerun_unprivileged(test: &str) -> anyhow::Result<bool> {
    let own = tempfile::tempdir()?;
    if fs::metadata(own.path())?.uid() != 0 {
        return Ok(false);
    }
    let output = Command::new(std::env::current_exe()?)
        .args(["--exact", test, "--nocapture"])
        .uid(NOBODY)
        .gid(NOBODY)
        .env("HOME", "/nonexistent")
        // That of the caller may be its own alone.
        .env_remove("TMPDIR")
        .output()
        .context("the test cannot be started as another user")?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success() && printed.contains("1 passed"),
        "{test} as another user: {printed}\n{errors}"
    );
    Ok(true)
}
