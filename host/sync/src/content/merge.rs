//! Merging the work tree with the remote's tip, and the commit of what only this machine has.
//!
//! Lives elsewhere: which version keeps a path is decided in `protocol::merge`; writing files is
//! `worktree`'s.
//! Invariant: what may not be published is withheld, path by path, and keeps nothing else from being
//! published.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{Role, VaultPath};
use platinum_policy::{Change, check};
use platinum_protocol::merge;
use platinum_repo::{Edit, Oid, RefName, Repo, RepoError};
use platinum_verify::{budget::Budget, claim_rules, note_rules};
use platinum_worktree::{Withheld, WorktreeUpdate};

use super::{
    approved,
    prepared::{PlannedEdit, Prepared},
};
use crate::{
    SyncError,
    claims::{
        manual_moves,
        offline::{UNCONFIRMED_REASON, tentative},
    },
    replica::{Replica, unacknowledged},
};

/// Merges the work tree with `tip` and makes a commit of what only we have.
pub(crate) fn prepare(replica: &Replica, tip: Option<Oid>) -> Result<Prepared, SyncError> {
    let _lock = replica.worktree.lock();
    replica.worktree.resume_apply()?;
    let applied = replica.repo.tip(RefName::Applied)?;
    let theirs: BTreeMap<VaultPath, Option<Oid>> = match tip {
        Some(tip) => replica
            .repo
            .changes(applied, tip)?
            .into_iter()
            .map(|c| (c.path, c.blob))
            .collect(),
        None => BTreeMap::new(),
    };
    let ours = replica.worktree.scan(applied, &mut theirs.keys())?;
    let paths: BTreeSet<&VaultPath> = theirs.keys().chain(ours.files.keys()).collect();
    let base = match applied {
        Some(applied) => replica.repo.blobs_at(applied, paths.iter().copied())?,
        None => BTreeMap::new(),
    };
    let our = |path: &VaultPath| {
        ours.files
            .get(path)
            .copied()
            .unwrap_or_else(|| base.get(path).copied())
    };
    let their = |path: &VaultPath| {
        theirs
            .get(path)
            .copied()
            .unwrap_or_else(|| base.get(path).copied())
    };
    let tree = |side: &dyn Fn(&VaultPath) -> Option<Oid>| -> merge::Tree {
        paths
            .iter()
            .filter_map(|path| Some(((*path).clone(), side(path)?.to_string())))
            .collect()
    };
    let unacknowledged =
        unacknowledged::own_versions(replica, (applied, tip), &ours.files, &theirs, &base)?;
    let made_from = |path: &VaultPath| {
        let pushed = unacknowledged.get(path).copied();
        pushed.unwrap_or_else(|| base.get(path).copied())
    };
    let plan = merge::plan(&merge::Sides {
        base: &tree(&made_from),
        ours: &tree(&our),
        theirs: &tree(&their),
        our_version: &|path| replica.clock.our_version(path),
        their_version: &|path| replica.clock.their_version(applied, tip, path),
        may_overwrite: &|path| {
            let change = [(path.clone(), Change::Modify)];
            check(replica.role, &replica.agent, &change).is_ok()
        },
        unchanged: &|path| {
            let there = replica.repo.blob_at(applied?, path).ok()?;
            there.map(|blob| blob.to_string())
        },
    });

    let mut prepared = Prepared {
        waiting: ours.waiting.len(),
        withheld: ours.withheld,
        ..Prepared::default()
    };
    let mut edits = Vec::new();
    for (path, blob) in &plan.keep_ours {
        let (edit, change) = match (blob, their(path)) {
            (Some(blob), before) => {
                if tentative::is_unconfirmed(replica, path, Repo::oid(blob)?) {
                    // The next scan finds what becomes of it.
                    if let Err(error) = tentative::reconcile_draft(replica, path) {
                        tracing::warn!("Cannot reconcile the draft {path}: {error}.");
                    }
                    prepared.withheld.push(Withheld {
                        path: path.clone(),
                        reason: UNCONFIRMED_REASON.to_owned(),
                    });
                    continue;
                }
                let change = if before.is_some() {
                    Change::Modify
                } else {
                    Change::Create
                };
                (Edit::PutBlob(Repo::oid(blob)?), change)
            }
            (None, _) => (Edit::Delete, Change::Delete),
        };
        edits.push((path.clone(), edit, change));
    }
    let mut came = Vec::new();
    for conflict in &plan.conflicts {
        if approved::is_owners_alone(replica, &conflict.path) {
            let (ours, theirs) = (Repo::oid(&conflict.ours)?, Repo::oid(&conflict.theirs)?);
            edits.push((conflict.path.clone(), Edit::PutBlob(ours), Change::Modify));
            came.push((conflict.path.clone(), theirs));
            continue;
        }
        let loser = Repo::oid(conflict.set_aside())?;
        if their(&conflict.copy) != Some(loser) {
            edits.push((conflict.copy.clone(), Edit::PutBlob(loser), Change::Create));
        }
        prepared.copies.push((conflict.copy.clone(), loser));
        let ours = Repo::oid(&conflict.ours)?;
        match conflict.keeper {
            merge::Keeper::Ours => {
                edits.push((conflict.path.clone(), Edit::PutBlob(ours), Change::Modify));
            }
            merge::Keeper::Theirs => prepared.updates.push(WorktreeUpdate {
                path: conflict.path.clone(),
                expected: Some(ours),
                new: Some(Repo::oid(&conflict.theirs)?),
            }),
        }
    }
    for displaced in &plan.displaced {
        let (path, copy) = (&displaced.path, &displaced.copy);
        let blob = Repo::oid(&displaced.blob)?;
        if their(copy) != Some(blob) {
            edits.push((copy.clone(), Edit::PutBlob(blob), Change::Create));
        }
        prepared.copies.push((copy.clone(), blob));
        match displaced.owner {
            merge::Keeper::Ours => prepared.updates.push(WorktreeUpdate {
                path: path.clone(),
                expected: Some(blob),
                new: None,
            }),
            merge::Keeper::Theirs => edits.push((path.clone(), Edit::Delete, Change::Delete)),
        }
    }
    for (path, blob) in &plan.take_theirs {
        if let (Some(blob), true) = (blob, approved::is_owners_alone(replica, path)) {
            edits.push(match our(path) {
                // Changed there: what is here stays, here and there.
                Some(ours) => (path.clone(), Edit::PutBlob(ours), Change::Modify),
                None => (path.clone(), Edit::Delete, Change::Delete),
            });
            came.push((path.clone(), Repo::oid(blob)?));
            continue;
        }
        prepared.updates.push(WorktreeUpdate {
            path: path.clone(),
            expected: our(path),
            new: blob.as_deref().map(Repo::oid).transpose()?,
        });
    }
    withhold_refused(replica, &mut edits, &mut prepared);
    approved::ask_again(replica, tip, came, &mut edits, &mut prepared)?;
    manual_moves::ensure_one_place(replica, tip, &mut edits, &mut prepared)?;
    commit_edits(replica, tip, edits, &mut prepared)?;
    Ok(prepared)
}

