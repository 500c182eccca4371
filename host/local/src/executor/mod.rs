//! The loop that acts: carries out what the owner approved, finishes what the owner rejected, asks
//! after outcomes in doubt, and keeps the dashboard.
//!
//! Lives here: when each step runs, and the events for the skills. The steps know nothing of the loop,
//! and nothing of each other: [`admission`] records approvals, [`approved`] reports what came of them,
//! [`carried_out`] finishes what happened, [`filed_list`](crate::filed_list) keeps the list of what was filed
//! unanswered, [`doubts`] asks about what stays unknown, [`overtaken`] sees what overtakes a draft, [`rejected`]
//! files what the owner rejected.
//! Lives elsewhere: acting itself is `effects`'; the decisions are the skills'.
//! Invariant: an effect happens only here, on the owner's machine, by an approval that is recorded
//! in the journal; what is recorded is decided in `effects`, and asked for in [`admission`].

mod admission;
mod approved;
mod carried_out;
mod context;
mod dashboard_state;
mod doubts;
mod drafts;
mod overtaken;
mod rejected;

pub(crate) use doubts::OWNERS_WORD;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use platinum_capabilities::in_background;
use platinum_core::{Clock as _, DraftId, SystemClock, layout};
use platinum_daemon::{
    Host, Shutdown, SkillSet,
    skills::{Event, Request},
};
use platinum_effects::Executor;
use platinum_watch::{Wake, WakeUps};
use tokio::time::Instant;

use crate::{filed_list, machine::MachineGuard};
use admission::Admission;
use carried_out::CarriedOut;
use context::ApprovalContext;
use dashboard_state::dashboard_state;
pub(crate) use drafts::{JournalDrafts, note_drafts};
use overtaken::Known;

/// How often to ask the other side about outcomes in doubt.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// What the loop works with.
pub(crate) struct ApprovalLoop {
    skills: Arc<SkillSet>,
    guard: MachineGuard,
    context: ApprovalContext,
    admission: Admission,
    /// Rejected drafts whose task was found finished: there is nothing left to do about them.
    closed: BTreeSet<DraftId>,
    /// What was carried out, as far as the journal was read.
    carried_out: CarriedOut,
    /// What was read of the vault for what overtakes a draft.
    overtaken: Known,
    /// What was read of the finished notes.
    filed: filed_list::ReadNotes,
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
            guard,
            context: ApprovalContext {
                vault: host.vault.clone(),
                sync: host.sync.clone(),
                executor,
                updates: host.owner_updates(),
                notified: BTreeSet::new(),
            },
            admission: Admission::default(),
            closed: BTreeSet::new(),
            carried_out: CarriedOut::default(),
            overtaken: Known::default(),
            filed: filed_list::ReadNotes::new(),
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
                changed |= doubts::reconcile(&self.context).await;
                self.context.executor.close_pending();
                asked = Some(Instant::now());
            }
            if let Err(why) = self.guard.check().await {
                let text = format!("Nothing is sent: {why}");
                changed |= self.context.notify_once(None, &text).await;
            }
            changed |= doubts::decide(&mut self.context).await;
            changed |= self.carry_out_approved().await;
            changed |= carried_out::finish(&mut self.context, &mut self.carried_out).await;
            // After what was done: a no to one post of a task is none to another that left.
            changed |= rejected::finish(&mut self.context, &mut self.closed).await;
            // After what leaves, which waits for none of this.
            changed |= overtaken::finish(&mut self.context, &mut self.overtaken).await;
            let state = dashboard_state(self.context.vault.clone()).await;
            let is_changed = state.is_some() && state != shown;
            changed |= self.update_filed_list(is_changed).await;
            if is_changed {
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
                wake = wake_ups.wait(self.admission.until_due(every)) => if wake == Wake::Closed {
                    tokio::time::sleep(every).await;
                }
            }
        }
    }

    /// Puts back what the owner ticked in the list of filed tasks, and writes it anew; whether a task
    /// was put back.
    async fn update_filed_list(&mut self, is_changed: bool) -> bool {
        let (vault, mut read) = (self.context.vault.clone(), std::mem::take(&mut self.filed));
        let update = move || {
            let updated = filed_list::update(&vault, SystemClock.now(), is_changed, &mut read);
            (updated, read)
        };
        let (updated, read) = in_background(update).await;
        self.filed = read;
        match updated {
            Ok((put_back, _)) => {
                if put_back > 0 {
                    tracing::info!(put_back, "Tasks were put back to be answered after all.");
                }
                put_back > 0
            }
            Err(error) => {
                tracing::warn!("Cannot write {}: {error}.", layout::FILED_LIST);
                false
            }
        }
    }

    /// Admits what is in `Approved/`, carries out what is due, and finishes what was; whether
    /// anything changed.
    async fn carry_out_approved(&mut self) -> bool {
        let Some(admitted) = self.admission.admit(&self.context).await else {
            return false;
        };
        let (mut changed, is_paused) = (admitted.changed, admitted.is_paused);
        if admitted.has_ready && !is_paused {
            self.raise(&Event::ApprovalGranted).await;
            // What the mail server does not compose as it was approved goes back at once.
            if self.context.executor.approvals().has_differences()
                && let Some(admitted) = self.admission.admit(&self.context).await
            {
                changed |= admitted.changed;
            }
        }
        changed | approved::finish(&mut self.context, is_paused).await
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
}
