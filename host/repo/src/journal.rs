//! [`Journal`]: what makes a change durable with one wait for the disk.
//!
//! A change writes a handful of small objects and moves a ref or two. Waiting for each of these
//! files, and for the folder it is in, is a dozen waits; so libgit2 is told to wait for none of
//! them, and the objects and the new values of the refs are written once more, one after the other,
//! into a file that has its full length already: one wait, and nothing of the file system's own to
//! write. When the power fails, what the files lack is made again from here.
//!
//! Lives elsewhere: what is a change, and which of them may be lost with the power, is said by
//! whoever moves a ref (`refs`).
//! Invariants: when a durable [`Journal::append`] returns, every object made before it and the refs
//! it names are in the journal or on the disk. A record counts whole or not at all, and no record
//! counts behind one that does not. Everything in the files is on the disk before the journal
//! begins anew. What somebody else did to a ref meanwhile is left as it is.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, Read as _, Seek as _, Write as _},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use flate2::read::ZlibDecoder;
use git2::{ErrorCode, ObjectType, Oid, Repository};

use crate::RepoError;

/// The file, beside the objects.
const FILE: &str = "platinum-journal";
/// How long the file is. So much is written between two times that everything is put on the disk.
pub(crate) const LENGTH: u64 = 4 * 1024 * 1024;
/// Objects of more bytes than this are waited for by themselves.
pub(crate) const LARGE: usize = 128 * 1024;
/// How a record begins.
const MAGIC: &[u8; 8] = b"PtJourn1";
/// Magic, generation, number, length and sum.
const HEADER: usize = 8 + 8 + 4 + 4 + 20;
/// The refs that are kept here; what was fetched last is git's own client's.
const OURS: &str = "refs/vault/*";
const FETCHED: &str = "refs/vault/remote";

const OBJECT: u8 = 1;
const POINT: u8 = 2;
const GONE: u8 = 3;

/// An object as it is written once more.
type Object = (ObjectType, Vec<u8>);

/// What a record holds.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Record {
    objects: Vec<Object>,
    refs: Vec<(String, Option<Oid>)>,
}

/// The journal of one repository, open for writing. One daemon has it.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    git_dir: PathBuf,
    length: u64,
    /// Which time the file is filled; records of another are left over.
    generation: u64,
    /// How many records there are, and where the next one goes.
    number: u32,
    at: u64,
    /// Objects that are in the journal.
    known: HashSet<Oid>,
    /// Objects that were made since the last record.
    made: Vec<Oid>,
}

impl Journal {
    /// Whether a repository has a journal.
    pub(crate) fn is_in(git_dir: &Path) -> bool {
        git_dir.join(FILE).exists()
    }

    /// Opens the journal, and makes what the files of the repository lack of it.
    pub(crate) fn open(git: &Repository, length: u64) -> Result<Self, RepoError> {
        let git_dir = git.path().to_owned();
        let path = git_dir.join(FILE);
        let bytes = read(&path, length).map_err(failed("reading the journal"))?;
        let (generation, records, end) = parse(&bytes);
        let file = prepare(&path, length, bytes.len() as u64)
            .map_err(failed("making room for the journal"))?;
        let mut journal = Self {
            file,
            git_dir,
            length,
            generation,
            number: u32::try_from(records.len()).unwrap_or(u32::MAX),
            at: end as u64,
            known: HashSet::new(),
            made: Vec::new(),
        };
        journal.replay(git, &records)?;
        if records.is_empty() {
            journal.begin_anew(git)?;
        }
        Ok(journal)
    }

