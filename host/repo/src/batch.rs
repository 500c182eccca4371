//! [`Batch`]: many blobs stored at once, with one wait for the disk instead of one each.
//!
//! Lives elsewhere: a few blobs are stored one by one, by libgit2.
//! Invariants: a blob has its name in the store only once its bytes are on the disk, so that what
//! a power failure cuts off is no object; when [`Batch::flush`] returns, all are there.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::PathBuf,
};

use flate2::{Compression, write::ZlibEncoder};
use git2::Oid;

use crate::{Repo, RepoError};

/// Blobs that are written but not stored yet. Dropped, they are forgotten.
#[derive(Debug)]
pub struct Batch {
    objects: PathBuf,
    /// What its files are called, apart from their numbers.
    name: String,
    /// What is written, in the order of its numbers.
    written: Vec<Oid>,
}

impl Repo {
    /// Begins to store many blobs at once.
    pub fn batch(&self) -> Batch {
        Batch {
            objects: self.git_dir().join("objects"),
            // Chance too: in a container every daemon may have the same process id, and a killed
            // one leaves its files.
            name: format!(
                "tmp_obj_{}_{:016x}",
                std::process::id(),
                rand::random::<u64>()
            ),
            written: Vec::new(),
        }
    }
}

impl Batch {
    /// Writes a blob of this id. It can be read once the batch is flushed.
    ///
    /// # Errors
    /// The system's error.
    pub fn write(&mut self, blob: Oid, bytes: &[u8]) -> Result<(), RepoError> {
        let number = self.written.len();
        self.written.push(blob);
        self.write_part(number, bytes)
            .map_err(|error| failed(&error))
    }

    /// Stores what was written.
    ///
    /// # Errors
    /// What the system says; then nothing that was written counts.
    pub fn flush(mut self) -> Result<(), RepoError> {
        self.store().map_err(|error| failed(&error))
    }

    fn write_part(&self, number: usize, bytes: &[u8]) -> io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let out = File::options()
            .write(true)
            .create_new(true)
            .mode(0o444)
            .open(self.part(number))?;
        let mut out = ZlibEncoder::new(out, Compression::fast());
        write!(out, "blob {}\0", bytes.len())?;
        out.write_all(bytes)?;
        out.finish().map(drop)
    }

    fn store(&mut self) -> io::Result<()> {
        if self.written.is_empty() {
            return Ok(());
        }
        let disk = File::open(&self.objects)?;
        rustix::fs::syncfs(&disk)?;
        for (number, blob) in self.written.iter().enumerate() {
            let hex = blob.to_string();
            let (folder, name) = hex.split_at(2);
            let folder = self.objects.join(folder);
            let part = self.part(number);
            if let Err(error) = fs::rename(&part, folder.join(name)) {
                if error.kind() != io::ErrorKind::NotFound {
                    return Err(error);
                }
                fs::create_dir(&folder)?;
                fs::rename(&part, folder.join(name))?;
            }
        }
        self.written.clear();
        // The names too.
        Ok(rustix::fs::syncfs(&disk)?)
    }

    /// Git clears away files of this kind that are left behind.
    fn part(&self, number: usize) -> PathBuf {
        self.objects.join(format!("{}_{number}", self.name))
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        for number in 0..self.written.len() {
            fs::remove_file(self.part(number)).ok();
        }
    }
}

fn failed(error: &io::Error) -> RepoError {
    RepoError::Git {
        doing: "storing many blobs",
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batch_leftovers_of_the_same_pid_do_not_collide() {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
        let blob = Repo::blob_oid_of(b"text").unwrap();
        for _ in 0..2 {
            let mut killed = repo.batch();
            killed.write(blob, b"text").unwrap();
            std::mem::forget(killed);
        }
        // As older versions called it.
        let objects = folder.path().join("vault.git/objects");
        fs::write(
            objects.join(format!("tmp_obj_{}_0", std::process::id())),
            "",
        )
        .unwrap();
        let mut batch = repo.batch();
        batch.write(blob, b"text").unwrap();
        batch.flush().unwrap();
        assert_eq!(repo.read_blob(blob, 9).unwrap(), b"text");
    }

    #[test]
    fn batch_flush_stores_exactly_its_blobs() {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
        let texts: Vec<String> = (0..600).map(|n| format!("text {}\n", n % 500)).collect();
        let oids: Vec<Oid> = texts
            .iter()
            .map(|text| Repo::blob_oid_of(text.as_bytes()).unwrap())
            .collect();
        let mut batch = repo.batch();
        for (oid, text) in oids.iter().zip(&texts) {
            batch.write(*oid, text.as_bytes()).unwrap();
        }
        assert!(!repo.is_stored(oids[0]).unwrap());
        batch.flush().unwrap();
        for (oid, text) in oids.iter().zip(&texts) {
            assert_eq!(repo.read_blob(*oid, 99).unwrap(), text.as_bytes());
        }
        let mut dropped = repo.batch();
        dropped
            .write(Repo::blob_oid_of(b"never").unwrap(), b"never")
            .unwrap();
        drop(dropped);
        let objects = folder.path().join("vault.git/objects");
        let left = fs::read_dir(objects).unwrap();
        let left = left.filter(|entry| {
            let name = entry.as_ref().unwrap().file_name();
            name.to_string_lossy().starts_with("tmp_")
        });
        assert_eq!(left.count(), 0);
        // As git itself sees them.
        let checked = std::process::Command::new("git")
            .arg("--git-dir")
            .arg(folder.path().join("vault.git"))
            .args(["fsck", "--full", "--strict", "--no-dangling"])
            .output()
            .unwrap();
        assert!(checked.status.success(), "{checked:?}");
    }
}
