//! [`Repo`]: the bare repository and its blobs.
//!
//! Lives elsewhere: refs are moved in `refs`, trees read in `tree`, commits made in `commit`; how a
//! change gets on the disk is `journal`'s.
//! Invariant: every call blocks; callers in async code go through `spawn_blocking`.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use git2::{
    ConfigLevel, ErrorCode, ObjectType, Oid, Repository, RepositoryInitOptions, RepositoryOpenFlags,
};

use crate::{
    RefName, RepoError, SigningKey,
    journal::{Journal, LARGE, LENGTH, loose},
};

/// A bare repository outside the vault. Cheap to clone; one call at a time.
#[derive(Clone)]
pub struct Repo {
    git: Arc<Mutex<Repository>>,
    git_dir: Arc<PathBuf>,
    key: Option<SigningKey>,
    /// Taken after `git`, never before.
    journal: Option<Arc<Mutex<Journal>>>,
    open: Open,
}

/// How a repository is opened, once more.
pub(crate) type Open = fn(&Path) -> Result<Repository, git2::Error>;

/// Opens only this folder, whatever GIT_DIR says, and searches in none above.
fn open_only(git_dir: &Path) -> Result<Repository, git2::Error> {
    Repository::open_ext(
        git_dir,
        RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::BARE | RepositoryOpenFlags::NO_DOTGIT,
        std::iter::empty::<&Path>(),
    )
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repo")
            .field("git_dir", &self.git_dir)
            .finish_non_exhaustive()
    }
}

impl Repo {
    /// Opens the repository in `git_dir`, or makes it.
    ///
    /// # Errors
    /// If the folder cannot be made, or is something else than a bare repository.
    pub fn open_or_init(git_dir: &Path) -> Result<Self, RepoError> {
        let repo = Self::open(git_dir)?;
        // Where a daemon keeps a journal, everybody else only reads.
        if !Journal::is_in(git_dir) {
            repo.lets_libgit2_wait(true)?;
        }
        Ok(repo)
    }

    /// As [`Repo::open_or_init`], for the one daemon that writes here (the caller's own lock says
    /// so): a change is on the disk after two waits instead of eighteen, and what a power failure
    /// tore is made whole first.
    ///
    /// # Errors
    /// As [`Repo::open_or_init`], or if the journal cannot be read or written.
    pub fn open_journaled(git_dir: &Path) -> Result<Self, RepoError> {
        Self::open_with_journal(git_dir, LENGTH)
    }

    pub(crate) fn open_with_journal(git_dir: &Path, length: u64) -> Result<Self, RepoError> {
        let mut repo = Self::open(git_dir)?;
        // Whoever was killed while it moved a ref left its lock, and its journal is ahead of it.
        for lock in repo.take_stale_locks()?.unwrap_or_default() {
            tracing::warn!(
                "A program that was killed left {}; it is taken away.",
                lock.display()
            );
        }
        repo.lets_libgit2_wait(false)?;
        let journal = Journal::open(&*repo.lock()?, length)?;
        repo.journal = Some(Arc::new(Mutex::new(journal)));
        Ok(repo)
    }

    /// libgit2 fsyncs objects and refs only when told to. Asked for each time: an earlier run may
    /// have been killed between making the repository and this.
    fn lets_libgit2_wait(&self, waits: bool) -> Result<(), RepoError> {
        let doing = "setting whether libgit2 waits for the disk";
        let name = "core.fsyncObjectFiles";
        let git = self.lock()?;
        let mut config = git.config().map_err(RepoError::git(doing))?;
        if !waits && config.get_bool(name).is_ok() {
            // Not to wait is what it does by itself; git's own client warns of the entry, and only
            // somebody's own configuration needs an answer.
            let mut own = config
                .open_level(ConfigLevel::Local)
                .map_err(RepoError::git(doing))?;
            match own.remove(name) {
                Err(error) if error.code() == ErrorCode::NotFound => {}
                removed => removed.map_err(RepoError::git(doing))?,
            }
        }
        if config.get_bool(name).unwrap_or(false) != waits {
            config
                .set_bool(name, waits)
                .map_err(RepoError::git(doing))?;
        }
        // Read now: another opener may set it otherwise.
        git.odb().map_err(RepoError::git(doing))?;
        git.refname_to_id(RefName::Verified.as_str()).ok();
        Ok(())
    }

