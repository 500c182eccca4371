//! Reading trees: what a commit holds, and what changed between two.
//!
//! Lives elsewhere: who may make a change is `policy`'s question.
//! Invariants: only subtrees whose ids differ are opened, so a comparison costs O(changed); what
//! the vault never holds (a symbolic link, a submodule, a name that is no vault path, two names
//! that differ only in case) is an error that names the path.

use std::collections::BTreeMap;

use git2::{Oid, Repository};
use platinum_core::VaultPath;
use platinum_policy::Change;

use crate::{Repo, RepoError};

/// Deeper folders than this are refused; a vault path has at most 512 bytes anyway.
const MAX_DEPTH: usize = 64;
/// More entries in one folder than this are refused.
const MAX_ENTRIES: usize = 1 << 20;

/// One path that differs between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Where.
    pub path: VaultPath,
    /// How.
    pub change: Change,
    /// The blob that is there now; `None` after a deletion.
    pub blob: Option<Oid>,
}

/// One entry of a folder in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Whether it is a folder.
    pub folder: bool,
    /// The blob or tree.
    pub oid: Oid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Symlink,
    Submodule,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    oid: Oid,
    mode: i32,
}

impl Entry {
    fn kind(self) -> Kind {
        match self.mode & 0o170_000 {
            0o100_000 => Kind::File,
            0o040_000 => Kind::Folder,
            0o120_000 => Kind::Symlink,
            0o160_000 => Kind::Submodule,
            _ => Kind::Other,
        }
    }
}

impl Repo {
    /// Every path that differs, in order. `from: None` compares with nothing at all.
    ///
    /// # Errors
    /// If an object is missing, or the newer side holds what the vault never holds.
    pub fn changes(&self, from: Option<Oid>, to: Oid) -> Result<Vec<Changed>, RepoError> {
        let git = self.lock()?;
        let old = from.map(|commit| tree_of(&git, commit)).transpose()?;
        let new = tree_of(&git, to)?;
        let mut found = Vec::new();
        walk(&git, "", old, Some(new), 0, &mut found)?;
        found.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }

    /// Every file of a commit.
    ///
    /// # Errors
    /// As [`Repo::changes`].
    pub fn tree_files(&self, commit: Oid) -> Result<BTreeMap<VaultPath, Oid>, RepoError> {
        let all = self.changes(None, commit)?;
        Ok(all
            .into_iter()
            .filter_map(|c| c.blob.map(|blob| (c.path, blob)))
            .collect())
    }