/// Takes out what the remote's server does not take as it is.
fn withhold_refused(replica: &Replica, edits: &mut Vec<PlannedEdit>, prepared: &mut Prepared) {
    edits.retain(|(path, edit, _)| {
        let reason = match edit {
            Edit::PutBlob(blob) => replica.refusals.reason(path, *blob),
            _ => None,
        };
        let is_taken = reason.is_none();
        prepared.withheld.extend(reason.map(|reason| Withheld {
            path: path.clone(),
            reason,
        }));
        is_taken
    });
}

/// Commits the edits that this agent may make; the others are withheld.
fn commit_edits(
    replica: &Replica,
    tip: Option<Oid>,
    mut edits: Vec<PlannedEdit>,
    prepared: &mut Prepared,
) -> Result<(), SyncError> {
    while !edits.is_empty() {
        let changes: Vec<_> = edits.iter().map(|(p, _, c)| (p.clone(), *c)).collect();
        let faults = match check(replica.role, &replica.agent, &changes) {
            Err(violations) => violations
                .into_iter()
                .map(|violation| (violation.path.clone(), violation.to_string()))
                .collect(),
            Ok(()) => match commit_of(replica, tip, &edits) {
                Err(RepoError::InTheWay(at)) => blocked_by(at, &edits)?,
                commit => {
                    let commit = commit?;
                    let faults = faults_of(replica, (tip, commit), &edits)?;
                    if faults.is_empty() {
                        fail::fail_point!("sync-committed");
                        replica.repo.record_outgoing(commit)?;
                        fail::fail_point!("sync-outgoing-noted");
                        prepared.commit = Some(commit);
                        prepared.edits = u32::try_from(edits.len()).unwrap_or(u32::MAX);
                        return Ok(());
                    }
                    faults
                }
            },
        };
        // Holding one back can make another one wrong: a claim is two edits.
        edits.retain(|(path, ..)| !faults.contains_key(path));
        let withheld = faults.into_iter();
        prepared
            .withheld
            .extend(withheld.map(|(path, reason)| Withheld { path, reason }));
    }
    Ok(())
}

