//! Looking at paths of the work tree, and what differs from the base there.
//!
//! Lives elsewhere: which paths to look at is `tree`'s; how long an odd state is waited out is
//! `settle`'s.
//!
//! Invariants: only what was read to the end, and was not being written, is taken; a file that
//! cannot be read counts as unchanged and is reported, never as deleted; a file in a known state
//! is not read again; the base is read folder by folder, and only where something is looked at.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{VaultPath, layout};
use platinum_policy::is_synced;
use platinum_repo::{Batch, Folder, Oid, Repo};
use platinum_vault::{FileState, Leftover, Listing, PathEntry, Refused, Vault, VaultError};

use super::{
    super::{
        HeldBack, MAX_FILE, SyncError,
        gate::{Gate, Given},
    },
    seen::Seen,
    settle::{Settling, Verdict},
};

/// Deeper folders are not looked into.
const MAX_DEPTH: usize = 32;

/// So many new blobs are stored one by one.
const FEW: usize = 16;

/// What the work tree has otherwise than the base.
#[derive(Debug, Default)]
pub(in crate::sync) struct Edits {
    /// Our blob at each path that differs; none where a file is gone.
    pub(in crate::sync) files: BTreeMap<VaultPath, Option<Oid>>,
    /// What could not be taken; it counts as the base has it.
    pub(in crate::sync) unread: Vec<HeldBack>,
}

/// What a look found beside the edits.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) edits: Edits,
    /// Files of the base that are not there, and their blobs. Whether they are deleted is not
    /// decided yet.
    pub(super) missing: BTreeMap<VaultPath, Missing>,
    /// Paths to look at the next time too, whatever the watcher says.
    pub(super) again: BTreeSet<VaultPath>,
    /// Folders that were listed.
    pub(super) folders: Vec<String>,
    /// What killed writers left.
    pub(super) leftovers: Vec<Leftover>,
    /// Files that the base has not, taken or not.
    pub(super) added: BTreeSet<VaultPath>,
    /// Whether any file was met.
    pub(super) any_file: bool,
}

/// A file that is not where the base has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing {
    pub(super) blob: Oid,
    /// Something else has taken its place, so it is no step of a save.
    pub(super) replaced: bool,
}

/// One look at the work tree.
pub(super) struct Look<'a> {
    pub(super) vault: &'a Vault,
    pub(super) repo: &'a Repo,
    pub(super) gate: &'a Gate,
    /// What the remote has.
    pub(super) given: Given<'a>,
    pub(super) base: Option<Oid>,
    pub(super) seen: &'a mut Seen,
    pub(super) settling: &'a mut Settling,
    /// Folders known from earlier looks: others are looked into with all below them.
    pub(super) known: &'a BTreeSet<String>,
    pub(super) found: Found,
    /// How many blobs were stored one by one.
    pub(super) stored: usize,
    /// The others.
    pub(super) batch: Batch,
}

