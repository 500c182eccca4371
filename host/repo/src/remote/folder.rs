//! Where the branch of a repository points that is a folder on this machine, read by libgit2: no
//! process is started.
//!
//! Invariants: the repository is opened anew for each poll, so that one that was replaced meanwhile
//! is seen; what libgit2 cannot read with certainty (a format that it does not know, an owner it
//! does not trust) is [`FolderTip::AskGit`], never a guess.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use git2::{ErrorCode, Oid, Repository, RepositoryOpenFlags};

use super::BRANCH;

/// What one poll found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FolderTip {
    /// The branch points there, or there is none.
    Known(Option<Oid>),
    /// Git's own client has to be asked.
    AskGit,
}

/// Polls a folder.
#[derive(Debug, Default)]
pub(super) struct FolderPoll {
    /// Held while a poll runs.
    running: Arc<Mutex<()>>,
    needs_git: bool,
}

impl FolderPoll {
    /// Whether the last poll was of no use.
    pub(super) fn needs_git(&self) -> bool {
        self.needs_git
    }

    /// Where the branch points.
    pub(super) async fn poll_tip(&mut self, path: &Path) -> Result<FolderTip, String> {
        // The path of a `file://` address is decoded by git; that is left to it.
        if path.to_string_lossy().contains('%') {
            self.needs_git = true;
            return Ok(FolderTip::AskGit);
        }
        let (path, running) = (path.to_owned(), Arc::clone(&self.running));
        let found = tokio::task::spawn_blocking(move || {
            // An earlier poll that hangs (a network drive) holds it: no second thread waits too.
            let Ok(_running) = running.try_lock() else {
                return Err("an earlier poll of the folder has not ended".to_owned());
            };
            read_tip(&path)
        })
        .await
        .map_err(|error| error.to_string())??;
        self.needs_git = found == FolderTip::AskGit;
        Ok(found)
    }
}

fn read_tip(path: &Path) -> Result<FolderTip, String> {
    let mut with_ending = path.as_os_str().to_owned();
    with_ending.push(".git");
    let opened = open(path).or_else(|error| match error.code() {
        // Git adds the ending by itself.
        ErrorCode::NotFound => open(&PathBuf::from(with_ending)),
        _ => Err(error),
    });
    let tip = opened.and_then(|repo| match repo.refname_to_id(BRANCH) {
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        tip => tip.map(Some),
    });
    match tip {
        Ok(tip) => Ok(FolderTip::Known(tip)),
        Err(error) if error.code() == ErrorCode::NotFound => {
            Err("there is no repository".to_owned())
        }
        Err(_) => Ok(FolderTip::AskGit),
    }
}

fn open(path: &Path) -> Result<Repository, git2::Error> {
    let flags = RepositoryOpenFlags::NO_SEARCH;
    Repository::open_ext(path, flags, std::iter::empty::<&Path>())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const A: &str = "1111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222";

    fn tip(text: &str) -> FolderTip {
        FolderTip::Known(Some(Oid::from_str(text).unwrap()))
    }

    /// Loose refs, packed refs, symbolic refs, and what libgit2 cannot read.
    #[test]
    fn read_tip_reads_the_branch_as_git_does() {
        let folder = tempfile::tempdir().unwrap();
        let bare = folder.path().join("vault.git");
        assert_eq!(read_tip(&bare).unwrap_err(), "there is no repository");
        Repository::init_bare(&bare).unwrap();
        assert_eq!(read_tip(&bare).unwrap(), FolderTip::Known(None));

        let packed = format!("# pack-refs with: peeled\n{B} refs/heads/main2\n{A} {BRANCH}\n");
        fs::write(bare.join("packed-refs"), packed).unwrap();
        assert_eq!(read_tip(&bare).unwrap(), tip(A));
        // Within one tick of the clock, and of the same length.
        let packed = format!("# pack-refs with: peeled\n{A} refs/heads/main2\n{B} {BRANCH}\n");
        fs::write(bare.join("packed-refs"), packed).unwrap();
        assert_eq!(read_tip(&bare).unwrap(), tip(B));
        fs::write(bare.join(BRANCH), format!("{A}\n")).unwrap();
        assert_eq!(read_tip(&bare).unwrap(), tip(A));
        // Git adds the ending by itself.
        assert_eq!(read_tip(&folder.path().join("vault")).unwrap(), tip(A));

        for unclear in ["", "11"] {
            fs::write(bare.join(BRANCH), unclear).unwrap();
            assert_eq!(read_tip(&bare).unwrap(), FolderTip::AskGit, "{unclear:?}");
        }
        fs::write(bare.join(BRANCH), "ref: refs/heads/main2\n").unwrap();
        assert_eq!(read_tip(&bare).unwrap(), tip(A));
        let config = "[core]\nrepositoryformatversion = 1\nbare = true\n[extensions]\nrefstorage = reftable\n";
        fs::write(bare.join("config"), config).unwrap();
        assert_eq!(read_tip(&bare).unwrap(), FolderTip::AskGit);
    }
}
