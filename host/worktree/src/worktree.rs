//! [`Worktree`]: one vault with its repository; scans it, and keeps what it finds in the history.
//!
//! Lives elsewhere: changing its files is in `apply`; a sync begins in `apply_journal`.
//! Invariants: every version that a scan found settled is in the repository's history before anyone
//! is asked about it, also while the remote is away; every call blocks.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use platinum_core::{AgentName, VaultPath};
use platinum_policy::SyncChoice;
use platinum_repo::{Edit, Oid, Repo, RepoError};
use platinum_vault::Vault;
use platinum_watch::DirtyPaths;

use crate::{
    FileFilter, VersionClock, WorktreeError,
    leftovers::Recovery,
    scan::{Edits, ScanState},
};

/// One vault with its repository.
pub struct Worktree {
    pub(crate) vault: Vault,
    pub(crate) repo: Repo,
    pub(crate) agent: AgentName,
    pub(crate) clock: Arc<VersionClock>,
    filter: Box<dyn FileFilter>,
    state: Mutex<ScanState>,
    /// Held while files are moved, or read to decide what becomes of them.
    lock: Mutex<()>,
    /// Whether the vault's folder was in its place at the last scan.
    is_in_place: AtomicBool,
}

impl Worktree {
    /// Joins a vault and its repository.
    pub fn new(
        vault: Vault,
        repo: Repo,
        agent: AgentName,
        clock: Arc<VersionClock>,
        filter: Box<dyn FileFilter>,
    ) -> Self {
        let state = Mutex::new(ScanState::new(repo.git_dir()));
        Self {
            vault,
            repo,
            agent,
            clock,
            filter,
            state,
            lock: Mutex::default(),
            is_in_place: AtomicBool::new(true),
        }
    }

    /// Locks the work tree: for everything that moves its files, also without the remote. Never
    /// held over a call to the remote.
    pub fn lock(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the work tree differs from the applied commit, reading also these paths.
    ///
    /// # Errors
    /// If the vault or the repository cannot be read, or so much is gone that it is not accepted.
    pub fn scan(
        &self,
        applied: Option<Oid>,
        more: &mut dyn Iterator<Item = &VaultPath>,
    ) -> Result<Edits, WorktreeError> {
        self.ensure_in_place()?;
        let mut state = self.state();
        let sources = (&self.vault, &self.repo, &*self.filter);
        let (mut edits, leftovers) = state.scan(sources, applied, more)?;
        let recovery = Recovery {
            vault: &self.vault,
            repo: &self.repo,
            agent: &self.agent,
        };
        let recovered = recovery.recover_all(&leftovers)?;
        if !recovered.is_empty() {
            edits = state.scan(sources, applied, &mut recovered.iter())?.0;
        }
        drop(state);
        self.vault.note_drafts();
        self.keep(applied, &edits)?;
        fail::fail_point!("keep-after");
        self.clock.note_versions(&edits.files)?;
        Ok(edits)
    }

    fn keep(&self, applied: Option<Oid>, edits: &Edits) -> Result<(), WorktreeError> {
        if edits.files.values().all(Option::is_none) {
            return Ok(());
        }
        let list: Vec<(VaultPath, Edit)> = edits
            .files
            .iter()
            .map(|(path, blob)| (path.clone(), blob.map_or(Edit::Delete, Edit::PutBlob)))
            .collect();
        let meta = self
            .clock
            .unstamped_meta(format!("Kept {} files", list.len()));
        fail::fail_point!("keep-before");
        match self.repo.save_snapshot(applied, &list, &meta) {
            Ok(_) => Ok(()),
            // A file where a folder is going away: it is kept when that has happened.
            Err(error @ (RepoError::InTheWay(_) | RepoError::Absent(_))) => {
                tracing::debug!(%error, "The edits are kept at the next scan.");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// That the vault's folder is the one that people see: what is read and written in another one
    /// reaches nobody.
    pub(crate) fn ensure_in_place(&self) -> Result<(), WorktreeError> {
        let in_place = self.vault.ensure_in_place();
        self.is_in_place.store(in_place.is_ok(), Ordering::Relaxed);
        Ok(in_place?)
    }

    /// Whether the vault's folder was moved or put back since the last scan: a reason to scan.
    pub fn was_displaced(&self) -> bool {
        self.vault.ensure_in_place().is_ok() != self.is_in_place.load(Ordering::Relaxed)
    }

    /// Notes that these paths are about to be changed: the next scan reads them.
    pub fn touch<'a>(&self, paths: impl Iterator<Item = &'a VaultPath>) {
        self.state().touch(paths);
    }

    /// From now on a file that the applied commit has not is taken only if the owner chose it.
    pub fn choose(&self, choice: SyncChoice) {
        self.state().choose(choice);
    }

    /// From now on the watcher says which paths changed.
    pub fn watched_by(&self, dirty: DirtyPaths) {
        self.state().watched_by(dirty);
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, ScanState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
