//! [`HeldChange`]: what a device brought that is not taken over, kept for the owner.
//!
//! Its bytes stay in the history, as the commit is reverted and never rewritten: a path and its blob
//! are enough to find them again.
//! Lives elsewhere: keeping the list, and taking one into the vault, is `sync`'s.

use std::collections::BTreeMap;

use platinum_core::{AgentName, VaultPath, layout};
use platinum_repo::{Oid, Repo, RepoError};

use crate::{
    Violation,
    verifier::{MAX_CLOUD_CHANGES, parents_of},
};

/// Of so many commits it is asked which file each changed.
const MAX_COMMITS: usize = 1000;
/// More files than this are not listed.
const MAX_FILES: usize = 5000;

/// A file as a device left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldChange {
    /// Where.
    pub path: VaultPath,
    /// What it left there; `None` if it deleted the file.
    pub blob: Option<Oid>,
    /// What is there without it.
    pub base: Option<Oid>,
    /// The commit, in hex.
    pub commit: String,
    /// Which of the owner's devices it was; `None` if nobody that is known signed it.
    pub device: Option<AgentName>,
    /// Why it is held.
    pub reason: String,
}

/// What `tip` has by devices and `clean` has not. Too much to be compared is not listed.
pub(crate) fn held_changes(
    repo: &Repo,
    (clean, tip): (Oid, Oid),
    open: &[Violation],
) -> Result<Vec<HeldChange>, RepoError> {
    let mut by_path: BTreeMap<VaultPath, &Violation> = BTreeMap::new();
    for violation in open.iter().filter(|one| one.is_held).take(MAX_COMMITS) {
        let info = repo.commit_info(Repo::oid(&violation.commit)?)?;
        for parent in parents_of(&info) {
            match repo.compare(parent, info.oid, MAX_CLOUD_CHANGES) {
                Err(RepoError::TooMany(_)) => {}
                compared => {
                    let paths = compared?.changed.into_iter().map(|changed| changed.path);
                    by_path.extend(paths.map(|path| (path, violation)));
                }
            }
        }
    }
    if by_path.is_empty() {
        return Ok(Vec::new());
    }
    let left = match repo.compare(Some(clean), tip, MAX_CLOUD_CHANGES) {
        Err(RepoError::TooMany(_)) => return Ok(Vec::new()),
        left => left?.changed,
    };
    let mut held = Vec::new();
    for changed in left {
        let Some(violation) = by_path.get(&changed.path) else {
            continue;
        };
        if held.len() == MAX_FILES {
            break;
        }
        let base = match moved_from(&changed.path) {
            Some(waits) if changed.blob.is_some() => repo.blob_at(clean, &waits)?,
            _ => repo.blob_at(clean, &changed.path)?,
        };
        let about = |reason: &&String| reason.contains(changed.path.as_str());
        let reason = violation.reasons.iter().find(about);
        let reason = reason.or(violation.reasons.first());
        held.push(HeldChange {
            base,
            blob: changed.blob,
            commit: violation.commit.clone(),
            device: violation.agent.clone(),
            reason: reason.cloned().unwrap_or_default(),
            path: changed.path,
        });
    }
    Ok(held)
}

/// Where a draft waits that a device moved to this place in `Approved/`.
pub fn moved_from(path: &VaultPath) -> Option<VaultPath> {
    let below = path.as_str().strip_prefix(layout::APPROVED)?;
    VaultPath::new(format!("{}{below}", layout::PENDING_APPROVAL)).ok()
}