impl Look<'_> {
    /// Looks at everything.
    pub(super) fn everywhere(&mut self) -> Result<(), SyncError> {
        let tree = self.tree_of("")?;
        self.folder("", tree, true, 0)
    }

    /// Looks at these paths; for those that say so, at all below them.
    pub(super) fn at(&mut self, paths: &BTreeMap<String, bool>) -> Result<(), SyncError> {
        let mut asked = Vec::with_capacity(paths.len());
        let mut misnamed = BTreeSet::new();
        for (path, below) in paths {
            if path.is_empty() {
                let tree = self.tree_of("")?;
                self.folder("", tree, *below, 0)?;
                continue;
            }
            match VaultPath::new(path.as_str()) {
                Ok(path) if may_be_synced(&path) => asked.push((path, *below)),
                Ok(_) => {}
                // No name of a vault: the list of its folder tells of it.
                Err(_) => misnamed.extend(nearest(path)),
            }
        }
        for folder in misnamed {
            let is_asked = asked.iter().any(|(path, _)| *path == folder);
            if may_be_synced(&folder) && !is_asked {
                asked.push((folder, false));
            }
        }
        let base = match self.base {
            Some(base) => self.repo.blobs_at(base, asked.iter().map(|(p, _)| p))?,
            None => BTreeMap::new(),
        };
        for (path, below) in asked {
            let blob = base.get(&path).copied();
            self.path(&path, below, blob)?;
        }
        Ok(())
    }

    fn path(&mut self, path: &VaultPath, below: bool, base: Option<Oid>) -> Result<(), SyncError> {
        if self.vault.ignores_case() && path.parent().is_some() {
            // The file system answers to other spellings too: only a list tells the real one.
            return self.by_list(path, below, base);
        }
        let thing = self.vault.stat(path);
        if !matches!(thing, Ok(PathEntry::Folder))
            && base.is_none()
            && let Some(tree) = self.tree_of(path.as_str())?
        {
            self.all_missing(path.as_str(), tree, matches!(thing, Ok(PathEntry::File(_))))?;
        }
        match thing {
            Ok(PathEntry::File(state)) if is_synced(path) => self.file(path, state, base),
            Ok(PathEntry::File(_)) => Ok(()),
            Ok(PathEntry::Folder) => {
                if let Some(blob) = base {
                    self.missing(path, blob, true);
                }
                let tree = self.tree_of(path.as_str())?;
                let depth = path.components().count();
                self.folder(path.as_str(), tree, below, depth)
            }
            Ok(PathEntry::Absent) => {
                if let Some(blob) = base {
                    self.missing(path, blob, false);
                }
                Ok(())
            }
            Err(error) => {
                if base.is_some() {
                    self.unread(path, &error);
                }
                Ok(())
            }
        }
    }

    fn by_list(
        &mut self,
        path: &VaultPath,
        below: bool,
        base: Option<Oid>,
    ) -> Result<(), SyncError> {
        let folder = path.parent().map(String::from).unwrap_or_default();
        let tree = self.tree_of(&folder)?;
        let depth = folder.split('/').count();
        self.folder(&folder, tree, false, depth)?;
        if below && base.is_none() {
            let tree = self.tree_of(path.as_str())?;
            self.folder(path.as_str(), tree, true, depth + 1)?;
        }
        Ok(())
    }

    /// Looks at what is in a folder, and, if asked to, at all below it.
    fn folder(
        &mut self,
        folder: &str,
        tree: Option<Oid>,
        below: bool,
        depth: usize,
    ) -> Result<(), SyncError> {
        let base = match tree {
            Some(tree) => self.repo.folder(tree)?,
            None => Folder::default(),
        };
        let listing = match self.vault.list_folder(folder) {
            Ok(Some(listing)) => listing,
            Ok(None) => Listing::default(),
            // A link or a file in its place: each file of the base tells for itself.
            Err(VaultError::Symlink { .. } | VaultError::NotAFolder { .. }) => Listing::default(),
            Err(error) if folder.is_empty() => return Err(error.into()),
            Err(error) => {
                let Ok(path) = VaultPath::new(folder) else {
                    return Ok(());
                };
                self.unread(&path, &error);
                return Ok(());
            }
        };
        self.found.folders.push(folder.to_owned());
        self.found.leftovers.extend(listing.leftovers);
        self.misnamed(folder, listing.refused);
        let mut there: BTreeSet<&str> = BTreeSet::new();
        for (path, state) in &listing.files {
            there.insert(path.file_name());
            self.file(path, *state, base.files.get(path.file_name()).copied())?;
        }
        for (name, blob) in base
            .files
            .iter()
            .filter(|(n, _)| !there.contains(n.as_str()))
        {
            if let Ok(path) = VaultPath::new(joined(folder, name)) {
                self.unlisted(&path, *blob)?;
            }
        }
        if depth >= MAX_DEPTH {
            return Err(VaultError::TooMany {
                at: folder.to_owned(),
                what: "too many folders",
            }
            .into());
        }
        let mut there: BTreeSet<&str> = BTreeSet::new();
        for path in &listing.folders {
            there.insert(path.file_name());
            let is_ours = !folder.is_empty() || layout::FOLDERS.contains(&path.as_str());
            if is_ours && (below || !self.known.contains(path.as_str())) {
                let tree = base.folders.get(path.file_name()).copied();
                self.folder(path.as_str(), tree, true, depth + 1)?;
            }
        }
        for (name, tree) in base
            .folders
            .iter()
            .filter(|(n, _)| !there.contains(n.as_str()))
        {
            self.all_missing(&joined(folder, name), *tree, false)?;
        }
        Ok(())
    }

    /// A file that is there.
    fn file(
        &mut self,
        path: &VaultPath,
        state: FileState,
        base: Option<Oid>,
    ) -> Result<(), SyncError> {
        self.found.any_file = true;
        if base.is_none() {
            self.found.added.insert(path.clone());
        }
        if let Some(blob) = self.seen.blob(path, &state)
            && (Some(blob) == base || self.repo.is_stored(blob)?)
        {
            self.settling.is_calm(path);
            self.take(path, blob, base);
            return Ok(());
        }
        let was_full = match base {
            Some(base) if state.len == 0 => self.repo.blob_len(base)? > 0,
            _ => false,
        };
        match self.settling.judge(path, &state, was_full) {
            Verdict::Settled => {}
            Verdict::Later => {
                self.found.again.insert(path.clone());
                return Ok(());
            }
            Verdict::Emptied => {
                self.found.again.insert(path.clone());
                self.found.edits.unread.push(HeldBack {
                    path: path.clone(),
                    reason: format!("{path} has just become empty; that counts once it stays so"),
                });
                return Ok(());
            }
        }
        match self.vault.read_once(path, MAX_FILE as u64) {
            Ok(Some((bytes, now))) if now == state => {
                let blob = Repo::blob_oid_of(&bytes)?;
                // Where what people write comes into the repository: what may not, stops here. A
                // task that is moved comes in without a look, and is judged when it is pushed. What
                // the base has is there already, and on the remote.
                if Some(blob) == base {
                    self.gate.passed(path);
                } else if let Err(error) = self.gate.file(path, (blob, &bytes), &self.given) {
                    self.unread(path, &error);
                    return Ok(());
                }
                if Some(blob) != base && !self.repo.is_stored(blob)? {
                    self.store(blob, &bytes)?;
                }
                if self.settling.is_old(&state) {
                    self.seen.note(path, state, blob);
                } else {
                    // Clocks of file systems are coarse: its time could hide a second change.
                    self.found.again.insert(path.clone());
                }
                self.take(path, blob, base);
            }
            Ok(_) => {
                self.settling.was_written(path);
                self.found.again.insert(path.clone());
            }
            Err(VaultError::NotFound(_)) => {
                self.found.again.insert(path.clone());
            }
            Err(error) => self.unread(path, &error),
        }
        Ok(())
    }

    /// The first few at once; many wait for the disk together.
    fn store(&mut self, blob: Oid, bytes: &[u8]) -> Result<(), SyncError> {
        if self.stored < FEW {
            self.stored += 1;
            self.repo.write_blob(bytes)?;
            return Ok(());
        }
        Ok(self.batch.write(blob, bytes)?)
    }

    /// What was found, once all of it is on the disk.
    pub(super) fn finish(self) -> Result<Found, SyncError> {
        self.batch.flush()?;
        Ok(self.found)
    }

    fn take(&mut self, path: &VaultPath, blob: Oid, base: Option<Oid>) {
        if Some(blob) != base {
            self.found.edits.files.insert(path.clone(), Some(blob));
        }
    }

    /// A file of the base that the list of its folder does not show. A link or an odd file in its
    /// place is not listed, and no deletion.
    fn unlisted(&mut self, path: &VaultPath, blob: Oid) -> Result<(), SyncError> {
        match self.vault.stat(path) {
            Ok(PathEntry::Absent) => self.missing(path, blob, false),
            Ok(PathEntry::Folder) => self.missing(path, blob, true),
            // The list is right about how it is spelled.
            Ok(PathEntry::File(_)) if self.vault.ignores_case() => self.missing(path, blob, true),
            // It came back this moment.
            Ok(PathEntry::File(_)) => {
                self.found.again.insert(path.clone());
            }
            Err(error) => self.unread(path, &error),
        }
        Ok(())
    }

    /// Every file of a folder of the base that is no folder here.
    fn all_missing(&mut self, folder: &str, tree: Oid, replaced: bool) -> Result<(), SyncError> {
        let base = self.repo.folder(tree)?;
        for (name, blob) in &base.files {
            let Ok(path) = VaultPath::new(joined(folder, name)) else {
                continue;
            };
            if replaced {
                self.missing(&path, *blob, true);
            } else {
                self.unlisted(&path, *blob)?;
            }
        }
        for (name, tree) in &base.folders {
            self.all_missing(&joined(folder, name), *tree, replaced)?;
        }
        Ok(())
    }

    fn missing(&mut self, path: &VaultPath, blob: Oid, replaced: bool) {
        let missing = Missing { blob, replaced };
        self.found.missing.insert(path.clone(), missing);
    }

    fn unread(&mut self, path: &VaultPath, error: &dyn std::fmt::Display) {
        self.found.again.insert(path.clone());
        self.found.edits.unread.push(HeldBack {
            path: path.clone(),
            reason: error.to_string(),
        });
    }

    /// What is not taken for its name's sake alone. Its folder is looked at again till it is so no
    /// more.
    fn misnamed(&mut self, folder: &str, refused: Vec<Refused>) {
        if refused.is_empty() {
            return;
        }
        self.found.again.extend(VaultPath::new(folder).ok());
        let held = refused
            .into_iter()
            .map(|Refused { instead, why }| HeldBack {
                reason: format!(
                    "{why}; give it another name, such as `{}`",
                    instead.file_name()
                ),
                path: instead,
            });
        self.found.edits.unread.extend(held);
    }

    fn tree_of(&self, folder: &str) -> Result<Option<Oid>, SyncError> {
        match self.base {
            Some(base) => Ok(self.repo.folder_at(base, folder)?),
            None => Ok(None),
        }
    }
}

/// Whether a path can be a file that is synced, or a folder of such.
fn may_be_synced(path: &VaultPath) -> bool {
    layout::FOLDERS.contains(&path.top()) || is_synced(path)
}

/// The innermost folder on the way that a vault can have.
fn nearest(path: &str) -> Option<VaultPath> {
    let mut path = path;
    while let Some((folder, _)) = path.rsplit_once('/') {
        if let Ok(folder) = VaultPath::new(folder) {
            return Some(folder);
        }
        path = folder;
    }
    None
}

fn joined(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_owned(),
        folder => format!("{folder}/{name}"),
    }
}
