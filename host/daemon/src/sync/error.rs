//! [`SyncError`]: why a sync, a claim or the end of a task did not come about.

use std::fmt;

use platinum_core::{AgentName, TaskId, VaultPath, ZoneId};
use platinum_repo::{RemoteError, RepoError};
use platinum_secrets::Finding;
use platinum_vault::{VaultError, note::NoteError};

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
        "the remote has no branch `main`, but had commit {0} before; restore it from a backup or from this machine"
    )]
    RemoteLost(String),
    /// This agent may not make the change.
    #[error("{0}")]
    Refused(String),
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
    #[error("the note {path}: {source}")]
    Note {
        /// Where.
        path: VaultPath,
        /// What is wrong.
        source: NoteError,
    },
    /// The task's note is not text.
    #[error("the note {0} is not UTF-8 text; save it as UTF-8")]
    NotText(VaultPath),
    /// A file holds a secret.
    #[error("{finding}")]
    Secret {
        /// Which file.
        path: VaultPath,
        /// What was found, without repeating it.
        finding: Finding,
    },
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

/// A commit of the remote that is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The commit, in hex.
    pub commit: String,
    /// Who signed it, if that is known.
    pub agent: Option<AgentName>,
    /// What is wrong, one sentence each.
    pub reasons: Vec<String>,
    /// How many more reasons there are than are listed.
    pub unlisted: usize,
    /// What can be done about it.
    pub remedy: Remedy,
}

/// What can be done about a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// The local half takes it out of the remote.
    Undo,
    /// Nobody but this host is known here: the keys may not have been exchanged yet.
    Trust,
    /// A person has to look; the reasons say at what.
    Owner,
}

impl Violation {
    /// The commit as a person reads it.
    pub fn short(&self) -> &str {
        self.commit.get(..12).unwrap_or(&self.commit)
    }

    /// As a server says it to who pushed.
    pub fn refusal(&self) -> String {
        self.sentence("is refused")
    }

    fn sentence(&self, what: &str) -> String {
        const SHOWN: usize = 5;
        let mut text = format!("commit {} {what}: ", self.short());
        let shown: Vec<&str> = self
            .reasons
            .iter()
            .take(SHOWN)
            .map(String::as_str)
            .collect();
        text.push_str(&shown.join("; "));
        let more = self.reasons.len().saturating_sub(SHOWN);
        if let more @ 1.. = more.saturating_add(self.unlisted) {
            text.push_str(&format!("; and {more} more"));
        }
        text
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence("is not applied"))
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
    pub(super) fn is_about_one_task(&self) -> bool {
        matches!(
            self,
            SyncError::Refused(_)
                | SyncError::ZoneDenied(_)
                | SyncError::NoTask(_)
                | SyncError::NotOwner { .. }
                | SyncError::Note { .. }
                | SyncError::NotText(_)
                | SyncError::Secret { .. }
                | SyncError::Vault(_)
        )
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
