//! [`Folder`]: a folder that is ours alone, and files in it of which the same is true.
//!
//! Invariants: everything is opened below the folder's own handle and never through a symlink; what
//! is judged is the file that was opened, not its name.

use std::{
    fs::File,
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use rustix::fs::{AtFlags, Mode, OFlags};

use super::CacheError;

/// What the names of compiled skills end with.
pub(super) const FILE_END: &str = ".cwasm";
/// One that no start used for so long is removed: of an earlier version of it, or of wasmtime.
pub(super) const UNUSED: Duration = Duration::from_secs(30 * 24 * 3600);
/// The most that are kept.
pub(super) const MAX_FILES: usize = 256;
/// What the names of unfinished files begin with.
const TEMP_PREFIX: &str = ".temp-";
/// An unfinished file that is older has no writer any more.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

pub(super) struct Folder {
    handle: File,
    path: PathBuf,
}

/// What decides whether something is private.
#[derive(Debug, Clone, Copy)]
struct Facts {
    is_wanted_kind: bool,
    owner: u32,
    mode: u32,
    /// How many names a file has; 1 for folders.
    names: u64,
}

/// Why something with these facts is not private to `us`, if it is not.
fn objection(facts: Facts, us: u32) -> Option<&'static str> {
    if !facts.is_wanted_kind {
        Some("it is not a plain file or folder")
    } else if facts.owner != us {
        Some("it belongs to another user")
    } else if facts.mode & 0o077 != 0 {
        Some("others may read or write it (chmod go-rwx)")
    } else if facts.names != 1 {
        Some("it has a second name")
    } else {
        None
    }
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, CacheError> {
        let at = |source| CacheError::Io {
            path: path.display().to_string(),
            source,
        };
        let mut builder = std::fs::DirBuilder::new();
        match builder.mode(0o700).create(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if let Some(parent) = path.parent() {
                    std::fs::create_dir_all(parent).map_err(at)?;
                }
                builder.create(path).map_err(at)?;
            }
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(at(error)),
            _ => {}
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(handle) => File::from(handle),
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::NOTDIR) => {
                return Err(not_private(path, "it is a symlink, or no folder"));
            }
            Err(error) => return Err(at(error.into())),
        };
        let found = handle.metadata().map_err(at)?;
        let facts = Facts {
            is_wanted_kind: found.is_dir(),
            owner: found.uid(),
            mode: found.mode(),
            names: 1,
        };
        match objection(facts, us()) {
            Some(reason) => Err(not_private(path, reason)),
            None => Ok(Self {
                handle,
                path: path.to_owned(),
            }),
        }
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        self.path.join(name).display().to_string()
    }

    /// The whole of a private file; None if there is none.
    pub(super) fn read(&self, name: &str, max_bytes: u64) -> Result<Option<Vec<u8>>, CacheError> {
        // Not to block on a pipe that was put there.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let file = match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(rustix::io::Errno::LOOP) => {
                return Err(not_private(&self.path.join(name), "it is a symlink"));
            }
            Err(error) => return Err(self.at(name, error.into())),
        };
        let found = file.metadata().map_err(|error| self.at(name, error))?;
        let facts = Facts {
            is_wanted_kind: found.is_file(),
            owner: found.uid(),
            mode: found.mode(),
            names: found.nlink(),
        };
        if let Some(reason) = objection(facts, us()) {
            return Err(not_private(&self.path.join(name), reason));
        }
        // It is used: see `prune`. Where that cannot be noted, it is pruned and made anew.
        let _ = file.set_modified(SystemTime::now());
        let mut bytes =
            Vec::with_capacity(usize::try_from(found.len().min(max_bytes)).unwrap_or(0));
        file.take(max_bytes)
            .read_to_end(&mut bytes)
            .map_err(|error| self.at(name, error))?;
        Ok(Some(bytes))
    }

    /// Writes a private file whole, over whatever has its name.
    pub(super) fn replace(&self, name: &str, bytes: &[u8]) -> Result<(), CacheError> {
        let temp = self.write_temp(name, bytes)?;
        rustix::fs::renameat(&self.handle, &temp, &self.handle, name)
            .map_err(|error| self.discard(&temp, name, error))
    }

    /// Writes a private file whole, unless its name is taken.
    pub(super) fn create(&self, name: &str, bytes: &[u8]) -> Result<(), CacheError> {
        let temp = self.write_temp(name, bytes)?;
        let linked = rustix::fs::linkat(&self.handle, &temp, &self.handle, name, AtFlags::empty());
        let removed = rustix::fs::unlinkat(&self.handle, &temp, AtFlags::empty());
        match linked {
            Ok(()) => removed.map_err(|error| self.at(&temp, error.into())),
            Err(rustix::io::Errno::EXIST) => Ok(()),
            Err(error) => Err(self.at(name, error.into())),
        }
    }

    /// Removes the compiled skills that were not used for so long, all but so many of those that were
    /// used last, and what killed writers left. What cannot be removed costs room, and is logged.
    pub(super) fn prune(&self, unused: Duration, most: usize) {
        if let Err(error) = self.try_prune(unused, most) {
            tracing::warn!("compiled skills that are not used any more are kept: {error}");
        }
    }

    fn try_prune(&self, unused: Duration, most: usize) -> Result<(), CacheError> {
        let failed = |error: rustix::io::Errno| self.at("", error.into());
        let now = SystemTime::now();
        let mut files = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.handle).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_temp = name.starts_with(TEMP_PREFIX);
            if !(is_temp || name.ends_with(FILE_END)) {
                continue;
            }
            let Ok(stat) = rustix::fs::statat(&self.handle, &name, AtFlags::SYMLINK_NOFOLLOW)
            else {
                continue;
            };
            let used = u64::try_from(stat.st_mtime).unwrap_or_default();
            let used = UNIX_EPOCH + Duration::from_secs(used);
            // A clock that was set back makes none old.
            let age = now.duration_since(used).unwrap_or_default();
            let limit = if is_temp { ABANDONED } else { unused };
            if age > limit {
                self.remove(&name)?;
            } else if !is_temp {
                files.push((used, name));
            }
        }
        files.sort_unstable();
        let too_many = files.len().saturating_sub(most);
        let mut oldest = files.iter().take(too_many);
        oldest.try_for_each(|(_, name)| self.remove(name))
    }

    fn remove(&self, name: &str) -> Result<(), CacheError> {
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(rustix::io::Errno::NOENT) => Ok(()),
            Err(error) => Err(self.at(name, error.into())),
        }
    }

    fn write_temp(&self, name: &str, bytes: &[u8]) -> Result<String, CacheError> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let temp = format!("{TEMP_PREFIX}{}-{count}", std::process::id());
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let open = || rustix::fs::openat(&self.handle, &temp, flags, Mode::RUSR | Mode::WUSR);
        let opened = match open() {
            // Left over from a process of that number that was killed.
            Err(rustix::io::Errno::EXIST) => {
                rustix::fs::unlinkat(&self.handle, &temp, AtFlags::empty())
                    .map_err(|error| self.at(&temp, error.into()))?;
                open()
            }
            other => other,
        };
        let file = opened.map_err(|error| self.at(name, error.into()))?;
        match File::from(file).write_all(bytes) {
            Ok(()) => Ok(temp),
            Err(error) => {
                let _ = rustix::fs::unlinkat(&self.handle, &temp, AtFlags::empty());
                Err(self.at(name, error))
            }
        }
    }

    fn discard(&self, temp: &str, name: &str, error: rustix::io::Errno) -> CacheError {
        let _ = rustix::fs::unlinkat(&self.handle, temp, AtFlags::empty());
        self.at(name, error.into())
    }

    fn at(&self, name: &str, source: io::Error) -> CacheError {
        CacheError::Io {
            path: self.path_of(name),
            source,
        }
    }
}

