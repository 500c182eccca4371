//! [`Prepared`]: what one round of a sync is about to do.

use platinum_core::{TaskId, VaultPath};
use platinum_policy::Change;
use platinum_repo::{Edit, Oid};
use platinum_worktree::{Withheld, WorktreeUpdate};

/// One edit that a sync would commit.
pub(crate) type PlannedEdit = (VaultPath, Edit, Change);

/// What a round is about to do.
#[derive(Default)]
pub(crate) struct Prepared {
    /// Our edits as a commit on the tip, if there are any.
    pub(crate) commit: Option<Oid>,
    /// How many files it changes.
    pub(crate) edits: u32,
    /// Where the work tree changes.
    pub(crate) updates: Vec<WorktreeUpdate>,
    /// Our versions that go beside theirs: the copy's path and blob.
    pub(crate) copies: Vec<(VaultPath, Oid)>,
    /// What stays here.
    pub(crate) withheld: Vec<Withheld>,
    /// How many files are being written, and go out once they rest.
    pub(crate) waiting: usize,
    /// What came for `Approved/` and waits for the owner instead.
    pub(crate) asked_again: Vec<VaultPath>,
    /// Tasks whose files were moved into this agent's folder by hand: each requests a claim.
    pub(crate) claim_requests: Vec<TaskId>,
}
