//! [`SyncError`]: why a sync, a claim or the end of a task did not come about.

use platinum_core::{TaskId, ZoneId};
use platinum_repo::{RemoteError, RepoError, SERVER_SAYS};
use platinum_tasks::TaskNoteError;
use platinum_vault::VaultError;
use platinum_verify::{VerifyError, Violation};
use platinum_worktree::WorktreeError;

/// Why a call of the synchronizer failed. Nothing is lost in any of these.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The remote cannot be asked.
    #[error(transparent)]
    Remote(RemoteError),
    /// The remote answers, and holds what git itself does not take. Nothing changes that but who
    /// runs it: the owner has to hear of it.
    #[error("{0}")]
    Faulty(RemoteError),
    /// The remote was asked, and whether it took the change is not known.
    #[error(
        "whether the remote took the change is not known ({0}); it is looked up at the next contact"
    )]
    InDoubt(String),
    /// Others were always faster.
    #[error(
        "the remote did not take the change {times} times in a row ({reason}); it is tried again later"
    )]
    Contended {
        /// How often it was tried.
        times: u32,
        /// What the remote said last.
        reason: String,
    },
    /// The remote has something that may not be applied here.
    #[error("{0}")]
    Violation(Violation),
    /// The remote lost what it had.
    #[error(
        "the remote has no branch `main`, but had commit {0} before; `platinum remote restore` puts it back from the owner's machine"
    )]
    RemoteLost(String),
    /// This agent may not make the change.
    #[error("{0}")]
    Refused(String),
    /// The task cannot be claimed or ended.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The repository failed.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// A call on another thread ended early, because the daemon is stopping.
    #[error("the daemon is stopping")]
    Stopping,
}

/// Why a task cannot be claimed or ended. Other tasks are not affected.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Only the owner's machine works in the zone.
    #[error("tasks of zone {0} belong to the owner's machine")]
    ZoneDenied(ZoneId),
    /// No such task.
    #[error("no task has the id {0}")]
    NoTask(TaskId),
    /// The task is not this agent's.
    #[error("the task {task} is owned by {owner}")]
    NotOwner {
        /// Which task.
        task: TaskId,
        /// Whose it is, or what became of it.
        owner: String,
    },
    /// The task's note cannot be read or edited.
    #[error(transparent)]
    Note(TaskNoteError),
}

impl From<TaskNoteError> for SyncError {
    fn from(error: TaskNoteError) -> Self {
        match error {
            TaskNoteError::Repo(error) => SyncError::Repo(error),
            note => SyncError::Claim(ClaimError::Note(note)),
        }
    }
}

impl From<WorktreeError> for SyncError {
    fn from(error: WorktreeError) -> Self {
        match error {
            WorktreeError::Repo(error) => SyncError::Repo(error),
            WorktreeError::Vault(error) => SyncError::Vault(error),
        }
    }
}

impl From<VerifyError> for SyncError {
    fn from(error: VerifyError) -> Self {
        match error {
            VerifyError::Violation(violation) => SyncError::Violation(violation),
            VerifyError::Refused(why) => SyncError::Refused(why),
            VerifyError::Path(error) => SyncError::Vault(error.into()),
            VerifyError::Repo(error) => SyncError::Repo(error),
        }
    }
}

impl From<RemoteError> for SyncError {
    fn from(error: RemoteError) -> Self {
        match error {
            RemoteError::Faulty { .. } => SyncError::Faulty(error),
            away => SyncError::Remote(away),
        }
    }
}

impl SyncError {
    /// Whether it is about the one task that was asked for, so that others may go on.
    pub(crate) fn is_about_one_task(&self) -> bool {
        matches!(
            self,
            SyncError::Refused(_) | SyncError::Claim(_) | SyncError::Vault(_)
        )
    }

    /// Whether nothing can be synced until a person has looked.
    pub fn stops_all(&self) -> bool {
        matches!(
            self,
            SyncError::Violation(_) | SyncError::RemoteLost(_) | SyncError::Faulty(_)
        )
    }

    /// Whether the remote's server refuses what is offered: the owner has to hear its words.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, SyncError::Contended { reason, .. } if reason.contains(SERVER_SAYS))
    }

    /// Whether the remote was away, so that the same call may succeed later.
    pub fn is_away(&self) -> bool {
        matches!(
            self,
            SyncError::Remote(_)
                | SyncError::InDoubt(_)
                | SyncError::Contended { .. }
                | SyncError::Stopping
        )
    }
}
