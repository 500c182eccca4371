//! Which file is at a path, and a new file whose identity is known before it has its place.

use std::{fs::File, io, os::unix::fs::MetadataExt};

use platinum_core::{FileIdentity, Timestamp, VaultPath};
use rustix::fs::Mode;

use crate::{
    Vault, VaultError,
    folder::{Place, io_error},
    temp::Temp,
};

impl Vault {
    /// Which file is at a path; none if no file is there.
    ///
    /// # Errors
    /// If it is no regular file, or the way there is refused.
    pub fn identity(&self, path: &VaultPath) -> Result<Option<FileIdentity>, VaultError> {
        let opened = Place::open(self.dir(), path, false).and_then(|place| place.open_file());
        let file = match opened {
            Err(VaultError::NotFound(_)) => return Ok(None),
            opened => opened?,
        };
        let identity =
            identity_of(&file).map_err(|error| io_error("stat", path.as_str(), error))?;
        Ok(Some(identity))
    }

    /// [`Vault::create`] of a file that is announced before anyone can see it at its path: whoever
    /// has to know it again misses no moment of it.
    ///
    /// # Errors
    /// As [`Vault::create`].
    pub fn create_announced(
        &self,
        path: &VaultPath,
        bytes: &[u8],
        announce: &mut dyn FnMut(FileIdentity),
    ) -> Result<(), VaultError> {
        let place = Place::open(self.dir(), path, true)?;
        if place.is_there()? {
            return Err(VaultError::Exists(path.clone()));
        }
        let temp = Temp::write(&place, bytes, Mode::from_raw_mode(0o600))?;
        announce(temp.identity()?);
        temp.take_free_place()
    }
}

/// Which file this is.
pub(crate) fn identity_of(file: &File) -> io::Result<FileIdentity> {
    let about = file.metadata()?;
    let born = about.created().ok().map(Timestamp::try_from);
    let born = born.and_then(Result::ok).map(Timestamp::as_nanosecond);
    Ok(FileIdentity {
        inode: about.ino(),
        // No birth is what some file systems say as the first second of 1970.
        born: born
            .filter(|at| *at != 0)
            .and_then(|at| i64::try_from(at).ok()),
    })
}
