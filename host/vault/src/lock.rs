//! The lock of a whole vault: one daemon at a time, whatever state folder it has.
//!
//! A hidden file, which is never synced and stays. The folder's own inode cannot be used: writers of
//! single files lock it for a moment.

use std::fs::File;

use rustix::{
    fs::{FlockOperation, Mode, OFlags},
    io::Errno,
};

use crate::{Vault, VaultError, folder::io_error};

/// The file that is locked.
const NAME: &str = ".platinum.lock";

/// Held as long as a daemon works on the vault.
#[derive(Debug)]
pub struct VaultLock(
    // Held, not read: closing it gives the lock up.
    #[expect(dead_code, reason = "the lock ends with the file")] File,
);

impl VaultLock {
    /// Takes the lock of a vault, by whatever name its folder is reached; `None` if another daemon
    /// has it. On a file system without locks it is taken as if it were free.
    ///
    /// # Errors
    /// If the file cannot be made or opened.
    pub fn take(vault: &Vault) -> Result<Option<Self>, VaultError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(vault.dir(), NAME, flags, Mode::RUSR | Mode::WUSR)
            .map_err(|error| io_error("open", NAME, error.into()))?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) | Err(Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS) => {
                Ok(Some(Self(File::from(file))))
            }
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(io_error("lock", NAME, error.into())),
        }
    }
}
