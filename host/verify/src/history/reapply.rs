//! [`Reapply`]: what the tree would be without the violations: the honest commits since the last
//! verified tip, one after the other, on its files.
//!
//! A commit may be right only because of what a violation did before it: a draft is deleted, which is
//! not allowed, and then made anew, which is. So each commit is evaluated once more for what it
//! changes here.
//! Invariants: nothing is in the tree but what was verified before and what honest commits put there;
//! whole files alone, so that links, modes and names that no vault holds have no place in it.

use std::{
    cell::{OnceCell, RefCell},
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
};

use platinum_core::VaultPath;
use platinum_policy::Change;
use platinum_repo::{Changed, Edit, FolderSize, Oid, Repo, RepoError, collision_key};
use platinum_tasks::task_at;

use crate::{
    budget::{Growth, size_at},
    duplicates::{self, DuplicateTask},
    note_rules::{OPEN, OpenFiles, open_files},
};

/// What is at a path: a blob, or nothing any more.
pub(crate) type Blobs = BTreeMap<VaultPath, Option<Oid>>;

/// Names in a folder, by what they are to a system that does not tell all of them apart.
type Names = BTreeMap<String, BTreeSet<String>>;

/// The files of the last verified tip, and what honest commits made of them.
pub(crate) struct Reapply<'a> {
    repo: &'a Repo,
    base: Option<Oid>,
    edits: Blobs,
    /// Every folder in which there was a task since.
    folders: BTreeSet<String>,
    /// The names in each folder of the base that was asked about.
    base_names: RefCell<BTreeMap<String, Names>>,
    /// Those that honest commits put into each folder.
    names: BTreeMap<String, Names>,
    /// How much there was in the base, once it was asked about.
    base_size: OnceCell<FolderSize>,
    /// By how much that grew since.
    growth: Growth,
}

/// What one commit changes here.
#[derive(Default)]
pub(crate) struct RebasedChanges {
    /// For the path table.
    pub(crate) changes: Vec<(VaultPath, Change)>,
    /// What is there afterwards.
    blobs: Blobs,
    /// Files that would be where a folder is, or below a file, or beside one whose name some
    /// systems take for theirs.
    pub(crate) blocked: Vec<VaultPath>,
    growth: Growth,
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
            base_names: RefCell::default(),
            names: BTreeMap::new(),
            base_size: OnceCell::new(),
            growth: Growth::default(),
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

    /// What a commit that left these files so changes here. Whether a name is one with another's on
    /// some systems is asked if `checks_names`.
    pub(crate) fn rebase_changes(
        &self,
        changed: Blobs,
        checks_names: bool,
    ) -> Result<RebasedChanges, RepoError> {
        let mut rebased = RebasedChanges::default();
        for (path, blob) in changed {
            let now = self.now(&path)?;
            let change = match (now, blob) {
                (now, after) if now == after => continue,
                (None, _) => Change::Create,
                (Some(_), Some(_)) => Change::Modify,
                (Some(_), None) => Change::Delete,
            };
            rebased.growth.add(self.repo, &path, (now, blob))?;
            rebased.changes.push((path.clone(), change));
            rebased.blobs.insert(path, blob);
        }
        let mut own = BTreeMap::new();
        for (path, change) in &rebased.changes {
            if *change == Change::Create {
                add_names(&mut own, path);
            }
        }
        let mut looked = BTreeSet::new();
        for (path, change) in &rebased.changes {
            if *change == Change::Create
                && (self.is_blocked(path, &rebased)?
                    || checks_names && self.has_twin(path, &rebased, &own, &mut looked)?)
            {
                rebased.blocked.push(path.clone());
            }
        }
        Ok(rebased)
    }

    /// Why there may not be as much as there would be with these changes, if there may not.
    pub(crate) fn excess(&self, rebased: &RebasedChanges) -> Result<Option<String>, RepoError> {
        let base = match self.base_size.get() {
            Some(base) => *base,
            None => {
                let base = size_at(self.repo, self.base)?;
                *self.base_size.get_or_init(|| base)
            }
        };
        Ok(rebased.growth.excess(self.growth.applied_to(base)))
    }