fn not_private(path: &Path, reason: &'static str) -> CacheError {
    CacheError::NotPrivate {
        path: path.display().to_string(),
        reason,
    }
}

fn us() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Only a plain file of ours that others cannot open is private.
    #[test]
    fn private_file_of_others_or_open_is_refused() {
        let fine = Facts {
            is_wanted_kind: true,
            owner: 7,
            mode: 0o100_600,
            names: 1,
        };
        assert_eq!(objection(fine, 7), None);
        for bad in [
            Facts {
                is_wanted_kind: false,
                ..fine
            },
            Facts { owner: 0, ..fine },
            Facts {
                mode: 0o100_640,
                ..fine
            },
            Facts {
                mode: 0o100_602,
                ..fine
            },
            Facts { names: 2, ..fine },
        ] {
            assert!(objection(bad, 7).is_some(), "{bad:?}");
        }
    }

    /// A private file is written whole and read back.
    #[test]
    fn private_file_round_trips() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(&home.path().join("a/b")).unwrap();
        assert_eq!(folder.read("x", 10).unwrap(), None);
        folder.create("x", b"one").unwrap();
        folder.create("x", b"two").unwrap();
        assert_eq!(folder.read("x", 10).unwrap().unwrap(), b"one");
        folder.replace("x", b"three").unwrap();
        assert_eq!(folder.read("x", 10).unwrap().unwrap(), b"three");
        assert_eq!(
            std::fs::read_dir(home.path().join("a/b")).unwrap().count(),
            1
        );
    }

    /// What is in use stays, and what was used last.
    #[test]
    fn pruned_files_are_those_not_used_for_long() {
        let home = tempfile::tempdir().unwrap();
        let folder = Folder::open(&home.path().join("a")).unwrap();
        let age = |name: &str, days: u64| {
            let file = File::options()
                .write(true)
                .open(home.path().join("a").join(name));
            let then = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
            file.unwrap().set_modified(then).unwrap();
        };
        for (name, days) in [
            ("old.cwasm", 40),
            ("used.cwasm", 40),
            ("third.cwasm", 3),
            ("second.cwasm", 2),
            ("key", 400),
            (".temp-1-1", 2),
            (".temp-1-2", 0),
        ] {
            folder.replace(name, b"one").unwrap();
            age(name, days);
        }
        folder.read("used.cwasm", 10).unwrap();
        folder.prune(UNUSED, 2);
        let left = std::fs::read_dir(home.path().join("a")).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [".temp-1-2", "key", "second.cwasm", "used.cwasm"]);
    }
}