    /// An object was written to the files, and is not known to be on the disk.
    pub(crate) fn made(&mut self, object: Oid) {
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
                self.begin_anew(git)?;
                let objects = Vec::new();
                Record { objects, refs }.encode(self.generation, self.number)
            }
        };
        self.write(&bytes, durable)
            .map_err(failed("writing the journal"))?;
        self.known.extend(self.made.drain(..));
        Ok(())
    }

    /// What was made since the last record; nothing if that is more than any journal holds.
    fn objects_made(&self, git: &Repository) -> Result<Option<Vec<Object>>, RepoError> {
        let doing = "writing the journal";
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

    /// Puts everything on the disk; what is in the journal is not needed any more then.
    pub(crate) fn begin_anew(&mut self, git: &Repository) -> Result<(), RepoError> {
        let doing = "putting everything on the disk";
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

    fn replay(&mut self, git: &Repository, records: &[Record]) -> Result<(), RepoError> {
        let mut made_again = 0_usize;
        let mut values: BTreeMap<&str, Vec<Option<Oid>>> = BTreeMap::new();
        for record in records {
            for (kind, bytes) in &record.objects {
                let (oid, was_lost) = self.restore(git, *kind, bytes)?;
                made_again += usize::from(was_lost);
                self.known.insert(oid);
            }
            for (name, to) in &record.refs {
                values.entry(name).or_default().push(*to);
            }
        }
        for (name, values) in values {
            made_again += usize::from(self.restore_ref(git, name, &values)?);
        }
        if made_again > 0 {
            tracing::warn!(
                "The power failed, it seems: {made_again} objects and refs of the repository were \
                 made again from its journal."
            );
        }
        Ok(())
    }

    /// Makes an object again if it is not whole; whether it was not.
    fn restore(
        &self,
        git: &Repository,
        kind: ObjectType,
        bytes: &[u8],
    ) -> Result<(Oid, bool), RepoError> {
        let doing = "making an object again";
        let oid = Oid::hash_object(kind, bytes).map_err(RepoError::git(doing))?;
        let file = loose(&self.git_dir, oid);
        let odb = git.odb().map_err(RepoError::git(doing))?;
        let is_there = match is_whole(&file, kind, bytes).map_err(failed(doing))? {
            Some(whole) => whole,
            // In a pack, and packs are waited for.
            None => odb.exists(oid),
        };
        if is_there {
            return Ok((oid, false));
        }
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(failed(doing)(error));
            }
            _ => {}
        }
        odb.write(kind, bytes).map_err(RepoError::git(doing))?;
        Ok((oid, true))
    }

    /// Gives a ref its last value if it has an earlier one, or none that can be read; whether it
    /// had.
    fn restore_ref(
        &self,
        git: &Repository,
        name: &str,
        values: &[Option<Oid>],
    ) -> Result<bool, RepoError> {
        let doing = "making a ref again";
        let Some(last) = values.last().copied() else {
            return Ok(false);
        };
        let (now, is_whole) = match git.refname_to_id(name) {
            Ok(oid) => (Some(oid), git.odb().is_ok_and(|odb| odb.exists(oid))),
            Err(error) if error.code() == ErrorCode::NotFound => (None, true),
            Err(_) => (None, false),
        };
        if is_whole && (now == last || !(values.contains(&now) || now.is_none())) {
            return Ok(false);
        }
        if let Some(to) = last
            && !git.odb().is_ok_and(|odb| odb.exists(to))
        {
            tracing::warn!("{name} cannot be made again: {to} is not there.");
            return Ok(false);
        }
        if !is_whole {
            fs::remove_file(self.git_dir.join(name)).ok();
        }
        match last {
            Some(to) => git.reference(name, to, true, "").map(drop),
            None => match git.find_reference(name) {
                Ok(mut reference) => reference.delete(),
                Err(error) if error.code() == ErrorCode::NotFound => Ok(()),
                Err(error) => Err(error),
            },
        }
        .map_err(RepoError::git(doing))?;
        Ok(true)
    }
}

/// Whether a file holds an object as it should; nothing if there is no file. Not asked of libgit2,
/// which reads one that was cut for ever.
fn is_whole(file: &Path, kind: ObjectType, bytes: &[u8]) -> io::Result<Option<bool>> {
    let file = match File::open(file) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut expected = format!("{} {}\0", kind.str(), bytes.len()).into_bytes();
    expected.extend(bytes);
    let mut there = Vec::with_capacity(expected.len());
    let most = expected.len() as u64 + 1;
    let read = ZlibDecoder::new(file).take(most).read_to_end(&mut there);
    Ok(Some(read.is_ok() && there == expected))
}

/// Where an object is while it is in a file of its own.
pub(crate) fn loose(git_dir: &Path, oid: Oid) -> PathBuf {
    let hex = oid.to_string();
    let (folder, name) = hex.split_at(2);
    git_dir.join("objects").join(folder).join(name)
}

impl Record {
    fn encode(&self, generation: u64, number: u32) -> Vec<u8> {
        let mut payload = Vec::new();
        for (kind, bytes) in &self.objects {
            payload.push(OBJECT);
            payload.push(code(*kind));
            payload.extend(length_of(bytes).to_le_bytes());
            payload.extend(bytes);
        }
        for (name, to) in &self.refs {
            payload.push(if to.is_some() { POINT } else { GONE });
            payload.extend(length_of(name.as_bytes()).to_le_bytes());
            payload.extend(name.as_bytes());
            if let Some(to) = to {
                payload.extend(to.as_bytes());
            }
        }
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.extend(MAGIC);
        bytes.extend(generation.to_le_bytes());
        bytes.extend(number.to_le_bytes());
        bytes.extend(length_of(&payload).to_le_bytes());
        bytes.extend(sum(&bytes, &payload));
        bytes.extend(payload);
        bytes
    }

