//! What is reported: of one sync, and of how this machine stands to its remote.

use platinum_core::{TaskId, Timestamp, VaultPath};
use platinum_repo::{Oid, RefName};
use platinum_worktree::Withheld;

use crate::{SyncError, Synchronizer};
use snapshot::SyncSnapshot;

pub(crate) mod remote_health;
pub(crate) mod snapshot;

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
    pub withheld: Vec<Withheld>,
    /// How many files were being written, and go out with a later sync.
    pub waiting: usize,
}

impl SyncReport {
    /// This sync and the one straight after it, as one.
    pub(crate) fn and(self, mut after: Self) -> Self {
        after.pulled = after.pulled.saturating_add(self.pulled);
        after.pushed = after.pushed.saturating_add(self.pushed);
        after.conflicts = after.conflicts.saturating_add(self.conflicts);
        after.brought.splice(0..0, self.brought);
        after
    }
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

/// How this machine stands to its remote. Does not ask the remote.
///
/// # Errors
/// If the repository cannot be read.
pub(crate) async fn read_status(sync: &Synchronizer) -> Result<SyncStatus, SyncError> {
    let remote = sync.remote.as_ref().map(|remote| remote.describe());
    let state = {
        let state = sync.remote_state();
        (state.at, state.tip, state.error.clone())
    };
    sync.blocking(move |replica| {
        let applied = replica.repo.tip(RefName::Applied)?;
        let verified = replica.repo.tip(RefName::Verified)?;
        let remote_tip = match state.1 {
            Some(tip) => Some(tip),
            None => replica.repo.tip(RefName::Remote)?,
        };
        let not_applied = match verified {
            Some(verified) if applied != Some(verified) => {
                replica.repo.changes(applied, verified)?.len()
            }
            _ => 0,
        };
        let hex = |oid: Option<Oid>| oid.map(|oid| oid.to_string());
        Ok(SyncStatus {
            remote,
            applied: hex(applied),
            verified: hex(verified),
            not_applied,
            remote_tip_seen: hex(remote_tip),
            tentative: replica.intents.tentative(),
            skew: replica.clock.skews(),
            last_contact: state.0,
            last_error: state.2,
            in_doubt: replica.repo.outgoing()?.len(),
        })
    })
    .await
}

/// Records how a sync ended, for the commands that show it.
pub(crate) async fn record(sync: &Synchronizer, ended: Result<&SyncReport, &SyncError>) {
    if sync.remote.is_none() {
        return;
    }
    let status = match read_status(sync).await {
        Ok(status) => status,
        Err(error) => {
            tracing::warn!("Cannot determine the state of the sync: {error}.");
            return;
        }
    };
    let ended = ended.cloned().map_err(ToString::to_string);
    let recorded = sync
        .blocking(move |replica| {
            let Some(state) = replica.repo.git_dir().parent() else {
                return Ok(());
            };
            let now =
                SyncSnapshot::read(state).after(ended.as_ref().map_err(Clone::clone), &status);
            if let Err(error) = now.write(state) {
                tracing::debug!("Cannot write the sync status file: {error}.");
            }
            Ok(())
        })
        .await;
    if let Err(error) = recorded {
        tracing::debug!("Cannot write the sync status file: {error}.");
    }
}
