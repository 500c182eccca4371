//! What this host has pushed itself without hearing that it landed.
//!
//! An answer that was lost leaves the base of the next merge behind the host's own commit. What
//! was written here since would be in conflict with what it was made from, a note that was deleted
//! since would come back, and an edit that was taken back would be made again.
//!
//! Lives elsewhere: whether a commit landed is looked up in [`super::super::rounds`]; who made a version
//! is told by [`super::super::stamps`].
//! Which commits these are is noted as they leave the outbox, till the base has them.
//! Invariants: a version counts as this host's own only if its newest commit is, and if the work
//! tree is known to have had it: what a claim or an end has made of a tree was never there. No
//! commit counts because it is signed by this host: after a backup was restored there are some that
//! it does not know, and what answers a violation was never in the work tree.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::VaultPath;
use platinum_repo::{Oid, RepoError};

use super::{
    super::{SyncError, side::Side},
    places::task_at,
};

/// In more commits than this, what was pushed a moment ago is not looked for.
const MAX_COMMITS: usize = 1000;
/// How far back the kept edits are searched for a version.
const MAX_KEPT: usize = 1000;

/// The blob at a path, or nothing.
type Blob = Option<Oid>;

/// What commits of this host have put somewhere, and what they have taken away.
#[derive(Default)]
struct Pushed {
    put: BTreeSet<VaultPath>,
    gone: BTreeSet<VaultPath>,
}

impl Side {
    /// The remote's versions that what the work tree has now was made from, as this host has pushed
    /// them itself: the base of the merge of their paths. `theirs` is what changed from `applied` to
    /// `tip`, `ours` the edits of the work tree.
    pub(in crate::sync) fn pushed_unheard(
        &self,
        (applied, tip): (Option<Oid>, Option<Oid>),
        ours: &BTreeMap<VaultPath, Blob>,
        theirs: &BTreeMap<VaultPath, Blob>,
        base: &BTreeMap<VaultPath, Oid>,
    ) -> Result<BTreeMap<VaultPath, Blob>, SyncError> {
        let mut own = BTreeMap::new();
        let Some(tip) = tip.filter(|_| !theirs.is_empty()) else {
            return Ok(own);
        };
        let pushed = self.changed_by_us(applied, tip, base)?;
        for (path, their) in theirs {
            let is_ours = match their {
                Some(_) => pushed.put.contains(path),
                None => pushed.gone.contains(path),
            };
            if !is_ours {
                continue;
            }
            let base = base.get(path).copied();
            let our = ours.get(path).copied().unwrap_or(base);
            if our == *their || base == *their {
                continue;
            }
            let version = self.their_version(applied, Some(tip), path);
            if !version.trusted || version.agent != self.agent {
                continue;
            }
            // What could not be read counts as the base has it, and was not taken back.
            let is_there =
                ours.contains_key(path) || self.blob_there(path).is_ok_and(|there| there == our);
            let was_there = match their {
                Some(their) => self.was_there(path, *their)?,
                // A deletion is not kept; which ones can be meant was looked at before.
                None => true,
            };
            if is_there && was_there {
                own.insert(path.clone(), *their);
            }
        }
        Ok(own)
    }

    /// The paths that this host's commits that landed have changed since `applied`; those that they
    /// deleted, if the work tree can have lost them: a claim or an end makes a deletion in a tree
    /// alone.
    fn changed_by_us(
        &self,
        applied: Option<Oid>,
        tip: Oid,
        base: &BTreeMap<VaultPath, Oid>,
    ) -> Result<Pushed, SyncError> {
        let mut pushed = Pushed::default();
        let unheard = self.repo.unacknowledged()?;
        if unheard.is_empty() {
            return Ok(pushed);
        }
        // Of so many, none was made a moment ago.
        let Ok(commits) = self.repo.commits_between(applied, tip, MAX_COMMITS) else {
            return Ok(pushed);
        };
        for commit in commits {
            if unheard.contains(&commit) {
                let info = self.repo.commit_info(commit)?;
                let parent = info.parents.first().copied();
                let compared = match self.repo.compare(parent, commit, usize::MAX) {
                    // Nobody comes to its end: what it changed is merged like anybody's.
                    Err(RepoError::TooMany(_)) => continue,
                    compared => compared?,
                };
                for changed in compared.changed {
                    let was = match parent {
                        Some(parent) if changed.blob.is_none() => {
                            self.repo.blob_at(parent, &changed.path)?
                        }
                        _ => None,
                    };
                    let is_like_ours =
                        task_at(&changed.path).is_none() && was == base.get(&changed.path).copied();
                    // Apart: a claim puts a task's file where its release takes it away, and only
                    // the first of these happened in the work tree for sure.
                    if changed.blob.is_some() {
                        pushed.put.insert(changed.path);
                    } else if is_like_ours {
                        pushed.gone.insert(changed.path);
                    }
                }
            }
        }
        Ok(pushed)
    }

    /// Whether the work tree once had this version of a file.
    fn was_there(&self, path: &VaultPath, blob: Oid) -> Result<bool, SyncError> {
        let mut at = self.repo.last_snapshot()?;
        for _ in 0..MAX_KEPT {
            let Some(link) = at else { break };
            if self.repo.blob_at(link, path)? == Some(blob) {
                return Ok(true);
            }
            at = self.repo.commit_info(link)?.parents.first().copied();
        }
        Ok(false)
    }
}
