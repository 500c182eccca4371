//! A task has one place: a cloud agent may not create or move a task that is somewhere else too.
//!
//! The path table sees one commit's changes alone; whether a task of the same name waits in another
//! zone, is owned or is done, only the tree after the commit shows.
//! Invariant: costs one lookup in each folder of tasks for each task, and only for commits that
//! create or move tasks; a commit that would need more lookups than any work needs is refused.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use platinum_core::{TaskId, VaultPath, layout};
use platinum_policy::Change;
use platinum_repo::{Folder, Oid, Repo, RepoError, Signer};

/// More folders than this are not listed: it is more than there are months to file a task under.
const MAX_FOLDERS: usize = 150_000;
/// More lookups than this are not made for one commit.
pub(super) const MAX_LOOKUPS: usize = 1 << 22;

/// Why a commit may not make or move tasks.
pub(crate) enum DuplicateTask {
    /// One is somewhere else too: what is made, and where it is.
    At(VaultPath, VaultPath),
    /// So many tasks, and folders where they may be.
    TooMany(usize, usize),
}

impl DuplicateTask {
    /// So many that they are not searched for.
    pub(crate) fn too_many(made: &[&VaultPath], folders: &BTreeSet<String>) -> Option<Self> {
        let (tasks, places) = (made.len(), folders.len());
        let is_too_many = places > MAX_FOLDERS || tasks.saturating_mul(places) > MAX_LOOKUPS;
        is_too_many.then_some(DuplicateTask::TooMany(tasks, places))
    }

    /// The task that is somewhere else too; none if they were not looked up.
    pub(crate) fn path(&self) -> Option<&VaultPath> {
        match self {
            DuplicateTask::At(path, _) => Some(path),
            DuplicateTask::TooMany(..) => None,
        }
    }

    /// Says it.
    pub(crate) fn sentence(&self, signer: &Signer) -> String {
        let who = signer.role.describe(&signer.agent);
        match self {
            DuplicateTask::At(path, at) => {
                format!("{who} may not create {path}: the task is in {at} already")
            }
            DuplicateTask::TooMany(tasks, places) => format!(
                "{who} may not make {tasks} tasks at once: whether they are in one \
                 of {places} folders of tasks already is not looked up"
            ),
        }
    }
}

/// The tasks that a commit makes or moves: each is searched for everywhere else. That the commit
/// takes a file of the same name away proves nothing: it may be one that was put there for that.
pub(crate) fn made(changes: &[(VaultPath, Change)]) -> Vec<&VaultPath> {
    changes
        .iter()
        .filter(|(path, change)| *change == Change::Create && is_task(path))
        .map(|(path, _)| path)
        .collect()
}

fn is_task(path: &VaultPath) -> bool {
    path.extension() == Some("md") && path.stem().parse::<TaskId>().is_ok()
}

/// Every folder of a commit that tasks are in, none before the first commit; of more than there can be, one more than are listed.
pub(crate) fn folders(repo: &Repo, commit: Option<Oid>) -> Result<BTreeSet<String>, RepoError> {
    let Some(commit) = commit else {
        return Ok(BTreeSet::new());
    };
    let below = |folder: &str| -> Result<Folder, RepoError> {
        let tree = repo.folder_at(commit, folder)?;
        let read = tree.map(|tree| repo.folder(tree)).transpose()?;
        Ok(read.unwrap_or_default())
    };
    let mut found = BTreeSet::new();
    for top in [layout::NEEDS_ACTION, layout::IN_PROGRESS] {
        let names = below(top)?.folders.into_keys();
        found.extend(names.map(|name| format!("{top}/{name}")));
    }
    // Years that hold the same are read once.
    let mut months: BTreeMap<Oid, Vec<String>> = BTreeMap::new();
    for (year, tree) in below(layout::DONE)?.folders {
        let names = match months.entry(tree) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(repo.folder(tree)?.folders.into_keys().collect()),
        };
        for month in names {
            if found.len() > MAX_FOLDERS {
                return Ok(found);
            }
            found.insert(format!("{}/{year}/{month}", layout::DONE));
        }
    }
    Ok(found)
}

/// Where else a task may be.
pub(crate) fn other_places(path: &VaultPath, folders: &BTreeSet<String>) -> Vec<VaultPath> {
    folders
        .iter()
        .filter_map(|folder| VaultPath::new(format!("{folder}/{}", path.file_name())).ok())
        .filter(|other| other != path)
        .collect()
}
