//! Reading a commit: a few paths, one folder, every file, or how much there is.
//!
//! Lives elsewhere: what changed between two commits is in `compare`; how one folder is stored is in
//! `tree`.
//! Invariant: only the folders on the way to what was asked for are read, each once.

use std::collections::BTreeMap;

use git2::{Oid, Repository};
use platinum_core::{MAX_DEPTH, VaultPath};

use crate::{
    Repo, RepoError,
    repo::FolderSizes,
    tree::{Kind, kind_of, readable_tree, tree_of},
};

/// What one folder of a commit holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folder {
    /// Its files and their blobs.
    pub files: BTreeMap<String, Oid>,
    /// Its folders and their trees.
    pub folders: BTreeMap<String, Oid>,
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

/// How much a folder holds, with everything below it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FolderSize {
    /// What its files weigh, [`file_weight`] each.
    pub weight: u64,
    /// How many bytes its files have together.
    pub bytes: u64,
}

impl FolderSize {
    fn add(&mut self, other: FolderSize) {
        self.weight = self.weight.saturating_add(other.weight);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// What a file with so many parts in its path weighs: at least half of the entries, its own and its
/// folders', that reading it from the top can cost.
pub fn file_weight(parts: usize) -> u64 {
    u64::try_from(parts.saturating_sub(2))
        .unwrap_or(u64::MAX)
        .max(1)
}

/// So many folders' sizes are remembered; then it is begun anew.
const MAX_SIZES: usize = 1 << 18;

impl Repo {
    /// How much a folder of a commit holds. What was counted once is remembered: after a change only
    /// the folders on the way to it are counted again. Below the deepest folder of a vault nothing
    /// is counted.
    ///
    /// # Errors
    /// If an object is missing.
    pub fn folder_size(&self, commit: Oid, folder: &str) -> Result<FolderSize, RepoError> {
        let git = self.lock()?;
        let Some(tree) = folder_in(&git, tree_of(&git, commit)?, folder)? else {
            return Ok(FolderSize::default());
        };
        let mut sizes = self.sizes()?;
        if sizes.len() >= MAX_SIZES {
            sizes.clear();
        }
        let depth = folder.split('/').filter(|part| !part.is_empty()).count();
        size_of(&git, &mut sizes, tree, depth)
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
        Ok(self.blobs_at(commit, [path])?.remove(path))
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
        let Some(tree) = self.folder_at(commit, folder)? else {
            return Ok(Vec::new());
        };
        let Folder { files, folders } = self.folder(tree)?;
        let item = |folder: bool| move |(name, oid)| Item { name, folder, oid };
        let mut items: Vec<_> = files.into_iter().map(item(false)).collect();
        items.extend(folders.into_iter().map(item(true)));
        items.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(items)
    }

    /// The blobs at these paths of a commit; a path that is not in the answer has no file there.
    ///
    /// # Errors
    /// If an object is missing.
    pub fn blobs_at<'a>(
        &self,
        commit: Oid,
        paths: impl IntoIterator<Item = &'a VaultPath>,
    ) -> Result<BTreeMap<VaultPath, Oid>, RepoError> {
        let mut by_folder: BTreeMap<&str, Vec<&VaultPath>> = BTreeMap::new();
        for path in paths {
            let folder = path
                .as_str()
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder);
            by_folder.entry(folder).or_default().push(path);
        }
        let mut found = BTreeMap::new();
        if by_folder.is_empty() {
            return Ok(found);
        }
        let git = self.lock()?;
        let root = tree_of(&git, commit)?;
        for (folder, paths) in by_folder {
            let Some(tree) = folder_in(&git, root, folder)? else {
                continue;
            };
            let Some(tree) = readable_tree(&git, tree)? else {
                continue;
            };
            for path in paths {
                if let Some(entry) = tree.get_name(path.file_name())
                    && kind_of(entry.filemode_raw()) == Kind::File
                {
                    found.insert(path.clone(), entry.id());
                }
            }
        }
        Ok(found)
    }

    /// The tree of a folder of a commit (`""` is all of it); nothing if there is no such folder.
    ///
    /// # Errors
    /// If an object is missing.
    pub fn folder_at(&self, commit: Oid, folder: &str) -> Result<Option<Oid>, RepoError> {
        let git = self.lock()?;
        let root = tree_of(&git, commit)?;
        folder_in(&git, root, folder)
    }

