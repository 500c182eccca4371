//! Making a commit as a pure tree edit, and reading what commits say of themselves.
//!
//! Invariants: no index and no work tree are involved; a commit costs O(edits × folder width);
//! an edit never drops a folder or a file it does not name. Author fields and trailers prove
//! nothing: who made a commit is what its signature says (`sign`).

use std::collections::BTreeMap;

use git2::{Commit, Oid, Repository, Signature, Sort, Time, Tree};
use platinum_core::{AgentName, Role, Timestamp, VaultPath};

use crate::{
    Repo, RepoError,
    sign::{HEADER, signer_mail},
    tree::tree_of,
};

/// The trailer that names the agent that made a commit.
pub const TRAILER_AGENT: &str = "Platinum-Agent";
/// The trailer that names its role.
pub const TRAILER_ROLE: &str = "Platinum-Role";

/// An ordinary file.
const FILE: i32 = 0o100_644;
/// A folder.
const FOLDER: i32 = 0o040_000;
/// Only this much of a commit's message is read.
const MAX_MESSAGE: usize = 16 * 1024;

/// What to do at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Put these bytes there.
    Put(Vec<u8>),
    /// Put a blob there that is stored already.
    PutBlob(Oid),
    /// Take the file away.
    Delete,
}

/// Who makes a commit, when and why.
#[derive(Debug, Clone)]
pub struct CommitMeta {
    /// The agent, which becomes the author and a trailer.
    pub agent: AgentName,
    /// Its role, which becomes a trailer.
    pub role: Role,
    /// The message, without trailers.
    pub message: String,
    /// More trailers, in order.
    pub trailers: Vec<(String, String)>,
    /// When.
    pub at: Timestamp,
}

/// What a commit says of itself. All of it can be forged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// The commit.
    pub oid: Oid,
    /// Its parents.
    pub parents: Vec<Oid>,
    /// The trailers at its end, in order.
    pub trailers: Vec<(String, String)>,
    /// Seconds since 1970, as the committer claims.
    pub seconds: i64,
}

impl CommitInfo {
    /// The value of a trailer, if the message has it exactly once.
    pub fn trailer(&self, key: &str) -> Option<&str> {
        let mut values = self
            .trailers
            .iter()
            .filter(|(k, _)| k == key)
            .map(|(_, v)| v.as_str());
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value),
            _ => None,
        }
    }
}

impl Repo {
    /// Makes a commit on `parent` (or a first one) that differs from it by `edits` alone.
    /// No ref moves.
    ///
    /// # Errors
    /// If an edit does not fit the tree, or an object cannot be read or written.
    pub fn commit(
        &self,
        parent: Option<Oid>,
        edits: &[(VaultPath, Edit)],
        meta: &CommitMeta,
    ) -> Result<Oid, RepoError> {
        self.commit_over(parent, parent, edits, meta)
    }

    /// Makes a commit on `parent` whose files are those of another commit, apart from `edits`.
    /// No ref moves.
    ///
    /// # Errors
    /// As [`Repo::commit`].
    pub fn commit_over(
        &self,
        parent: Option<Oid>,
        base: Option<Oid>,
        edits: &[(VaultPath, Edit)],
        meta: &CommitMeta,
    ) -> Result<Oid, RepoError> {
        let git = self.lock()?;
        let base = base.map(|commit| tree_of(&git, commit)).transpose()?;
        let mut made = Vec::new();
        let tree = edited_tree(&git, base, edits, &mut made)?;
        let tree = git
            .find_tree(tree)
            .map_err(RepoError::git("reading a tree"))?;
        let parents = parent
            .map(|oid| {
                git.find_commit(oid)
                    .map_err(RepoError::git("reading a commit"))
            })
            .transpose()?;
        let parents: Vec<_> = parents.iter().collect();
        let when = Time::new(meta.at.as_second(), 0);
        let mail = signer_mail(&meta.agent, meta.role);
        let who = Signature::new(meta.agent.as_str(), &mail, &when)
            .map_err(RepoError::git("naming a commit's author"))?;
        let commit = self.write_commit(&git, &who, &message_of(meta), &tree, &parents)?;
        made.push(commit);
        self.record_written(&made)?;
        Ok(commit)
    }

