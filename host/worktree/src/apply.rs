//! Changing the work tree: path by path, never over an edit that was not seen.
//!
//! Invariants: every write says which bytes it expects to replace; what is there instead is moved
//! to a conflict copy before anything takes its place; nothing else in the vault is touched; two
//! files whose names are one on some systems are not both put there, and a name that only changes
//! its spelling is a rename.

use std::collections::BTreeMap;

use platinum_core::VaultPath;
use platinum_policy::MAX_FILE_BYTES;
use platinum_repo::{Oid, Repo};
use platinum_vault::{VaultError, name_key};

use crate::{Worktree, WorktreeError, conflict_copy::conflict_copy_path};

/// So many new files are written together, and so many at once.
const MANY: usize = 16;
const MOST_AT_ONCE: usize = 128;

/// One path of the work tree that changes.
#[derive(Debug, Clone)]
pub struct WorktreeUpdate {
    /// Where.
    pub path: VaultPath,
    /// The blob that is there, as far as is known.
    pub expected: Option<Oid>,
    /// The blob that shall be there; none to take the file away.
    pub new: Option<Oid>,
}

impl Worktree {
    /// Writes copies and updates, all or, at the first that fails, no further; returns how many
    /// more copies it had to make of files that were edited in this very moment.
    ///
    /// # Errors
    /// The first failure; what was applied before it stays.
    pub fn apply(
        &self,
        copies: &[(VaultPath, Oid)],
        updates: &[WorktreeUpdate],
    ) -> Result<u32, WorktreeError> {
        let (more, failed) = self.apply_each(copies, updates)?;
        match failed.into_iter().next() {
            Some((_, error)) => Err(error.into()),
            None => Ok(more),
        }
    }

    /// As [`Worktree::apply`], but one file that cannot be written does not keep the others away: it
    /// is returned with the others that failed.
    ///
    /// # Errors
    /// If the repository fails.
    pub fn apply_each(
        &self,
        copies: &[(VaultPath, Oid)],
        updates: &[WorktreeUpdate],
    ) -> Result<(u32, Vec<(VaultPath, VaultError)>), WorktreeError> {
        self.ensure_in_place()?;
        let changing = updates.iter().map(|update| &update.path);
        self.touch(copies.iter().map(|(path, _)| path).chain(changing));
        let mut failed = Vec::new();
        let mut unkept = BTreeMap::new();
        for (copy, blob) in copies {
            let bytes = self.repo.read_blob(*blob, MAX_FILE_BYTES)?;
            match self.vault.create(copy, &bytes) {
                Ok(()) => {}
                Err(VaultError::Exists(_)) if matches!(self.blob_on_disk(copy), Ok(Some(there)) if there == *blob) =>
                    {}
                Err(error) => {
                    unkept.insert(*blob, copy);
                    failed.push((copy.clone(), error));
                }
            }
        }
        fail::fail_point!("apply-copies-written");
        // Nothing takes the place of a version whose copy could not be written.
        let (updates, waiting): (Vec<_>, Vec<_>) = updates.iter().partition(|update| {
            !update
                .expected
                .is_some_and(|blob| unkept.contains_key(&blob))
        });
        for update in waiting {
            if let Some(copy) = update.expected.and_then(|blob| unkept.get(&blob)) {
                let error = VaultError::NotKept {
                    path: update.path.clone(),
                    copy: (*copy).clone(),
                };
                failed.push((update.path.clone(), error));
            }
        }
        let mut more = 0;
        let mut note = |path: &VaultPath, done: Result<bool, WorktreeError>| match done {
            Ok(copied) => {
                more += u32::from(copied);
                Ok(())
            }
            Err(WorktreeError::Vault(error)) => {
                failed.push((path.clone(), error));
                Ok(())
            }
            Err(error) => Err(error),
        };
        let respelled = Respelled::among(&updates);
        let mut created = self.create_many(updates.iter().filter(|update| {
            update.expected.is_none() && !respelled.from.contains_key(&update.path)
        }))?;
        // What comes first, so that what is moved is never nowhere; but what goes away may have to
        // make room for it.
        let mut blocked = Vec::new();
        for update in &updates {
            let Some(new) = update.new else { continue };
            let done = match respelled.from.get(&update.path) {
                Some(old) => self.respell(old, &update.path, new),
                None => self.put(
                    &update.path,
                    update.expected,
                    new,
                    created.remove(&update.path),
                ),
            };
            match done {
                Err(WorktreeError::Vault(
                    VaultError::Twin { .. }
                    | VaultError::NotAFolder { .. }
                    | VaultError::NotAFile { .. },
                )) => {
                    blocked.push((update, new));
                }
                done => note(&update.path, done)?,
            }
        }
        fail::fail_point!("apply-before-removals");
        for update in &updates {
            if update.new.is_none() && !respelled.has(&update.path) {
                note(&update.path, self.take_away(&update.path, update.expected))?;
            }
        }
        for (update, new) in blocked {
            // What was in a folder of that name may be gone now.
            let removed = self.vault.remove_empty_folders(&update.path);
            let done = removed.map_err(WorktreeError::from);
            let done = done.and_then(|()| self.put(&update.path, update.expected, new, None));
            note(&update.path, done)?;
        }
        self.vault.note_drafts();
        Ok((more, failed))
    }