/// Edits that may not be made, and why.
type Faults = BTreeMap<VaultPath, String>;

fn commit_of(replica: &Replica, tip: Option<Oid>, edits: &[PlannedEdit]) -> Result<Oid, RepoError> {
    let message = match edits {
        [(path, ..)] => format!("Sync {path}"),
        several => format!("Sync {} files", several.len()),
    };
    let list: Vec<_> = edits
        .iter()
        .map(|(p, e, _)| (p.clone(), e.clone()))
        .collect();
    let meta = replica.clock.meta(message, Vec::new());
    replica.repo.commit(tip, &list, &meta)
}

/// The edits that do not fit the tip, as it has a file where they need a folder, or the other way
/// round.
fn blocked_by(at: String, edits: &[PlannedEdit]) -> Result<Faults, RepoError> {
    let faults: Faults = edits
        .iter()
        .filter(|(path, ..)| path.is_within(&at))
        .map(|(path, ..)| {
            let what = match path.as_str() == at {
                true => "a file here and a folder",
                false => "a folder here and a file",
            };
            let reason = format!("`{at}` is {what} in the remote; rename yours");
            (path.clone(), reason)
        })
        .collect();
    match faults.is_empty() {
        true => Err(RepoError::InTheWay(at)),
        false => Ok(faults),
    }
}

/// The edits for which the other hosts would refuse their commit, or which would give away a secret.
fn faults_of(
    replica: &Replica,
    (tip, commit): (Option<Oid>, Oid),
    edits: &[PlannedEdit],
) -> Result<Faults, SyncError> {
    let repo = &replica.repo;
    let paths = || edits.iter().map(|(path, ..)| path);
    let changed = match repo.changes(tip, commit) {
        // Names that differ only in case, say.
        Err(RepoError::Foreign { path: at, what }) => {
            let there = paths().filter(|path| is_at(path, &at));
            let faults: Faults = there
                .map(|path| (path.clone(), format!("`{at}` {what}")))
                .collect();
            return match faults.is_empty() {
                true => Err(RepoError::Foreign { path: at, what }.into()),
                false => Ok(faults),
            };
        }
        changed => changed?,
    };
    let blocked = replica.gate.check_push(repo, tip, commit)?;
    let reasons: BTreeMap<_, _> = blocked
        .iter()
        .map(|item| (&*item.raw, &item.reason))
        .collect();
    let secret = |path: &VaultPath| Some((path.clone(), (*reasons.get(path.as_str())?).clone()));
    let secrets: Faults = paths().filter_map(secret).collect();
    if secrets.is_empty() && !blocked.is_empty() {
        replica.gate.ensure_publishable(repo, tip, commit)?;
    }
    let mut faults = Faults::new();
    // Only local may make these, of claims and of what the owner reads.
    if replica.role == Role::Cloud {
        let agent = &replica.agent;
        faults.extend(claim_rules::faults(repo, agent, &changed, &|path| {
            let at = tip.map(|tip| repo.blob_at(tip, path));
            Ok(at.transpose()?.flatten())
        })?);
        faults.extend(note_rules::faults(repo, agent, &changed, tip)?);
        faults.extend(Budget::default().faults(repo, agent, &changed, (tip, commit))?);
        let planned: BTreeSet<_> = paths().collect();
        faults.retain(|path, _| planned.contains(path));
    }
    faults.extend(secrets);
    Ok(faults)
}

/// Whether a path is the one that a fault names, or below it. A long one is not named to its end.
fn is_at(path: &VaultPath, at: &str) -> bool {
    const NAMED: usize = 300;
    let path = path.as_str().escape_debug().to_string();
    let is_folder = at.ends_with('/') || at.chars().count() >= NAMED;
    path.strip_prefix(at)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || is_folder)
}
