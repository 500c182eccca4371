//! A file that is written beside its place and put there whole, and one that is moved aside.
//!
//! Lives elsewhere: what becomes of such a file when its writer was killed is in `leftover`.
//! Invariants: it is on the disk before it takes its place; if it does not take it, it is removed;
//! a file that is there is never replaced or removed unseen; a name tells whether the bytes under
//! it can be the owner's edit.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::unix::fs::MetadataExt,
    process,
};

use cap_std::fs::Dir;
use platinum_core::{FileIdentity, Timestamp};
use rustix::{
    fs::{AtFlags, Mode, OFlags, RenameFlags},
    io::Errno,
};

use super::leftover::{self, Kind, unused_name};
use crate::{
    VaultError,
    folder::{Place, io_error, open_regular},
};

/// A written file that has not taken its place yet.
pub(crate) struct Temp<'a> {
    place: &'a Place<'a>,
    name: String,
    bytes: &'a [u8],
    /// Whether the file under this name is to be removed.
    ours: bool,
}

impl<'a> Temp<'a> {
    /// Writes the bytes beside their place, down to the disk.
    pub(crate) fn write(
        place: &'a Place<'a>,
        bytes: &'a [u8],
        mode: Mode,
    ) -> Result<Self, VaultError> {
        let (temp, file) = Self::written(place, bytes, mode)?;
        file.sync_all()
            .map_err(|error| io_error("write", place.path.as_str(), error))?;
        fail::fail_point!("vault-temp-synced");
        Ok(temp)
    }

    /// Writes the bytes beside their place. The disk has yet to be waited for.
    pub(crate) fn written(
        place: &'a Place<'a>,
        bytes: &'a [u8],
        mode: Mode,
    ) -> Result<(Self, File), VaultError> {
        let name = unused_name(Kind::New, place.name);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let private = Mode::from_raw_mode(0o600);
        let file = rustix::fs::openat(&place.dir, &name, flags | OFlags::CLOEXEC, private)
            .map_err(|error| place.io("write beside", error))?;
        let temp = Self {
            place,
            name,
            bytes,
            ours: true,
        };
        fail::fail_point!("vault-temp-made");
        let mut file = File::from(file);
        file.write_all(bytes)
            .and_then(|()| rustix::fs::fchmod(&file, mode).map_err(Into::into))
            .map_err(|error| io_error("write", place.path.as_str(), error))?;
        fail::fail_point!("vault-temp-written");
        Ok((temp, file))
    }

    /// Its place.
    pub(crate) fn place(&self) -> &'a Place<'a> {
        self.place
    }

    /// Which file it is, and will be in its place.
    pub(crate) fn identity(&self) -> Result<FileIdentity, VaultError> {
        let failed = |error| io_error("stat", self.place.path.as_str(), error);
        let file = open_regular(&self.place.dir, &self.name)
            .map_err(|error| failed(error.into()))?
            .ok_or_else(|| failed(io::ErrorKind::NotFound.into()))?;
        identity_of(&file).map_err(failed)
    }

    /// Takes a place where nothing is.
    pub(crate) fn take_free_place(self) -> Result<(), VaultError> {
        let place = self.place;
        self.take_free_place_unsynced()?;
        place.fsync()
    }

    /// Takes a place where nothing is. The disk has yet to be waited for.
    pub(crate) fn take_free_place_unsynced(mut self) -> Result<(), VaultError> {
        let place = self.place;
        move_to_free(&place.dir, &self.name, &place.dir, place.name).map_err(
            |error| match error {
                Errno::EXIST => VaultError::Exists(place.path.clone()),
                error => place.io("write", error),
            },
        )?;
        fail::fail_point!("vault-created");
        self.ours = false;
        Ok(())
    }

    /// Takes the place of whatever regular file is there.
    pub(crate) fn take_place(mut self) -> Result<(), VaultError> {
        let place = self.place;
        // Refuses what is no regular file.
        place.is_there()?;
        rustix::fs::renameat(&place.dir, &self.name, &place.dir, place.name)
            .map_err(|error| place.io("write", error))?;
        fail::fail_point!("vault-replaced");
        self.ours = false;
        place.fsync()
    }

