//! [`StatCache`]: which bytes a file had when it was last read, so that it is not read again.
//!
//! Lives here: the table in memory and its file in the state folder. Lives elsewhere: whether a
//! file is looked at is `scanner`'s.
//!
//! Invariants: an entry is about one exact state of a file, its device, number, length and both
//! times; a file in another state is read. A table that is lost, cut off or damaged costs reading,
//! and nothing else. Paths are not stored, only their digests: it is as small as it is for any
//! vault, and a copy of it reveals nothing.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use platinum_core::VaultPath;
use platinum_repo::Oid;
use platinum_vault::FileState;
use sha2::{Digest, Sha256};

/// What the file begins with.
const MAGIC: &[u8; 16] = b"platinum seen 1\n";
/// The bytes of one entry: key, state, blob and a sum over them.
const ENTRY: usize = 16 + 5 * 8 + 20 + 4;
/// This many entries more than are needed are no reason to write the file anew.
const SLACK: usize = 1024;

type Key = [u8; 16];

#[derive(Debug, Clone, Copy)]
struct Entry {
    state: FileState,
    blob: [u8; 20],
    /// Whether it was visited since the last full look began.
    visited: bool,
}

/// What was read. Lives as long as the daemon, and on the disk for the next one.
#[derive(Debug, Default)]
pub(super) struct StatCache {
    entries: HashMap<Key, Entry>,
    file: PathBuf,
    loaded: bool,
    /// How many entries the file has, outdated ones too.
    written: usize,
    /// What the file has not got yet.
    unsaved: Vec<u8>,
    /// The file is to be written anew, whatever it holds.
    needs_rewrite: bool,
}

impl StatCache {
    /// What an earlier daemon saw, as far as its file can be read. It is read when it is needed.
    pub(super) fn open(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            ..Self::default()
        }
    }

    /// Reads the file, if that has not been done.
    pub(super) fn load_once(&mut self) {
        if std::mem::replace(&mut self.loaded, true) {
            return;
        }
        let file = self.file.clone();
        match self.load(&file) {
            Ok(whole) => self.needs_rewrite = !whole,
            Err(error) => {
                self.needs_rewrite = true;
                if error.kind() != io::ErrorKind::NotFound {
                    tracing::debug!(%error, "Cannot read the stat cache; files are read anew.");
                }
            }
        }
    }

    /// The blob of a file in exactly this state.
    pub(super) fn lookup(&mut self, path: &VaultPath, state: &FileState) -> Option<Oid> {
        let entry = self.entries.get_mut(&key(path))?;
        if entry.state != *state {
            return None;
        }
        entry.visited = true;
        Oid::from_bytes(&entry.blob).ok()
    }

    /// Notes what a file in this state holds.
    pub(super) fn record(&mut self, path: &VaultPath, state: FileState, blob: Oid) {
        let Ok(blob) = <[u8; 20]>::try_from(blob.as_bytes()) else {
            return;
        };
        let key = key(path);
        let entry = Entry {
            state,
            blob,
            visited: true,
        };
        self.entries.insert(key, entry);
        self.unsaved.extend(encode(&key, &entry));
    }

    /// A full look begins: what it does not meet is gone.
    pub(super) fn begin_full_scan(&mut self) {
        for entry in self.entries.values_mut() {
            entry.visited = false;
        }
    }

    /// A full look has come to its end.
    pub(super) fn end_full_scan(&mut self) {
        self.entries.retain(|_, entry| entry.visited);
        self.entries.shrink_to_fit();
        if self.written > 2 * self.entries.len() + SLACK {
            self.needs_rewrite = true;
        }
    }

    /// Puts down what is new. A failure costs the next daemon some reading.
    pub(super) fn save(&mut self) {
        let file = self.file.clone();
        let saved = match self.needs_rewrite {
            true => self.write_anew(&file),
            false => self.append(&file),
        };
        if let Err(error) = saved {
            tracing::debug!(%error, "Cannot write the stat cache.");
            self.needs_rewrite = true;
        }
        self.unsaved = Vec::new();
    }

    fn append(&mut self, file: &Path) -> io::Result<()> {
        if self.unsaved.is_empty() {
            return Ok(());
        }
        let mut open = File::options().append(true).open(file)?;
        // A file that was truncated or written to by another program is not appended to.
        let expected = MAGIC.len() + self.written * ENTRY;
        if open.metadata()?.len() != expected as u64 {
            return self.write_anew(file);
        }
        open.write_all(&self.unsaved)?;
        self.written += self.unsaved.len() / ENTRY;
        Ok(())
    }

    fn write_anew(&mut self, file: &Path) -> io::Result<()> {
        let new = file.with_extension("new");
        let mut out = io::BufWriter::new(File::create(&new)?);
        out.write_all(MAGIC)?;
        for (key, entry) in &self.entries {
            out.write_all(&encode(key, entry))?;
        }
        out.flush()?;
        drop(out);
        fs::rename(new, file)?;
        self.written = self.entries.len();
        self.needs_rewrite = false;
        Ok(())
    }

    /// Whether the file was whole.
    fn load(&mut self, file: &Path) -> io::Result<bool> {
        let mut input = io::BufReader::new(File::open(file)?);
        let mut magic = [0; MAGIC.len()];
        input.read_exact(&mut magic)?;
        if magic != *MAGIC {
            return Ok(false);
        }
        let mut bytes = [0; ENTRY];
        loop {
            match read_full(&mut input, &mut bytes)? {
                0 => return Ok(true),
                ENTRY => {}
                _ => return Ok(false),
            }
            let Some((key, entry)) = decode(&bytes) else {
                return Ok(false);
            };
            // Later entries are newer.
            self.entries.insert(key, entry);
            self.written += 1;
        }
    }
}

