//! The process lock of the repository, and the removal of what killed programs left in it.
//!
//! A program that is killed while it moves a ref leaves `<ref>.lock` behind, and from then on
//! that ref cannot be moved any more; one that is killed while it writes objects leaves unfinished
//! files. Both may be taken away only when their owner is gone.
//! The caller's own lock proves that no other daemon is there; that no git of an earlier daemon
//! still runs is proven by a file that every git child holds locked, as its standard input, for as
//! long as it lives, whatever becomes of its parent.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, SystemTime},
};

use crate::{Repo, RepoError};

/// Locked, shared, by every git that this machine's daemon starts.
const FILE: &str = "platinum-children";
/// Deeper folders of refs than this do not exist.
const MAX_DEPTH: usize = 8;
/// Locks of git's that have names of their own.
const NAMED_LOCKS: [&str; 2] = ["packed-refs.new", "gc.pid"];
/// How the names of unfinished files begin, git's and libgit2's.
const UNFINISHED: [&str; 6] = [
    "tmp_",
    ".tmp-",
    "incoming-",
    "pack_git2_",
    "tmp_object_git2_",
    "tmp_objdir-",
];
/// Younger ones may be a writer's of this process.
const FRESH: Duration = Duration::from_secs(600);

/// Standard input for a git child: empty, and a lock as long as the child lives.
pub(crate) fn hold(git_dir: &Path) -> io::Result<Stdio> {
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
    /// The caller must be the only daemon with this repository, and have no git running itself;
    /// what it writes through this value meanwhile waits.
    ///
    /// # Errors
    /// If a lock cannot be read or removed.
    pub fn remove_stale_locks(&self) -> Result<Option<Vec<PathBuf>>, RepoError> {
        let failed = |error: io::Error| RepoError::Open {
            folder: self.git_dir().to_owned(),
            reason: format!("a lock left behind cannot be taken away: {error}"),
        };
        // A lock of a ref that this process moves right now is not stale.
        let _writers = self.lock()?;
        let children = open(self.git_dir()).map_err(failed)?;
        match children.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut found = Vec::new();
        collect(self.git_dir(), false, 0, &mut found).map_err(failed)?;
        collect(&self.git_dir().join("refs"), true, 0, &mut found).map_err(failed)?;
        for folder in ["info", "info/commit-graphs", "pack"] {
            let folder = self.git_dir().join("objects").join(folder);
            collect(&folder, false, 0, &mut found).map_err(failed)?;
        }
        for lock in &found {
            match fs::remove_file(lock) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        Ok(Some(found))
    }

    /// Takes away the unfinished objects and packs that killed programs left behind; answers how
    /// many. `None` if a git of this daemon or an earlier one still runs.
    ///
    /// # Errors
    /// If the repository cannot be read, or a leftover cannot be taken away.
    pub fn sweep(&self) -> Result<Option<usize>, RepoError> {
        let failed = |error: io::Error| RepoError::Open {
            folder: self.git_dir().to_owned(),
            reason: format!("what a killed program left cannot be taken away: {error}"),
        };
        let children = open(self.git_dir()).map_err(failed)?;
        match children.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let objects = self.git_dir().join("objects");
        let mut swept = sweep(&objects).map_err(failed)?;
        for entry in fs::read_dir(&objects).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_type().map_err(failed)?.is_dir() {
                swept = swept.saturating_add(sweep(&entry.path()).map_err(failed)?);
            }
        }
        Ok(Some(swept))
    }
}

