//! The vault and its remote: content sync, claims, and the end of tasks.
//!
//! Lives here: [`Synchronizer`], the driver that joins `vault`, `repo`, `policy` and `protocol`.
//! Lives elsewhere: deciding who owns what and what to merge is `protocol`'s; who may write what
//! is `policy`'s; when to sync is a loop's.
//! To read: `rounds` syncs, `owning` moves tasks, `incoming` judges, `worktree` joins files and Git.
//! Invariants: the work tree only ever shows what was verified, plus its own edits; an edit is
//! never overwritten, the loser of a conflict is beside the winner; nothing is rebased; a claim
//! counts when the remote has it, never before.

mod error;
mod gate;
mod incoming;
mod news;
mod owning;
mod pausing;
mod report;
mod rounds;
mod side;
mod stamps;
mod store;
mod tending;
mod turns;
mod worktree;

use std::{path::PathBuf, sync::Arc, time::Instant};

use platinum_core::{AgentName, Role, TaskId, Timestamp};
use platinum_protocol::TaskPlace;
use platinum_repo::{Oid, Remote, RemoteError, Repo};
use platinum_secrets::Scanner;
use platinum_vault::Vault;

use crate::identity::Identity;

pub use error::{Remedy, SyncError, Violation};
pub use incoming::hook;
use owning::Watch;
pub use owning::{Drafts, Finish};
use pausing::pause;
pub use report::{HeldBack, SyncReport, SyncStatus};
use side::Side;
use worktree::apply;

/// Larger files are not synced, and not taken from the remote.
pub(crate) const MAX_FILE: usize = 32 * 1024 * 1024;

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
    /// Its half of the house.
    pub role: Role,
    /// What it signs with, and whose signatures it trusts.
    pub identity: Identity,
    /// What may not leave this machine.
    pub scanner: Arc<Scanner>,
}

/// Keeps one vault and its remote together. Cheap to clone; one thing at a time.
#[derive(Clone)]
pub struct Synchronizer {
    side: Arc<Side>,
    remote: Option<Arc<dyn Remote>>,
    /// Held through every call that moves a ref or the work tree.
    turn: Arc<tokio::sync::Mutex<()>>,
    contact: Arc<std::sync::Mutex<Contact>>,
    watch: Arc<std::sync::Mutex<Watch>>,
    /// Once this tells to stop, a turn is not let go on for long.
    stop: Arc<turns::Stop>,
}

#[derive(Default)]
struct Contact {
    /// When the remote was last asked, of what was answered and verified. Never ahead of the
    /// verified tip: an effect that finds this fresh relies on that tip without taking the turn.
    at: Option<Timestamp>,
    /// Whether the remote told its tip in this life; it may have none.
    heard: bool,
    /// The tip that it told last, judged or not.
    tip: Option<Oid>,
    /// Whether the last that was heard is that a claim was won.
    won: bool,
    error: Option<String>,
    /// Since when, and why, the remote is silent: the last fetch took all the time it was given.
    silent: Option<(Instant, RemoteError)>,
}

impl std::fmt::Debug for Synchronizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Synchronizer")
            .field("agent", &self.side.agent)
            .finish_non_exhaustive()
    }
}

impl Synchronizer {
    /// Opens the repository, or makes it. The remote is not asked yet.
    ///
    /// # Errors
    /// If the repository or what was decided offline cannot be read, or it is inside the vault.
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
        let side = Side::new(vault, repo, agent, role, identity, scanner)?;
        side.wind_clock()?;
        Ok(Self {
            side: Arc::new(side),
            remote: remote.map(Arc::from),
            turn: Arc::default(),
            contact: Arc::default(),
            watch: Arc::default(),
            stop: Arc::default(),
        })
    }

    /// From now on only the paths that the watcher names are looked at, instead of all.
    pub fn watched_by(&self, dirty: platinum_watch::DirtyPaths) {
        self.side.watched_by(dirty);
    }

    /// Pulls what the remote has and gives it what changed here. Once it has begun it goes on to
    /// its end, also if the caller does not wait for that.
    ///
    /// # Errors
    /// If the remote is away or has what may not be applied; then nothing here changed.
    pub async fn sync(&self) -> Result<SyncReport, SyncError> {
        self.in_turn(|sync| async move { sync.sync_and_tell().await })
            .await
    }

    /// A sync in our turn, and what the owner hears of it.
    async fn sync_and_tell(&self) -> Result<SyncReport, SyncError> {
        let synced = self.sync_in_turn().await;
        self.blocking(|side| {
            side.tell_of_secrets();
            Ok(())
        })
        .await?;
        synced
    }

    /// Keeps in history what changed here, while a sync that waits for its remote does not come to
    /// it. Without one there is nothing to do: the next sync begins with that.
    ///
    /// # Errors
    /// If the vault or the repository cannot be read or written.
    pub async fn keep(&self) -> Result<(), SyncError> {
        match self.turn.try_lock() {
            Ok(_) => Ok(()),
            Err(_) => self.blocking(Side::begin).await,
        }
    }

    /// What the last verified tip says of a task, with what counts without the remote: claims in
    /// zones of this machine alone, and the end of own tasks.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn place(&self, task: TaskId) -> Result<TaskPlace, SyncError> {
        self.blocking(move |side| side.place(task)).await
    }

    /// Runs work on disk and repository on a thread for it.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Side) -> Result<T, SyncError> + Send + 'static,
    ) -> Result<T, SyncError> {
        let side = Arc::clone(&self.side);
        match tokio::task::spawn_blocking(move || work(&side)).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(SyncError::Stopping),
        }
    }
}
