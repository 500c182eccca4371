//! [`announce`]: whoever watches the vault looks at a file, and nothing of it changes.

use platinum_core::VaultPath;
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};

use crate::{Vault, VaultError, folder::Place};

/// Opens a file for writing and closes it: an event for a watcher. A file that may not be written raises none.
///
/// # Errors
/// If there is no such file, or the way there is refused.
pub fn announce(vault: &Vault, path: &VaultPath) -> Result<(), VaultError> {
    let place = Place::open(vault.dir(), path, false)?;
    if !place.is_there()? {
        return Err(VaultError::NotFound(path.clone()));
    }
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    match rustix::fs::openat(&place.dir, place.name, flags, Mode::empty()) {
        Ok(_) | Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) => Ok(()),
        Err(error) => Err(place.io("open", error)),
    }
}
