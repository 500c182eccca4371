//! [`DeletionGuard`]: whether so much of the vault is gone that it cannot be meant.
//!
//! A disk that is not mounted, a folder that was emptied by mistake and a vault restored in part
//! appear as many deletions. Pushed to the remote, they would take the files from every machine.
//!
//! Invariants: no such deletion is pushed until the files are back or the owner accepts it; what
//! Platinum itself writes is no sign that the vault is there; what the
//! remote deleted, what was only moved, and updates, which go when they are merged, are not held
//! against the vault.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use platinum_core::{VaultPath, layout};
use platinum_repo::{Folder, Oid, RefName, Repo};
use platinum_vault::{Vault, VaultError};

use super::scanner::{Missing, ScanResult};
use crate::WorktreeError;

/// The file that says which folder the vault is, beside the objects.
const ROOT: &str = "platinum-vault-root";
/// How long that counts.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Fewer files that are gone are no end of a vault that has other files.
const FEW: usize = 3;
/// A vault with fewer files loses half of them by an ordinary tidying up.
const MANY: usize = 20;

/// What stands between a vault that went away and the remote.
#[derive(Debug)]
pub(super) struct DeletionGuard {
    git_dir: PathBuf,
    /// The number of the folder that the vault was; none if that is not known.
    root: Option<u64>,
}

impl DeletionGuard {
    /// With what an earlier daemon noted down.
    pub(super) fn load(git_dir: &Path) -> Self {
        let root = fs::read_to_string(git_dir.join(ROOT)).ok();
        Self {
            git_dir: git_dir.to_owned(),
            root: root.and_then(|number| number.trim().parse().ok()),
        }
    }

    /// Why the result of a full scan is not accepted, if so.
    pub(super) fn check(
        &self,
        (vault, repo): (&Vault, &Repo),
        base: Option<Oid>,
        found: &ScanResult,
        moves: &BTreeMap<VaultPath, VaultPath>,
    ) -> Result<Option<VaultError>, WorktreeError> {
        let (Some(base), false) = (base, found.missing.is_empty()) else {
            return Ok(None);
        };
        if self.is_accepted() {
            return Ok(None);
        }
        let lost = lost_count(repo, found, moves)?;
        if lost == 0 {
            return Ok(None);
        }
        let elsewhere = self.is_elsewhere(vault)?;
        if !found.any_file || elsewhere || self.is_mass_deletion(repo, base, found, lost)? {
            return Ok(Some(VaultError::FilesGone {
                gone: lost,
                of: repo
                    .tree_files(base)?
                    .into_iter()
                    .filter(|(path, _)| is_kept(path))
                    .count(),
                elsewhere,
            }));
        }
        Ok(None)
    }

    /// Whether what was found at some paths is reason enough to scan everything.
    pub(super) fn is_suspicious(
        &self,
        (vault, repo): (&Vault, &Repo),
        base: Option<Oid>,
        found: &ScanResult,
    ) -> Result<bool, WorktreeError> {
        let (Some(base), false) = (base, found.missing.is_empty()) else {
            return Ok(false);
        };
        if self.is_elsewhere(vault)?
            || self.is_mass_deletion(repo, base, found, kept_missing(found).count())?
        {
            return Ok(true);
        }
        match first_remaining(repo, base, found)? {
            Some(left) => Ok(!vault.exists(&left).unwrap_or(false)),
            None => Ok(!found.any_file),
        }
    }

    /// The result is accepted: this folder is the vault, and the owner's acceptance has been used once
    /// nothing is missing any more.
    pub(super) fn record_accepted(
        &mut self,
        vault: &Vault,
        found: &ScanResult,
    ) -> Result<(), WorktreeError> {
        if found.missing.is_empty() {
            fs::remove_file(acceptance_file(&self.git_dir)).ok();
        }
        let now = vault.number()?;
        if self.root != Some(now) {
            match fs::write(self.git_dir.join(ROOT), format!("{now}\n")) {
                Ok(()) => self.root = Some(now),
                Err(error) => tracing::debug!(%error, "Cannot record which folder is the vault."),
            }
        }
        Ok(())
    }

