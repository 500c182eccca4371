//! [`FileFilter`]: what decides, as a file is read, whether its bytes may enter the repository.
//!
//! Lives elsewhere: the implementation is the secrets gate of `verify`, wired by `sync`.

use platinum_core::VaultPath;
use platinum_repo::{Oid, Repo, RepoError};

/// Decides which files may enter the repository.
pub trait FileFilter: Send + Sync {
    /// Begins one scan against a base.
    ///
    /// # Errors
    /// If the repository cannot be read.
    fn begin_scan<'a>(
        &'a self,
        repo: &'a Repo,
        base: Option<Oid>,
    ) -> Result<Box<dyn ScanFilter + 'a>, RepoError>;
}

/// The filter during one scan.
pub trait ScanFilter {
    /// Looks through files that are checked one by one next, many at once: that is quicker then.
    fn look_through(&self, _files: &[(Oid, &[u8])]) {}

    /// Checks the bytes of a file that differ from the base.
    ///
    /// # Errors
    /// With the reason, in a sentence, if they may not enter.
    fn check(&self, path: &VaultPath, blob: Oid, bytes: &[u8]) -> Result<(), String>;

    /// Notes that a file needs no check any more: it is as the base has it.
    fn clear(&self, path: &VaultPath);
}
