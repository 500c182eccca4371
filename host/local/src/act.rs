//! The loop that acts: carries out what the owner approved, settles what the owner rejected, asks
//! after outcomes in doubt, and keeps the dashboard.
//!
//! Lives elsewhere: acting itself is `effects`'; the decisions are the skills'.
//! Invariant: an effect happens only here, on the owner's machine, from a file in `Approved/`.

use std::{sync::Arc, time::Duration};

use platinum_core::{Clock, SystemClock, layout};
use platinum_daemon::{
    House, Shutdown, SkillSet,
    sync::{Finish, Synchronizer},
};
use platinum_effects::Doubts;
use platinum_engine::{Invocation, Trigger};
use platinum_vault::{Vault, note::DraftNote};
use platinum_watch::{Wake, WakeUps};
use tokio::time::Instant;

/// How often to ask the other side about outcomes in doubt.
const ASK_AGAIN: Duration = Duration::from_secs(60);
/// Largest draft that is read, in bytes.
const MAX_DRAFT_BYTES: u64 = 256 * 1024;

/// What the loop works with.
pub(crate) struct Actor {
    skills: Arc<SkillSet>,
    sync: Synchronizer,
    vault: Vault,
    doubts: Doubts,
    zones: Vec<platinum_core::Zone>,
}

impl Actor {
    pub(crate) fn new(house: &House, skills: Arc<SkillSet>, doubts: Doubts) -> Self {
        Self {
            skills,
            sync: house.sync.clone(),
            vault: house.vault.clone(),
            doubts,
            zones: platinum_core::Zone::ALL.to_vec(),
        }
    }

    /// Runs until the house stops.
    pub(crate) async fn run(
        self,
        mut wake_ups: WakeUps,
        every: Duration,
        mut shutdown: Shutdown,
    ) {
        let mut asked: Option<Instant> = None;
        let mut shown = None;
        while !shutdown.is_stopping() {
            if asked.is_none_or(|at| at.elapsed() > ASK_AGAIN) {
                self.doubts.settle(SystemClock.now()).await;
                asked = Some(Instant::now());
            }
            let mut changed = self.settle_rejected().await;
            if self.has(layout::APPROVED).await {
                self.skill("local-execute-approved", Trigger::Approval).await;
                changed = true;
            }
            let state = self.fingerprint().await;
            if state.is_some() && state != shown {
                self.skill("local-merge-updates", Trigger::News).await;
                shown = self.fingerprint().await;
                changed = true;
            }
            if changed {
                self.skill("sync-vault", Trigger::Work).await;
            }
            tokio::select! {
                () = shutdown.stopped() => {}
                wake = wake_ups.wait(every) => if wake == Wake::Closed {
                    tokio::time::sleep(every).await;
                }
            }
        }
    }

    async fn skill(&self, name: &str, trigger: Trigger) {
        let invocation = Invocation { trigger, task: None, about: None };
        match self.skills.run(name, invocation, &self.zones).await {
            Ok(outcome) => tracing::debug!(skill = name, ?outcome, "The skill is done."),
            Err(error) => tracing::warn!("{error}"),
        }
    }

    async fn has(&self, folder: &'static str) -> bool {
        let vault = self.vault.clone();
        read(move || vault.list(folder).is_ok_and(|entries| !entries.is_empty())).await
    }

    /// Files the tasks whose draft the owner said no to.
    async fn settle_rejected(&self) -> bool {
        let vault = self.vault.clone();
        let rejected: Vec<DraftNote> = read(move || {
            let entries = vault.list(layout::REJECTED).unwrap_or_default();
            entries
                .iter()
                .filter_map(|entry| vault.read_text(&entry.path, MAX_DRAFT_BYTES).ok())
                .filter_map(|text| DraftNote::parse(&text).ok())
                .collect()
        })
        .await;
        let mut changed = false;
        for draft in rejected {
            match self.sync.is_open(draft.task).await {
                Ok(true) => {}
                Ok(false) => continue,
                Err(error) => {
                    tracing::warn!("{error}");
                    continue;
                }
            }
            let reason = format!("You said no to the draft “{}”.", draft.summary);
            match self.sync.finish(draft.task, Finish::filed(&reason)).await {
                Ok(()) => changed = true,
                Err(error) => tracing::warn!(task = %draft.task, "It cannot be filed yet: {error}."),
            }
        }
        changed
    }

    /// What the dashboard shows, in short: if it is the same, there is nothing to write.
    async fn fingerprint(&self) -> Option<Vec<(String, u64)>> {
        let vault = self.vault.clone();
        read(move || {
            let shown = [
                layout::NEEDS_ACTION,
                layout::IN_PROGRESS,
                layout::PENDING_APPROVAL,
                layout::APPROVED,
                layout::DONE,
                layout::UPDATES,
                layout::DASHBOARD,
            ];
            let entries = vault.walk().ok()?;
            Some(
                entries
                    .into_iter()
                    .filter(|entry| shown.contains(&entry.path.top()))
                    .map(|entry| (entry.path.to_string(), entry.len))
                    .collect(),
            )
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
