//! What claims, ends and moves of tasks have in common.

use jiff::SignedDuration;
use platinum_core::{TaskId, VaultPath};
use platinum_repo::Oid;
use platinum_tasks::TaskLocation;

/// A remote that answered this recently is not asked before the first push of a claim or an end.
pub(crate) const KNOWN: SignedDuration = SignedDuration::from_secs(1);

/// How often one claim is pushed at most.
pub(crate) const MAX_ATTEMPTS: u32 = 12;

/// Where a claim takes a task from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimSource {
    /// From `Needs_Action/`.
    Waiting,
    /// From wherever it was: somebody moved the file into this agent's folder by hand already.
    MovedByHand,
    /// From the folder of an owner whose lease has expired.
    Expired,
}

/// The claim that was pushed last.
#[derive(Debug, Clone)]
pub(crate) struct Proposal {
    pub(crate) commit: Oid,
    pub(crate) on_tip: Option<Oid>,
    pub(crate) moved: TaskMove,
}

/// What a claim has to know of a tip.
pub(crate) struct TipView {
    pub(crate) tip: Option<Oid>,
    pub(crate) found: TaskLocation,
    /// Whether the commit that was proposed is in its history.
    pub(crate) landed: Option<bool>,
    /// Whether the task is owned by an earlier claim of this host.
    pub(crate) is_earlier: bool,
}

/// One file that changes its place, and maybe its text.
#[derive(Debug, Clone)]
pub(crate) struct TaskMove {
    pub(crate) from: (VaultPath, Oid),
    pub(crate) to: (VaultPath, Oid),
    /// What is at the new place already, if the file was moved by hand.
    pub(crate) replaces: Option<Oid>,
}

/// The name of the mark under which a host remembers its claim of a task.
pub(crate) fn mark(task: TaskId) -> String {
    format!("claims/{task}")
}