/// Takes away what is unfinished in one folder of objects.
fn sweep(folder: &Path) -> io::Result<usize> {
    let mut swept = 0_usize;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !UNFINISHED.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        let found = entry.metadata()?;
        let age = SystemTime::now().duration_since(found.modified()?);
        // One from the future was left by another clock.
        if age.is_ok_and(|age| age < FRESH) {
            continue;
        }
        match found.is_dir() {
            true => fs::remove_dir_all(entry.path())?,
            false => fs::remove_file(entry.path())?,
        }
        swept = swept.saturating_add(1);
    }
    Ok(swept)
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
        } else if kind.is_file() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(".lock") || (!below && NAMED_LOCKS.contains(&&*name)) {
                found.push(entry.path());
            }
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
    fn remove_stale_locks_waits_for_running_git() {
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
        let first = repo.commit(None, &[], &meta).unwrap();
        repo.set_ref(RefName::Verified, first).unwrap();
        let commit = repo.commit(Some(first), &[], &meta).unwrap();
        let left = [
            "refs/vault/verified.lock",
            "packed-refs.lock",
            "packed-refs.new",
            "gc.pid",
            "objects/info/commit-graph.lock",
            "objects/pack/multi-pack-index.lock",
        ]
        .map(|name| git_dir.join(name));
        fs::create_dir_all(git_dir.join("objects/info")).unwrap();
        for lock in &left {
            fs::write(lock, "").unwrap();
        }
        repo.set_ref(RefName::Verified, commit).unwrap_err();

        // A git that outlived the daemon which started it may be the one that holds them.
        let mut orphan = Command::new("cat")
            .stdin(hold(&git_dir).unwrap())
            .spawn()
            .unwrap();
        orphan.wait().unwrap();
        let mut orphan = Command::new("sleep")
            .arg("60")
            .stdin(hold(&git_dir).unwrap())
            .spawn()
            .unwrap();
        assert_eq!(repo.remove_stale_locks().unwrap(), None);
        repo.set_ref(RefName::Verified, commit).unwrap_err();
        orphan.kill().unwrap();
        orphan.wait().unwrap();

        let mut taken = repo.remove_stale_locks().unwrap().unwrap();
        taken.sort();
        let mut left = left.to_vec();
        left.sort();
        assert_eq!(taken, left);
        repo.set_ref(RefName::Verified, commit).unwrap();
        assert_eq!(repo.remove_stale_locks().unwrap(), Some(Vec::new()));
    }

    /// A lock of this process is not taken for one that was left.
    #[test]
    fn remove_stale_locks_keeps_a_lock_of_this_process() {
        let folder = tempfile::tempdir().unwrap();
        let git_dir = folder.path().join("vault.git");
        let repo = Repo::open_or_init(&git_dir).unwrap();
        let lock = git_dir.join("refs/vault/kept.lock");
        fs::create_dir_all(lock.parent().unwrap()).unwrap();
        let writing = repo.lock().unwrap();
        fs::write(&lock, "").unwrap();
        let (sender, receiver) = std::sync::mpsc::channel();
        let other = repo.clone();
        std::thread::spawn(move || sender.send(other.remove_stale_locks().unwrap()));
        receiver
            .recv_timeout(Duration::from_millis(200))
            .unwrap_err();
        assert!(lock.exists());
        fs::remove_file(&lock).unwrap();
        drop(writing);
        assert_eq!(receiver.recv().unwrap(), Some(Vec::new()));
    }

    /// Unfinished objects are swept and finished ones are not.
    #[test]
    fn sweep_removes_only_unfinished_objects() {
        let folder = tempfile::tempdir().unwrap();
        let git_dir = folder.path().join("vault.git");
        let repo = Repo::open_or_init(&git_dir).unwrap();
        let blob = repo.write_blob(b"stays").unwrap();
        let old = SystemTime::now() - 2 * FRESH;
        let place = |name: &str, at: SystemTime| {
            let path = git_dir.join("objects").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "half").unwrap();
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(at)
                .unwrap();
            path
        };
        let unfinished = [
            "17/tmp_obj_x",
            "pack/tmp_pack_x",
            "pack/tmp_idx_x",
            "pack/.tmp-7-pack-x.pack",
            "tmp_object_git2_x",
        ]
        .map(|name| place(name, old));
        let in_work = place("pack/tmp_pack_y", SystemTime::now());
        let finished = place("pack/pack-x.keep", old);

        let mut other = Command::new("sleep")
            .arg("60")
            .stdin(hold(&git_dir).unwrap())
            .spawn()
            .unwrap();
        assert_eq!(repo.sweep().unwrap(), None);
        other.kill().unwrap();
        other.wait().unwrap();
        assert_eq!(repo.sweep().unwrap(), Some(unfinished.len()));
        assert!(unfinished.iter().all(|path| !path.exists()));
        assert!(in_work.exists() && finished.exists());
        assert_eq!(repo.read_blob(blob, 10).unwrap(), b"stays");
    }
}
