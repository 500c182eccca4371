//! What the owner says of files that are gone: that they are meant to go.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Says that the deletions that a host holds back are meant. Counts for a day, and once.
///
/// # Errors
/// What the system says.
pub fn accept_deletions(git_dir: &Path) -> io::Result<()> {
    std::fs::write(accepted(git_dir), "")
}

/// The file that says so.
pub(crate) fn accepted(git_dir: &Path) -> PathBuf {
    git_dir.join("platinum-deletions-accepted")
}