    fn decode(mut payload: &[u8]) -> Option<Self> {
        let mut record = Self::default();
        while let Some(tag) = take::<1>(&mut payload) {
            match tag {
                [OBJECT] => {
                    let [kind] = take::<1>(&mut payload)?;
                    let bytes = take_counted(&mut payload)?;
                    record.objects.push((kind_of(kind)?, bytes.to_vec()));
                }
                [tag @ (POINT | GONE)] => {
                    let name = String::from_utf8(take_counted(&mut payload)?.to_vec()).ok()?;
                    let to = match tag {
                        POINT => Some(Oid::from_bytes(&take::<20>(&mut payload)?).ok()?),
                        _ => None,
                    };
                    record.refs.push((name, to));
                }
                _ => return None,
            }
        }
        Some(record)
    }
}

/// The records that count, whose generation it is, and where they end.
fn parse(bytes: &[u8]) -> (u64, Vec<Record>, usize) {
    let mut records = Vec::new();
    let mut at = 0;
    let mut generation = None;
    while let Some((its, record, length)) = bytes
        .get(at..)
        .and_then(|rest| one(rest, u32::try_from(records.len()).ok()?))
    {
        if *generation.get_or_insert(its) != its {
            break;
        }
        records.push(record);
        at += length;
    }
    (generation.unwrap_or_default(), records, at)
}

/// The record of this number at the beginning of these bytes, if it is whole.
fn one(bytes: &[u8], number: u32) -> Option<(u64, Record, usize)> {
    let mut rest = bytes;
    if take::<8>(&mut rest)? != *MAGIC {
        return None;
    }
    let generation = u64::from_le_bytes(take(&mut rest)?);
    if u32::from_le_bytes(take(&mut rest)?) != number {
        return None;
    }
    let length = usize::try_from(u32::from_le_bytes(take(&mut rest)?)).ok()?;
    let said: [u8; 20] = take(&mut rest)?;
    let payload = rest.get(..length)?;
    let record = (sum(bytes.get(..24)?, payload) == said).then(|| Record::decode(payload))??;
    Some((generation, record, HEADER + length))
}

/// Tells torn records from whole ones; nobody else writes here.
fn sum(head: &[u8], payload: &[u8]) -> [u8; 20] {
    let mut out = [0; 20];
    let all = [head, payload].concat();
    if let Ok(oid) = Oid::hash_object(ObjectType::Blob, &all) {
        out.copy_from_slice(oid.as_bytes());
    }
    out
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (first, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*first)
}

fn take_counted<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(u32::from_le_bytes(take(bytes)?)).ok()?;
    let (first, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(first)
}

/// A record is shorter than the journal, and that is four megabytes.
fn length_of(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

fn code(kind: ObjectType) -> u8 {
    match kind {
        ObjectType::Commit => 1,
        ObjectType::Tree => 2,
        ObjectType::Tag => 4,
        _ => 3,
    }
}

fn kind_of(code: u8) -> Option<ObjectType> {
    match code {
        1 => Some(ObjectType::Commit),
        2 => Some(ObjectType::Tree),
        3 => Some(ObjectType::Blob),
        4 => Some(ObjectType::Tag),
        _ => None,
    }
}

/// The bytes of the journal, if there is one.
fn read(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(length).read_to_end(&mut bytes).map(drop)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(bytes)
}

/// Opens the file, at its full length and on the disk: writing into it changes nothing but bytes.
fn prepare(path: &Path, length: u64, there: u64) -> io::Result<File> {
    let mut file = File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    if there < length {
        file.seek(io::SeekFrom::Start(there))?;
        let zeros = vec![0; usize::try_from(length - there).unwrap_or(0)];
        file.write_all(&zeros)?;
        file.sync_all()?;
        if let Some(folder) = path.parent() {
            File::open(folder)?.sync_all()?;
        }
    }
    Ok(file)
}

fn failed(doing: &'static str) -> impl FnOnce(io::Error) -> RepoError {
    move |error| RepoError::Git {
        doing,
        reason: error.to_string(),
    }
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
