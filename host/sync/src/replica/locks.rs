//! [`StaleLocks`]: locks that killed programs left in the repository.

use std::sync::{Mutex, MutexGuard, PoisonError};

use platinum_repo::{Repo, RepoError};

/// Removes locks that killed programs left: an earlier daemon, or a git of ours that was ended.
pub(crate) struct StaleLocks {
    repo: Repo,
    /// Whether there are certainly none.
    is_clean: Mutex<bool>,
}

/// A git that works in the repository.
#[must_use]
pub(crate) struct RunningGit {
    was_clean: bool,
}

impl StaleLocks {
    pub(crate) fn new(repo: Repo) -> Self {
        Self {
            repo,
            is_clean: Mutex::new(false),
        }
    }

    fn is_clean(&self) -> MutexGuard<'_, bool> {
        self.is_clean.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes stale locks. Under the sync lock alone: no git of ours runs then.
    pub(crate) fn remove_stale(&self) -> Result<(), RepoError> {
        let mut is_clean = self.is_clean();
        if *is_clean {
            return Ok(());
        }
        match self.repo.remove_stale_locks()? {
            Some(taken) => {
                *is_clean = true;
                for lock in taken {
                    tracing::warn!("Removed the stale lock {}.", lock.display());
                }
            }
            None => tracing::info!(
                "A git process of an earlier daemon is still running; not removing its locks."
            ),
        }
        Ok(())
    }

    /// Notes that a git is about to work in the repository. Unless [`StaleLocks::git_ended`] is
    /// called for it, it may have been killed and have left locks.
    pub(crate) fn git_started(&self) -> RunningGit {
        RunningGit {
            was_clean: std::mem::take(&mut *self.is_clean()),
        }
    }

    /// Notes that git came to its end by itself.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a git ends once: what says that it runs goes with it"
    )]
    pub(crate) fn git_ended(&self, git: RunningGit) {
        *self.is_clean() |= git.was_clean;
    }
}