    /// The blob at a path of a commit.
    ///
    /// # Errors
    /// If an object is missing.
    pub fn blob_at(&self, commit: Oid, path: &VaultPath) -> Result<Option<Oid>, RepoError> {
        let git = self.lock()?;
        let mut tree = git
            .find_tree(tree_of(&git, commit)?)
            .map_err(RepoError::git("reading a tree"))?;
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            let Some(entry) = tree.get_name(part) else {
                return Ok(None);
            };
            let (oid, mode) = (entry.id(), entry.filemode_raw());
            drop(entry);
            let kind = Entry { oid, mode }.kind();
            match (parts.peek().is_some(), kind) {
                (false, Kind::File) => return Ok(Some(oid)),
                (true, Kind::Folder) => {
                    tree = git
                        .find_tree(oid)
                        .map_err(RepoError::git("reading a tree"))?;
                }
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The bytes at a path of a commit, if there are at most `most` of them.
    ///
    /// # Errors
    /// If an object is missing or the file is larger.
    pub fn file_at(
        &self,
        commit: Oid,
        path: &VaultPath,
        most: usize,
    ) -> Result<Option<Vec<u8>>, RepoError> {
        match self.blob_at(commit, path)? {
            Some(blob) => self.read_blob(blob, most).map(Some),
            None => Ok(None),
        }
    }

    /// What a folder of a commit holds, files and folders only, in order; nothing if there is no
    /// such folder.
    ///
    /// # Errors
    /// If an object is missing.
    pub fn items(&self, commit: Oid, folder: &str) -> Result<Vec<Item>, RepoError> {
        let git = self.lock()?;
        let mut tree = tree_of(&git, commit)?;
        for part in folder.split('/').filter(|part| !part.is_empty()) {
            let entries = entries_of(&git, Some(tree))?;
            match entries.get(part.as_bytes()) {
                Some(entry) if entry.kind() == Kind::Folder => tree = entry.oid,
                _ => return Ok(Vec::new()),
            }
        }
        let entries = entries_of(&git, Some(tree))?;
        Ok(entries
            .into_iter()
            .filter_map(|(name, entry)| {
                let folder = match entry.kind() {
                    Kind::Folder => true,
                    Kind::File => false,
                    _ => return None,
                };
                Some(Item {
                    name: String::from_utf8(name).ok()?,
                    folder,
                    oid: entry.oid,
                })
            })
            .collect())
    }
}

pub(crate) fn tree_of(git: &Repository, commit: Oid) -> Result<Oid, RepoError> {
    git.find_commit(commit)
        .map(|c| c.tree_id())
        .map_err(RepoError::git("reading a commit"))
}

fn entries_of(git: &Repository, tree: Option<Oid>) -> Result<BTreeMap<Vec<u8>, Entry>, RepoError> {
    let Some(tree) = tree else {
        return Ok(BTreeMap::new());
    };
    let tree = git
        .find_tree(tree)
        .map_err(RepoError::git("reading a tree"))?;
    if tree.len() > MAX_ENTRIES {
        return Err(RepoError::Git {
            doing: "reading a tree",
            reason: format!("a folder with {} entries is more than is read", tree.len()),
        });
    }
    Ok(tree
        .iter()
        .map(|e| {
            (
                e.name_bytes().to_vec(),
                Entry {
                    oid: e.id(),
                    mode: e.filemode_raw(),
                },
            )
        })
        .collect())
}

fn walk(
    git: &Repository,
    prefix: &str,
    old: Option<Oid>,
    new: Option<Oid>,
    depth: usize,
    found: &mut Vec<Changed>,
) -> Result<(), RepoError> {
    if old == new {
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(foreign(
            prefix.as_bytes(),
            "is deeper than any folder of a vault",
        ));
    }
    let old = entries_of(git, old)?;
    let new = entries_of(git, new)?;
    refuse_case_collisions(prefix, &old, &new)?;
    let mut names: Vec<&Vec<u8>> = old.keys().chain(new.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let (before, after) = (old.get(name).copied(), new.get(name).copied());
        if before == after {
            continue;
        }
        let mut full = prefix.as_bytes().to_vec();
        full.extend_from_slice(name);
        if let Some(entry) = after {
            match entry.kind() {
                Kind::File | Kind::Folder => {}
                Kind::Symlink => return Err(foreign(&full, "is a symbolic link")),
                Kind::Submodule => return Err(foreign(&full, "is a submodule")),
                Kind::Other => return Err(foreign(&full, "is neither a file nor a folder")),
            }
        }
        let text = String::from_utf8(full.clone())
            .map_err(|_| foreign(&full, "has a name that is not UTF-8"))?;
        let folder =
            |entry: Option<Entry>| entry.filter(|e| e.kind() == Kind::Folder).map(|e| e.oid);
        let file = |entry: Option<Entry>| entry.filter(|e| e.kind() == Kind::File);
        if folder(before).is_some() || folder(after).is_some() {
            walk(
                git,
                &format!("{text}/"),
                folder(before),
                folder(after),
                depth + 1,
                found,
            )?;
        }
        let change = match (file(before), file(after)) {
            (None, Some(_)) => Change::Create,
            (Some(_), Some(_)) => Change::Modify,
            (Some(_), None) => Change::Delete,
            (None, None) => continue,
        };
        let path = VaultPath::new(text)
            .map_err(|error| foreign(&full, &format!("is no path of a vault: {error}")))?;
        found.push(Changed {
            path,
            change,
            blob: file(after).map(|e| e.oid),
        });
    }
    Ok(())
}

/// Two names that are one on a system that ignores case would overwrite each other there. Only a
/// name that is new here is judged: a folder that already has such a pair stays readable.
fn refuse_case_collisions(
    prefix: &str,
    old: &BTreeMap<Vec<u8>, Entry>,
    new: &BTreeMap<Vec<u8>, Entry>,
) -> Result<(), RepoError> {
    if new.keys().all(|name| old.contains_key(name)) {
        return Ok(());
    }
    let mut seen: BTreeMap<String, &Vec<u8>> = BTreeMap::new();
    for name in new.keys() {
        let folded = String::from_utf8_lossy(name).to_lowercase();
        if let Some(other) = seen.insert(folded, name)
            && !(old.contains_key(name) && old.contains_key(other))
        {
            let mut full = prefix.as_bytes().to_vec();
            full.extend_from_slice(name);
            let what = format!(
                "differs only in case from `{}`, and many systems cannot hold both",
                String::from_utf8_lossy(other).escape_debug()
            );
            return Err(foreign(&full, &what));
        }
    }
    Ok(())
}

fn foreign(path: &[u8], what: &str) -> RepoError {
    RepoError::Foreign {
        path: String::from_utf8_lossy(path)
            .escape_debug()
            .take(300)
            .collect(),
        what: what.to_owned(),
    }
}
