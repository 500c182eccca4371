//! One folder of a commit, as git stores it: its entries, read strictly or leniently.
//!
//! Lives elsewhere: paths are looked up in `lookup`; what changed between two commits is in
//! `compare`.
//! Invariant: what comes in is read as git would write it, or not at all: an entry that is there
//! twice or out of order could be two things to two readers.

use std::collections::BTreeMap;

use git2::{ErrorClass, ObjectType, Oid, Repository, Tree};

use crate::RepoError;

/// More entries in one folder than this are refused.
const MAX_ENTRIES: usize = 1 << 20;

/// The fault of a folder that is none.
pub(crate) const UNREADABLE: &str = "is a folder that cannot be read";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Symlink,
    Submodule,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) oid: Oid,
    pub(crate) mode: i32,
}

impl Entry {
    pub(crate) fn kind(self) -> Kind {
        kind_of(self.mode)
    }
}

/// What the mode of an entry says that it is.
pub(crate) fn kind_of(mode: i32) -> Kind {
    match mode & 0o170_000 {
        0o100_000 => Kind::File,
        0o040_000 => Kind::Folder,
        0o120_000 => Kind::Symlink,
        0o160_000 => Kind::Submodule,
        _ => Kind::Other,
    }
}

pub(crate) fn tree_of(git: &Repository, commit: Oid) -> Result<Oid, RepoError> {
    git.find_commit(commit)
        .map(|c| c.tree_id())
        .map_err(RepoError::git("reading a commit"))
}

/// The folder of this id; nothing if what is there is none that can be read. Git lets in modes that
/// libgit2 has no room for: one that is pushed must not stop the readers.
pub(crate) fn readable_tree(git: &Repository, oid: Oid) -> Result<Option<Tree<'_>>, RepoError> {
    let doing = "reading a tree";
    let error = match git.find_tree(oid) {
        Ok(tree) => return Ok(Some(tree)),
        Err(error) => error,
    };
    let is_there = || {
        let (_, kind) = git.odb()?.read_header(oid)?;
        Ok::<_, git2::Error>(kind != ObjectType::Tree || error.class() == ErrorClass::Tree)
    };
    match is_there() {
        Ok(true) => Ok(None),
        // It is missing, or the disk fails.
        _ => Err(RepoError::git(doing)(error)),
    }
}

/// A folder's entries by name; none for no folder.
pub(crate) type Entries = BTreeMap<Vec<u8>, Entry>;

/// As [`some_entries_of`], but a folder that is not as git writes one is an error.
pub(crate) fn entries_of(git: &Repository, tree: Option<Oid>) -> Result<Entries, RepoError> {
    read_entries(git, tree, true)
}

/// What is in a folder, whatever is wrong with it: of an entry that is there twice, one. For what
/// is not taken over anyway.
pub(crate) fn some_entries_of(git: &Repository, tree: Option<Oid>) -> Result<Entries, RepoError> {
    read_entries(git, tree, false)
}

fn read_entries(
    git: &Repository,
    tree: Option<Oid>,
    is_strict: bool,
) -> Result<Entries, RepoError> {
    let Some(oid) = tree else {
        return Ok(BTreeMap::new());
    };
    let Some(tree) = readable_tree(git, oid)? else {
        return match is_strict {
            true => Err(foreign(b"", UNREADABLE)),
            false => Ok(BTreeMap::new()),
        };
    };
    if is_strict && tree.len() > MAX_ENTRIES {
        let what = format!("has {} entries; {MAX_ENTRIES} is the most", tree.len());
        return Err(foreign(b"", &what));
    }
    let mut entries = BTreeMap::new();
    let mut last: Option<Vec<u8>> = None;
    for entry in tree.iter() {
        let (name, mode) = (entry.name_bytes().to_vec(), entry.filemode_raw());
        // Git sorts a folder as if its name ended in a slash.
        let mut sorted_as = name.clone();
        if mode & 0o170_000 == 0o040_000 {
            sorted_as.push(b'/');
        }
        if is_strict && last.as_ref().is_some_and(|last| *last >= sorted_as) {
            return Err(foreign(
                &name,
                "is out of order in its folder, as git writes none",
            ));
        }
        last = Some(sorted_as);
        let entry = Entry {
            oid: entry.id(),
            mode,
        };
        if entries.insert(name.clone(), entry).is_some() && is_strict {
            return Err(foreign(&name, "is in its folder twice"));
        }
    }
    Ok(entries)
}

/// A path as one printable line.
pub(crate) fn printable(path: &[u8]) -> String {
    String::from_utf8_lossy(path)
        .escape_debug()
        .take(300)
        .collect()
}

/// The error of a tree that holds what the vault never holds.
pub(crate) fn foreign(path: &[u8], what: &str) -> RepoError {
    RepoError::Foreign {
        path: printable(path),
        what: what.to_owned(),
    }
}