    /// Writes a commit, signed if this repository has a key. No ref moves.
    fn write_commit(
        &self,
        git: &Repository,
        who: &Signature<'_>,
        message: &str,
        tree: &Tree<'_>,
        parents: &[&Commit<'_>],
    ) -> Result<Oid, RepoError> {
        let doing = "writing a commit";
        let Some(key) = self.key() else {
            return git
                .commit(None, who, who, message, tree, parents)
                .map_err(RepoError::git(doing));
        };
        let buffer = git
            .commit_create_buffer(who, who, message, tree, parents)
            .map_err(RepoError::git(doing))?;
        let text = str::from_utf8(&buffer).map_err(|error| RepoError::Git {
            doing,
            reason: error.to_string(),
        })?;
        let signature = key.sign(&buffer)?;
        git.commit_signed(text, signature.trim_end(), Some(HEADER))
            .map_err(RepoError::git(doing))
    }

    /// What a commit says of itself.
    ///
    /// # Errors
    /// If there is no such commit.
    pub fn commit_info(&self, oid: Oid) -> Result<CommitInfo, RepoError> {
        let git = self.lock()?;
        let commit = git
            .find_commit(oid)
            .map_err(RepoError::git("reading a commit"))?;
        let bytes = commit.message_raw_bytes();
        let tail = &bytes[bytes.len().saturating_sub(MAX_MESSAGE)..];
        Ok(CommitInfo {
            oid,
            parents: commit.parent_ids().collect(),
            trailers: trailers_of(&String::from_utf8_lossy(tail)),
            seconds: commit.time().seconds(),
        })
    }

    /// The commits that `to` has and `from` has not, parents before children.
    ///
    /// # Errors
    /// If a commit is missing, or there are more than `most`.
    pub fn commits_between(
        &self,
        from: Option<Oid>,
        to: Oid,
        most: usize,
    ) -> Result<Vec<Oid>, RepoError> {
        let doing = "walking the history";
        let git = self.lock()?;
        let mut walk = git.revwalk().map_err(RepoError::git(doing))?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE)
            .map_err(RepoError::git(doing))?;
        walk.push(to).map_err(RepoError::git(doing))?;
        if let Some(from) = from {
            walk.hide(from).map_err(RepoError::git(doing))?;
        }
        let mut found = Vec::new();
        for commit in walk {
            if found.len() == most {
                return Err(RepoError::Git {
                    doing,
                    reason: format!("more than {most} commits"),
                });
            }
            found.push(commit.map_err(RepoError::git(doing))?);
        }
        Ok(found)
    }

    /// Whether `old` is `new` or among its ancestors.
    ///
    /// # Errors
    /// If a commit is missing.
    pub fn is_ancestor(&self, old: Oid, new: Oid) -> Result<bool, RepoError> {
        if old == new {
            return Ok(true);
        }
        self.lock()?
            .graph_descendant_of(new, old)
            .map_err(RepoError::git("comparing two commits"))
    }
}

/// The tree `base` with these edits, written; the ids of what was written are added to `made`.
pub(crate) fn edited_tree(
    git: &Repository,
    base: Option<Oid>,
    edits: &[(VaultPath, Edit)],
    made: &mut Vec<Oid>,
) -> Result<Oid, RepoError> {
    let mut root = Branch::default();
    for (path, edit) in edits {
        let blob = match edit {
            Edit::Put(bytes) => {
                let blob = git.blob(bytes).map_err(RepoError::git("writing a blob"))?;
                made.push(blob);
                Some(blob)
            }
            Edit::PutBlob(oid) => Some(*oid),
            Edit::Delete => None,
        };
        root.add(path, blob)?;
    }
    match write_tree(git, "", base, &root, made)? {
        Some(tree) => Ok(tree),
        None => {
            let tree = git
                .treebuilder(None)
                .and_then(|builder| builder.write())
                .map_err(RepoError::git("writing a tree"))?;
            made.push(tree);
            Ok(tree)
        }
    }
}

/// Edits as a tree of names: a leaf is a blob to put or, as `None`, to take away.
#[derive(Default)]
struct Branch<'a> {
    leaves: BTreeMap<&'a str, Option<Oid>>,
    folders: BTreeMap<&'a str, Branch<'a>>,
}

