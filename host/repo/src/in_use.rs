//! [`InUse`]: who works in the repository, and tidying up after who was killed there.
//!
//! A program that is killed while it moves a ref leaves `<ref>.lock` behind, and from then on
//! that ref cannot be moved any more. Such a lock may be taken away only when its owner is gone.
//! The caller's own lock proves that no other daemon is there; that no git of an earlier daemon
//! still runs is proven by a file that every git child holds locked, as its standard input, for as
//! long as it lives, whatever becomes of its parent.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{Repo, RepoError};

/// Locked, shared, by every git that this machine's daemon starts.
const FILE: &str = "platinum-children";
/// Deeper folders of refs than this do not exist.
const MAX_DEPTH: usize = 8;

/// Standard input for a git child: empty, and a lock as long as the child lives.
pub(crate) fn lifetime(git_dir: &Path) -> io::Result<Stdio> {
    let file = open(git_dir)?;
    file.lock_shared()?;
    Ok(Stdio::from(file))
}

fn open(git_dir: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(git_dir.join(FILE))
}

impl Repo {
    /// Takes away the locks that killed programs left behind; answers which. `None` if a git of
    /// an earlier daemon still runs: ask again in a moment.
    ///
    /// The caller must be the only daemon with this repository, and have no git running itself.
    ///
    /// # Errors
    /// If a lock cannot be looked at or taken away.
    pub fn take_stale_locks(&self) -> Result<Option<Vec<PathBuf>>, RepoError> {
        let failed = |error: io::Error| RepoError::Open {
            folder: self.git_dir().to_owned(),
            reason: format!("a lock left behind cannot be taken away: {error}"),
        };
        let children = open(self.git_dir()).map_err(failed)?;
        match children.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut found = Vec::new();
        collect(self.git_dir(), false, 0, &mut found).map_err(failed)?;
        collect(&self.git_dir().join("refs"), true, 0, &mut found).map_err(failed)?;
        for lock in &found {
            match fs::remove_file(lock) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        Ok(Some(found))
    }
}

fn collect(folder: &Path, below: bool, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() && below && depth < MAX_DEPTH {
            collect(&entry.path(), below, depth + 1, found)?;
        } else if kind.is_file() && entry.file_name().to_string_lossy().ends_with(".lock") {
            found.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use platinum_core::Timestamp;

    use super::*;
    use crate::{CommitMeta, RefName};

    #[test]
    fn locks_are_taken_away_once_nobody_can_hold_them() {
        let folder = tempfile::tempdir().unwrap();
        let git_dir = folder.path().join("vault.git");
        let repo = Repo::open_or_init(&git_dir).unwrap();
        let meta = CommitMeta {
            agent: "local".parse().unwrap(),
            role: platinum_core::Role::Local,
            message: "A".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::UNIX_EPOCH,
        };
        let commit = repo.commit(None, &[], &meta).unwrap();
        repo.set_ref(RefName::Verified, commit).unwrap();
        let left = ["refs/vault/verified.lock", "packed-refs.lock"].map(|name| git_dir.join(name));
        for lock in &left {
            fs::write(lock, "").unwrap();
        }
        repo.set_ref(RefName::Verified, commit).unwrap_err();

        // A git that outlived the daemon which started it may be the one that holds them.
        let mut orphan = Command::new("cat")
            .stdin(lifetime(&git_dir).unwrap())
            .spawn()
            .unwrap();
        orphan.wait().unwrap();
        let mut orphan = Command::new("sleep")
            .arg("60")
            .stdin(lifetime(&git_dir).unwrap())
            .spawn()
            .unwrap();
        assert_eq!(repo.take_stale_locks().unwrap(), None);
        repo.set_ref(RefName::Verified, commit).unwrap_err();
        orphan.kill().unwrap();
        orphan.wait().unwrap();

        let mut taken = repo.take_stale_locks().unwrap().unwrap();
        taken.sort();
        let mut left = left.to_vec();
        left.sort();
        assert_eq!(taken, left);
        repo.set_ref(RefName::Verified, commit).unwrap();
        assert_eq!(repo.take_stale_locks().unwrap(), Some(Vec::new()));
    }
}
