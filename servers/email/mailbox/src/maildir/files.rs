//! The folders and files of a Maildir. Blocking; [`super`] calls it off the async threads.

use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};

use crate::error::MailboxError;
use crate::mailbox::RawMail;

/// A directory whose time changed this short ago may change again within the same tick of its clock.
const FRESH: Duration = Duration::from_secs(2);

/// One folder of a Maildir.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
}

/// One mail of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its unique name, without flags: it stays when the mail is moved from `new` to `cur` or gets a flag.
    pub(super) key: String,
    path: PathBuf,
    modified: SystemTime,
}

/// The state of a folder, to see whether it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snapshot {
    times: (SystemTime, SystemTime),
    keys: Vec<u8>,
    /// Whether the times were old enough to be trusted: a change within the same tick does not show in them.
    trusted: bool,
}

/// What became of a mail that was to be written under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// It is there now.
    Written,
    /// One of this name was there before: nothing was written.
    AlreadyThere,
}

/// The inbox: the Maildir itself.
pub(super) fn inbox(root: &Path) -> Folder {
    Folder {
        path: root.to_path_buf(),
    }
}

/// A folder beside the inbox; `name` is outside text.
pub(super) fn folder(root: &Path, name: &str) -> Result<Folder, MailboxError> {
    let plain = |c: char| c.is_alphanumeric() || " -_&+.".contains(c);
    if name.is_empty()
        || name.len() > 100
        || name.starts_with('.')
        || name.contains("..")
        || !name.chars().all(plain)
    {
        return Err(MailboxError::NoFolder(name.chars().take(100).collect()));
    }
    Ok(Folder {
        path: root.join(format!(".{name}")),
    })
}

impl Snapshot {
    /// Whether both show the same mails.
    pub(super) fn same_mails(&self, other: &Self) -> bool {
        self.keys == other.keys
    }
}

impl Folder {
    pub(super) fn exists(&self) -> bool {
        self.path.join("cur").is_dir() || self.path.join("new").is_dir()
    }

    pub(super) fn check(&self) -> Result<(), MailboxError> {
        for part in ["new", "cur", "tmp"] {
            if !self.path.join(part).is_dir() {
                let reason = format!(
                    "it has no folder `{part}`; make one with: mkdir -p {}/{{new,cur,tmp}}",
                    self.path.display()
                );
                return Err(MailboxError::NotMaildir {
                    path: self.path.clone(),
                    reason,
                });
            }
        }
        Ok(())
    }

    pub(super) fn make(&self) -> Result<(), MailboxError> {
        for part in ["new", "cur", "tmp"] {
            let path = self.path.join(part);
            fs::create_dir_all(&path).map_err(|error| MailboxError::file("make", path, error))?;
        }
        Ok(())
    }

    /// All mails, oldest first.
    pub(super) fn list(&self) -> Result<Vec<Entry>, MailboxError> {
        let mut by_key = BTreeMap::new();
        for part in ["new", "cur"] {
            let path = self.path.join(part);
            let names = match fs::read_dir(&path) {
                Ok(names) => names,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(MailboxError::file("list", path, error)),
            };
            for entry in names {
                let entry = entry.map_err(|error| MailboxError::file("list", &path, error))?;
                let Ok(name) = entry.file_name().into_string() else {
                    continue;
                };
                // `metadata` of a directory entry does not follow links: only real files are mails.
                let Ok(metadata) = entry.metadata() else {
                    continue;
                };
                if name.starts_with('.') || !metadata.is_file() {
                    continue;
                }
                let key = key_of(&name).to_owned();
                let modified = metadata.modified().unwrap_or(UNIX_EPOCH);
                by_key.insert(
                    key.clone(),
                    Entry {
                        key,
                        path: entry.path(),
                        modified,
                    },
                );
            }
        }
        let mut entries: Vec<Entry> = by_key.into_values().collect();
        entries.sort_by(|a, b| (a.modified, &a.key).cmp(&(b.modified, &b.key)));
        Ok(entries)
    }

