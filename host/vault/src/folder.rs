//! Folders beneath the vault, opened part by part without following a link, and what is in them.
//!
//! Invariant: every system call here names one component, relative to a folder that is open, and
//! with `O_NOFOLLOW`; so neither a link that is there nor one that is put there meanwhile leads
//! anywhere.

use std::{fs::File, io};

use cap_std::fs::Dir;
use platinum_core::VaultPath;
use rustix::{
    fs::{AtFlags, FileType, FlockOperation, Mode, OFlags},
    io::Errno,
};

use crate::VaultError;

/// A folder of the vault, open, and the path in it that is being worked on.
pub(crate) struct Place<'a> {
    /// The folder the file is in.
    pub(crate) dir: Dir,
    /// The file's name in it.
    pub(crate) name: &'a str,
    /// The whole path.
    pub(crate) path: &'a VaultPath,
}

impl<'a> Place<'a> {
    /// Opens the folder that `path` is in, making it if asked to.
    pub(crate) fn open(root: &Dir, path: &'a VaultPath, make: bool) -> Result<Self, VaultError> {
        let folder = path.parent();
        let parts = folder.as_ref().map_or("", VaultPath::as_str);
        let dir = descend(root, parts, path.as_str(), make)?
            .ok_or_else(|| VaultError::NotFound(path.clone()))?;
        Ok(Self {
            dir,
            name: path.file_name(),
            path,
        })
    }

    /// Whether a regular file is there; anything else that is there is refused.
    pub(crate) fn is_there(&self) -> Result<bool, VaultError> {
        match kind(&self.dir, self.name) {
            Ok(None) => Ok(false),
            Ok(Some(FileType::RegularFile)) => Ok(true),
            Ok(Some(other)) => Err(refused(self.path.as_str(), self.name, other)),
            Err(error) => Err(self.io("stat", error)),
        }
    }

    /// Opens what is there for reading: a regular file, or it is refused.
    pub(crate) fn open_file(&self) -> Result<File, VaultError> {
        if !self.is_there()? {
            return Err(VaultError::NotFound(self.path.clone()));
        }
        open_regular(&self.dir, self.name)
            .map_err(|error| self.io("open", error))?
            .ok_or_else(|| refused(self.path.as_str(), self.name, FileType::Unknown))
    }

    /// Keeps Platinum's other writers out of the folder until this place is dropped. Where the file
    /// system has no locks, comparing and exchanging has to do.
    pub(crate) fn lock_folder(&self) -> Result<(), VaultError> {
        loop {
            match rustix::fs::flock(&self.dir, FlockOperation::LockExclusive) {
                Err(Errno::INTR) => {}
                Ok(()) | Err(Errno::NOTSUP | Errno::NOLCK | Errno::NOSYS) => return Ok(()),
                Err(error) => return Err(self.io("lock the folder of", error)),
            }
        }
    }

    /// Waits until the folder's names are on the disk.
    pub(crate) fn fsync(&self) -> Result<(), VaultError> {
        rustix::fs::fsync(&self.dir).map_err(|error| self.io("fsync the folder of", error))
    }

    pub(crate) fn io(&self, doing: &'static str, error: Errno) -> VaultError {
        io_error(doing, self.path.as_str(), error.into())
    }
}

/// Opens a regular file for reading; `None` if it is something else by now. Never waits for the
/// other end of a pipe.
pub(crate) fn open_regular(dir: &Dir, name: &str) -> Result<Option<File>, Errno> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = rustix::fs::openat(dir, name, flags | OFlags::CLOEXEC, Mode::empty())?;
    let stat = rustix::fs::fstat(&file)?;
    let is_regular = FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile;
    Ok(is_regular.then(|| File::from(file)))
}

/// Opens `parts` beneath `root`; `None` if a part is missing and is not to be made. `whole` is
/// the path named in errors.
pub(crate) fn descend(
    root: &Dir,
    parts: &str,
    whole: &str,
    make: bool,
) -> Result<Option<Dir>, VaultError> {
    // Opened anew, not duplicated: a lock on it is this call's alone.
    let mut dir = open_folder(root, ".").map_err(|error| io_error("open", whole, error.into()))?;
    for part in parts.split('/').filter(|part| !part.is_empty()) {
        let opened = match open_folder(&dir, part) {
            Err(Errno::NOENT) if make => {
                make_folder(&dir, part).map_err(|error| io_error("make", whole, error.into()))?;
                open_folder(&dir, part)
            }
            opened => opened,
        };
        dir = match opened {
            Ok(next) => next,
            Err(Errno::NOENT) => return Ok(None),
            // The system says either of a link that is not to be followed.
            Err(error @ (Errno::LOOP | Errno::NOTDIR | Errno::MLINK)) => {
                return Err(match kind(&dir, part) {
                    Ok(Some(FileType::Symlink)) => refused(whole, part, FileType::Symlink),
                    Ok(Some(_)) => VaultError::NotAFolder {
                        path: whole.to_owned(),
                        at: part.to_owned(),
                    },
                    _ => io_error("open", whole, error.into()),
                });
            }
            Err(error) => return Err(io_error("open", whole, error.into())),
        };
    }
    Ok(Some(dir))
}

/// Opens a folder by its name in another one, following no link.
pub(crate) fn open_folder(dir: &Dir, part: impl rustix::path::Arg) -> Result<Dir, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::openat(dir, part, flags, Mode::empty())?;
    Ok(Dir::from_std_file(File::from(folder)))
}

fn make_folder(dir: &Dir, part: &str) -> Result<(), Errno> {
    match rustix::fs::mkdirat(dir, part, Mode::from_raw_mode(0o755)) {
        Ok(()) => {
            fail::fail_point!("vault-folder-made");
            rustix::fs::fsync(dir)
        }
        // Another program made it, or something else: opening it will show.
        Err(Errno::EXIST) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What is there under this name, a link being a link; `None` if nothing.
pub(crate) fn kind(dir: &Dir, name: &str) -> Result<Option<FileType>, Errno> {
    match rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

fn refused(path: &str, at: &str, found: FileType) -> VaultError {
    let what = match found {
        FileType::Symlink => {
            return VaultError::Symlink {
                path: path.to_owned(),
                at: at.to_owned(),
            };
        }
        FileType::Directory => "a folder",
        FileType::Fifo => "a pipe",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        FileType::RegularFile | FileType::Unknown => "something else by now",
    };
    VaultError::NotAFile {
        path: path.to_owned(),
        what,
    }
}

pub(crate) fn io_error(doing: &'static str, path: &str, source: io::Error) -> VaultError {
    match Errno::from_io_error(&source) {
        Some(Errno::NOSPC | Errno::DQUOT) => VaultError::Full {
            path: path.to_owned(),
        },
        _ => VaultError::Io {
            doing,
            path: path.to_owned(),
            source,
        },
    }
}