impl<'a> Branch<'a> {
    fn add(&mut self, path: &'a VaultPath, blob: Option<Oid>) -> Result<(), RepoError> {
        let mut branch = self;
        let mut parts = path.components().peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_some() {
                branch = branch.folders.entry(part).or_default();
            } else {
                branch.leaves.insert(part, blob);
            }
        }
        Ok(())
    }
}

/// The edited tree, or nothing if it has become empty.
fn write_tree(
    git: &Repository,
    prefix: &str,
    base: Option<Oid>,
    edits: &Branch<'_>,
    made: &mut Vec<Oid>,
) -> Result<Option<Oid>, RepoError> {
    let doing = "writing a tree";
    let base = base
        .map(|oid| git.find_tree(oid))
        .transpose()
        .map_err(RepoError::git(doing))?;
    let mut builder = git
        .treebuilder(base.as_ref())
        .map_err(RepoError::git(doing))?;
    let existing = |name: &str| -> Option<(Oid, i32)> {
        let entry = base.as_ref()?.get_name(name)?;
        Some((entry.id(), entry.filemode_raw()))
    };
    // Deletions first: a file may make way for a folder of the same name in one commit.
    for (name, blob) in edits.leaves.iter().filter(|(_, blob)| blob.is_none()) {
        debug_assert!(blob.is_none());
        match existing(name) {
            Some((_, mode)) if mode & 0o170_000 != FOLDER => {
                builder.remove(*name).map_err(RepoError::git(doing))?;
            }
            _ => return Err(RepoError::Absent(format!("{prefix}{name}"))),
        }
    }
    for (name, below) in &edits.folders {
        let deleted_here = edits.leaves.get(name).is_some_and(Option::is_none);
        let inner = match existing(name) {
            Some((oid, mode)) if mode & 0o170_000 == FOLDER => Some(oid),
            Some(_) if !deleted_here => return Err(RepoError::InTheWay(format!("{prefix}{name}"))),
            _ => None,
        };
        match write_tree(git, &format!("{prefix}{name}/"), inner, below, made)? {
            Some(oid) => {
                builder
                    .insert(*name, oid, FOLDER)
                    .map_err(RepoError::git(doing))?;
            }
            None if inner.is_some() => builder.remove(*name).map_err(RepoError::git(doing))?,
            None => {}
        }
    }
    for (name, blob) in &edits.leaves {
        let Some(blob) = blob else { continue };
        let folder_there = builder
            .get(*name)
            .map_err(RepoError::git(doing))?
            .is_some_and(|entry| entry.filemode_raw() & 0o170_000 == FOLDER);
        if folder_there {
            return Err(RepoError::InTheWay(format!("{prefix}{name}")));
        }
        builder
            .insert(*name, *blob, FILE)
            .map_err(RepoError::git(doing))?;
    }
    if builder.is_empty() {
        return Ok(None);
    }
    let tree = builder.write().map_err(RepoError::git(doing))?;
    made.push(tree);
    Ok(Some(tree))
}

fn message_of(meta: &CommitMeta) -> String {
    let mut text = meta.message.replace('\0', "").trim_end().to_owned();
    text.push_str("\n\n");
    let own = [
        (TRAILER_AGENT.to_owned(), meta.agent.to_string()),
        (TRAILER_ROLE.to_owned(), meta.role.to_string()),
    ];
    for (key, value) in own.iter().chain(&meta.trailers) {
        // One line each: a value can not add a trailer of its own.
        let value = value.replace(char::is_control, " ");
        text.push_str(&format!("{key}: {value}\n"));
    }
    text
}

/// The `Key: value` lines of the last paragraph, if it has nothing else.
fn trailers_of(message: &str) -> Vec<(String, String)> {
    let last = message.trim_end().rsplit("\n\n").next().unwrap_or_default();
    let pairs: Option<Vec<_>> = last
        .lines()
        .map(|line| {
            let (key, value) = line.split_once(": ")?;
            let fits =
                !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            fits.then(|| (key.to_owned(), value.trim().to_owned()))
        })
        .collect();
    pairs.unwrap_or_default()
}
