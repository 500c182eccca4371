//! [`Wal`]: what makes a change durable with one wait for the disk.
//!
//! A change writes a handful of small objects and moves a ref or two. Waiting for each of these
//! files, and for the folder it is in, is a dozen waits; so libgit2 waits for none of
//! them, and the objects and the new values of the refs are written once more, one after the other,
//! into a file that has its full length already: one wait, and nothing of the file system's own to
//! write. When the power fails, what the files lack is made again from here.
//!
//! Lives elsewhere: what is a change, and which of them may be lost with the power, is decided
//! in `refs`.
//! Invariants: when a durable [`Wal::append`] returns, every object made before it and the refs
//! it names are in the write-ahead log or on the disk. A record counts whole or not at all, and no record
//! counts behind one that does not. Everything in the files is on the disk before the write-ahead log
//! begins anew. A ref that another program moved meanwhile is left as it is.

mod files;
mod record;
mod replay;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    fs::File,
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use git2::{Oid, Repository};

use crate::RepoError;
pub(crate) use files::loose;
pub use files::replace_file;
use files::{prepare, read};
use record::{Object, Record, parse};

/// The file, beside the objects.
const FILE: &str = "platinum-journal";
/// How long the file is. So much is written between two times that everything is put on the disk.
pub(crate) const LENGTH: u64 = 4 * 1024 * 1024;
/// Objects of more bytes than this are waited for by themselves.
pub(crate) const LARGE: usize = 128 * 1024;
/// The refs that are kept here; what was fetched last is git's own client's.
const OURS: &str = "refs/vault/*";
const OUR_FOLDER: &str = "refs/vault";
const FETCHED: &str = "refs/vault/remote";

/// The write-ahead log of one repository, open for writing. One daemon has it.
#[derive(Debug)]
pub(crate) struct Wal {
    file: File,
    git_dir: PathBuf,
    length: u64,
    /// Which time the file is filled; records of another are left over.
    generation: u64,
    /// How many records there are, and where the next one goes.
    number: u32,
    at: u64,
    /// Objects that are in the write-ahead log.
    known: HashSet<Oid>,
    /// Objects that were made since the last record.
    made: Vec<Oid>,
}

impl Wal {
    /// Whether a repository has a write-ahead log.
    pub(crate) fn is_in(git_dir: &Path) -> bool {
        git_dir.join(FILE).exists()
    }

    /// Opens the write-ahead log, and makes what the files of the repository lack of it.
    pub(crate) fn open(git: &Repository, length: u64) -> Result<Self, RepoError> {
        let git_dir = git.path().to_owned();
        let path = git_dir.join(FILE);
        let bytes = read(&path, length).map_err(failed("reading the write-ahead log"))?;
        let (generation, records, end) = parse(&bytes);
        let file = prepare(&path, length, bytes.len() as u64)
            .map_err(failed("making room for the write-ahead log"))?;
        let mut wal = Self {
            file,
            git_dir,
            length,
            generation,
            number: u32::try_from(records.len()).unwrap_or(u32::MAX),
            at: end as u64,
            known: HashSet::new(),
            made: Vec::new(),
        };
        wal.replay(git, &records)?;
        if records.is_empty() {
            wal.checkpoint(git)?;
        }
        Ok(wal)
    }

    /// An object was written to the files, and is not known to be on the disk.
    pub(crate) fn record_written(&mut self, object: Oid) {
        if !self.known.contains(&object) {
            self.made.push(object);
        }
    }

    /// Notes new values of refs, and all objects made since the last time. If it need not be
    /// durable, it is so with the next record that is.
    pub(crate) fn append(
        &mut self,
        git: &Repository,
        refs: &[(&str, Option<Oid>)],
        durable: bool,
    ) -> Result<(), RepoError> {
        let durable = durable || !self.made.is_empty();
        let refs: Vec<_> = refs
            .iter()
            .map(|(name, to)| ((*name).to_owned(), *to))
            .collect();
        let whole = self.objects_made(git)?.map(|objects| {
            let refs = refs.clone();
            Record { objects, refs }.encode(self.generation, self.number)
        });
        let bytes = match whole {
            Some(bytes) if self.at + bytes.len() as u64 <= self.length => bytes,
            _ => {
                self.checkpoint(git)?;
                let objects = Vec::new();
                Record { objects, refs }.encode(self.generation, self.number)
            }
        };
        self.write(&bytes, durable)
            .map_err(failed("writing the write-ahead log"))?;
        self.known.extend(self.made.drain(..));
        Ok(())
    }

    /// What was made since the last record; nothing if that is more than any log holds.
    fn objects_made(&self, git: &Repository) -> Result<Option<Vec<Object>>, RepoError> {
        let doing = "writing the write-ahead log";
        let odb = git.odb().map_err(RepoError::git(doing))?;
        let mut objects = Vec::with_capacity(self.made.len());
        let mut taken = HashSet::new();
        let mut size = 0_u64;
        for made in self.made.iter().filter(|made| taken.insert(**made)) {
            let object = odb.read(*made).map_err(RepoError::git(doing))?;
            size = size.saturating_add(object.len() as u64);
            if size > self.length {
                return Ok(None);
            }
            objects.push((object.kind(), object.data().to_vec()));
        }
        Ok(Some(objects))
    }

    fn write(&mut self, bytes: &[u8], durable: bool) -> io::Result<()> {
        if self.at + bytes.len() as u64 > self.length {
            return Err(io::Error::other("so many refs do not fit"));
        }
        self.file.write_all_at(bytes, self.at)?;
        if durable {
            self.file.sync_data()?;
        }
        self.at += bytes.len() as u64;
        self.number = self.number.saturating_add(1);
        Ok(())
    }

    /// Puts everything on the disk; what is in the write-ahead log is not needed any more then.
    pub(crate) fn checkpoint(&mut self, git: &Repository) -> Result<(), RepoError> {
        let doing = "writing a checkpoint";
        let folder = File::open(&self.git_dir).map_err(failed(doing))?;
        rustix::fs::syncfs(&folder).map_err(|error| failed(doing)(error.into()))?;
        let mut record = Record::default();
        let refs = git
            .references_glob(OURS)
            .map_err(RepoError::git("listing the refs"))?;
        for reference in refs {
            let reference = reference.map_err(RepoError::git("listing the refs"))?;
            if let (Ok(name), Some(to)) = (reference.name(), reference.target())
                && name != FETCHED
            {
                record.refs.push((name.to_owned(), Some(to)));
            }
        }
        // Left-over records must never look like ones of this time.
        self.generation = rand::random();
        self.number = 0;
        self.at = 0;
        self.known.clear();
        let bytes = record.encode(self.generation, 0);
        self.write(&bytes, true).map_err(failed(doing))
    }
}

fn failed(doing: &'static str) -> impl FnOnce(io::Error) -> RepoError {
    move |error| RepoError::Git {
        doing,
        reason: error.to_string(),
    }
}
