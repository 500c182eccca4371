//! [`Drafts`]: which tasks have drafts, and under which claims those were made.
//!
//! Lives elsewhere: which draft counts for a claim is decided by [`DraftNote::is_under`].

use std::collections::BTreeSet;

use platinum_core::{TaskId, layout};
use platinum_repo::{Oid, Repo, RepoError};
use platinum_vault::{
    Vault,
    note::{DraftNote, MAX_DRAFT_BYTES},
};

use crate::location::draft_of;

/// Where drafts are: waiting, approved or rejected.
pub const DRAFT_FOLDERS: [&str; 3] = [layout::PENDING_APPROVAL, layout::APPROVED, layout::REJECTED];

/// The drafts of a vault, waiting, approved or rejected: each with its task and the epoch in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drafts(BTreeSet<(TaskId, Option<u64>)>);

impl Drafts {
    /// Reads them. Blocks on the disk; what cannot be read is no draft.
    pub fn of(vault: &Vault) -> Self {
        DRAFT_FOLDERS
            .into_iter()
            .filter_map(|folder| vault.list(folder).ok())
            .flatten()
            .filter_map(|entry| vault.read_text(&entry.path, MAX_DRAFT_BYTES as u64).ok())
            .filter_map(|text| DraftNote::parse(&text).ok())
            .map(|draft| (draft.task, draft.epoch))
            .collect()
    }

    /// The epochs that the drafts of a task say.
    pub fn epochs(&self, task: TaskId) -> impl Iterator<Item = Option<u64>> + '_ {
        let of_task = self.0.range((task, None)..=(task, Some(u64::MAX)));
        of_task.map(|(_, made)| *made)
    }

    /// Whether a task has one that was made under the claim of this epoch.
    pub fn has(&self, task: TaskId, claim: u64) -> bool {
        self.epochs(task)
            .any(|made| DraftNote::is_under(made, claim))
    }
}

/// Whether `tip` has a draft for a task, made under the claim of this epoch, that `applied` has
/// not.
///
/// # Errors
/// If the repository cannot be read.
pub fn has_new_draft(
    repo: &Repo,
    (applied, tip): (Option<Oid>, Oid),
    task: TaskId,
    epoch: u64,
) -> Result<bool, RepoError> {
    for changed in repo.changes(applied, tip)? {
        let Some(blob) = changed
            .blob
            .filter(|_| DRAFT_FOLDERS.contains(&changed.path.top()))
        else {
            continue;
        };
        if let Some((of, made)) = draft_of(repo, blob)?
            && of == task
            && DraftNote::is_under(made, epoch)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

impl FromIterator<(TaskId, Option<u64>)> for Drafts {
    fn from_iter<I: IntoIterator<Item = (TaskId, Option<u64>)>>(drafts: I) -> Self {
        Self(drafts.into_iter().collect())
    }
}
