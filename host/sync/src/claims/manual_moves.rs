//! Files of tasks that people move by hand: a move into this agent's folder requests a claim, and no
//! move ever puts a task into two places.
//!
//! Lives elsewhere: the claim itself goes the way of every claim, in `driver`.
//! Invariants: a task's file is given to the remote only if the tip has the task nowhere else, or
//! the same commit deletes it there; the content of a file whose move is rejected is at the task's
//! owner, in history, or preserved, and the owner of the vault is notified on the dashboard.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{AgentName, Role, TaskId, VaultPath, layout};
use platinum_protocol::{ClaimRecord, TaskPlace, reconcile::Intent};
use platinum_repo::{Edit, Oid, RefName};
use platinum_tasks::task_at;
use platinum_worktree::Withheld;

use super::preserve;
use crate::{
    SyncError,
    content::prepared::{PlannedEdit, Prepared},
    replica::Replica,
};

/// What a move into this agent's folder comes to.
pub(crate) enum ManualMove {
    /// The task can be claimed.
    Claim,
    /// A person took the file out of this owner's folder.
    TakeOver(ClaimRecord),
    /// It is another's, or finished.
    Lost(Option<AgentName>),
}

/// Withholds the edits that would put a task into a second place; what requests a claim goes to
/// `prepared.claim_requests`.
pub(crate) fn ensure_one_place(
    replica: &Replica,
    tip: Option<Oid>,
    edits: &mut Vec<PlannedEdit>,
    prepared: &mut Prepared,
) -> Result<(), SyncError> {
    let Some(tip) = tip else {
        return Ok(());
    };
    let created: BTreeMap<VaultPath, TaskId> = edits
        .iter()
        .filter(|(_, edit, _)| !matches!(edit, Edit::Delete))
        .filter_map(|(path, ..)| Some((path.clone(), task_at(path)?)))
        .collect();
    if created.is_empty() {
        return Ok(());
    }
    let deleted: BTreeSet<VaultPath> = edits
        .iter()
        .filter(|(_, edit, _)| matches!(edit, Edit::Delete))
        .map(|(path, ..)| path.clone())
        .collect();
    let folders = task_folders(replica, tip)?;
    let mut refused: BTreeMap<VaultPath, String> = BTreeMap::new();
    let mut first: BTreeMap<TaskId, &VaultPath> = BTreeMap::new();
    for (path, task) in &created {
        let places: Vec<VaultPath> = folders
            .iter()
            .filter_map(|folder| VaultPath::new(format!("{folder}/{task}.md")).ok())
            .collect();
        let there = replica.repo.blobs_at(tip, &places)?;
        let elsewhere = there
            .keys()
            .find(|at| *at != path && !deleted.contains(*at));
        let own = layout::in_progress(&replica.agent, *task);
        if let Some(at) = elsewhere {
            refused.insert(path.clone(), format!("the task is in {at}"));
            // One that was claimed here, and stopped halfway, requests nothing.
            if *path == own && needs_claim(replica, *task) {
                prepared.claim_requests.push(*task);
            }
        } else if let Some(other) = first.get(task) {
            refused.insert(path.clone(), format!("the task is in {other}"));
        } else if *path == own
            && needs_claim(replica, *task)
            && let Some(from) = there
                .keys()
                .find(|at| at.top() != layout::DONE && *at != path)
        {
            // A claim in all but its record, or a take-over.
            refused.insert(path.clone(), String::new());
            refused.insert(from.clone(), String::new());
            prepared.claim_requests.push(*task);
        }
        first.entry(*task).or_insert(path);
    }
    edits.retain(|(path, ..)| !refused.contains_key(path));
    let withheld = refused.into_iter().filter(|(_, why)| !why.is_empty());
    prepared
        .withheld
        .extend(withheld.map(|(path, reason)| Withheld { path, reason }));
    Ok(())
}

/// Whether a file that was moved into the own folder needs a claim: not if it came there by
/// one that was decided without the remote. A tentative one moves no file.
fn needs_claim(replica: &Replica, task: TaskId) -> bool {
    match replica.intents.get(task) {
        None | Some(Intent::Claim { .. }) => true,
        Some(Intent::Own { .. } | Intent::Finish { .. }) => false,
    }
}

/// Every folder of a tree that can hold a task's file.
fn task_folders(replica: &Replica, tip: Oid) -> Result<Vec<String>, SyncError> {
    let below = |folder: &str| -> Result<Vec<String>, SyncError> {
        let items = replica.repo.items(tip, folder)?.into_iter();
        let names = items.filter(|item| item.folder).map(|item| item.name);
        Ok(names.map(|name| format!("{folder}/{name}")).collect())
    };
    let mut folders = below(layout::NEEDS_ACTION)?;
    folders.extend(below(layout::IN_PROGRESS)?);
    for year in below(layout::DONE)? {
        folders.extend(below(&year)?);
    }
    Ok(folders)
}

/// What a file that was moved here comes to, as the tip has its task.
pub(crate) fn classify(replica: &Replica, task: TaskId) -> Result<ManualMove, SyncError> {
    let tip = replica.repo.tip(RefName::Verified)?;
    let Some(found) = tip
        .map(|tip| platinum_tasks::find(&replica.repo, tip, task))
        .transpose()?
    else {
        return Ok(ManualMove::Claim);
    };
    Ok(match found.place {
        TaskPlace::Owned(record) if record.agent != replica.agent => {
            // The sync has just brought the owner's file: it was not taken from there.
            let theirs = layout::in_progress(&record.agent, task);
            if replica.role == Role::Local && !replica.vault.exists(&theirs)? {
                ManualMove::TakeOver(record)
            } else {
                ManualMove::Lost(Some(record.agent))
            }
        }
        TaskPlace::Finished => ManualMove::Lost(None),
        // Where only the owner's machine may work.
        _ if replica.role == Role::Cloud
            && found.zone.is_some_and(platinum_policy::is_local_only) =>
        {
            ManualMove::Lost(None)
        }
        _ => ManualMove::Claim,
    })
}

/// Takes back a rejected move: the file is preserved if it has anything that the remote has not.
pub(crate) fn reject(
    replica: &Replica,
    task: TaskId,
    owner: Option<&AgentName>,
) -> Result<(), SyncError> {
    let _lock = replica.worktree.lock();
    let path = layout::in_progress(&replica.agent, task);
    let who = match owner {
        Some(owner) => format!("{owner} has the task {task} already"),
        None => format!("the task {task} is finished, or not for this host"),
    };
    if let Some(kept) = preserve::preserve(replica, task, &path)? {
        fail::fail_point!("drag-set-by");
        replica.notifier.post_update(
            Some(task),
            &format!("{path} could not stay there: {who}. What was in it is kept as {kept}"),
        );
    }
    Ok(())
}
