//! Commits whose push acknowledgement was lost. They are used as merge base so that our own change is
//! not seen as a remote edit.
//!
//! A lost acknowledgement leaves the base of the next merge behind the host's own commit. What
//! was written here since would be in conflict with what it was made from, a note that was deleted
//! since would come back, and an edit that was taken back would be made again.
//!
//! Lives elsewhere: whether a commit landed is decided by `outbox`.
//! Which commits these are is recorded as they leave the outbox, until the base has them.
//! Invariants: a version counts as this host's own only if its newest commit is, and if the work
//! tree is known to have had it: what a claim or an end has made of a tree was never there. No
//! commit counts because it is signed by this host: after a backup was restored there are some that
//! it does not know, and a revert was never in the work tree.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::VaultPath;
use platinum_repo::{Changed, Oid, RepoError};
use platinum_tasks::task_at;

use crate::{SyncError, replica::Replica};

/// The blob at a path, or nothing.
type Blob = Option<Oid>;

/// What commits of this host have put somewhere, each path's last version, and what they have taken
/// away.
#[derive(Default)]
struct Pushed {
    put: BTreeMap<VaultPath, Oid>,
    deleted: BTreeSet<VaultPath>,
    /// What no one else has changed since.
    newest_is_ours: BTreeSet<VaultPath>,
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
    let is_asked = |path: &VaultPath| ours.contains_key(path) || theirs.contains_key(path);
    let asked = pushed.put.iter().filter(|(path, _)| is_asked(path));
    let asked = asked.map(|(path, blob)| (path.clone(), *blob)).collect();
    let was_on_disk = were_on_disk(replica, asked)?;
    own_versions_replaced(&pushed, &was_on_disk, (ours, theirs), &mut own);
    for (path, their) in theirs {
        let is_ours = match their {
            Some(_) => pushed.put.contains_key(path),
            None => pushed.deleted.contains(path),
        };
        if !is_ours || !pushed.newest_is_ours.contains(path) {
            continue;
        }
        let base = base.get(path).copied();
        let our = ours.get(path).copied().unwrap_or(base);
        if our == *their || base == *their {
            continue;
        }
        // What could not be read counts as the base has it, and was not taken back.
        let is_there = ours.contains_key(path)
            || replica
                .worktree
                .blob_on_disk(path)
                .is_ok_and(|there| there == our);
        // A deletion is not kept; which ones can be meant was checked before.
        let was_there = their
            .is_none_or(|their| pushed.put.get(path) == Some(&their) && was_on_disk.contains(path));
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
    pushed: &Pushed,
    was_on_disk: &BTreeSet<VaultPath>,
    (ours, theirs): (&BTreeMap<VaultPath, Blob>, &BTreeMap<VaultPath, Blob>),
    own: &mut BTreeMap<VaultPath, Blob>,
) {
    for (path, our) in ours {
        if theirs.contains_key(path) {
            continue;
        }
        match pushed.put.get(path) {
            Some(put) if was_on_disk.contains(path) => {
                own.insert(path.clone(), Some(*put));
            }
            None if our.is_none() && pushed.deleted.contains(path) => {
                own.insert(path.clone(), None);
            }
            _ => {}
        }
    }
}

/// The paths that this host's commits that landed have changed since `applied`; those that they
/// deleted, if the work tree can have lost them: a claim or an end makes a deletion in a tree
/// alone. One walk over the range, however long others have made it, from the first of these on.
fn changed_by_us(
    replica: &Replica,
    applied: Option<Oid>,
    tip: Oid,
    base: &BTreeMap<VaultPath, Oid>,
) -> Result<Pushed, SyncError> {
    let repo = &replica.repo;
    let mut pushed = Pushed::default();
    let unacknowledged = repo.unacknowledged()?;
    if unacknowledged.is_empty() {
        return Ok(pushed);
    }
    let mut is_after_ours = false;
    for commit in repo.commits_between(applied, tip, usize::MAX)? {
        let is_ours = unacknowledged.contains(&commit);
        is_after_ours |= is_ours;
        if !is_after_ours {
            continue;
        }
        let parents = repo.commit_info(commit)?.parents;
        let parent = parents.first().copied();
        let mut compared = match repo.compare(parent, commit, usize::MAX) {
            // Too much to compare: what it changed is merged like any other change.
            Err(RepoError::TooMany(_)) if is_ours => continue,
            Err(RepoError::TooMany(_)) => {
                pushed.newest_is_ours.clear();
                continue;
            }
            compared => compared?,
        };
        // A device merges what the hosts did: that is not its own.
        for other in parents.iter().skip(1) {
            let paths = compared.changed.iter().map(|changed| &changed.path);
            let there = repo.blobs_at(*other, paths)?;
            let is_own = |changed: &Changed| there.get(&changed.path).copied() != changed.blob;
            compared.changed.retain(is_own);
        }
        for changed in compared.changed {
            if !is_ours {
                pushed.newest_is_ours.remove(&changed.path);
                continue;
            }
            pushed.newest_is_ours.insert(changed.path.clone());
            let was = match parent {
                Some(parent) if changed.blob.is_none() => repo.blob_at(parent, &changed.path)?,
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
    Ok(pushed)
}

/// Which of these versions the work tree once had. One walk back over the kept edits, which ends
/// when all are found.
fn were_on_disk(
    replica: &Replica,
    mut asked: BTreeMap<VaultPath, Oid>,
) -> Result<BTreeSet<VaultPath>, SyncError> {
    let mut found = BTreeSet::new();
    let mut at = replica.repo.last_snapshot()?;
    while let Some(link) = at.filter(|_| !asked.is_empty()) {
        let there = replica.repo.blobs_at(link, asked.keys())?;
        asked.retain(|path, blob| {
            let is_it = there.get(path) == Some(&*blob);
            if is_it {
                found.insert(path.clone());
            }
            !is_it
        });
        at = replica.repo.commit_info(link)?.parents.first().copied();
    }
    Ok(found)
}
