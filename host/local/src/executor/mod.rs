//! The loop that acts: carries out what the owner approved, finishes what the owner rejected, asks
//! after outcomes in doubt, and keeps the dashboard.
//!
//! Lives elsewhere: acting itself is `effects`'; the decisions are the skills'; what a file in
//! `Rejected/` says is read in [`rejected`], [`reconcile`] puts away and reports what came of it, and
//! in [`doubts`] the owner decides on what stays unknown.
//! Invariant: an effect happens only here, on the owner's machine, from a file in `Approved/`.

mod dashboard_state;
mod doubts;
mod reconcile;
mod rejected;

pub(crate) use doubts::OWNERS_WORD;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use platinum_core::{DraftId, TaskId, layout};
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
            if self.has_approvals().await {
                self.raise(&Event::ApprovalGranted).await;
                changed |= self.finish_approved().await;
            }
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
                wake = wake_ups.wait(every) => if wake == Wake::Closed {
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

    async fn has_approvals(&self) -> bool {
        let vault = self.vault.clone();
        read(move || {
            vault
                .list(layout::APPROVED)
                .is_ok_and(|entries| !entries.is_empty())
        })
        .await
    }
}

/// Runs blocking reads off the async threads.
async fn read<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
