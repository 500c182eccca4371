//! What the synchronizer tells: of one sync, and of how things stand.

use platinum_core::{TaskId, Timestamp, VaultPath};

/// What a sync did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Files taken from the remote.
    pub pulled: u32,
    /// Files given to the remote.
    pub pushed: u32,
    /// Files kept a second time because both sides changed them.
    pub conflicts: u32,
    /// The tip that the vault now holds, in hex.
    pub tip: Option<String>,
    /// The paths that came from the remote.
    pub brought: Vec<VaultPath>,
    /// What stays on this machine although it changed, and why.
    pub held_back: Vec<HeldBack>,
}

impl SyncReport {
    /// This sync and the one straight after it, as one.
    pub(super) fn and(self, mut after: Self) -> Self {
        after.pulled = after.pulled.saturating_add(self.pulled);
        after.pushed = after.pushed.saturating_add(self.pushed);
        after.conflicts = after.conflicts.saturating_add(self.conflicts);
        after.brought.splice(0..0, self.brought);
        after
    }
}

/// A file that is not given to the remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldBack {
    /// Where.
    pub path: VaultPath,
    /// Why not, in a sentence.
    pub reason: String,
}

/// How this machine stands to its remote.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncStatus {
    /// What the remote is called; `None` without one.
    pub remote: Option<String>,
    /// The tip that the vault was last made equal to.
    pub applied: Option<String>,
    /// The last tip that passed every rule.
    pub verified: Option<String>,
    /// How many files of the verified tip the vault does not hold yet.
    pub not_applied: usize,
    /// The tip that was fetched last.
    pub remote_tip_seen: Option<String>,
    /// Tasks that are worked on here without a confirmed claim.
    pub tentative: Vec<TaskId>,
    /// When the remote last answered.
    pub last_contact: Option<Timestamp>,
    /// Why the last contact failed, if it did.
    pub last_error: Option<String>,
    /// Commits of which it is not known whether the remote took them.
    pub in_doubt: usize,
    /// Hosts whose clocks are not as this machine's, a sentence each.
    pub skew: Vec<String>,
}
