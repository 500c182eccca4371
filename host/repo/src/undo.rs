//! Undoing commits that others may have built on: what they changed is put back, nothing else.
//!
//! Lives elsewhere: which commits are undone, and that the result is pushed, is the
//! synchronizer's.
//! Invariants: works on raw tree entries, so that links, submodules and names that are no vault
//! paths are undone as well; an entry that was changed again since is left as it is; no object is
//! lost, the history keeps all.

use std::collections::BTreeSet;

use git2::{Oid, Repository, Signature, Time};

use crate::{
    CommitMeta, Repo, RepoError,
    commit::message_of,
    sign::signer_mail,
    tree::{Entries, Entry, Kind, some_entries_of, tree_of},
};

const FOLDER: i32 = 0o040_000;
/// Deeper folders are left as they are; no vault holds them, so whoever asks finds them still there.
const MAX_DEPTH: usize = 256;

/// One commit to undo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Undone {
    /// What was there before it; nothing at all before a first commit.
    pub before: Option<Oid>,
    /// The commit.
    pub commit: Oid,
}

impl Repo {
    /// Makes a commit on `tip` without what `undone` changed, the latest first. No ref moves.
    ///
    /// # Errors
    /// If an object is missing or cannot be written.
    pub fn undo(&self, tip: Oid, undone: &[Undone], meta: &CommitMeta) -> Result<Oid, RepoError> {
        let git = self.lock()?;
        let mut now = Some(folder(tree_of(&git, tip)?));
        for one in undone.iter().rev() {
            let before = one
                .before
                .map(|commit| tree_of(&git, commit))
                .transpose()?
                .map(folder);
            let after = Some(folder(tree_of(&git, one.commit)?));
            now = put_back(&git, before, after, now, 0)?;
        }
        let tree = match now {
            Some(entry) => entry.oid,
            None => git
                .treebuilder(None)
                .and_then(|builder| builder.write())
                .map_err(RepoError::git("writing a tree"))?,
        };
        let tree = git
            .find_tree(tree)
            .map_err(RepoError::git("reading a tree"))?;
        let parent = git
            .find_commit(tip)
            .map_err(RepoError::git("reading a commit"))?;
        let when = Time::new(meta.at.as_second(), 0);
        let mail = signer_mail(&meta.agent, meta.role);
        let who = Signature::new(meta.agent.as_str(), &mail, &when)
            .map_err(RepoError::git("naming a commit's author"))?;
        self.write_commit(&git, &who, &message_of(meta), &tree, &[&parent])
    }
}

fn folder(oid: Oid) -> Entry {
    Entry { oid, mode: FOLDER }
}

/// Three ways: what `after` made of `before` is taken out of `now`.
fn put_back(
    git: &Repository,
    before: Option<Entry>,
    after: Option<Entry>,
    now: Option<Entry>,
    depth: usize,
) -> Result<Option<Entry>, RepoError> {
    if before == after {
        return Ok(now);
    }
    if now == after {
        return Ok(before);
    }
    let is_folder = |entry: Option<Entry>| entry.is_none_or(|e| e.kind() == Kind::Folder);
    if !(is_folder(before) && is_folder(after) && is_folder(now)) || depth > MAX_DEPTH {
        return Ok(now);
    }
    let read = |entry: Option<Entry>| some_entries_of(git, entry.map(|e| e.oid));
    let (before, after, current) = (read(before)?, read(after)?, read(now)?);
    let names: BTreeSet<&Vec<u8>> = [&before, &after, &current]
        .into_iter()
        .flat_map(Entries::keys)
        .collect();
    let doing = "writing a tree";
    let base = now
        .map(|entry| git.find_tree(entry.oid))
        .transpose()
        .map_err(RepoError::git(doing))?;
    let mut builder = git
        .treebuilder(base.as_ref())
        .map_err(RepoError::git(doing))?;
    for name in names {
        let get = |entries: &Entries| entries.get(name).copied();
        let was = get(&current);
        let shall = put_back(git, get(&before), get(&after), was, depth + 1)?;
        match shall {
            _ if shall == was => {}
            Some(entry) => {
                builder
                    .insert(name.as_slice(), entry.oid, entry.mode)
                    .map_err(RepoError::git(doing))?;
            }
            None => builder
                .remove(name.as_slice())
                .map_err(RepoError::git(doing))?,
        }
    }
    if builder.is_empty() {
        return Ok(None);
    }
    let oid = builder.write().map_err(RepoError::git(doing))?;
    Ok(Some(folder(oid)))
}
