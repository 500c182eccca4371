//! The vault and its remote: content sync, claims, and the end of tasks.
//!
//! Lives here: [`Synchronizer`], the driver that joins `vault`, `repo`, `policy` and `protocol`.
//! Lives elsewhere: deciding who owns what and what to merge is `protocol`'s; who may write what
//! is `policy`'s; when to sync is a loop's.
//! To read: `rounds` is the sync, `claiming` and `ending` move one task, `incoming` judges what
//! comes in, `worktree` is the way between the files and Git, both ways.
//! Invariants: the work tree only ever shows what was verified, plus its own edits; an edit is
//! never overwritten, the loser of a conflict is beside the winner; nothing is rebased; a claim
//! counts when the remote has it, never before.

mod claiming;
mod drags;
mod ending;
mod error;
pub mod gate;
mod incoming;
mod news;
mod places;
mod report;
mod rounds;
mod side;
mod stamps;
mod store;
mod stuck;
mod tending;
mod tentative;
mod worktree;

use std::{path::PathBuf, sync::Arc, time::Duration};

use platinum_core::{AgentName, Role, TaskId, Timestamp};
use platinum_protocol::TaskPlace;
use platinum_repo::{Oid, RefName, Remote, Repo};
use platinum_secrets::Scanner;
use platinum_vault::Vault;

use crate::identity::Identity;

pub use ending::Finish;
pub use error::{Remedy, SyncError, Violation};
pub use incoming::hook;
pub use report::{HeldBack, SyncReport, SyncStatus};
use side::Side;
use stuck::Watch;
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
}

#[derive(Default)]
struct Contact {
    at: Option<Timestamp>,
    tip: Option<Oid>,
    /// Whether the last that was heard is that a claim was won.
    won: bool,
    error: Option<String>,
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
    /// If the repository cannot be opened, or is inside the vault.
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
        let repo = Repo::open_or_init(&git_dir)?.signing_with(identity.key().clone());
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
        let side = Side::new(vault, repo, agent, role, identity, scanner);
        side.wind_clock()?;
        Ok(Self {
            side: Arc::new(side),
            remote: remote.map(Arc::from),
            turn: Arc::default(),
            contact: Arc::default(),
            watch: Arc::default(),
        })
    }

    /// From now on only the paths that the watcher names are looked at, instead of all.
    pub fn watched_by(&self, dirty: platinum_watch::Dirty) {
        self.side.watched_by(dirty);
    }

    /// Pulls what the remote has and gives it what changed here.
    ///
    /// # Errors
    /// If the remote is away or has what may not be applied; then nothing here changed.
    pub async fn sync(&self) -> Result<SyncReport, SyncError> {
        let _turn = self.turn.lock().await;
        let synced = self.sync_in_turn().await;
        self.blocking(|side| {
            side.tell_of_secrets();
            Ok(())
        })
        .await?;
        synced
    }

    /// What the last verified tip says of a task, with what counts without the remote: claims in
    /// zones of this machine alone, and the end of own tasks.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn place(&self, task: TaskId) -> Result<TaskPlace, SyncError> {
        self.blocking(move |side| side.place(task)).await
    }

    /// How this machine stands to its remote. Asks nobody.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub async fn status(&self) -> Result<SyncStatus, SyncError> {
        let remote = self.remote.as_ref().map(|remote| remote.describe());
        let contact = {
            let contact = self
                .contact
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            (contact.at, contact.tip, contact.error.clone())
        };
        self.blocking(move |side| {
            let applied = side.repo.tip(RefName::Applied)?;
            let verified = side.repo.tip(RefName::Verified)?;
            let seen = match contact.1 {
                Some(tip) => Some(tip),
                None => side.repo.tip(RefName::Remote)?,
            };
            let not_applied = match verified {
                Some(verified) if applied != Some(verified) => {
                    side.repo.changes(applied, verified)?.len()
                }
                _ => 0,
            };
            let hex = |oid: Option<Oid>| oid.map(|oid| oid.to_string());
            Ok(SyncStatus {
                remote,
                applied: hex(applied),
                verified: hex(verified),
                not_applied,
                remote_tip_seen: hex(seen),
                tentative: side.decided.tentative(),
                skew: side.clock.skews(),
                last_contact: contact.0,
                last_error: contact.2,
                in_doubt: side.repo.outgoing()?.len(),
            })
        })
        .await
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

/// How long to wait before the next of several attempts: never the same as another contender, and
/// shorter each time. Whoever has lost often is then ahead of those who come fresh; were it the other
/// way round, as is usual, the last of several contenders would wait ever longer for its turn.
fn pause(attempt: u32) -> Duration {
    let most = match attempt {
        0 | 1 => 60,
        2 => 30,
        _ => 10,
    };
    Duration::from_millis(rand::Rng::random_range(&mut rand::rng(), 0..=most))
}

/// How long to wait for a remote that does not answer.
fn pause_away(attempt: u32) -> Duration {
    let most = 100_u64.saturating_mul(1 << attempt.min(4));
    Duration::from_millis(rand::Rng::random_range(&mut rand::rng(), 50..=most))
}