    /// A name that changes its spelling: the file moves, whatever the file system makes of it.
    fn respell(
        &self,
        old: &WorktreeUpdate,
        path: &VaultPath,
        new: Oid,
    ) -> Result<bool, WorktreeError> {
        let there = self.blob_on_disk(&old.path)?;
        if there.is_some() && there == old.expected {
            match self.vault.respell(&old.path, path) {
                Ok(()) if there == Some(new) => return Ok(false),
                Ok(()) => return self.put(path, there, new, None),
                Err(VaultError::NotFound(_) | VaultError::Exists(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let copied = self.take_away(&old.path, old.expected)?;
        Ok(self.put(path, None, new, None)? || copied)
    }

    /// Creates new files if they are many; what came of each.
    fn create_many<'a>(
        &self,
        updates: impl Iterator<Item = &'a &'a WorktreeUpdate>,
    ) -> Result<BTreeMap<&'a VaultPath, Result<(), VaultError>>, WorktreeError> {
        let new: Vec<_> = updates
            .filter_map(|update| Some((&update.path, update.new?)))
            .collect();
        let mut created = BTreeMap::new();
        if new.len() < MANY {
            return Ok(created);
        }
        let (mut files, mut bytes) = (Vec::new(), 0);
        for (at, (path, blob)) in new.iter().enumerate() {
            let file = self.repo.read_blob(*blob, MAX_FILE_BYTES)?;
            bytes += file.len();
            files.push((*path, file));
            if bytes >= MAX_FILE_BYTES || files.len() == MOST_AT_ONCE || at + 1 == new.len() {
                let results = self.vault.create_many(&files);
                created.extend(files.drain(..).map(|(path, _)| path).zip(results));
                bytes = 0;
            }
        }
        Ok(created)
    }

    /// Puts a file where it belongs; `created` is what came of it, if it was tried.
    fn put(
        &self,
        path: &VaultPath,
        expected: Option<Oid>,
        new: Oid,
        created: Option<Result<(), VaultError>>,
    ) -> Result<bool, WorktreeError> {
        let bytes = || self.repo.read_blob(new, MAX_FILE_BYTES);
        let tried = match (created, expected) {
            (Some(created), _) => created,
            (None, Some(expected)) => {
                let expected = self.repo.read_blob(expected, MAX_FILE_BYTES)?;
                self.vault.replace(path, &bytes()?, Some(&expected))
            }
            (None, None) => match self.vault.other_spelling(path)? {
                Some(twin) => {
                    let path = path.clone();
                    return Err(VaultError::Twin { path, twin }.into());
                }
                None => self.vault.create(path, &bytes()?),
            },
        };
        match tried {
            Ok(()) => Ok(false),
            Err(VaultError::Changed(_) | VaultError::Exists(_)) => {
                if self.blob_on_disk(path)? == Some(new) {
                    return Ok(false);
                }
                let moved = self.keep_conflict_copy(path)?;
                fail::fail_point!("apply-set-aside");
                self.vault.create(path, &bytes()?)?;
                Ok(moved)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a file away; one that is not what was expected goes to a conflict copy.
    fn take_away(&self, path: &VaultPath, expected: Option<Oid>) -> Result<bool, WorktreeError> {
        if let Some(expected) = expected {
            let expected = self.repo.read_blob(expected, MAX_FILE_BYTES)?;
            match self.vault.remove_if(path, &expected) {
                Ok(()) | Err(VaultError::NotFound(_)) => return Ok(false),
                Err(VaultError::Changed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.keep_conflict_copy(path)
    }

    /// Moves an unexpected file to a conflict copy.
    fn keep_conflict_copy(&self, path: &VaultPath) -> Result<bool, WorktreeError> {
        let oid = self.blob_on_disk(path).ok().flatten();
        match self
            .vault
            .rename(path, &conflict_copy_path(&self.agent, path, oid))
        {
            Ok(()) => Ok(true),
            Err(VaultError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// The blob that a file of the work tree is.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn blob_on_disk(&self, path: &VaultPath) -> Result<Option<Oid>, WorktreeError> {
        match self.vault.read(path, MAX_FILE_BYTES as u64) {
            Ok(bytes) => Ok(Some(Repo::blob_oid_of(&bytes)?)),
            Err(VaultError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The updates that take a file away and bring it back under another spelling.
struct Respelled<'a> {
    /// The old one, by the new path.
    from: BTreeMap<&'a VaultPath, &'a WorktreeUpdate>,
}

impl<'a> Respelled<'a> {
    fn among(updates: &[&'a WorktreeUpdate]) -> Self {
        let going: BTreeMap<String, &WorktreeUpdate> = updates
            .iter()
            .filter(|update| update.new.is_none() && update.expected.is_some())
            .map(|update| (name_key(update.path.as_str()), *update))
            .collect();
        let from = updates
            .iter()
            .filter(|update| update.new.is_some() && update.expected.is_none())
            .filter_map(|update| {
                let old = going.get(&name_key(update.path.as_str()))?;
                Some((&update.path, *old))
            })
            .collect();
        Self { from }
    }

    fn has(&self, path: &VaultPath) -> bool {
        self.from.values().any(|old| old.path == *path)
    }
}
