//! Every object that a push would give a repository: commits, names and blobs, as they are.
//!
//! Lives here: the walk over what one commit has and another has not ([`Repo::visit_new`]), over
//! what one commit has and its parents have not ([`Repo::visit_new_in_commit`]), and over everything a
//! client sent although nothing may point at it ([`Repo::visit_sent`]).
//! Lives elsewhere: what may be among it is the caller's question.
//! Invariants: names are given as the tree has them, whatever they are; what some parent has at
//! the same place is not new; a blob is read once; one that is too large is named without its bytes; of
//! the commits no more is kept than their ids, and of one commit no more is read than
//! `compare` would.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use git2::{ObjectType, Odb, Oid, Repository};

use crate::{
    Repo, RepoError,
    compare::MAX_ENTRIES_READ,
    repo::Open,
    tree::{UNREADABLE, foreign, readable_tree},
};

/// Deeper folders are refused.
const MAX_DEPTH: usize = 128;
/// After so many commits the memory for what was read is given back.
const BATCH: usize = 4096;

/// One thing that is new.
#[derive(Debug)]
pub enum NewObject<'a> {
    /// A commit or a tag: its whole text, without a signature.
    Text {
        /// Which.
        oid: Oid,
        /// Header and message.
        text: &'a str,
    },
    /// A name in a folder.
    Name {
        /// The commit, or the tree if no commit leads to it.
        within: Oid,
        /// The path from the top, or the name alone if no commit leads to it.
        path: &'a str,
        /// What has this name.
        oid: Oid,
        /// What it is the name of, as Git writes it: `0o120000` is a link.
        mode: i32,
    },
    /// The content of a file.
    Blob {
        /// The commit, or the blob if no commit leads to it.
        within: Oid,
        /// Its path, or nothing if no commit leads to it.
        path: &'a str,
        /// Its id.
        oid: Oid,
        /// Its bytes; nothing if there are more than the caller reads.
        bytes: Option<&'a [u8]>,
    },
}

impl Repo {
    /// Opens the repository that a hook was started in: what a push brings is in a place of its
    /// own until the hook agrees, which Git names in the environment.
    ///
    /// # Errors
    /// If this is no hook's environment.
    pub fn open_in_hook() -> Result<Self, RepoError> {
        let open: Open = |_| Repository::open_from_env();
        let git = Repository::open_from_env().map_err(|error| RepoError::Open {
            folder: std::env::var_os("GIT_DIR").map_or_else(|| PathBuf::from("."), PathBuf::from),
            reason: error.message().to_owned(),
        })?;
        let git_dir = git.path().to_owned();
        Ok(Self::from_open(git, git_dir, open))
    }

    /// Shows everything that `to` has and `from` has not, oldest commit first; of blobs those that
    /// `is_wanted` answers yes to, each once. `visit` may take what it wants to keep.
    ///
    /// # Errors
    /// If an object is missing, or a commit has so much that it is not read
    /// ([`RepoError::TooMany`]).
    pub fn visit_new(
        &self,
        from: Option<Oid>,
        to: Oid,
        max_blob: usize,
        is_wanted: &dyn Fn(Oid) -> bool,
        visit: &mut dyn FnMut(NewObject<'_>),
    ) -> Result<(), RepoError> {
        let commits = self.commits_between(from, to, usize::MAX)?;
        let mut seen = BTreeSet::new();
        for (number, some) in commits.chunks(BATCH).enumerate() {
            if number > 0 {
                self.drop_caches()?;
            }
            some.iter().try_for_each(|oid| {
                let is_new = &mut |blob| is_wanted(blob) && seen.insert(blob);
                self.visit_new_in_commit(*oid, max_blob, is_new, &mut *visit)
            })?;
        }
        Ok(())
    }

    /// Shows everything that a commit has and none of its parents has; of blobs those that `is_new`
    /// answers yes to.
    ///
    /// # Errors
    /// As [`Repo::visit_new`].
    pub fn visit_new_in_commit(
        &self,
        commit: Oid,
        max_blob: usize,
        is_new: &mut dyn FnMut(Oid) -> bool,
        visit: &mut dyn FnMut(NewObject<'_>),
    ) -> Result<(), RepoError> {
        let git = self.lock()?;
        let odb = git.odb().map_err(RepoError::git(DOING))?;
        let mut walk = ObjectWalk {
            git: &git,
            odb: &odb,
            max_blob,
            read: 0,
            is_new,
            visit,
        };
        walk.visit_commit(commit)
    }

    /// Shows everything in a folder of objects that a client sent, whether or not a ref leads to
    /// it. What this repository had already is left out.
    ///
    /// # Errors
    /// If the folder or an object cannot be read.
    pub fn visit_sent(
        &self,
        objects: &Path,
        before: &Path,
        max_blob: usize,
        visit: &mut dyn FnMut(NewObject<'_>),
    ) -> Result<(), RepoError> {
        let open = |folder: &Path| -> Result<Odb<'static>, RepoError> {
            let odb = Odb::new().map_err(RepoError::git(DOING))?;
            let folder = folder.to_str().ok_or_else(|| RepoError::Git {
                doing: DOING,
                reason: format!("{} is no path in UTF-8", folder.display()),
            })?;
            odb.add_disk_alternate(folder)
                .map_err(RepoError::git(DOING))?;
            Ok(odb)
        };
        let (sent, had) = (open(objects)?, open(before)?);
        let mut list = Vec::new();
        sent.foreach(|oid| {
            list.push(*oid);
            true
        })
        .map_err(RepoError::git(DOING))?;
        let git = self.lock()?;
        for oid in list {
            if !had.exists(oid) {
                show(&git, &sent, oid, max_blob, visit)?;
            }
        }
        Ok(())
    }
}

const DOING: &str = "looking through what is new";

/// One object that nothing needs to lead to.
fn show(
    git: &Repository,
    odb: &Odb<'_>,
    oid: Oid,
    max_blob: usize,
    visit: &mut dyn FnMut(NewObject<'_>),
) -> Result<(), RepoError> {
    let (len, kind) = odb.read_header(oid).map_err(RepoError::git(DOING))?;
    match kind {
        ObjectType::Blob => {
            let object = match len > max_blob {
                true => None,
                false => Some(odb.read(oid).map_err(RepoError::git(DOING))?),
            };
            visit(NewObject::Blob {
                within: oid,
                path: "",
                oid,
                bytes: object.as_ref().map(git2::OdbObject::data),
            });
        }
        ObjectType::Tree => {
            let Some(tree) = readable_tree(git, oid)? else {
                return Err(foreign(oid.to_string().as_bytes(), UNREADABLE));
            };
            for entry in &tree {
                let name = String::from_utf8_lossy(entry.name_bytes());
                visit(NewObject::Name {
                    within: oid,
                    path: &name,
                    oid: entry.id(),
                    mode: entry.filemode_raw(),
                });
            }
        }
        _ => {
            let object = odb.read(oid).map_err(RepoError::git(DOING))?;
            visit(NewObject::Text {
                oid,
                text: &unsigned(object.data()),
            });
        }
    }
    Ok(())
}

struct ObjectWalk<'a> {
    git: &'a Repository,
    odb: &'a Odb<'a>,
    max_blob: usize,
    /// How many entries of this commit were read.
    read: usize,
    is_new: &'a mut dyn FnMut(Oid) -> bool,
    visit: &'a mut dyn FnMut(NewObject<'_>),
}

impl ObjectWalk<'_> {
    fn visit_commit(&mut self, oid: Oid) -> Result<(), RepoError> {
        let object = self.odb.read(oid).map_err(RepoError::git(DOING))?;
        (self.visit)(NewObject::Text {
            oid,
            text: &unsigned(object.data()),
        });
        let commit = self.git.find_commit(oid).map_err(RepoError::git(DOING))?;
        let mut parents = Vec::new();
        for parent in commit.parents() {
            parents.push(parent.tree_id());
        }
        self.read = 0;
        self.visit_tree(oid, "", commit.tree_id(), &parents, 0)
    }

