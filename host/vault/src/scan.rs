//! Looking at files without reading them: what tells an unchanged file, what a folder holds, and
//! what the file system makes of names.
//!
//! Invariants: one path or one folder a call, never more; a file is read whole or not at all.

use std::{ffi::OsStr, fs::File, io::Read};

use cap_std::fs::Dir;
use platinum_core::{PathError, VaultPath, layout, text::is_joiner};
use platinum_policy::{could_be_synced, is_synced};
use rustix::fs::{AtFlags, FileType, Mode, Stat};
use unicode_normalization::UnicodeNormalization;

use crate::{
    Leftover, Vault, VaultError,
    folder::{Place, descend, io_error, kind},
    temp::leftover::{Kind, unused_name},
    temp::move_to_free,
};

/// How many files are listed at once.
const MAX_ENTRIES: usize = 1_000_000;

/// What tells a file that has not changed from one that has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FileState {
    /// The file system.
    pub device: u64,
    /// The file in it.
    pub inode: u64,
    /// Its length in bytes.
    pub len: u64,
    /// When it was last written, in nanoseconds since 1970. Programs set it as they like.
    pub modified: i64,
    /// When it, its name or its owner last changed, by the system's clock.
    pub changed: i64,
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathEntry {
    /// Nothing.
    Absent,
    /// A regular file.
    File(FileState),
    /// A folder.
    Folder,
}

/// What a folder holds that can take part in sync.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// Its files, by name.
    pub files: Vec<(VaultPath, FileState)>,
    /// Its folders, by name.
    pub folders: Vec<VaultPath>,
    /// Symbolic links where a file or a folder of such would be synced, by name.
    pub links: Vec<VaultPath>,
    /// What killed writers left in it.
    pub leftovers: Vec<Leftover>,
    /// What would be a file that is synced, or a folder of such, had it another name.
    pub refused: Vec<Refused>,
}

/// A name that no vault has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What it could be called instead.
    pub instead: VaultPath,
    /// What is wrong with it.
    pub why: PathError,
}

impl Vault {
    /// What is at a path.
    ///
    /// # Errors
    /// If it is a link, a pipe or the like, or the way there is refused.
    pub fn stat(&self, path: &VaultPath) -> Result<PathEntry, VaultError> {
        let place = match Place::open(self.dir(), path, false) {
            Err(VaultError::NotFound(_) | VaultError::NotAFolder { .. }) => {
                return Ok(PathEntry::Absent);
            }
            place => place?,
        };
        let stat = match rustix::fs::statat(&place.dir, place.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(rustix::io::Errno::NOENT) => return Ok(PathEntry::Absent),
            Err(error) => return Err(place.io("stat", error)),
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Ok(PathEntry::Folder),
            FileType::RegularFile => Ok(PathEntry::File(state_of(&stat))),
            // Says what it is instead.
            _ => place.is_there().map(|_| PathEntry::Absent),
        }
    }

