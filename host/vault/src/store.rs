//! [`Vault`]: the files of one vault.

use std::{
    fs::File,
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use cap_std::fs::Dir;
use platinum_core::{FileIdentity, VaultPath, layout};
use platinum_policy::is_synced;
use rustix::{
    fs::{AtFlags, Mode, OFlags},
    io::Errno,
};

use crate::{
    Entry, VaultError,
    folder::{Place, descend, io_error},
    list::{Thing, files_in, visit_folder},
    pending_drafts::PendingFolder,
    scan::read_place,
    temp::{Temp, holds, leftover, move_to_free},
};

/// How often a file that changes while it is read is read again.
const READS: usize = 4;

/// One vault. Cheap to clone. Every call blocks on the disk: from async code, call it on a thread
/// for blocking work.
#[derive(Debug, Clone)]
pub struct Vault {
    root: Arc<PathBuf>,
    dir: Arc<Dir>,
    /// Whether names that differ in case alone are one; tried when it is asked for first.
    folds: Arc<OnceLock<bool>>,
    /// Which files wait for the owner.
    pending: Arc<PendingFolder>,
}

impl Vault {
    /// Opens the vault in this folder. The folder may be reached by a link: the owner named it.
    ///
    /// # Errors
    /// If it is no folder that can be opened.
    pub fn open(root: &Path) -> Result<Self, VaultError> {
        let refused = |source| VaultError::Open {
            root: root.to_owned(),
            source,
        };
        leftover::begin();
        let dir = open_root(root).map_err(refused)?;
        let root = root.canonicalize().map_err(refused)?;
        Ok(Self {
            root: Arc::new(root),
            dir: Arc::new(dir),
            folds: Arc::default(),
            pending: Arc::default(),
        })
    }

    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    pub(crate) fn pending(&self) -> &PendingFolder {
        &self.pending
    }

    pub(crate) fn folds(&self) -> &OnceLock<bool> {
        &self.folds
    }

    /// The vault's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The number of the vault's folder in its file system: it stays through a restart of the
    /// machine, and an empty place where a disk is to be mounted has another one.
    ///
    /// # Errors
    /// If the folder cannot be read.
    #[allow(
        clippy::useless_conversion,
        reason = "its type differs from one system to another"
    )]
    pub fn number(&self) -> Result<u64, VaultError> {
        let about = rustix::fs::fstat(&*self.dir)
            .map_err(|error| io_error("stat", "the vault", error.into()))?;
        Ok(about.st_ino.into())
    }

    /// Whether the folder that was opened is still the one at the vault's path, where people work.
    ///
    /// # Errors
    /// If it was moved, removed or replaced, or that cannot be found out.
    pub fn ensure_in_place(&self) -> Result<(), VaultError> {
        let failed = |error: Errno| io_error("stat", "the vault", error.into());
        let ours = rustix::fs::fstat(&*self.dir).map_err(failed)?;
        let displaced = |gone| VaultError::Displaced {
            root: self.root().to_owned(),
            gone,
        };
        match rustix::fs::stat(self.root()) {
            Ok(there) if (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino) => Ok(()),
            Ok(_) => Err(displaced(false)),
            Err(Errno::NOENT | Errno::NOTDIR) => Err(displaced(true)),
            Err(error) => Err(failed(error)),
        }
    }

    /// Reads a file of at most `max_bytes`.
    ///
    /// # Errors
    /// If it is missing, larger, reached by a link, no regular file, has a second name although it
    /// would be synced, or changes all the while.
    pub fn read(&self, path: &VaultPath, max_bytes: u64) -> Result<Vec<u8>, VaultError> {
        let place = Place::open(&self.dir, path, false)?;
        for _ in 0..READS {
            if let Some((bytes, _)) = read_place(&place, max_bytes)? {
                return Ok(bytes);
            }
        }
        Err(VaultError::Changed(path.clone()))
    }

    /// Reads a text file of at most `max_bytes`.
    ///
    /// # Errors
    /// As [`Vault::read`], and if it is not UTF-8.
    pub fn read_text(&self, path: &VaultPath, max_bytes: u64) -> Result<String, VaultError> {
        String::from_utf8(self.read(path, max_bytes)?).map_err(|error| VaultError::NotText {
            path: path.clone(),
            at: error.utf8_error().valid_up_to(),
        })
    }

    /// Writes a new file, making the folders it is in. Of several at once, one succeeds.
    ///
    /// # Errors
    /// If there is a file already ([`VaultError::Exists`]), the disk is full, or a part of the
    /// path is refused. Then nothing was written.
    pub fn create(&self, path: &VaultPath, bytes: &[u8]) -> Result<(), VaultError> {
        self.note_draft_of(path, bytes, false, |announce| {
            self.create_announced(path, bytes, announce)
        })
    }

    /// Writes a file in the place of another, whole. With `expected`, only if those bytes are
    /// there: an edit that was made in the meantime is kept, even one made at the very last
    /// moment. Without, whatever is there, or nothing. Of Platinum's own writers, in any process,
    /// one at a time works in a folder.
    ///
    /// # Errors
    /// [`VaultError::Changed`] if other bytes, or none, are there; else as [`Vault::create`].
    pub fn replace(
        &self,
        path: &VaultPath,
        bytes: &[u8],
        expected: Option<&[u8]>,
    ) -> Result<(), VaultError> {
        self.note_draft_of(path, bytes, true, |announce| {
            self.replace_announced(path, bytes, expected, announce)
        })
    }

    /// [`Vault::replace`] of a file that is announced before anyone can see it at its path. Nobody
    /// else is told of it.
    ///
    /// # Errors
    /// As [`Vault::replace`].
    pub fn replace_announced(
        &self,
        path: &VaultPath,
        bytes: &[u8],
        expected: Option<&[u8]>,
        announce: &mut dyn FnMut(FileIdentity),
    ) -> Result<(), VaultError> {
        let place = match Place::open(&self.dir, path, expected.is_none()) {
            Err(VaultError::NotFound(path)) => return Err(VaultError::Changed(path)),
            opened => opened?,
        };
        place.lock_folder()?;
        let mode = if place.is_there()? {
            let file = place.open_file()?;
            let old = file
                .metadata()
                .map_err(|error| io_error("read", path.as_str(), error))?;
            Mode::from_raw_mode(old.permissions().mode() & 0o777)
        } else if expected.is_some() {
            return Err(VaultError::Changed(path.clone()));
        } else {
            Mode::from_raw_mode(0o600)
        };
        match expected {
            Some(expected) => {
                if !holds(&place.dir, place.name, expected) {
                    return Err(VaultError::Changed(path.clone()));
                }
                let temp = Temp::write(&place, bytes, mode)?;
                announce(temp.identity()?);
                temp.take_place_of(expected)
            }
            None => {
                let temp = Temp::write(&place, bytes, mode)?;
                announce(temp.identity()?);
                temp.take_place()
            }
        }
    }

    /// Moves a file to a path that nothing has, making the folders that is in.
    ///
    /// # Errors
    /// If there is no such file, something is at the new path, or a part of a path is refused.
    pub fn rename(&self, from: &VaultPath, to: &VaultPath) -> Result<(), VaultError> {
        let old = Place::open(&self.dir, from, false)?;
        if !old.is_there()? {
            return Err(VaultError::NotFound(from.clone()));
        }
        let new = Place::open(&self.dir, to, true)?;
        if new.is_there()? {
            return Err(VaultError::Exists(to.clone()));
        }
        move_to_free(&old.dir, old.name, &new.dir, new.name).map_err(|error| match error {
            Errno::EXIST => VaultError::Exists(to.clone()),
            Errno::NOENT => VaultError::NotFound(from.clone()),
            error => old.io("move", error),
        })?;
        fail::fail_point!("vault-renamed");
        // The new name first: after a crash the file may have two names, never none.
        new.fsync()?;
        fail::fail_point!("vault-renamed-and-settled");
        old.fsync()
    }

    /// Removes a file.
    ///
    /// # Errors
    /// If there is no such file, or it is no regular file.
    pub fn remove(&self, path: &VaultPath) -> Result<(), VaultError> {
        let place = Place::open(&self.dir, path, false)?;
        if !place.is_there()? {
            return Err(VaultError::NotFound(path.clone()));
        }
        match rustix::fs::unlinkat(&place.dir, place.name, AtFlags::empty()) {
            Ok(()) => place.fsync(),
            Err(Errno::NOENT) => Err(VaultError::NotFound(path.clone())),
            Err(error) => Err(place.io("remove", error)),
        }
    }

    /// Whether a regular file is there.
    ///
    /// # Errors
    /// If something else is, or the way there is refused.
    pub fn exists(&self, path: &VaultPath) -> Result<bool, VaultError> {
        match Place::open(&self.dir, path, false) {
            Ok(place) => place.is_there(),
            Err(VaultError::NotFound(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a folder and those it is in; one that is there already is no error.
    ///
    /// # Errors
    /// If something else is there, or the disk is full.
    pub fn make_folder(&self, path: &VaultPath) -> Result<(), VaultError> {
        descend(&self.dir, path.as_str(), path.as_str(), true).map(drop)
    }

    /// Opens a folder, following no link on the way.
    ///
    /// # Errors
    /// If it is not there, or a part of the path is a link or no folder.
    pub fn open_folder(&self, path: &VaultPath) -> Result<std::fs::File, VaultError> {
        let folder = descend(&self.dir, path.as_str(), path.as_str(), false)?
            .ok_or_else(|| VaultError::NotFound(path.clone()))?;
        Ok(folder.into_std_file())
    }

    /// Takes away a folder that holds nothing but such folders, so that a file can take its name.
    /// A folder that holds anything else stays; so does what is no folder.
    ///
    /// # Errors
    /// If the way there is refused.
    pub fn remove_empty_folders(&self, path: &VaultPath) -> Result<(), VaultError> {
        match Place::open(&self.dir, path, false) {
            Ok(place) => {
                remove_empty(&place.dir, place.name);
                Ok(())
            }
            Err(VaultError::NotFound(_) | VaultError::NotAFolder { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The files in one folder (`""` is the vault's own), not in those below, by path. A missing
    /// folder is empty. Links, names that start with a dot and names that are no vault path are
    /// left out.
    ///
    /// # Errors
    /// If `folder` is no path of a vault, or the way there is refused.
    pub fn list(&self, folder: &str) -> Result<Vec<Entry>, VaultError> {
        Ok(self.list_with_links(folder)?.0)
    }

    /// As [`Vault::list`], and the symbolic links in the folder, in no order.
    ///
    /// # Errors
    /// As [`Vault::list`].
    pub fn list_with_links(
        &self,
        folder: &str,
    ) -> Result<(Vec<Entry>, Vec<VaultPath>), VaultError> {
        if !folder.is_empty() {
            VaultPath::new(folder)?;
        }
        let (mut found, mut links) = (Vec::new(), Vec::new());
        if let Some(dir) = descend(&self.dir, folder, folder, false)? {
            visit_folder(&dir, folder, &mut |thing| match thing {
                Thing::File(entry) => found.push(entry),
                Thing::Link(path) => links.push(path),
                Thing::Folder(_) => {}
            })?;
        }
        found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok((found, links))
    }

    /// The folders in one folder, by path. A missing folder has none.
    ///
    /// # Errors
    /// As [`Vault::list`].
    pub fn folders(&self, folder: &str) -> Result<Vec<VaultPath>, VaultError> {
        VaultPath::new(folder)?;
        let mut found = Vec::new();
        if let Some(dir) = descend(&self.dir, folder, folder, false)? {
            visit_folder(&dir, folder, &mut |thing| {
                if let Thing::Folder(path) = thing {
                    found.push(path);
                }
            })?;
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Every file of the vault that takes part in sync, by path.
    ///
    /// # Errors
    /// If a folder cannot be read, or there is more than a vault has.
    pub fn walk(&self) -> Result<Vec<Entry>, VaultError> {
        let mut found = self.list("")?;
        found.retain(|entry| is_synced(&entry.path));
        for folder in layout::FOLDERS {
            found.append(&mut self.walk_in(folder)?);
        }
        found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Every file in a folder and below it that takes part in sync, by path.
    ///
    /// # Errors
    /// As [`Vault::walk`].
    pub fn walk_in(&self, folder: &str) -> Result<Vec<Entry>, VaultError> {
        files_in(&self.dir, folder, &mut |_, error| Err(error))
    }
}

/// Removes a folder if it is empty, or holds only folders that are. The system refuses any other.
fn remove_empty(dir: &Dir, name: &str) {
    let remove = || rustix::fs::unlinkat(dir, name, AtFlags::REMOVEDIR);
    if remove() != Err(Errno::NOTEMPTY) {
        return;
    }
    let Ok(Some(below)) = descend(dir, name, name, false) else {
        return;
    };
    let Ok(entries) = below.entries() else { return };
    for entry in entries.flatten() {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        match entry.file_name().to_str() {
            Some(name) if is_folder => remove_empty(&below, name),
            _ => return,
        }
    }
    if let Err(error) = remove() {
        tracing::debug!(name, %error, "a folder that is in the way stays");
    }
}

/// Opens the vault's folder so that it can be fsynced too.
fn open_root(root: &Path) -> io::Result<Dir> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = rustix::fs::open(root, flags, Mode::empty())?;
    Ok(Dir::from_std_file(File::from(dir)))
}