    /// Takes the place of exactly these bytes. The two files change places, so what was there is
    /// still there to be compared, and to be put back if it had just been edited.
    pub(crate) fn take_place_of(mut self, expected: &[u8]) -> Result<(), VaultError> {
        let place = self.place;
        let changed = || VaultError::Changed(place.path.clone());
        // From the exchange on, what has this name was the owner's.
        let swap = unused_name(Kind::Swap, place.name);
        move_to_free(&place.dir, &self.name, &place.dir, &swap)
            .map_err(|error| place.io("write beside", error))?;
        self.name = swap;
        fail::fail_point!("vault-before-exchange");
        match self.exchange() {
            Ok(()) => {}
            Err(Errno::NOENT) => return Err(changed()),
            Err(error) if is_unsupported(error) => {
                return if holds(&place.dir, place.name, expected) {
                    self.take_place()
                } else {
                    Err(changed())
                };
            }
            Err(error) => return Err(place.io("write", error)),
        }
        fail::fail_point!("vault-exchanged");
        if holds(&place.dir, &self.name, expected) {
            return place.fsync();
        }
        // What came out is another program's edit: not ours to remove until it is back.
        self.ours = false;
        fail::fail_point!("vault-exchanged-an-edit");
        match self.exchange() {
            Ok(()) if holds(&place.dir, &self.name, self.bytes) => self.ours = true,
            // Edited once more in between, or gone: both versions stay, this one under a name
            // that people see.
            Ok(()) => keep_visible(place, &self.name)?,
            Err(_) => put_back(place, &self.name)?,
        }
        fail::fail_point!("vault-edit-put-back");
        place.fsync()?;
        Err(changed())
    }

    fn exchange(&self) -> Result<(), Errno> {
        let dir = &self.place.dir;
        let to = self.place.name;
        rustix::fs::renameat_with(dir, &self.name, dir, to, RenameFlags::EXCHANGE)
    }
}

/// Removes exactly these bytes: they are moved aside first and compared there, so that an edit
/// made until that moment is found, and put back.
pub(crate) fn remove_if(place: &Place<'_>, expected: &[u8]) -> Result<(), VaultError> {
    let hidden = unused_name(Kind::Gone, place.name);
    fail::fail_point!("vault-before-removal");
    move_to_free(&place.dir, place.name, &place.dir, &hidden).map_err(|error| match error {
        Errno::NOENT => VaultError::NotFound(place.path.clone()),
        error => place.io("remove", error),
    })?;
    fail::fail_point!("vault-moved-aside");
    if holds(&place.dir, &hidden, expected) {
        rustix::fs::unlinkat(&place.dir, &hidden, AtFlags::empty())
            .map_err(|error| place.io("remove", error))?;
        fail::fail_point!("vault-removed");
        return place.fsync();
    }
    put_back(place, &hidden)?;
    fail::fail_point!("vault-removal-undone");
    place.fsync()?;
    Err(VaultError::Changed(place.path.clone()))
}

/// Gives a file that was moved aside its place again, or a visible name if that is taken.
fn put_back(place: &Place<'_>, hidden: &str) -> Result<(), VaultError> {
    move_to_free(&place.dir, hidden, &place.dir, place.name)
        .or_else(|_| keep_visible(place, hidden).map_err(|_| Errno::EXIST))
        .map_err(|error| place.io("keep", error))
}

/// Gives an edit that lost its place a name of its own.
fn keep_visible(place: &Place<'_>, hidden: &str) -> Result<(), VaultError> {
    let Place { dir, path, .. } = place;
    let unique = format!("{}-{}", process::id(), leftover::count());
    let extension = path.extension().unwrap_or("md");
    let kept = format!("{}.conflict-edit-{unique}.{extension}", path.stem());
    tracing::warn!(%path, kept, "two edits at once; the older one was kept beside");
    move_to_free(dir, hidden, dir, &kept).map_err(|error| place.io("keep", error))?;
    fail::fail_point!("vault-kept-beside");
    Ok(())
}

impl Drop for Temp<'_> {
    fn drop(&mut self) {
        if self.ours {
            let dir = &self.place.dir;
            if let Err(error) = rustix::fs::unlinkat(dir, &self.name, AtFlags::empty()) {
                tracing::warn!(name = self.name, %error, "an unfinished file could not be removed");
            }
        }
    }
}

/// Whether a regular file of this name holds exactly these bytes.
pub(crate) fn holds(dir: &Dir, name: &str, bytes: &[u8]) -> bool {
    let Ok(Some(file)) = open_regular(dir, name) else {
        return false;
    };
    let mut found = Vec::with_capacity(bytes.len() + 1);
    let most = bytes.len() as u64 + 1;
    file.take(most).read_to_end(&mut found).is_ok() && found == bytes
}

/// Moves a file to a name that nothing has.
pub(crate) fn move_to_free(from: &Dir, name: &str, to: &Dir, free: &str) -> Result<(), Errno> {
    match rustix::fs::renameat_with(from, name, to, free, RenameFlags::NOREPLACE) {
        Err(error) if is_unsupported(error) => {
            rustix::fs::linkat(from, name, to, free, AtFlags::empty())?;
            rustix::fs::unlinkat(from, name, AtFlags::empty())
        }
        done => done,
    }
}

/// The file system does not know the kind of rename asked for.
fn is_unsupported(error: Errno) -> bool {
    matches!(error, Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)
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
