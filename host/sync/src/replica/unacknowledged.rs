//! Commits whose push acknowledgement was lost. They are used as merge base so that our own change is
//! not seen as a remote edit.
//!
//! A lost acknowledgement leaves the base of the next merge behind the host's own commit. What
//! was written here since would be in conflict with what it was made from, a note that was deleted
//! since would come back, and an edit that was taken back would be made again.
//!
//! Lives elsewhere: whether a commit landed is decided by `outbox`; who made a version is found by
//! `worktree::VersionClock`.
//! Which commits these are is recorded as they leave the outbox, until the base has them.
//! Invariants: a version counts as this host's own only if its newest commit is, and if the work
//! tree is known to have had it: what a claim or an end has made of a tree was never there. No
//! commit counts because it is signed by this host: after a backup was restored there are some that
//! it does not know, and a revert was never in the work tree.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::VaultPath;
use platinum_repo::{Oid, RepoError};
use platinum_tasks::task_at;

use crate::{SyncError, replica::Replica};

/// More commits than this are not searched for what was pushed a moment ago.
const MAX_COMMITS: usize = 1000;
/// How far back the kept edits are searched for a version.
const MAX_KEPT: usize = 1000;

/// The blob at a path, or nothing.
type Blob = Option<Oid>;

/// What commits of this host have put somewhere, each path's last version, and what they have taken
/// away.
#[derive(Default)]
struct Pushed {
    put: BTreeMap<VaultPath, Oid>,
    deleted: BTreeSet<VaultPath>,
}

/// The remote's versions that what the work tree has now was made from, as this host has pushed
/// them itself: the base of the merge of their paths. `theirs` is what changed from `applied` to
/// `tip`, `ours` the edits of the work tree.
pub(crate) fn own_versions(
    replica: &Replica,
    (applied, tip): (Option<Oid>, Option<Oid>),
    ours: &BTreeMap<VaultPath, Blob>,
    theirs: &BTreeMap<VaultPath, Blob>,
    base: &BTreeMap<VaultPath, Oid>,
) -> Result<BTreeMap<VaultPath, Blob>, SyncError> {
    let mut own = BTreeMap::new();
    let Some(tip) = tip.filter(|_| !(theirs.is_empty() && ours.is_empty())) else {
        return Ok(own);
    };
    let pushed = changed_by_us(replica, applied, tip, base)?;
    own_versions_replaced(replica, &pushed, (ours, theirs), &mut own)?;
    for (path, their) in theirs {
        let is_ours = match their {
            Some(_) => pushed.put.contains_key(path),
            None => pushed.deleted.contains(path),
        };
        if !is_ours {
            continue;
        }
        let base = base.get(path).copied();
        let our = ours.get(path).copied().unwrap_or(base);
        if our == *their || base == *their {
            continue;
        }
        let version = replica.clock.their_version(applied, Some(tip), path);
        if !version.trusted || version.agent != replica.agent {
            continue;
        }
        // What could not be read counts as the base has it, and was not taken back.
        let is_there = ours.contains_key(path)
            || replica
                .worktree
                .blob_on_disk(path)
                .is_ok_and(|there| there == our);
        let was_there = match their {
            Some(their) => was_on_disk(replica, path, *their)?,
            // A deletion is not kept; which ones can be meant was checked before.
            None => true,
        };
        if is_there && was_there {
            own.insert(path.clone(), *their);
        }
    }
    Ok(own)
}

/// What this host has pushed and others have changed back since: such a path is as `applied` has it,
/// and so among the edits of the work tree alone. Without this, a draft that the owner has moved on
/// would be put before the owner again.
fn own_versions_replaced(
    replica: &Replica,
    pushed: &Pushed,
    (ours, theirs): (&BTreeMap<VaultPath, Blob>, &BTreeMap<VaultPath, Blob>),
    own: &mut BTreeMap<VaultPath, Blob>,
) -> Result<(), SyncError> {
    for (path, our) in ours {
        if theirs.contains_key(path) {
            continue;
        }
        match pushed.put.get(path) {
            Some(put) if was_on_disk(replica, path, *put)? => {
                own.insert(path.clone(), Some(*put));
            }
            None if our.is_none() && pushed.deleted.contains(path) => {
                own.insert(path.clone(), None);
            }
            _ => {}
        }
    }
    Ok(())
}

/// The paths that this host's commits that landed have changed since `applied`; those that they
/// deleted, if the work tree can have lost them: a claim or an end makes a deletion in a tree
/// alone.
fn changed_by_us(
    replica: &Replica,
    applied: Option<Oid>,
    tip: Oid,
    base: &BTreeMap<VaultPath, Oid>,
) -> Result<Pushed, SyncError> {
    let mut pushed = Pushed::default();
    let unacknowledged = replica.repo.unacknowledged()?;
    if unacknowledged.is_empty() {
        return Ok(pushed);
    }
    // Of so many, none was made a moment ago.
    let Ok(commits) = replica.repo.commits_between(applied, tip, MAX_COMMITS) else {
        return Ok(pushed);
    };
    for commit in commits {
        if unacknowledged.contains(&commit) {
            let info = replica.repo.commit_info(commit)?;
            let parent = info.parents.first().copied();
            let compared = match replica.repo.compare(parent, commit, usize::MAX) {
                // Too much to compare: what it changed is merged like any other change.
                Err(RepoError::TooMany(_)) => continue,
                compared => compared?,
            };
            for changed in compared.changed {
                let was = match parent {
                    Some(parent) if changed.blob.is_none() => {
                        replica.repo.blob_at(parent, &changed.path)?
                    }
                    _ => None,
                };
                let is_like_ours =
                    task_at(&changed.path).is_none() && was == base.get(&changed.path).copied();
                // Apart: a claim puts a task's file where its release takes it away, and only
                // the first of these happened in the work tree for sure.
                if let Some(blob) = changed.blob {
                    pushed.put.insert(changed.path, blob);
                } else if is_like_ours {
                    pushed.deleted.insert(changed.path);
                }
            }
        }
    }
    Ok(pushed)
}

/// Whether the work tree once had this version of a file.
fn was_on_disk(replica: &Replica, path: &VaultPath, blob: Oid) -> Result<bool, SyncError> {
    let mut at = replica.repo.last_snapshot()?;
    for _ in 0..MAX_KEPT {
        let Some(link) = at else { break };
        if replica.repo.blob_at(link, path)? == Some(blob) {
            return Ok(true);
        }
        at = replica.repo.commit_info(link)?.parents.first().copied();
    }
    Ok(false)
}