fn read_full(input: &mut impl Read, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match input.read(&mut bytes[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

fn key(path: &VaultPath) -> Key {
    first(&Sha256::digest(path.as_str()))
}

fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[..N]);
    out
}

fn encode(key: &Key, entry: &Entry) -> [u8; ENTRY] {
    let FileState {
        device,
        inode,
        len,
        modified,
        changed,
    } = entry.state;
    let mut out = [0; ENTRY];
    out[..16].copy_from_slice(key);
    let numbers = [
        device.to_le_bytes(),
        inode.to_le_bytes(),
        len.to_le_bytes(),
        modified.to_le_bytes(),
        changed.to_le_bytes(),
    ];
    for (place, number) in out[16..56].chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number);
    }
    out[56..76].copy_from_slice(&entry.blob);
    let sum: [u8; 4] = first(&Sha256::digest(&out[..76]));
    out[76..].copy_from_slice(&sum);
    out
}

fn decode(bytes: &[u8; ENTRY]) -> Option<(Key, Entry)> {
    let sum: [u8; 4] = first(&Sha256::digest(&bytes[..76]));
    if sum != bytes[76..] {
        return None;
    }
    let number = |n: usize| first::<8>(&bytes[16 + 8 * n..]);
    let state = FileState {
        device: u64::from_le_bytes(number(0)),
        inode: u64::from_le_bytes(number(1)),
        len: u64::from_le_bytes(number(2)),
        modified: i64::from_le_bytes(number(3)),
        changed: i64::from_le_bytes(number(4)),
    };
    let entry = Entry {
        state,
        blob: first(&bytes[56..76]),
        visited: false,
    };
    Some((first(bytes), entry))
}

#[cfg(test)]
mod tests {
    use platinum_repo::Repo;

    use super::*;

    fn open(file: &Path) -> StatCache {
        let mut cache = StatCache::open(file);
        cache.load_once();
        cache
    }

    fn path(n: u32) -> VaultPath {
        VaultPath::new(format!("Inbox/{n}.md")).unwrap()
    }

    fn state(n: u32) -> FileState {
        FileState {
            device: 7,
            inode: u64::from(n),
            len: 9,
            modified: -1,
            changed: i64::MAX,
        }
    }

    fn blob(n: u32) -> Oid {
        Repo::blob_oid_of(&n.to_le_bytes()).unwrap()
    }

    fn of(cache: &mut StatCache, n: u32) -> Option<Oid> {
        cache.lookup(&path(n), &state(n))
    }

    /// The cache is known to the next daemon, and the latest entry of a file counts.
    #[test]
    fn stat_cache_reload_keeps_the_latest_entries() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache");
        let mut cache = open(&file);
        for n in 0..3 {
            cache.record(&path(n), state(n), blob(n));
        }
        cache.save();
        cache.record(&path(1), state(1), blob(9));
        cache.save();
        cache.save();
        let mut next = open(&file);
        assert!(!next.needs_rewrite);
        assert_eq!(of(&mut next, 0), Some(blob(0)));
        assert_eq!(of(&mut next, 1), Some(blob(9)));
        assert_eq!(of(&mut next, 3), None);
        let other = FileState {
            inode: 8,
            ..state(0)
        };
        assert_eq!(next.lookup(&path(0), &other), None);
    }

    /// A file that was truncated or damaged anywhere costs only the entries that follow.
    #[test]
    fn stat_cache_damage_loses_only_what_follows() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache");
        let mut cache = open(&file);
        for n in 0..5 {
            cache.record(&path(n), state(n), blob(n));
            cache.save();
        }
        let whole = fs::read(&file).unwrap();
        assert_eq!(whole.len(), MAGIC.len() + 5 * ENTRY);
        for at in (0..whole.len()).step_by(7) {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x40;
            for bytes in [&whole[..at], damaged.as_slice()] {
                fs::write(&file, bytes).unwrap();
                let mut next = open(&file);
                for n in 0..5 {
                    assert!(of(&mut next, n).is_none_or(|found| found == blob(n)));
                }
                // And it is whole again after the next look.
                next.record(&path(7), state(7), blob(7));
                next.save();
                let mut after = open(&file);
                assert!(!after.needs_rewrite);
                assert_eq!(of(&mut after, 7), Some(blob(7)));
            }
        }
    }

    /// What a full scan did not visit is forgotten, and the file does not grow for ever.
    #[test]
    fn stat_cache_full_scan_drops_stale_entries() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("cache");
        let mut cache = open(&file);
        for _ in 0..10 {
            cache.begin_full_scan();
            for n in 0..500 {
                cache.record(&path(n), state(n), blob(n));
            }
            cache.end_full_scan();
            cache.save();
        }
        assert!(fs::metadata(&file).unwrap().len() < (3000 * ENTRY) as u64);
        cache.begin_full_scan();
        assert_eq!(of(&mut cache, 1), Some(blob(1)));
        cache.end_full_scan();
        assert_eq!(of(&mut cache, 2), None);
        assert_eq!(of(&mut cache, 1), Some(blob(1)));
    }
}
