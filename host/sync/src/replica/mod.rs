//! [`Replica`]: the vault, its Git repository and the local sync state. Blocking; call it through
//! `Synchronizer::blocking`.
//!
//! Lives here: the parts and how they are joined. `outbox` knows what became of commits made here,
//! `unacknowledged` finds own versions in the remote's, `locks` recovers stale locks, `notifier`
//! notifies the owner, `tasks` reads tasks, `refusals` knows what the remote's server does not take, `draft_history` knows which drafts were ever made, and `filter` joins the gate and the work tree.

pub(crate) mod draft_history;
pub(crate) mod elsewhere;
mod filter;
mod locks;
mod notifier;
mod outbox;
pub(crate) mod refusals;
pub(crate) mod tasks;
pub(crate) mod unacknowledged;
pub(crate) mod witness;

use std::sync::Arc;

use platinum_core::{AgentName, Role};
use platinum_repo::Repo;
use platinum_secrets::Scanner;
use platinum_vault::Vault;
use platinum_verify::{Gate, Identity};
use platinum_worktree::{VersionClock, Worktree};

use crate::{SyncError, claims::offline::IntentStore, held::HeldFiles};
use draft_history::DraftHistory;
use elsewhere::ElsewhereLog;
use filter::GateFilter;
use locks::StaleLocks;
use notifier::Notifier;
use outbox::Outbox;
use refusals::Refusals;
use witness::JournalWitness;

/// The vault, its Git repository and the local sync state.
pub(crate) struct Replica {
    pub(crate) vault: Vault,
    pub(crate) repo: Repo,
    pub(crate) agent: AgentName,
    pub(crate) role: Role,
    pub(crate) identity: Identity,
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: Arc<VersionClock>,
    pub(crate) worktree: Arc<Worktree>,
    pub(crate) intents: IntentStore,
    pub(crate) outbox: Outbox,
    pub(crate) locks: StaleLocks,
    pub(crate) notifier: Notifier,
    pub(crate) elsewhere: ElsewhereLog,
    pub(crate) draft_history: DraftHistory,
    pub(crate) witness: Arc<JournalWitness>,
    pub(crate) refusals: Refusals,
    pub(crate) held: HeldFiles,
}

impl Replica {
    pub(crate) fn new(
        vault: Vault,
        repo: Repo,
        agent: AgentName,
        role: Role,
        identity: Identity,
        scanner: Arc<Scanner>,
    ) -> Result<Self, SyncError> {
        let gate = Arc::new(Gate::new(scanner));
        let clock = Arc::new(VersionClock::new(repo.clone(), agent.clone(), role));
        let witness = Arc::new(JournalWitness::open(&repo));
        if role == Role::Cloud {
            let witness = Arc::clone(&witness);
            clock.set_trailers(Box::new(move || witness.trailer().into_iter().collect()));
        }
        let worktree = Arc::new(Worktree::new(
            vault.clone(),
            repo.clone(),
            agent.clone(),
            Arc::clone(&clock),
            Box::new(GateFilter::new(Arc::clone(&gate), role)),
        ));
        Ok(Self {
            intents: IntentStore::open(repo.git_dir())?,
            outbox: Outbox::new(repo.clone()),
            locks: StaleLocks::new(repo.clone()),
            elsewhere: ElsewhereLog::open(&repo).map_err(|error| {
                SyncError::Refused(format!("own-elsewhere.json beside the repository: {error}"))
            })?,
            held: HeldFiles::in_repository(repo.git_dir()),
            draft_history: DraftHistory::default(),
            notifier: Notifier::new(vault.clone(), agent.clone(), role, Arc::clone(&worktree)),
            vault,
            repo,
            agent,
            role,
            identity,
            gate,
            clock,
            worktree,
            witness,
            refusals: Refusals::default(),
        })
    }
}
