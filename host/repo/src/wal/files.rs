//! The files that the write-ahead log reads and writes.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, Write as _},
    path::{Path, PathBuf},
};

use flate2::read::ZlibDecoder;
use git2::{ObjectType, Oid};

/// Whether a file holds an object as it should; nothing if there is no file. Not asked of libgit2,
/// which reads one that was cut for ever.
pub(super) fn is_whole(file: &Path, kind: ObjectType, bytes: &[u8]) -> io::Result<Option<bool>> {
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

/// The bytes of the write-ahead log, if there is one.
pub(super) fn read(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(length).read_to_end(&mut bytes).map(drop)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(bytes)
}

/// Opens the file, at its full length and on the disk: writing into it changes nothing but bytes.
pub(super) fn prepare(path: &Path, length: u64, there: u64) -> io::Result<File> {
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

/// Puts these bytes at a path, whole or not at all. Once it returns they are there after any power
/// failure. For the small files beside a repository that say what must not be forgotten.
///
/// # Errors
/// If the file beside it, `<name>.new`, cannot be written or renamed, or the folder not synced.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&new, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}