    fn open(git_dir: &Path) -> Result<Self, RepoError> {
        let failed = |reason: String| RepoError::Open {
            folder: git_dir.to_owned(),
            reason,
        };
        let git = if git_dir.join("HEAD").is_file() {
            open_only(git_dir).map_err(|e| failed(e.message().to_owned()))?
        } else {
            let mut options = RepositoryInitOptions::new();
            options
                .bare(true)
                .external_template(false)
                .initial_head("main")
                .mkpath(true);
            Repository::init_opts(git_dir, &options).map_err(|e| failed(e.message().to_owned()))?
        };
        if !git.is_bare() {
            return Err(failed(
                "it has a work tree; choose a folder outside any vault".to_owned(),
            ));
        }
        Ok(Self {
            git: Arc::new(Mutex::new(git)),
            git_dir: Arc::new(git_dir.to_owned()),
            key: None,
            journal: None,
            open: open_only,
        })
    }

    /// A repository that is open already, and how it was opened.
    pub(crate) fn around(git: Repository, open: Open) -> Self {
        let git_dir = Arc::new(git.path().to_owned());
        Self {
            git: Arc::new(Mutex::new(git)),
            git_dir,
            key: None,
            journal: None,
            open,
        }
    }

    /// The same repository; commits made through it are signed with this key.
    pub fn signing_with(mut self, key: SigningKey) -> Self {
        self.key = Some(key);
        self
    }

    pub(crate) fn key(&self) -> Option<&SigningKey> {
        self.key.as_ref()
    }

    /// The folder.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    pub(crate) fn lock(&self) -> Result<MutexGuard<'_, Repository>, RepoError> {
        self.git.lock().map_err(|_| RepoError::Poisoned)
    }

    pub(crate) fn journal(&self) -> Result<Option<MutexGuard<'_, Journal>>, RepoError> {
        match &self.journal {
            Some(journal) => journal.lock().map(Some).map_err(|_| RepoError::Poisoned),
            None => Ok(None),
        }
    }

    /// Gives back the memory in which libgit2 keeps what it has read. Whoever goes through many
    /// commits does so now and then: it keeps hundreds of megabytes.
    ///
    /// # Errors
    /// If the repository cannot be opened any more.
    pub fn forget(&self) -> Result<(), RepoError> {
        let mut git = self.lock()?;
        *git = (self.open)(&self.git_dir).map_err(RepoError::git("opening it again"))?;
        Ok(())
    }

    /// These objects were written: they are on the disk when the next ref is.
    pub(crate) fn made(&self, objects: &[Oid]) -> Result<(), RepoError> {
        if let Some(mut journal) = self.journal()? {
            objects.iter().for_each(|object| journal.made(*object));
        }
        Ok(())
    }

    /// Puts everything on the disk, so that nothing rests on the journal.
    pub(crate) fn settle(&self) -> Result<(), RepoError> {
        let git = self.lock()?;
        match self.journal()? {
            Some(mut journal) => journal.begin_anew(&git),
            None => Ok(()),
        }
    }

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
            self.made(&[oid])?;
        } else if self.journal.is_some() {
            settle_loose(&loose(&self.git_dir, oid)).map_err(|error| RepoError::Git {
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
fn settle_loose(path: &Path) -> io::Result<()> {
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
    fn a_repository_opens_again_with_its_refs() {
        let folder = tempfile::tempdir().unwrap();
        let git_dir = folder.path().join("state/vault.git");
        let repo = Repo::open_or_init(&git_dir).unwrap();
        let blob = repo.write_blob(b"hello").unwrap();
        assert_eq!(blob, Repo::blob_oid_of(b"hello").unwrap());
        drop(repo);
        let repo = Repo::open_or_init(&git_dir).unwrap();
        assert_eq!(repo.read_blob(blob, 5).unwrap(), b"hello");
        assert!(matches!(
            repo.read_blob(blob, 4),
            Err(RepoError::TooLarge { .. })
        ));
        assert_eq!(repo.tip(RefName::Verified).unwrap(), None);
        assert!(!git_dir.join("index").exists());
    }

    #[test]
    fn an_id_is_only_read_in_full() {
        assert!(Repo::oid("abc").is_err());
        assert!(Repo::oid(&"g".repeat(40)).is_err());
        assert!(Repo::oid(&"a".repeat(40)).is_ok());
    }
}