    /// Whether the vault is another folder than it was. Numbers of file systems change from one
    /// start of the machine to the next, the number of a folder in them does not.
    fn is_elsewhere(&self, vault: &Vault) -> Result<bool, WorktreeError> {
        match self.root {
            Some(root) => Ok(vault.number()? != root),
            None => Ok(false),
        }
    }

    /// Whether nothing is left, or, of many, less than half.
    fn is_mass_deletion(
        &self,
        repo: &Repo,
        base: Oid,
        found: &ScanResult,
        lost: usize,
    ) -> Result<bool, WorktreeError> {
        if lost < FEW {
            return Ok(false);
        }
        if first_remaining(repo, base, found)?.is_none() {
            return Ok(true);
        }
        // More are not counted than it takes to know.
        let enough = lost.saturating_mul(2).max(MANY);
        let there = match repo.folder_at(base, "")? {
            Some(root) => {
                let mut folder = repo.folder(root)?;
                folder.folders.remove(layout::UPDATES);
                count(repo, folder, enough)?
            }
            None => return Ok(false),
        };
        Ok(there >= MANY && lost.saturating_mul(2) > there)
    }

    fn is_accepted(&self) -> bool {
        let accepted =
            fs::metadata(acceptance_file(&self.git_dir)).and_then(|about| about.modified());
        accepted.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < DAY))
    }
}

/// Accepts the deletions that a host withholds. It counts for a day, and once.
///
/// # Errors
/// If the file cannot be written.
pub fn accept_deletions(git_dir: &Path) -> io::Result<()> {
    fs::write(acceptance_file(git_dir), "")
}

/// The file by which the owner accepts deletions.
fn acceptance_file(git_dir: &Path) -> PathBuf {
    git_dir.join("platinum-deletions-accepted")
}

/// How many files are gone that were not moved to a new place, and that the remote did not delete.
fn lost_count(
    repo: &Repo,
    found: &ScanResult,
    moves: &BTreeMap<VaultPath, VaultPath>,
) -> Result<usize, WorktreeError> {
    let is_moved = |path: &VaultPath| moves.get(path).is_some_and(|to| found.added.contains(to));
    let lost = || {
        let paths = kept_missing(found).map(|(path, _)| path);
        paths.filter(|path| !is_moved(path))
    };
    match repo.tip(RefName::Verified)? {
        Some(verified) => Ok(repo.blobs_at(verified, lost())?.len()),
        None => Ok(lost().count()),
    }
}

/// What is missing and would be a loss.
fn kept_missing(found: &ScanResult) -> impl Iterator<Item = (&VaultPath, &Missing)> {
    let missing = found.missing.iter();
    missing.filter(|(path, _)| is_kept(path))
}

/// Whether a file stays until its owner does something with it: very many updates go at once, when they
/// are merged into the dashboard.
fn is_kept(path: &VaultPath) -> bool {
    path.top() != layout::UPDATES
}

/// How many files there are in a folder; so many at most.
fn count(repo: &Repo, folder: Folder, most: usize) -> Result<usize, WorktreeError> {
    let mut files = folder.files.len();
    for below in folder.folders.into_values() {
        if files >= most {
            break;
        }
        files += count(repo, repo.folder(below)?, most - files)?;
    }
    Ok(files)
}

/// The first file of the base that is not missing, apart from the one that Platinum itself writes
/// whatever there is.
fn first_remaining(
    repo: &Repo,
    base: Oid,
    found: &ScanResult,
) -> Result<Option<VaultPath>, WorktreeError> {
    match repo.folder_at(base, "")? {
        Some(root) => first_remaining_in(repo, "", root, found),
        None => Ok(None),
    }
}

fn first_remaining_in(
    repo: &Repo,
    prefix: &str,
    tree: Oid,
    found: &ScanResult,
) -> Result<Option<VaultPath>, WorktreeError> {
    let folder = repo.folder(tree)?;
    for name in folder.files.keys() {
        if let Ok(path) = VaultPath::new(format!("{prefix}{name}"))
            && path.as_str() != layout::DASHBOARD
            && is_kept(&path)
            && !found.missing.contains_key(&path)
        {
            return Ok(Some(path));
        }
    }
    for (name, tree) in folder.folders {
        if let Some(left) = first_remaining_in(repo, &format!("{prefix}{name}/"), tree, found)? {
            return Ok(Some(left));
        }
    }
    Ok(None)
}
