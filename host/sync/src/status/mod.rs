//! What the synchronizer tells: of one sync, and of how things stand.

use platinum_core::{TaskId, Timestamp, VaultPath};
use platinum_repo::{Oid, RefName};

use super::{SyncError, Synchronizer};

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
    /// When the remote was last asked, of what it answered and passed every rule: the verified tip
    /// is the remote's tip of this moment or a later one.
    pub last_contact: Option<Timestamp>,
    /// Why the last contact failed, if it did.
    pub last_error: Option<String>,
    /// Commits of which it is not known whether the remote took them.
    pub in_doubt: usize,
    /// Hosts whose clocks are not as this machine's, a sentence each.
    pub skew: Vec<String>,
}

impl Synchronizer {
    /// How this machine stands to its remote. Asks nobody.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn status(&self) -> Result<SyncStatus, SyncError> {
        let remote = self.remote.as_ref().map(|remote| remote.describe());
        let contact = {
            let contact = self.contact();
            (contact.at, contact.tip, contact.error.clone())
        };
        self.blocking(move |side| {
            let applied = side.repo.tip(RefName::Applied)?;
            let verified = side.repo.tip(RefName::Verified)?;
            let seen = match contact.1 {
                Some(tip) => Some(tip),
                None => side.repo.tip(RefName::Remote)?,
            };
            let not_applied = match verified {
                Some(verified) if applied != Some(verified) => {
                    side.repo.changes(applied, verified)?.len()
                }
                _ => 0,
            };
            let hex = |oid: Option<Oid>| oid.map(|oid| oid.to_string());
            Ok(SyncStatus {
                remote,
                applied: hex(applied),
                verified: hex(verified),
                not_applied,
                remote_tip_seen: hex(seen),
                tentative: side.decided.tentative(),
                skew: side.clock.skews(),
                last_contact: contact.0,
                last_error: contact.2,
                in_doubt: side.repo.outgoing()?.len(),
            })
        })
        .await
    }
}
