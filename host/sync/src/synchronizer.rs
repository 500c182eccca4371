//! [`Synchronizer`]: the handle that everything else works through.
//!
//! Lives elsewhere: its public calls are in `api`.

use std::{
    future::Future,
    path::PathBuf,
    sync::{Arc, MutexGuard},
};

use jiff::SignedDuration;
use platinum_core::{AgentName, Backoff, Role, Timestamp};
use platinum_repo::{Remote, Repo};
use platinum_secrets::Scanner;
use platinum_vault::Vault;
use platinum_verify::Identity;

use crate::{
    SyncError,
    claims::lease::state::LeaseMonitor,
    exclusive::SyncLock,
    remote::{
        backoff::AWAY,
        state::{RemoteMonitor, RemoteState},
    },
    replica::Replica,
};

/// What a synchronizer works with.
pub struct SyncConfig {
    /// The work tree.
    pub vault: Vault,
    /// The repository: outside the vault, private to this daemon.
    pub git_dir: PathBuf,
    /// The remote; without one, everything works on this machine alone.
    pub remote: Option<Box<dyn Remote>>,
    /// This host. Its name is its own: two hosts of one name take each other for intruders.
    pub agent: AgentName,
    /// Its role.
    pub role: Role,
    /// What it signs with, and whose signatures it trusts.
    pub identity: Identity,
    /// What may not leave this machine.
    pub scanner: Arc<Scanner>,
}

/// Keeps one vault and its remote together. Cheap to clone; one thing at a time.
#[derive(Clone)]
pub struct Synchronizer {
    pub(crate) replica: Arc<Replica>,
    pub(crate) remote: Option<Arc<dyn Remote>>,
    /// Held through every call that moves a ref or the work tree.
    pub(crate) lock: SyncLock,
    remote_monitor: Arc<RemoteMonitor>,
    pub(crate) leases: Arc<LeaseMonitor>,
    /// How long to wait for a remote that does not answer, before a claim counts as tentative.
    pub(crate) while_away: Backoff,
}

impl std::fmt::Debug for Synchronizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Synchronizer")
            .field("agent", &self.replica.agent)
            .finish_non_exhaustive()
    }
}

impl Synchronizer {
    /// Opens the repository, or makes it. The remote is not asked yet.
    ///
    /// # Errors
    /// If the repository or the offline intents cannot be read, or it is inside the vault.
    pub fn new(config: SyncConfig) -> Result<Self, SyncError> {
        let SyncConfig {
            vault,
            git_dir,
            remote,
            agent,
            role,
            identity,
            scanner,
        } = config;
        let repo = Repo::open_with_wal(&git_dir)?.signing_with(identity.key().clone());
        if repo
            .git_dir()
            .canonicalize()
            .is_ok_and(|dir| dir.starts_with(vault.root()))
        {
            return Err(SyncError::Refused(format!(
                "the repository {} is inside the vault; choose a state folder outside it",
                git_dir.display()
            )));
        }
        let replica = Replica::new(vault, repo, agent, role, identity, scanner)?;
        replica.clock.restore()?;
        Ok(Self {
            replica: Arc::new(replica),
            remote: remote.map(Arc::from),
            lock: SyncLock::default(),
            remote_monitor: Arc::default(),
            leases: Arc::default(),
            while_away: AWAY,
        })
    }

    /// Runs work on disk and repository on a thread for it.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Replica) -> Result<T, SyncError> + Send + 'static,
    ) -> Result<T, SyncError> {
        let replica = Arc::clone(&self.replica);
        match tokio::task::spawn_blocking(move || work(&replica)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(SyncError::Stopping),
        }
    }

    /// Waits for the lock, which can be given up at any time, and does the work under it, to its
    /// end.
    pub(crate) async fn run_exclusive<T, W>(
        &self,
        work: impl FnOnce(Self) -> W,
    ) -> Result<T, SyncError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, SyncError>> + Send + 'static,
    {
        let sync = self.clone();
        self.lock.run(|| work(sync)).await
    }

    /// What is known of the remote.
    pub(crate) fn remote_state(&self) -> MutexGuard<'_, RemoteState> {
        self.remote_monitor.state()
    }

    /// Why a claim does not ask the remote at the moment, if so.
    pub(crate) fn silence(&self) -> Option<SyncError> {
        self.remote_state().silence()
    }

    /// Whether the remote answered so short a time ago. Its verified tip is then built on without
    /// asking again: if it is not the tip any more, the push finds out.
    pub(crate) fn answered_within(&self, time: SignedDuration) -> bool {
        let state = self.remote_state();
        let fresh = |at| Timestamp::now().duration_since(at).abs() < time;
        self.remote.is_some() && state.error.is_none() && state.at.is_some_and(fresh)
    }
}
