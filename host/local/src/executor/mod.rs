//! The loop that acts: carries out what the owner approved, finishes what the owner rejected, asks
//! after outcomes in doubt, and keeps the dashboard.
//!
//! Lives elsewhere: acting itself is `effects`'; the decisions are the skills'; what a file in
//! `Rejected/` says is read in [`rejected`], [`reconcile`] puts away and reports what came of it, and
//! in [`doubts`] the owner decides on what stays unknown.
//! Invariant: an effect happens only here, on the owner's machine, by an approval that is recorded
//! in the journal; what is recorded is decided in `effects`, and asked for in [`admission`].

mod admission;
mod dashboard_state;
mod doubts;
mod drafts;
mod reconcile;
mod rejected;

pub(crate) use doubts::OWNERS_WORD;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use platinum_core::{Clock as _, DraftId, SystemClock, TaskId, Timestamp};
use platinum_daemon::{
    Host, OwnerUpdates, Shutdown, SkillSet,
    skills::{Event, Request},
};
use platinum_effects::Executor;
use platinum_protocol::TaskPlace;
use platinum_sync::Synchronizer;
use platinum_vault::Vault;
use platinum_watch::{Wake, WakeUps};
use tokio::time::Instant;

use crate::machine::MachineGuard;
pub(crate) use drafts::JournalDrafts;

/// How often to ask the other side about outcomes in doubt.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// What the loop works with.
pub(crate) struct ApprovalLoop {
    skills: Arc<SkillSet>,
    sync: Synchronizer,
    vault: Vault,
    updates: OwnerUpdates,
    executor: Arc<Executor>,
    guard: MachineGuard,
    /// What was reported to the owner since this daemon started.
    notified: BTreeSet<String>,
    /// Rejected drafts whose task was found finished: there is nothing left to do about them.
    closed: BTreeSet<DraftId>,
    /// When the next approval has been held long enough.
    next_due: Option<Timestamp>,
    /// Whether everything was paused when it was last looked at.
    was_paused: bool,
}

impl ApprovalLoop {
    pub(crate) fn new(
        host: &Host,
        skills: Arc<SkillSet>,
        executor: Arc<Executor>,
        guard: MachineGuard,
    ) -> Self {
        Self {
            skills,
            sync: host.sync.clone(),
            vault: host.vault.clone(),
            updates: host.owner_updates(),
            executor,
            guard,
            notified: BTreeSet::new(),
            closed: BTreeSet::new(),
            next_due: None,
            was_paused: false,
        }
    }

    /// Runs until the host stops.
    pub(crate) async fn run(
        mut self,
        mut wake_ups: WakeUps,
        every: Duration,
        mut shutdown: Shutdown,
    ) {
        let mut asked: Option<Instant> = None;
        let mut shown = None;
        while !shutdown.is_stopping() {
            let mut changed = false;
            // Outcomes in doubt come first: nothing new is sent before they were asked after.
            if asked.is_none_or(|at| at.elapsed() > ASK_AGAIN) {
                changed |= self.reconcile_doubts().await;
                asked = Some(Instant::now());
            }
            if let Err(why) = self.guard.check().await {
                changed |= self
                    .notify_once(None, &format!("Nothing is sent: {why}"))
                    .await;
            }
            changed |= self.decide_doubts().await;
            changed |= self.finish_rejected().await;
            changed |= self.carry_out_approved().await;
            let state = self.dashboard_state().await;
            if state.is_some() && state != shown {
                // The state from before: what arrives meanwhile, and what the skill itself writes,
                // is looked at once more; the second time it writes nothing.
                if self.raise(&Event::VaultSynced).await {
                    shown = state;
                }
                changed = true;
            }
            if changed {
                self.raise(&Event::WorkDone).await;
            }
            tokio::select! {
                () = shutdown.stopped() => {}
                wake = wake_ups.wait(self.until_due(every)) => if wake == Wake::Closed {
                    tokio::time::sleep(every).await;
                }
            }
        }
    }

    /// Writes an update for the dashboard, once in this life of the daemon.
    async fn notify_once(&mut self, task: Option<TaskId>, text: &str) -> bool {
        if !self.notified.insert(text.to_owned()) {
            return false;
        }
        tracing::info!("{text}");
        self.updates.publish(task, text).await
    }

    /// Where a task is; nothing if that cannot be found out now.
    async fn place(&self, task: TaskId) -> Option<TaskPlace> {
        match self.sync.place(task).await {
            Ok(place) => Some(place),
            Err(error) => {
                tracing::warn!(%task, "Cannot determine where the task is: {error}.");
                None
            }
        }
    }

    /// Runs the skills that listen to an event; whether all came to their end.
    async fn raise(&self, event: &Event) -> bool {
        match self.skills.run_all(&Request::new(event)).await {
            Ok(()) => true,
            Err(error) => {
                error.log();
                false
            }
        }
    }

    /// How long to wait at most: until the next approval has been held long enough.
    fn until_due(&self, every: Duration) -> Duration {
        let left = self.next_due.map(|at| at - SystemClock.now());
        let left = left.and_then(|left| Duration::try_from(left).ok());
        match (self.next_due, left) {
            (None, _) => every,
            (Some(_), None) => Duration::ZERO,
            // A little more than the rest, so that it is over then.
            (Some(_), Some(left)) => every.min(left + Duration::from_millis(5)),
        }
    }
}

/// Runs blocking reads off the async threads.
async fn read<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
