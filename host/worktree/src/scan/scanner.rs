//! [`Scan`]: reads paths of the work tree, and finds what differs from the base there.
//!
//! Lives elsewhere: which paths to read is `state`'s; how long an unsettled state is waited
//! out is `debounce`'s.
//!
//! Invariants: only what was read to the end, and was not being written, is taken; a file that
//! cannot be read counts as unchanged and is reported, never as deleted; a file in a known state
//! is not read again; the base is read folder by folder, and only where something is read.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{PathError, VaultPath, layout};
use platinum_policy::{MAX_FILE_BYTES, SyncChoice, could_be_synced, is_synced};
use platinum_repo::{Batch, Folder, Oid, Repo};
use platinum_vault::{FileState, Leftover, Listing, PathEntry, Refused, Vault, VaultError};
use serde::{Deserialize, Serialize};

use super::{
    debounce::{Debounce, Readiness},
    stat_cache::StatCache,
};
use crate::{ScanFilter, WorktreeError};

/// The command that renames what has a name in another Unicode form.
pub const FIX_NAMES: &str = "platinum doctor --fix names";

/// So many new blobs are stored one by one.
const FEW: usize = 16;
/// So many bytes are read before they are checked.
const MOST_UNCHECKED: usize = 8 * 1024 * 1024;

/// A file that is not given to the remote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// Where.
    pub path: VaultPath,
    /// Why not, in a sentence.
    pub reason: String,
}

/// What the work tree has otherwise than the base.
#[derive(Debug, Default)]
pub struct Edits {
    /// Our blob at each path that differs; none where a file is gone.
    pub files: BTreeMap<VaultPath, Option<Oid>>,
    /// What could not be taken; it counts as the base has it.
    pub withheld: Vec<Withheld>,
    /// Files that are being written, and are read again once they rest.
    pub waiting: BTreeSet<VaultPath>,
}

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct ScanResult {
    pub(super) edits: Edits,
    /// Files of the base that are not there, and their blobs. Whether they are deleted is not
    /// decided yet.
    pub(super) missing: BTreeMap<VaultPath, Missing>,
    /// Paths to read the next time too, whatever the watcher reports.
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

/// A file in the state in which it was read.
pub(super) struct ReadFile {
    path: VaultPath,
    state: FileState,
    base: Option<Oid>,
    blob: Oid,
    bytes: Vec<u8>,
}

/// One scan of the work tree.
pub(super) struct Scan<'a> {
    pub(super) vault: &'a Vault,
    pub(super) repo: &'a Repo,
    /// What may enter the repository.
    pub(super) filter: Box<dyn ScanFilter + 'a>,
    pub(super) base: Option<Oid>,
    /// Which of the files that the base has not are taken.
    pub(super) choice: &'a SyncChoice,
    pub(super) stat_cache: &'a mut StatCache,
    pub(super) debounce: &'a mut Debounce,
    /// Folders known from earlier scans: others are scanned with all below them.
    pub(super) known: &'a BTreeSet<String>,
    pub(super) found: ScanResult,
    /// Files that were read and are not checked yet, and how many bytes that is.
    pub(super) unchecked: Vec<ReadFile>,
    pub(super) unchecked_bytes: usize,
    /// How many blobs were stored one by one.
    pub(super) stored: usize,
    /// The others.
    pub(super) batch: Batch,
}

