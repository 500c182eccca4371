//! Opening the repository: [`Repo::open_or_init`], [`Repo::open_with_wal`].
//!
//! Invariant: only the folder that was named is opened, never one above it or one that the
//! environment names.

use std::path::Path;

use git2::{ConfigLevel, ErrorCode, Repository, RepositoryInitOptions, RepositoryOpenFlags};

use crate::{
    RefName, Repo, RepoError,
    wal::{LENGTH, Wal},
};

/// Opens only this folder, whatever GIT_DIR says, and searches in none above.
fn open_only(git_dir: &Path) -> Result<Repository, git2::Error> {
    Repository::open_ext(
        git_dir,
        RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::BARE | RepositoryOpenFlags::NO_DOTGIT,
        std::iter::empty::<&Path>(),
    )
}

impl Repo {
    /// Opens the repository in `git_dir`, or makes it.
    ///
    /// # Errors
    /// If the folder cannot be made, or is something else than a bare repository.
    pub fn open_or_init(git_dir: &Path) -> Result<Self, RepoError> {
        let repo = Self::open(git_dir)?;
        // A repository with a write-ahead log has one writer, the daemon; this opener only reads.
        if !Wal::is_in(git_dir) {
            repo.set_fsync(true)?;
        }
        Ok(repo)
    }

    /// As [`Repo::open_or_init`], for the one daemon that writes here (the caller's own lock says
    /// so): a change is on the disk after two waits instead of eighteen, and what a power failure
    /// tore is made whole first.
    ///
    /// # Errors
    /// As [`Repo::open_or_init`], or if the write-ahead log cannot be read or written.
    pub fn open_with_wal(git_dir: &Path) -> Result<Self, RepoError> {
        Self::open_with_wal_of(git_dir, LENGTH)
    }

    pub(crate) fn open_with_wal_of(git_dir: &Path, length: u64) -> Result<Self, RepoError> {
        let repo = Self::open(git_dir)?;
        // A daemon that was killed while it moved a ref left its lock, and its log is ahead of the ref.
        for lock in repo.remove_stale_locks()?.unwrap_or_default() {
            tracing::warn!(
                "Removed the stale lock {}, left by a program that was killed.",
                lock.display()
            );
        }
        repo.set_fsync(false)?;
        let wal = Wal::open(&*repo.lock()?, length)?;
        Ok(repo.with_wal(wal))
    }

    /// Whether libgit2 fsyncs objects and refs, which it does only when asked. Set each time: an earlier run may
    /// have been killed between making the repository and this.
    fn set_fsync(&self, enabled: bool) -> Result<(), RepoError> {
        let doing = "setting core.fsyncObjectFiles";
        let name = "core.fsyncObjectFiles";
        let git = self.lock()?;
        let mut config = git.config().map_err(RepoError::git(doing))?;
        if !enabled && config.get_bool(name).is_ok() {
            // Off is the default, and git's own client warns of the entry: it is removed, unless the
            // user's own configuration has to be overridden.
            let mut own = config
                .open_level(ConfigLevel::Local)
                .map_err(RepoError::git(doing))?;
            match own.remove(name) {
                Err(error) if error.code() == ErrorCode::NotFound => {}
                removed => removed.map_err(RepoError::git(doing))?,
            }
        }
        if config.get_bool(name).unwrap_or(false) != enabled {
            config
                .set_bool(name, enabled)
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
        Ok(Self::from_open(git, git_dir.to_owned(), open_only))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn open_or_init_twice_keeps_blobs_and_refs() {
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
}
