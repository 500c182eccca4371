//! [`Repo`]: the bare repository, its refs and its blobs.
//!
//! Lives elsewhere: trees are read in `tree`, commits made in `commit`.
//! Invariant: every call blocks; callers in async code go through `spawn_blocking`.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

use git2::{ObjectType, Oid, Repository, RepositoryInitOptions, RepositoryOpenFlags};

use crate::{RepoError, SigningKey};

/// Where the commits made here are kept until it is settled whether they landed.
const OUTBOX: &str = "refs/vault/outbox/";

/// The refs that say how far this machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefName {
    /// What was fetched last, not yet judged.
    Remote,
    /// The last tip that every rule was checked on.
    Verified,
    /// What the work tree was last made equal to: the base of the next merge. It may be a commit
    /// of this machine alone, when single files were applied ahead of the others.
    Applied,
}

impl RefName {
    /// The full name of the ref.
    pub const fn as_str(self) -> &'static str {
        match self {
            RefName::Remote => "refs/vault/remote",
            RefName::Verified => "refs/vault/verified",
            RefName::Applied => "refs/vault/applied",
        }
    }
}

/// A bare repository outside the vault. Cheap to clone; one call at a time.
#[derive(Clone)]
pub struct Repo {
    git: Arc<Mutex<Repository>>,
    git_dir: Arc<PathBuf>,
    key: Option<SigningKey>,
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
        let mut config = git.config().map_err(|e| failed(e.message().to_owned()))?;
        // libgit2 fsyncs objects and refs only when told to. Asked for each time: an earlier run
        // may have been killed between making the repository and this line.
        if !config.get_bool("core.fsyncObjectFiles").unwrap_or(false) {
            config
                .set_bool("core.fsyncObjectFiles", true)
                .map_err(|e| failed(e.message().to_owned()))?;
        }
        if !git.is_bare() {
            return Err(failed(
                "it has a work tree; choose a folder outside any vault".to_owned(),
            ));
        }
        Ok(Self {
            git: Arc::new(Mutex::new(git)),
            git_dir: Arc::new(git_dir.to_owned()),
            key: None,
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

    /// What a ref points at.
    ///
    /// # Errors
    /// If the ref cannot be read.
    pub fn tip(&self, name: RefName) -> Result<Option<Oid>, RepoError> {
        let git = self.lock()?;
        match git.refname_to_id(name.as_str()) {
            Ok(oid) => Ok(Some(oid)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(RepoError::git("reading a ref")(error)),
        }
    }

    /// Points a ref at a commit.
    ///
    /// # Errors
    /// If the ref cannot be written.
    pub fn set_ref(&self, name: RefName, to: Oid) -> Result<(), RepoError> {
        self.lock()?
            .reference(name.as_str(), to, true, "")
            .map(drop)
            .map_err(RepoError::git("moving a ref"))
    }

    /// Notes a commit as made here, before it is pushed: after a crash or a lost answer it is
    /// recognised when it comes back, and no other commit is.
    ///
    /// # Errors
    /// If the ref cannot be written.
    pub fn note_outgoing(&self, commit: Oid) -> Result<(), RepoError> {
        self.lock()?
            .reference(&format!("{OUTBOX}{commit}"), commit, true, "")
            .map(drop)
            .map_err(RepoError::git("noting a commit as outgoing"))
    }

    /// The commits made here of which it is not settled whether they landed.
    ///
    /// # Errors
    /// If the refs cannot be read.
    pub fn outgoing(&self) -> Result<BTreeSet<Oid>, RepoError> {
        let git = self.lock()?;
        let refs = git
            .references_glob(&format!("{OUTBOX}*"))
            .map_err(RepoError::git("listing outgoing commits"))?;
        let mut found = BTreeSet::new();
        for reference in refs {
            let reference = reference.map_err(RepoError::git("listing outgoing commits"))?;
            found.extend(reference.target());
        }
        Ok(found)
    }

    /// Forgets a commit made here: it landed, or can no longer land.
    ///
    /// # Errors
    /// If the ref cannot be removed.
    pub fn settle_outgoing(&self, commit: Oid) -> Result<(), RepoError> {
        let git = self.lock()?;
        match git.find_reference(&format!("{OUTBOX}{commit}")) {
            Ok(mut reference) => reference
                .delete()
                .map_err(RepoError::git("settling an outgoing commit")),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(()),
            Err(error) => Err(RepoError::git("settling an outgoing commit")(error)),
        }
    }

    /// Remembers a commit under a name of this machine's own, or forgets it.
    ///
    /// # Errors
    /// If the name is not of letters, digits, `_`, `-` and `/`, or the ref cannot be written.
    pub fn set_mark(&self, name: &str, commit: Option<Oid>) -> Result<(), RepoError> {
        let full = mark(name)?;
        let git = self.lock()?;
        match commit {
            Some(commit) => git
                .reference(&full, commit, true, "")
                .map(drop)
                .map_err(RepoError::git("setting a mark")),
            None => match git.find_reference(&full) {
                Ok(mut reference) => reference
                    .delete()
                    .map_err(RepoError::git("removing a mark")),
                Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(()),
                Err(error) => Err(RepoError::git("removing a mark")(error)),
            },
        }
    }

    /// The names under which something is remembered that begin with this folder.
    ///
    /// # Errors
    /// If the name is none, or the refs cannot be read.
    pub fn marks(&self, folder: &str) -> Result<Vec<String>, RepoError> {
        let full = mark(folder)?;
        let doing = "listing marks";
        let git = self.lock()?;
        let mut names = Vec::new();
        for reference in git
            .references_glob(&format!("{full}/*"))
            .map_err(RepoError::git(doing))?
        {
            let reference = reference.map_err(RepoError::git(doing))?;
            let below = reference
                .name()
                .ok()
                .and_then(|name| name.strip_prefix(&full));
            names.extend(below.map(|rest| format!("{folder}{rest}")));
        }
        Ok(names)
    }

    /// The commit remembered under a name.
    ///
    /// # Errors
    /// As [`Repo::set_mark`].
    pub fn mark(&self, name: &str) -> Result<Option<Oid>, RepoError> {
        let full = mark(name)?;
        match self.lock()?.refname_to_id(&full) {
            Ok(oid) => Ok(Some(oid)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(RepoError::git("reading a mark")(error)),
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
        self.lock()?
            .blob(bytes)
            .map_err(RepoError::git("writing a blob"))
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

fn mark(name: &str) -> Result<String, RepoError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/');
    if name.chars().all(fits) {
        Ok(format!("refs/vault/marks/{name}"))
    } else {
        Err(RepoError::Git {
            doing: "naming a mark",
            reason: format!("`{}`", name.escape_debug()),
        })
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