    /// What a tree has that none of these others has under the same name.
    fn visit_tree(
        &mut self,
        commit: Oid,
        prefix: &str,
        tree: Oid,
        others: &[Oid],
        depth: usize,
    ) -> Result<(), RepoError> {
        if others.contains(&tree) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err(RepoError::Foreign {
                path: prefix.chars().take(80).collect(),
                what: "is in too many folders".to_owned(),
            });
        }
        let git = self.git;
        let Some(tree) = readable_tree(git, tree)? else {
            return Err(foreign(prefix.as_bytes(), UNREADABLE));
        };
        self.read = self.read.saturating_add(tree.len());
        if self.read > MAX_ENTRIES_READ {
            return Err(RepoError::TooMany(MAX_ENTRIES_READ));
        }
        let mut before = Vec::new();
        for other in others {
            before.extend(readable_tree(git, *other)?);
        }
        for entry in &tree {
            let (oid, mode) = (entry.id(), entry.filemode_raw());
            let same_name: Vec<(Oid, i32)> = before
                .iter()
                .filter_map(|tree| tree.get_name_bytes(entry.name_bytes()))
                .map(|same| (same.id(), same.filemode_raw()))
                .collect();
            if same_name.contains(&(oid, mode)) {
                continue;
            }
            let path = format!("{prefix}{}", String::from_utf8_lossy(entry.name_bytes()));
            (self.visit)(NewObject::Name {
                within: commit,
                path: &path,
                oid,
                mode,
            });
            match mode & 0o170_000 {
                0o040_000 => {
                    let folders: Vec<Oid> = same_name
                        .into_iter()
                        .filter(|(_, mode)| mode & 0o170_000 == 0o040_000)
                        .map(|(oid, _)| oid)
                        .collect();
                    self.visit_tree(commit, &format!("{path}/"), oid, &folders, depth + 1)?;
                }
                // The commit of another repository: nothing of it is here.
                0o160_000 => {}
                _ => self.visit_blob(commit, &path, oid)?,
            }
        }
        Ok(())
    }

    fn visit_blob(&mut self, commit: Oid, path: &str, oid: Oid) -> Result<(), RepoError> {
        if !(self.is_new)(oid) {
            return Ok(());
        }
        let (len, _) = self.odb.read_header(oid).map_err(RepoError::git(DOING))?;
        let object = match len > self.max_blob {
            true => None,
            false => Some(self.odb.read(oid).map_err(RepoError::git(DOING))?),
        };
        (self.visit)(NewObject::Blob {
            within: commit,
            path,
            oid,
            bytes: object.as_ref().map(git2::OdbObject::data),
        });
        Ok(())
    }
}

/// The text of a commit without its signature, which is random and no secret.
fn unsigned(data: &[u8]) -> String {
    let text = String::from_utf8_lossy(data);
    let (head, message) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut kept = String::with_capacity(text.len());
    let mut inside = false;
    for line in head.lines() {
        inside = match line.strip_prefix(' ') {
            Some(_) => inside,
            None => line.starts_with("gpgsig"),
        };
        if !inside {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept.push('\n');
    kept.push_str(message);
    kept
}
