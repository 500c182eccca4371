//! The blobs of [`Repo`], and ids.

use std::{fs::File, io, path::Path};

use git2::{ObjectType, Oid};

use crate::{
    Repo, RepoError,
    wal::{LARGE, loose},
};

impl Repo {
    /// The bytes of a blob, if there are at most `most` of them.
    ///
    /// # Errors
    /// If there is no such blob or it is larger.
    pub fn read_blob(&self, oid: Oid, most: usize) -> Result<Vec<u8>, RepoError> {
        let git = self.lock()?;
        let odb = git.odb().map_err(RepoError::git("opening the objects"))?;
        let (len, kind) = odb
            .read_header(oid)
            .map_err(RepoError::git("reading a blob"))?;
        if kind != ObjectType::Blob {
            return Err(RepoError::Git {
                doing: "reading a blob",
                reason: format!("{oid} is none"),
            });
        }
        if len > most {
            return Err(RepoError::TooLarge {
                oid: oid.to_string(),
                len,
                most,
            });
        }
        let blob = git
            .find_blob(oid)
            .map_err(RepoError::git("reading a blob"))?;
        Ok(blob.content().to_vec())
    }

    /// The length of a blob.
    ///
    /// # Errors
    /// If there is no such object.
    pub fn blob_len(&self, oid: Oid) -> Result<usize, RepoError> {
        let git = self.lock()?;
        let odb = git.odb().map_err(RepoError::git("opening the objects"))?;
        odb.read_header(oid)
            .map(|(len, _)| len)
            .map_err(RepoError::git("measuring a blob"))
    }

    /// Stores bytes as a blob.
    ///
    /// # Errors
    /// If the object cannot be written.
    pub fn write_blob(&self, bytes: &[u8]) -> Result<Oid, RepoError> {
        let doing = "writing a blob";
        let oid = self.lock()?.blob(bytes).map_err(RepoError::git(doing))?;
        if bytes.len() <= LARGE {
            self.record_written(&[oid])?;
        } else if self.has_wal() {
            fsync_loose(&loose(self.git_dir(), oid)).map_err(|error| RepoError::Git {
                doing,
                reason: error.to_string(),
            })?;
        }
        Ok(oid)
    }

    /// The id that these bytes would have as a blob; nothing is stored.
    ///
    /// # Errors
    /// If libgit2 cannot hash.
    pub fn blob_oid_of(bytes: &[u8]) -> Result<Oid, RepoError> {
        Oid::hash_object(ObjectType::Blob, bytes).map_err(RepoError::git("hashing"))
    }

    /// The id that a text names in full.
    ///
    /// # Errors
    /// If the text is no full id.
    pub fn oid(hex: &str) -> Result<Oid, RepoError> {
        if hex.len() != 40 {
            return Err(RepoError::Git {
                doing: "reading an id",
                reason: format!("an id has 40 digits, not {}", hex.len()),
            });
        }
        Oid::from_str(hex).map_err(RepoError::git("reading an id"))
    }
}

/// Waits until an object and its name are on the disk. One that is in a pack is so already.
fn fsync_loose(path: &Path) -> io::Result<()> {
    match File::open(path) {
        Ok(file) => file.sync_all()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oid_short_text_is_refused() {
        assert!(Repo::oid("abc").is_err());
        assert!(Repo::oid(&"g".repeat(40)).is_err());
        assert!(Repo::oid(&"a".repeat(40)).is_ok());
    }
}