    /// What a folder (`""` is the vault's own) holds, not what those below it do; nothing if there
    /// is no such folder. Names that start with a dot and names that no vault has are left out,
    /// and so is what is never synced.
    ///
    /// # Errors
    /// If the folder cannot be read, the way there is refused, or it holds more than a vault has.
    pub fn list_folder(&self, folder: &str) -> Result<Option<Listing>, VaultError> {
        let shown = if folder.is_empty() {
            "the vault"
        } else {
            folder
        };
        let Some(dir) = descend(self.dir(), folder, shown, false)? else {
            return Ok(None);
        };
        let failed = |error| io_error("list", shown, error);
        let mut listing = Listing::default();
        for (count, entry) in dir.entries().map_err(failed)?.enumerate() {
            if count >= MAX_ENTRIES {
                return Err(VaultError::TooMany {
                    at: shown.to_owned(),
                    what: "too many files",
                });
            }
            let name = entry.map_err(failed)?.file_name();
            let shown_name = name.to_string_lossy();
            if shown_name.starts_with('.') {
                let leftover = name.to_str().and_then(|name| Leftover::of(folder, name));
                listing.leftovers.extend(leftover);
                continue;
            }
            let whole = match folder {
                "" => shown_name.to_string(),
                folder => format!("{folder}/{shown_name}"),
            };
            let Some(name) = name.to_str() else {
                let why = PathError::NotUtf8(whole.escape_debug().to_string());
                listing.refused.extend(refused(&dir, folder, &name, why));
                continue;
            };
            let path = match VaultPath::new(whole) {
                Ok(path) => path,
                Err(why) => {
                    listing
                        .refused
                        .extend(refused(&dir, folder, OsStr::new(name), why));
                    continue;
                }
            };
            let about = match rustix::fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(about) => about,
                // Gone again in the meantime: not there.
                Err(rustix::io::Errno::NOENT) => continue,
                Err(error) => return Err(failed(error.into())),
            };
            match FileType::from_raw_mode(about.st_mode) {
                FileType::Directory => listing.folders.push(path),
                FileType::Symlink if could_be_synced(&path) => listing.links.push(path),
                FileType::RegularFile if is_synced(&path) => {
                    listing.files.push((path, state_of(&about)));
                }
                _ => {}
            }
        }
        listing.files.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        listing.folders.sort_unstable();
        listing.links.sort_unstable();
        listing
            .refused
            .sort_unstable_by(|a, b| a.instead.cmp(&b.instead));
        Ok(Some(listing))
    }

    /// Reads a file of at most `max_bytes` and its state; nothing if it was written to meanwhile.
    ///
    /// # Errors
    /// As [`Vault::read`].
    pub fn read_once(
        &self,
        path: &VaultPath,
        max_bytes: u64,
    ) -> Result<Option<(Vec<u8>, FileState)>, VaultError> {
        let place = Place::open(self.dir(), path, false)?;
        read_place(&place, max_bytes)
    }

    /// Removes a file if it holds exactly these bytes. An edit made at the very last moment is
    /// found, and stays.
    ///
    /// # Errors
    /// [`VaultError::Changed`] if it holds others; else as [`Vault::remove`].
    pub fn remove_if(&self, path: &VaultPath, expected: &[u8]) -> Result<(), VaultError> {
        let place = Place::open(self.dir(), path, false)?;
        place.lock_folder()?;
        if !place.is_there()? {
            return Err(VaultError::NotFound(path.clone()));
        }
        crate::temp::remove_if(&place, expected)
    }

    /// Gives a file another spelling of its name, on a file system to which both may be one.
    ///
    /// # Errors
    /// If there is no such file, another is at the new spelling, or they are not in one folder.
    pub fn respell(&self, from: &VaultPath, to: &VaultPath) -> Result<(), VaultError> {
        if from.parent() != to.parent() {
            return self.rename(from, to);
        }
        let place = Place::open(self.dir(), from, false)?;
        place.lock_folder()?;
        if !place.is_there()? {
            return Err(VaultError::NotFound(from.clone()));
        }
        let failed = |error| place.io("rename", error);
        let hidden = unused_name(Kind::Gone, place.name);
        move_to_free(&place.dir, place.name, &place.dir, &hidden).map_err(failed)?;
        if let Err(error) = move_to_free(&place.dir, &hidden, &place.dir, to.file_name()) {
            move_to_free(&place.dir, &hidden, &place.dir, place.name).map_err(failed)?;
            return Err(match error {
                rustix::io::Errno::EXIST => VaultError::Exists(to.clone()),
                error => failed(error),
            });
        }
        place.fsync()
    }

    /// The name on the way to a path that is another spelling of its own: one name on a file
    /// system that ignores case or how letters are composed.
    ///
    /// # Errors
    /// If a folder on the way cannot be read, or the way is refused.
    pub fn other_spelling(&self, path: &VaultPath) -> Result<Option<String>, VaultError> {
        let mut folder = String::new();
        for part in path.components() {
            let shown = if folder.is_empty() {
                "the vault"
            } else {
                &folder
            };
            let Some(dir) = descend(self.dir(), &folder, path.as_str(), false)? else {
                return Ok(None);
            };
            let whole = match folder.as_str() {
                "" => part.to_owned(),
                folder => format!("{folder}/{part}"),
            };
            let is_there = kind(&dir, part)
                .map_err(|error| io_error("stat", path.as_str(), error.into()))?
                .is_some();
            if !is_there || self.ignores_case() {
                let failed = |error| io_error("list", shown, error);
                let key = name_key(part);
                for entry in dir.entries().map_err(failed)? {
                    let name = entry.map_err(failed)?.file_name();
                    let Some(name) = name.to_str() else { continue };
                    if name != part && !name.starts_with('.') && name_key(name) == key {
                        return Ok(Some(match folder.as_str() {
                            "" => name.to_owned(),
                            folder => format!("{folder}/{name}"),
                        }));
                    }
                }
            }
            if !is_there {
                return Ok(None);
            }
            folder = whole;
        }
        Ok(None)
    }

    /// Whether `a.md` and `A.md` are one file here; tried once.
    pub fn ignores_case(&self) -> bool {
        *self.folds().get_or_init(|| {
            let name = unused_name(Kind::New, "Probe");
            let there = probe(self.dir(), &name);
            if let Err(error) = &there {
                tracing::debug!(%error, "whether the file system ignores case is not known");
            }
            there.unwrap_or(false)
        })
    }
}