    /// What the folder of this tree holds, files and folders with a readable name only; nothing if
    /// it cannot be read.
    ///
    /// # Errors
    /// If the object is missing.
    pub fn folder(&self, tree: Oid) -> Result<Folder, RepoError> {
        let git = self.lock()?;
        let mut folder = Folder::default();
        let Some(tree) = readable_tree(&git, tree)? else {
            return Ok(folder);
        };
        for entry in &tree {
            let Ok(name) = entry.name() else { continue };
            match kind_of(entry.filemode_raw()) {
                Kind::File => folder.files.insert(name.to_owned(), entry.id()),
                Kind::Folder => folder.folders.insert(name.to_owned(), entry.id()),
                _ => None,
            };
        }
        Ok(folder)
    }

    /// Whether an object is stored here.
    ///
    /// # Errors
    /// If the store cannot be opened.
    pub fn is_stored(&self, oid: Oid) -> Result<bool, RepoError> {
        let git = self.lock()?;
        let odb = git.odb().map_err(RepoError::git("opening the objects"))?;
        Ok(odb.exists(oid))
    }
}

fn size_of(
    git: &Repository,
    sizes: &mut FolderSizes,
    tree: Oid,
    depth: usize,
) -> Result<FolderSize, RepoError> {
    if let Some(known) = sizes.get(&(tree, depth)) {
        return Ok(*known);
    }
    let mut size = FolderSize::default();
    if depth < MAX_DEPTH
        && let Some(folder) = readable_tree(git, tree)?
    {
        let odb = git.odb().map_err(RepoError::git("opening the objects"))?;
        for entry in &folder {
            match kind_of(entry.filemode_raw()) {
                Kind::Folder => size.add(size_of(git, sizes, entry.id(), depth + 1)?),
                Kind::File => {
                    let header = odb.read_header(entry.id());
                    let (len, _) = header.map_err(RepoError::git("measuring a blob"))?;
                    size.add(FolderSize {
                        weight: file_weight(depth + 1),
                        bytes: len as u64,
                    });
                }
                _ => {}
            }
        }
    }
    sizes.insert((tree, depth), size);
    Ok(size)
}

fn folder_in(git: &Repository, root: Oid, folder: &str) -> Result<Option<Oid>, RepoError> {
    let mut at = root;
    for part in folder.split('/').filter(|part| !part.is_empty()) {
        let Some(tree) = readable_tree(git, at)? else {
            return Ok(None);
        };
        match tree.get_name(part) {
            Some(entry) if kind_of(entry.filemode_raw()) == Kind::Folder => at = entry.id(),
            _ => return Ok(None),
        }
    }
    Ok(Some(at))
}

#[cfg(test)]
mod tests {
    use platinum_core::{Role, Timestamp};

    use super::*;
    use crate::{CommitMeta, Edit};

    /// Paths and folders are found and what is none is not.
    #[test]
    fn lookup_finds_files_and_folders_only() {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
        let path = |text: &str| VaultPath::new(text).unwrap();
        let edits = ["Inbox/a.md", "Inbox/sub/b.md", "Dashboard.md"]
            .map(|text| (path(text), Edit::Put(text.into())));
        let meta = CommitMeta {
            agent: "local".parse().unwrap(),
            role: Role::Local,
            message: "Files".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::from_second(1_795_000_000).unwrap(),
        };
        let commit = repo.commit(None, &edits, &meta).unwrap();
        let asked = [
            path("Dashboard.md"),
            path("Inbox"),
            path("Inbox/a.md"),
            path("Inbox/a.md/below"),
            path("Inbox/none.md"),
            path("Inbox/sub"),
            path("Inbox/sub/b.md"),
            path("No/where.md"),
        ];
        let found = repo.blobs_at(commit, &asked).unwrap();
        let found: Vec<_> = found.keys().map(VaultPath::as_str).collect();
        assert_eq!(found, ["Dashboard.md", "Inbox/a.md", "Inbox/sub/b.md"]);
        for none in ["No", "Inbox/a.md", "Inbox/sub/c"] {
            assert_eq!(repo.folder_at(commit, none).unwrap(), None, "{none}");
        }
        let inbox = repo.folder_at(commit, "Inbox").unwrap().unwrap();
        let inbox = repo.folder(inbox).unwrap();
        assert_eq!(inbox.files.keys().collect::<Vec<_>>(), ["a.md"]);
        assert_eq!(inbox.folders.keys().collect::<Vec<_>>(), ["sub"]);
        assert!(repo.is_stored(commit).unwrap());
        assert!(!repo.is_stored(Repo::blob_oid_of(b"?").unwrap()).unwrap());
    }
}
