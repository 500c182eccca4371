//! [`Repo`]: the handle of the bare repository.
//!
//! Lives elsewhere: `open` opens it, `blobs` reads and stores blobs, `lookup` reads trees, `commit`
//! makes commits, `refs` moves refs; how a change gets on the disk is `wal`'s.
//! Invariants: every call blocks; callers in async code go through `spawn_blocking`. This file
//! calls no other file of the crate but the write-ahead log.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use git2::{Oid, Repository};

use crate::{FolderSize, RepoError, SigningKey, wal::Wal};

/// A bare repository outside the vault. Cheap to clone; one call at a time.
#[derive(Clone)]
pub struct Repo {
    git: Arc<Mutex<Repository>>,
    git_dir: Arc<PathBuf>,
    key: Option<SigningKey>,
    /// Taken after `git`, never before.
    wal: Option<Arc<Mutex<Wal>>>,
    /// Taken after `git`, never before.
    sizes: Arc<Mutex<FolderSizes>>,
    open: Open,
}

/// How large folders are, each tree at its depth: what a tree holds never changes.
pub(crate) type FolderSizes = HashMap<(Oid, usize), FolderSize>;

/// How a repository is opened, once more.
pub(crate) type Open = fn(&Path) -> Result<Repository, git2::Error>;

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repo")
            .field("git_dir", &self.git_dir)
            .finish_non_exhaustive()
    }
}

impl Repo {
    /// A repository that is open already, and how it was opened.
    pub(crate) fn from_open(git: Repository, git_dir: PathBuf, open: Open) -> Self {
        Self {
            git: Arc::new(Mutex::new(git)),
            git_dir: Arc::new(git_dir),
            key: None,
            wal: None,
            sizes: Arc::default(),
            open,
        }
    }

    /// Frees libgit2's caches of what it has read, by opening the repository again. A walk over many
    /// commits calls it now and then: the caches grow to hundreds of megabytes.
    ///
    /// # Errors
    /// If the repository cannot be opened any more.
    pub fn drop_caches(&self) -> Result<(), RepoError> {
        let mut git = self.lock()?;
        *git = (self.open)(&self.git_dir).map_err(RepoError::git("opening it again"))?;
        Ok(())
    }

    /// The same repository, whose changes go through this write-ahead log.
    pub(crate) fn with_wal(mut self, wal: Wal) -> Self {
        self.wal = Some(Arc::new(Mutex::new(wal)));
        self
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

    pub(crate) fn sizes(&self) -> Result<MutexGuard<'_, FolderSizes>, RepoError> {
        self.sizes.lock().map_err(|_| RepoError::Poisoned)
    }

    /// Whether changes go through a write-ahead log.
    pub(crate) fn has_wal(&self) -> bool {
        self.wal.is_some()
    }

    pub(crate) fn wal(&self) -> Result<Option<MutexGuard<'_, Wal>>, RepoError> {
        match &self.wal {
            Some(wal) => wal.lock().map(Some).map_err(|_| RepoError::Poisoned),
            None => Ok(None),
        }
    }

    /// These objects were written: they are on the disk when the next ref is.
    pub(crate) fn record_written(&self, objects: &[Oid]) -> Result<(), RepoError> {
        if let Some(mut wal) = self.wal()? {
            objects
                .iter()
                .for_each(|object| wal.record_written(*object));
        }
        Ok(())
    }

    /// Puts everything on the disk, so that nothing rests on the write-ahead log.
    pub(crate) fn checkpoint(&self) -> Result<(), RepoError> {
        let git = self.lock()?;
        match self.wal()? {
            Some(mut wal) => wal.checkpoint(&git),
            None => Ok(()),
        }
    }
}