    /// Reads so many bytes of a mail; nothing when it is gone. A mail that its reader moved meanwhile is found again by its key.
    pub(super) fn read(&self, entry: &Entry, most: u64) -> Result<Option<RawMail>, MailboxError> {
        match super::read_mail(&entry.key, &entry.path, most) {
            Ok(mail) => return Ok(Some(mail)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(MailboxError::file("read", &entry.path, error)),
        }
        let Some(moved) = self.list()?.into_iter().find(|now| now.key == entry.key) else {
            return Ok(None);
        };
        match super::read_mail(&moved.key, &moved.path, most) {
            Ok(mail) => Ok(Some(mail)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(MailboxError::file("read", &moved.path, error)),
        }
    }

    /// Removes a mail; one that its owner removed or marked meanwhile is left to them.
    pub(super) fn remove(&self, entry: &Entry) -> Result<(), MailboxError> {
        match fs::remove_file(&entry.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(MailboxError::file("remove", &entry.path, error))
            }
            _ => Ok(()),
        }
    }

    /// Marks the mail of this key as answered: the flag R in its name. It is not read by that.
    pub fn mark_answered(&self, key: &str) -> Result<(), MailboxError> {
        let Some(entry) = self.list()?.into_iter().find(|entry| entry.key == key) else {
            return Ok(());
        };
        let flags = flags_of(&entry.path);
        if flags.contains('R') {
            return Ok(());
        }
        let mut flags: Vec<char> = flags.chars().chain(['R']).collect();
        flags.sort_unstable();
        let flags: String = flags.into_iter().collect();
        let marked = self.path.join("cur").join(format!("{key}:2,{flags}"));
        fs::rename(&entry.path, &marked)
            .map_err(|error| MailboxError::file("mark", &entry.path, error))
    }

    /// The folder as it is now; `before` saves listing it again when nothing can have changed.
    pub(super) fn snapshot(&self, before: Option<&Snapshot>) -> Result<Snapshot, MailboxError> {
        let time = |part: &str| {
            let path = self.path.join(part);
            let time = fs::metadata(&path).and_then(|metadata| metadata.modified());
            time.map_err(|error| MailboxError::file("read", path, error))
        };
        let times = (time("new")?, time("cur")?);
        if let Some(before) = before.filter(|before| before.trusted && before.times == times) {
            return Ok(before.clone());
        }
        let old = |time: SystemTime| time.elapsed().is_ok_and(|age| age > FRESH);
        let trusted = old(times.0) && old(times.1);
        let mut digest = Sha256::new();
        for entry in self.list()? {
            digest.update(entry.key.as_bytes());
            digest.update([0]);
        }
        Ok(Snapshot {
            times,
            keys: digest.finalize().to_vec(),
            trusted,
        })
    }

    /// Writes a mail under a new unique name, with flags.
    pub fn deliver(&self, mail: &[u8], flags: &str) -> Result<(), MailboxError> {
        let name = unique_name();
        let place = Path::new("cur").join(format!("{name}:2,{flags}"));
        match self.store(&name, &place, mail)? {
            Stored::Written => Ok(()),
            Stored::AlreadyThere => Err(MailboxError::file(
                "write",
                self.path.join(place),
                ErrorKind::AlreadyExists.into(),
            )),
        }
    }

    /// Writes a mail under this name, unless one of this name is there, be it delivered already or still new.
    pub fn deliver_as(&self, name: &str, mail: &[u8]) -> Result<Stored, MailboxError> {
        if self.exists() && self.list()?.iter().any(|entry| entry.key == name) {
            return Ok(Stored::AlreadyThere);
        }
        self.store(&unique_name(), &Path::new("new").join(name), mail)
    }

    fn store(&self, temporary: &str, place: &Path, mail: &[u8]) -> Result<Stored, MailboxError> {
        self.make()?;
        let temporary = self.path.join("tmp").join(temporary);
        let place = self.path.join(place);
        let failed = |error| MailboxError::file("write", &temporary, error);
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary).map_err(failed)?;
        let written = file.write_all(mail).and_then(|()| file.sync_all());
        // A hard link fails when the name is taken, so nothing is ever replaced.
        let linked = written.and_then(|()| fs::hard_link(&temporary, &place));
        let removed = fs::remove_file(&temporary);
        match linked {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Ok(Stored::AlreadyThere);
            }
            Err(error) => return Err(MailboxError::file("write", place, error)),
        }
        if let Err(error) = removed {
            tracing::warn!(file = %temporary.display(), %error, "a temporary file stays behind");
        }
        if let Some(folder) = place.parent() {
            let synced = fs::File::open(folder).and_then(|folder| folder.sync_all());
            synced.map_err(|error| MailboxError::file("make durable", folder, error))?;
        }
        Ok(Stored::Written)
    }
}

/// The flags in a file's name: R of a mail that was answered, S of one that was read.
pub(super) fn flags_of(path: &Path) -> &str {
    let name = path.file_name().and_then(|name| name.to_str());
    let flags = name.and_then(|name| name.split_once(":2,"));
    flags.map_or("", |(_, flags)| flags)
}

/// A file's unique name: all before the flags.
fn key_of(name: &str) -> &str {
    name.split_once(":2,").map_or(name, |(key, _)| key)
}

/// A name no other process or thread uses.
fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    format!(
        "{}.M{}P{}Q{}R{:08x}.platinum",
        now.as_secs(),
        now.subsec_micros(),
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed),
        rand::random::<u32>(),
    )
}
