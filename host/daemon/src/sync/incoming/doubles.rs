//! A task has one place: a cloud agent may not make one again, or move one, that is somewhere else
//! too.
//!
//! The path table sees one commit's changes alone; whether a task of the same name waits in
//! another zone, is owned or is done, only the tree after the commit knows.
//! Invariant: costs one look into each folder of tasks, and only for commits that make or move
//! tasks.

use std::collections::BTreeSet;

use platinum_core::{TaskId, VaultPath, Zone, layout};
use platinum_policy::Change;
use platinum_repo::{Oid, Repo};

use crate::sync::SyncError;

/// The tasks that a commit makes or moves: each is looked for everywhere else. That the commit
/// takes a file of the same name away proves nothing: it may be one that was put there for that.
pub(super) fn made(changes: &[(VaultPath, Change)]) -> Vec<&VaultPath> {
    changes
        .iter()
        .filter(|(path, change)| *change == Change::Create && is_task(path))
        .map(|(path, _)| path)
        .collect()
}

fn is_task(path: &VaultPath) -> bool {
    path.extension() == Some("md") && path.stem().parse::<TaskId>().is_ok()
}

/// Every folder of a commit that tasks are in.
pub(super) fn folders(repo: &Repo, commit: Oid) -> Result<BTreeSet<String>, SyncError> {
    let below = |folder: &str| -> Result<Vec<String>, SyncError> {
        let items = repo.items(commit, folder)?.into_iter();
        Ok(items
            .filter(|item| item.folder)
            .map(|item| format!("{folder}/{}", item.name))
            .collect())
    };
    let waiting = Zone::ALL.map(|zone| format!("{}/{zone}", layout::NEEDS_ACTION));
    let mut found: BTreeSet<String> = waiting.into_iter().collect();
    found.extend(below(layout::IN_PROGRESS)?);
    for year in below(layout::DONE)? {
        found.extend(below(&year)?);
    }
    Ok(found)
}

/// Where else a task may be.
pub(super) fn other_places(path: &VaultPath, folders: &BTreeSet<String>) -> Vec<VaultPath> {
    folders
        .iter()
        .filter_map(|folder| VaultPath::new(format!("{folder}/{}", path.file_name())).ok())
        .filter(|other| other != path)
        .collect()
}

/// Says it.
pub(super) fn sentence(
    agent: &platinum_core::AgentName,
    path: &VaultPath,
    at: &VaultPath,
) -> String {
    format!("cloud agent {agent} may not create {path}: the task is in {at} already")
}