impl Scan<'_> {
    /// Scans everything.
    pub(super) fn scan_all(&mut self) -> Result<(), WorktreeError> {
        let tree = self.tree_of("")?;
        self.scan_folder("", tree, true)?;
        self.check_files()
    }

    /// Scans these paths; where it is asked for, with all below them.
    pub(super) fn scan_paths(
        &mut self,
        paths: &BTreeMap<String, bool>,
    ) -> Result<(), WorktreeError> {
        let mut paths_to_read = Vec::with_capacity(paths.len());
        let mut misnamed = BTreeSet::new();
        for (path, below) in paths {
            if path.is_empty() {
                let tree = self.tree_of("")?;
                self.scan_folder("", tree, *below)?;
                continue;
            }
            match VaultPath::new(path.as_str()) {
                Ok(path) if may_be_synced(&path) => paths_to_read.push((path, *below)),
                Ok(_) => {}
                // Not a name that a vault can have: it is reported with the list of its folder.
                Err(_) => misnamed.extend(nearest(path)),
            }
        }
        for folder in misnamed {
            let is_asked = paths_to_read.iter().any(|(path, _)| *path == folder);
            if may_be_synced(&folder) && !is_asked {
                paths_to_read.push((folder, false));
            }
        }
        let base = match self.base {
            Some(base) => self
                .repo
                .blobs_at(base, paths_to_read.iter().map(|(p, _)| p))?,
            None => BTreeMap::new(),
        };
        for (path, below) in paths_to_read {
            let blob = base.get(&path).copied();
            self.scan_path(&path, below, blob)?;
        }
        self.check_files()
    }

    fn scan_path(
        &mut self,
        path: &VaultPath,
        below: bool,
        base: Option<Oid>,
    ) -> Result<(), WorktreeError> {
        if self.vault.ignores_case() && path.parent().is_some() {
            // The file system answers to other spellings too: only a list has the real one.
            return self.scan_listing(path, below, base);
        }
        let thing = self.vault.stat(path);
        if !matches!(thing, Ok(PathEntry::Folder))
            && base.is_none()
            && let Some(tree) = self.tree_of(path.as_str())?
        {
            self.add_missing_below(path.as_str(), tree, matches!(thing, Ok(PathEntry::File(_))))?;
        }
        match thing {
            Ok(PathEntry::File(state)) if is_synced(path) => self.scan_file(path, state, base),
            Ok(PathEntry::File(_)) => Ok(()),
            Ok(PathEntry::Folder) => {
                if let Some(blob) = base {
                    self.add_missing(path, blob, true);
                }
                let tree = self.tree_of(path.as_str())?;
                self.scan_folder(path.as_str(), tree, below)
            }
            Ok(PathEntry::Absent) => {
                if let Some(blob) = base {
                    self.add_missing(path, blob, false);
                }
                Ok(())
            }
            Err(error) => {
                // In the place of a folder that the base has, its files are named one by one.
                let is_new_link = matches!(error, VaultError::Symlink { .. })
                    && could_be_synced(path)
                    && self.tree_of(path.as_str())?.is_none();
                if base.is_some() || is_new_link {
                    self.withhold(path, &error);
                }
                Ok(())
            }
        }
    }

    fn scan_listing(
        &mut self,
        path: &VaultPath,
        below: bool,
        base: Option<Oid>,
    ) -> Result<(), WorktreeError> {
        let folder = path.parent().map(String::from).unwrap_or_default();
        let tree = self.tree_of(&folder)?;
        self.scan_folder(&folder, tree, false)?;
        if below && base.is_none() {
            let tree = self.tree_of(path.as_str())?;
            self.scan_folder(path.as_str(), tree, true)?;
        }
        Ok(())
    }

    /// Scans what is in a folder, and, if asked to, all below it.
    fn scan_folder(
        &mut self,
        folder: &str,
        tree: Option<Oid>,
        below: bool,
    ) -> Result<(), WorktreeError> {
        let base = match tree {
            Some(tree) => self.repo.folder(tree)?,
            None => Folder::default(),
        };
        let listing = match self.vault.list_folder(folder) {
            Ok(Some(listing)) => listing,
            Ok(None) => Listing::default(),
            // A link or a file in its place: each file of the base is checked by itself.
            Err(VaultError::Symlink { .. } | VaultError::NotAFolder { .. }) => Listing::default(),
            Err(error) if folder.is_empty() => return Err(error.into()),
            Err(error) => {
                let Ok(path) = VaultPath::new(folder) else {
                    return Ok(());
                };
                self.withhold(&path, &error);
                return Ok(());
            }
        };
        self.found.folders.push(folder.to_owned());
        self.found.leftovers.extend(listing.leftovers);
        self.withhold_misnamed(folder, listing.refused);
        for link in &listing.links {
            // In the place of a file of the base it is found below.
            let name = link.file_name();
            if !base.files.contains_key(name) && !base.folders.contains_key(name) {
                self.withhold_link(link);
            }
        }
        let mut there: BTreeSet<&str> = BTreeSet::new();
        for (path, state) in &listing.files {
            there.insert(path.file_name());
            self.scan_file(path, *state, base.files.get(path.file_name()).copied())?;
        }
        for (name, blob) in base
            .files
            .iter()
            .filter(|(n, _)| !there.contains(n.as_str()))
        {
            if let Ok(path) = VaultPath::new(joined(folder, name)) {
                self.check_unlisted(&path, *blob)?;
            }
        }
        let mut there: BTreeSet<&str> = BTreeSet::new();
        for path in &listing.folders {
            there.insert(path.file_name());
            let is_ours = !folder.is_empty() || layout::FOLDERS.contains(&path.as_str());
            if is_ours && (below || !self.known.contains(path.as_str())) {
                let tree = base.folders.get(path.file_name()).copied();
                self.scan_folder(path.as_str(), tree, true)?;
            }
        }
        for (name, tree) in base
            .folders
            .iter()
            .filter(|(n, _)| !there.contains(n.as_str()))
        {
            self.add_missing_below(&joined(folder, name), *tree, false)?;
        }
        Ok(())
    }

    /// A file that is there.
    fn scan_file(
        &mut self,
        path: &VaultPath,
        state: FileState,
        base: Option<Oid>,
    ) -> Result<(), WorktreeError> {
        self.found.any_file = true;
        if base.is_none() && !self.choice.includes(path) {
            return Ok(());
        }
        if base.is_none() {
            self.found.added.insert(path.clone());
        }
        if let Some(blob) = self.stat_cache.lookup(path, &state)
            && (Some(blob) == base || self.repo.is_stored(blob)?)
        {
            self.debounce.clear(path);
            self.add_edit(path, blob, base);
            return Ok(());
        }
        let was_full = match base {
            Some(base) if state.len == 0 => self.repo.blob_len(base)? > 0,
            _ => false,
        };
        match self.debounce.check(path, &state, was_full) {
            Readiness::Ready => {}
            Readiness::Wait => {
                self.wait_for(path);
                return Ok(());
            }
            Readiness::Emptied => {
                self.found.again.insert(path.clone());
                self.found.edits.withheld.push(Withheld {
                    path: path.clone(),
                    reason: format!("{path} has just become empty; that counts once it stays so"),
                });
                return Ok(());
            }
        }
        match self.vault.read_once(path, MAX_FILE_BYTES as u64) {
            Ok(Some((bytes, now))) if now == state => {
                self.unchecked_bytes += bytes.len();
                self.unchecked.push(ReadFile {
                    path: path.clone(),
                    state,
                    base,
                    blob: Repo::blob_oid_of(&bytes)?,
                    bytes,
                });
                if self.unchecked_bytes >= MOST_UNCHECKED {
                    self.check_files()?;
                }
            }
            Ok(_) => {
                self.debounce.note_being_written(path);
                self.wait_for(path);
            }
            Err(VaultError::NotFound(_)) => {
                self.found.again.insert(path.clone());
            }
            Err(error) => self.withhold(path, &error),
        }
        Ok(())
    }

    /// Where what people write comes into the repository: what may not, stops here. A task that is
    /// moved comes in without a scan, and is checked when it is pushed. What the base has is there
    /// already, and on the remote.
    fn check_files(&mut self) -> Result<(), WorktreeError> {
        self.unchecked_bytes = 0;
        let files = std::mem::take(&mut self.unchecked);
        let new = files.iter().filter(|file| Some(file.blob) != file.base);
        let new: Vec<_> = new.map(|file| (file.blob, file.bytes.as_slice())).collect();
        self.filter.look_through(&new);
        for file in &files {
            let ReadFile {
                path, base, blob, ..
            } = file;
            if Some(*blob) == *base {
                self.filter.clear(path);
            } else if let Err(reason) = self.filter.check(path, *blob, &file.bytes) {
                self.withhold(path, &reason);
                continue;
            } else if !self.repo.is_stored(*blob)? {
                self.store(*blob, &file.bytes)?;
            }
            if self.debounce.is_stable(&file.state) {
                self.stat_cache.record(path, file.state, *blob);
            } else {
                // Clocks of file systems are coarse: its time could hide a second change.
                self.found.again.insert(path.clone());
            }
            self.add_edit(path, *blob, *base);
        }
        Ok(())
    }

    /// The first few at once; many wait for the disk together.
    fn store(&mut self, blob: Oid, bytes: &[u8]) -> Result<(), WorktreeError> {
        if self.stored < FEW {
            self.stored += 1;
            self.repo.write_blob(bytes)?;
            return Ok(());
        }
        Ok(self.batch.write(blob, bytes)?)
    }

    /// What was found, once all of it is on the disk.
    pub(super) fn finish(self) -> Result<ScanResult, WorktreeError> {
        self.batch.flush()?;
        Ok(self.found)
    }

    fn add_edit(&mut self, path: &VaultPath, blob: Oid, base: Option<Oid>) {
        if Some(blob) != base {
            self.found.edits.files.insert(path.clone(), Some(blob));
        }
    }

    /// A file of the base that the list of its folder does not show. A link or an odd file in its
    /// place is not listed, and no deletion.
    fn check_unlisted(&mut self, path: &VaultPath, blob: Oid) -> Result<(), WorktreeError> {
        match self.vault.stat(path) {
            Ok(PathEntry::Absent) => self.add_missing(path, blob, false),
            Ok(PathEntry::Folder) => self.add_missing(path, blob, true),
            // The list is right about how it is spelled.
            Ok(PathEntry::File(_)) if self.vault.ignores_case() => {
                self.add_missing(path, blob, true);
            }
            // It came back this moment.
            Ok(PathEntry::File(_)) => {
                self.found.again.insert(path.clone());
            }
            Err(error) => self.withhold(path, &error),
        }
        Ok(())
    }

    /// Every file of a folder of the base that is no folder here.
    fn add_missing_below(
        &mut self,
        folder: &str,
        tree: Oid,
        replaced: bool,
    ) -> Result<(), WorktreeError> {
        let base = self.repo.folder(tree)?;
        for (name, blob) in &base.files {
            let Ok(path) = VaultPath::new(joined(folder, name)) else {
                continue;
            };
            if replaced {
                self.add_missing(&path, *blob, true);
            } else {
                self.check_unlisted(&path, *blob)?;
            }
        }
        for (name, tree) in &base.folders {
            self.add_missing_below(&joined(folder, name), *tree, replaced)?;
        }
        Ok(())
    }

    fn add_missing(&mut self, path: &VaultPath, blob: Oid, replaced: bool) {
        let missing = Missing { blob, replaced };
        self.found.missing.insert(path.clone(), missing);
    }

    fn wait_for(&mut self, path: &VaultPath) {
        self.found.again.insert(path.clone());
        self.found.edits.waiting.insert(path.clone());
    }

    fn withhold(&mut self, path: &VaultPath, error: &dyn std::fmt::Display) {
        self.found.again.insert(path.clone());
        self.found.edits.withheld.push(Withheld {
            path: path.clone(),
            reason: error.to_string(),
        });
    }

    /// Withholds a symbolic link: what it leads to is not followed, so it stays here.
    fn withhold_link(&mut self, path: &VaultPath) {
        let error = VaultError::Symlink {
            path: path.to_string(),
            at: path.file_name().to_owned(),
        };
        self.withhold(path, &error);
    }

    /// Withholds what cannot be taken because of its name. Its folder is scanned again until it is
    /// renamed.
    fn withhold_misnamed(&mut self, folder: &str, refused: Vec<Refused>) {
        if refused.is_empty() {
            return;
        }
        self.found.again.extend(VaultPath::new(folder).ok());
        for Refused { instead, why } in refused {
            let reason = match &why {
                // No other name helps, and the remedy is the same for all that is in the folder.
                PathError::TooDeep(_) => format!("what is in it stays on this machine: {why}"),
                // Another name would look the same.
                PathError::NotNfc(_) => format!("{why}. `{FIX_NAMES}` renames it, and all like it"),
                why if instead.as_str() == folder => format!(
                    "what is in it and has a longer name stays on this machine: {why}. Give its folders shorter names"
                ),
                why => format!(
                    "{why}; give it another name, such as `{}`",
                    instead.file_name()
                ),
            };
            let withheld = Withheld {
                path: instead,
                reason,
            };
            if self.found.edits.withheld.last() != Some(&withheld) {
                self.found.edits.withheld.push(withheld);
            }
        }
    }

    fn tree_of(&self, folder: &str) -> Result<Option<Oid>, WorktreeError> {
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
