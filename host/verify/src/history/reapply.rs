//! [`Reapply`]: what the tree would be without the violations: the honest commits since the last
//! verified tip, one after the other, on its files.
//!
//! A commit may be right only because of what a violation did before it: a draft is deleted, which is
//! not allowed, and then made anew, which is. So each commit is evaluated once more for what it
//! changes here.
//! Invariants: nothing is in the tree but what was verified before and what honest commits put there;
//! whole files alone, so that links, modes and names that no vault holds have no place in it.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::VaultPath;
use platinum_policy::Change;
use platinum_repo::{Changed, Edit, Oid, Repo, RepoError};
use platinum_tasks::task_at;

use crate::duplicates::{self, DuplicateTask};

/// What is at a path: a blob, or nothing any more.
pub(crate) type Blobs = BTreeMap<VaultPath, Option<Oid>>;

/// The files of the last verified tip, and what honest commits made of them.
pub(crate) struct Reapply<'a> {
    repo: &'a Repo,
    base: Option<Oid>,
    edits: Blobs,
    /// Every folder in which there was a task since.
    folders: BTreeSet<String>,
}

/// What one commit changes here.
#[derive(Default)]
pub(crate) struct RebasedChanges {
    /// For the path table.
    pub(crate) changes: Vec<(VaultPath, Change)>,
    /// What is there afterwards.
    blobs: Blobs,
    /// Files that would be where a folder is, or below a file.
    pub(crate) blocked: Vec<VaultPath>,
}

impl RebasedChanges {
    /// The same, as a comparison of two commits has it.
    pub(crate) fn compared(&self) -> Vec<Changed> {
        let of = |(path, change): &(VaultPath, Change)| Changed {
            path: path.clone(),
            change: *change,
            blob: self.blobs.get(path).copied().flatten(),
        };
        self.changes.iter().map(of).collect()
    }
}

impl<'a> Reapply<'a> {
    pub(crate) fn on(repo: &'a Repo, base: Option<Oid>) -> Self {
        Self {
            repo,
            base,
            edits: BTreeMap::new(),
            folders: BTreeSet::new(),
        }
    }

    /// What is at a path so far.
    pub(crate) fn now(&self, path: &VaultPath) -> Result<Option<Oid>, RepoError> {
        if let Some(blob) = self.edits.get(path) {
            return Ok(*blob);
        }
        match self.base {
            Some(base) => Ok(self.repo.blob_at(base, path)?),
            None => Ok(None),
        }
    }

    /// What a commit that left these files so changes here.
    pub(crate) fn rebase_changes(&self, changed: Blobs) -> Result<RebasedChanges, RepoError> {
        let mut rebased = RebasedChanges::default();
        for (path, blob) in changed {
            let change = match (self.now(&path)?, blob) {
                (now, after) if now == after => continue,
                (None, _) => Change::Create,
                (Some(_), Some(_)) => Change::Modify,
                (Some(_), None) => Change::Delete,
            };
            rebased.changes.push((path.clone(), change));
            rebased.blobs.insert(path, blob);
        }
        for (path, change) in &rebased.changes {
            if *change == Change::Create && self.is_blocked(path, &rebased)? {
                rebased.blocked.push(path.clone());
            }
        }
        Ok(rebased)
    }

    fn is_blocked(&self, path: &VaultPath, with: &RebasedChanges) -> Result<bool, RepoError> {
        let goes = |path: &VaultPath| with.blobs.get(path) == Some(&None);
        let mut folder = path.parent();
        while let Some(above) = folder {
            if self.now(&above)?.is_some() && !goes(&above) {
                return Ok(true);
            }
            folder = above.parent();
        }
        if has_below(&with.blobs, path, &|_| true)
            || has_below(&self.edits, path, &|below| !goes(below))
        {
            return Ok(true);
        }
        match self.base {
            Some(base) => Ok(!self.repo.items(base, path.as_str())?.is_empty()),
            None => Ok(false),
        }
    }

    /// A task that a commit makes here, or moves, although it is somewhere else too, and where.
    pub(crate) fn find_duplicate(
        &self,
        commit: Oid,
        rebased: &RebasedChanges,
    ) -> Result<Option<DuplicateTask>, RepoError> {
        let made = duplicates::made(&rebased.changes);
        if made.is_empty() {
            return Ok(None);
        }
        let mut folders = duplicates::folders(self.repo, commit)?;
        if let Some(base) = self.base {
            folders.extend(duplicates::folders(self.repo, base)?);
        }
        // One that an honest commit made, and that a violation deleted.
        folders.extend(self.folders.iter().cloned());
        if let Some(fault) = DuplicateTask::too_many(&made, &folders) {
            return Ok(Some(fault));
        }
        for path in made {
            for other in duplicates::other_places(path, &folders) {
                let after = match rebased.blobs.get(&other) {
                    Some(after) => *after,
                    None => self.now(&other)?,
                };
                if after.is_some() {
                    return Ok(Some(DuplicateTask::At(path.clone(), other)));
                }
            }
        }
        Ok(None)
    }

    /// What all files of a commit say, whatever it changed: they are as it has them.
    pub(crate) fn all_of(&self, commit: Oid, most: usize) -> Result<Blobs, RepoError> {
        let compared = self.repo.compare(self.base, commit, most)?;
        let mut all: Blobs = compared
            .changed
            .into_iter()
            .map(|changed| (changed.path, changed.blob))
            .collect();
        for path in self.edits.keys() {
            // Not among what differs: it is as it was.
            if let Some(base) = self.base
                && !all.contains_key(path)
            {
                all.insert(path.clone(), self.repo.blob_at(base, path)?);
            } else {
                all.entry(path.clone()).or_default();
            }
        }
        Ok(all)
    }

    /// Lets a commit happen.
    pub(crate) fn apply(&mut self, rebased: RebasedChanges) {
        let tasks = rebased.blobs.keys().filter(|path| task_at(path).is_some());
        let folders = tasks.filter_map(VaultPath::parent).map(String::from);
        self.folders.extend(folders);
        self.edits.extend(rebased.blobs);
    }

    /// What there is to do to the files of the last verified tip.
    pub(crate) fn into_edits(self) -> Result<Vec<(VaultPath, Edit)>, RepoError> {
        let mut list = Vec::new();
        for (path, blob) in &self.edits {
            let was = match self.base {
                Some(base) => self.repo.blob_at(base, path)?,
                None => None,
            };
            match blob {
                _ if *blob == was => {}
                Some(blob) => list.push((path.clone(), Edit::PutBlob(*blob))),
                None => list.push((path.clone(), Edit::Delete)),
            }
        }
        Ok(list)
    }
}

/// Whether a file is in the folder of this name.
fn has_below(blobs: &Blobs, folder: &VaultPath, counts: &dyn Fn(&VaultPath) -> bool) -> bool {
    blobs
        .range(folder.clone()..)
        .take_while(|(path, _)| path.as_str().starts_with(folder.as_str()))
        .any(|(path, blob)| {
            path != folder && path.is_within(folder.as_str()) && blob.is_some() && counts(path)
        })
}