    /// Whether a name that is new on the way to a file is, to some systems, another one's that is
    /// there. A path in `looked` is not asked about again; `own` are the names that the same
    /// changes bring.
    fn has_twin(
        &self,
        path: &VaultPath,
        with: &RebasedChanges,
        own: &BTreeMap<String, Names>,
        looked: &mut BTreeSet<String>,
    ) -> Result<bool, RepoError> {
        let mut folder = String::new();
        for part in path.components() {
            let here = join(&folder, part);
            if looked.insert(here.clone()) {
                let mut twins = self.twins_in_base(&folder, part)?;
                let key = collision_key(part.as_bytes());
                for names in [self.names.get(&folder), own.get(&folder)] {
                    twins.extend(
                        names
                            .and_then(|names| names.get(&key))
                            .into_iter()
                            .flatten()
                            .cloned(),
                    );
                }
                twins.remove(part);
                for twin in twins {
                    // Two that were there together before stay.
                    if self.is_there(&join(&folder, &twin), Some(with))?
                        && !self.is_there(&here, None)?
                    {
                        return Ok(true);
                    }
                }
            }
            folder = here;
        }
        Ok(false)
    }

    fn twins_in_base(&self, folder: &str, name: &str) -> Result<BTreeSet<String>, RepoError> {
        let Some(base) = self.base else {
            return Ok(BTreeSet::new());
        };
        let mut known = self.base_names.borrow_mut();
        let names = match known.entry(folder.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                let mut names = Names::new();
                for item in self.repo.items(base, folder)? {
                    let key = collision_key(item.name.as_bytes());
                    names.entry(key).or_default().insert(item.name);
                }
                new.insert(names)
            }
        };
        let twins = names.get(&collision_key(name.as_bytes()));
        Ok(twins.cloned().unwrap_or_default())
    }

    /// Whether a file or a folder with files is here: as it is, or with these changes.
    fn is_there(&self, at: &str, with: Option<&RebasedChanges>) -> Result<bool, RepoError> {
        // No vault holds it, so nothing of it was changed.
        let Ok(path) = VaultPath::new(at) else {
            return Ok(true);
        };
        let changed = |path: &VaultPath| {
            let with = with.and_then(|with| with.blobs.get(path));
            with.or_else(|| self.edits.get(path)).copied()
        };
        let now = match changed(&path) {
            Some(now) => now,
            None => self.now(&path)?,
        };
        if now.is_some()
            || with.is_some_and(|with| has_below(&with.blobs, &path, &|_| true))
            || has_below(&self.edits, &path, &|below| changed(below) != Some(None))
        {
            return Ok(true);
        }
        let Some(base) = self.base else {
            return Ok(false);
        };
        let mut folders = vec![at.to_owned()];
        while let Some(folder) = folders.pop() {
            for item in self.repo.items(base, &folder)? {
                let below = join(&folder, &item.name);
                match item.folder {
                    true => folders.push(below),
                    false => match VaultPath::new(&below) {
                        Ok(path) if changed(&path) == Some(None) => {}
                        _ => return Ok(true),
                    },
                }
            }
        }
        Ok(false)
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

    /// The drafts that are open so far.
    pub(crate) fn open_drafts(&self) -> Result<OpenFiles, RepoError> {
        let mut files = open_files(self.repo, self.base)?;
        for (path, blob) in &self.edits {
            if OPEN.contains(&path.top()) {
                match blob {
                    Some(blob) => files.insert(path.as_str().to_owned(), *blob),
                    None => files.remove(path.as_str()),
                };
            }
        }
        Ok(files)
    }

    /// The folders in which there are tasks so far, or were some since the last verified tip.
    pub(crate) fn task_folders(&self) -> Result<BTreeSet<String>, RepoError> {
        let mut folders = duplicates::folders(self.repo, self.base)?;
        // One that an honest commit made, and that a violation deleted.
        folders.extend(self.folders.iter().cloned());
        Ok(folders)
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
        let mut folders = self.task_folders()?;
        folders.extend(duplicates::folders(self.repo, Some(commit))?);
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
        self.growth.add_all(rebased.growth);
        for (path, change) in &rebased.changes {
            if *change == Change::Create {
                add_names(&mut self.names, path);
            }
        }
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

/// Adds every name on the way to a file to those of its folder.
fn add_names(names: &mut BTreeMap<String, Names>, path: &VaultPath) {
    let mut folder = String::new();
    for part in path.components() {
        let in_folder = names.entry(folder.clone()).or_default();
        let twins = in_folder.entry(collision_key(part.as_bytes())).or_default();
        if !twins.contains(part) {
            twins.insert(part.to_owned());
        }
        folder = join(&folder, part);
    }
}

fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
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