/// What a name that no vault has keeps from being synced, if anything.
fn refused(dir: &Dir, folder: &str, name: &OsStr, why: PathError) -> Option<Refused> {
    if !layout::FOLDERS.contains(&folder.split('/').next()?) {
        return None;
    }
    let about = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    // If no other name is possible, the folder stands for it.
    let instead =
        instead(folder, &name.to_string_lossy()).or_else(|| VaultPath::new(folder).ok())?;
    let counts = match FileType::from_raw_mode(about.st_mode) {
        FileType::Directory => true,
        FileType::RegularFile => is_synced(&instead) || instead.as_str() == folder,
        _ => false,
    };
    counts.then_some(Refused { instead, why })
}

/// The name, as near as a vault can have it.
pub(crate) fn instead(folder: &str, name: &str) -> Option<VaultPath> {
    let composed: String = name.nfc().collect();
    let mut tame = String::with_capacity(composed.len());
    for c in composed.chars() {
        tame.push(c);
        // Judged within a name, as the end of one may be refused for its own sake.
        if VaultPath::new(format!("é{tame}e")).is_err() {
            tame.pop();
            tame.push('_');
        }
    }
    let tame = tame.trim_end_matches(['.', ' ']);
    let (stem, end) = match tame.rfind('.').filter(|dot| *dot > 0) {
        Some(dot) => tame.split_at(dot),
        None => (tame, ""),
    };
    let long = |most: usize| -> String {
        let mut length = 0;
        let fits = |c: &char| {
            length += c.len_utf8();
            length <= most
        };
        stem.chars().take_while(fits).collect()
    };
    let tries = [
        format!("{folder}/{tame}"),
        format!("{folder}/{}{end}", long(120).trim()),
        format!("{folder}/{}_{end}", long(120).trim()),
    ];
    let mut paths = tries
        .into_iter()
        .filter_map(|path| VaultPath::new(path).ok());
    // A hidden one would not be synced either.
    paths.find(|path| !path.file_name().starts_with('.'))
}

/// Whether a new file answers to another spelling of its name.
fn probe(dir: &Dir, name: &str) -> Result<bool, rustix::io::Errno> {
    use rustix::fs::OFlags;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(dir, name, flags, Mode::from_raw_mode(0o600))?;
    let other = kind(dir, &name.replace("Probe", "pROBE"));
    rustix::fs::unlinkat(dir, name, AtFlags::empty())?;
    Ok(other?.is_some())
}

/// What a name is to a system that ignores case and how letters are composed: two names with one
/// key cannot both be there, or are the same to the eye.
pub fn name_key(name: &str) -> String {
    let visible = name.chars().filter(|c| !is_joiner(*c));
    let composed: String = visible.nfc().collect();
    caseless::default_case_fold_str(&composed).nfc().collect()
}

/// Reads what is at a place; nothing if it was written to meanwhile.
pub(crate) fn read_place(
    place: &Place<'_>,
    max_bytes: u64,
) -> Result<Option<(Vec<u8>, FileState)>, VaultError> {
    let path = place.path;
    let file = place.open_file()?;
    let about = || rustix::fs::fstat(&file).map_err(|error| place.io("read", error));
    let before = about()?;
    let links = links_of(&before);
    if links > 1 && is_synced(path) {
        return Err(VaultError::HardLinked {
            path: path.clone(),
            links,
        });
    }
    let too_large = || VaultError::TooLarge {
        path: path.clone(),
        max: max_bytes,
    };
    let state = state_of(&before);
    if state.len > max_bytes {
        return Err(too_large());
    }
    let bytes = read_to_end(&file, state.len, max_bytes)
        .map_err(|error| io_error("read", path.as_str(), error))?;
    if bytes.len() as u64 > max_bytes {
        return Err(too_large());
    }
    let is_whole = state_of(&about()?) == state && state.len == bytes.len() as u64;
    Ok(is_whole.then_some((bytes, state)))
}

fn read_to_end(file: &File, len: u64, max_bytes: u64) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    file.take(max_bytes.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[allow(
    clippy::useless_conversion,
    reason = "its type differs from one processor to another"
)]
fn links_of(about: &Stat) -> u64 {
    about.st_nlink.into()
}

/// The types of the fields differ from one processor to another.
#[allow(
    clippy::useless_conversion,
    clippy::unnecessary_cast,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "no length is negative, and no clock near the end of 64 bits"
)]
pub(crate) fn state_of(about: &Stat) -> FileState {
    FileState {
        device: about.st_dev as u64,
        inode: about.st_ino as u64,
        len: about.st_size as u64,
        modified: nanos(about.st_mtime as i64, about.st_mtime_nsec as i64),
        changed: nanos(about.st_ctime as i64, about.st_ctime_nsec as i64),
    }
}

fn nanos(seconds: i64, rest: i64) -> i64 {
    seconds.saturating_mul(1_000_000_000).saturating_add(rest)
}
