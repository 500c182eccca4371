//! The loop that acts: carries out what the owner approved, settles what the owner rejected, asks
//! after outcomes in doubt, and keeps the dashboard.
//!
//! Lives elsewhere: acting itself is `effects`'; the decisions are the skills'; what a file in
//! `Rejected/` says is read in [`rejected`].
//! Invariant: an effect happens only here, on the owner's machine, from a file in `Approved/`.

mod rejected;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use platinum_core::{
    ActionKind, AgentName, Clock, DraftId, SystemClock, TaskId, UpdateId, VaultPath, layout,
};
use platinum_daemon::{
    House, Shutdown, SkillSet,
    sync::{Finish, Synchronizer},
};
use platinum_effects::{
    approvals::{Approvals, EntryState},
    email::{SentSearch, reconcile},
};
use platinum_engine::{Invocation, Trigger};
use platinum_protocol::TaskPlace;
use platinum_vault::{Vault, note::UpdateNote};
use platinum_watch::{Wake, WakeUps};
use rejected::{Rejected, reason_of, rejected_and_open};
use tokio::time::Instant;

/// How often to ask the other side about outcomes in doubt.
const ASK_AGAIN: Duration = Duration::from_secs(60);
/// What the loop works with.
pub(crate) struct Actor {
    skills: Arc<SkillSet>,
    sync: Synchronizer,
    vault: Vault,
    agent: AgentName,
    approvals: Arc<Approvals>,
    sent: Option<Box<dyn SentSearch>>,
    /// What the owner was told already in this life of the daemon.
    told: BTreeSet<String>,
    /// Rejected drafts whose task was found finished: there is nothing left to do about them.
    closed: BTreeSet<DraftId>,
}

impl Actor {
    pub(crate) fn new(
        house: &House,
        skills: Arc<SkillSet>,
        approvals: Arc<Approvals>,
        sent: Option<Box<dyn SentSearch>>,
    ) -> Self {
        Self {
            skills,
            sync: house.sync.clone(),
            vault: house.vault.clone(),
            agent: house.agent.clone(),
            approvals,
            sent,
            told: BTreeSet::new(),
            closed: BTreeSet::new(),
        }
    }

    /// Runs until the house stops.
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
                changed |= self.settle_doubts().await;
                asked = Some(Instant::now());
            }
            changed |= self.settle_rejected().await;
            if self.has_approvals().await {
                self.skill("local-execute-approved", Trigger::Approval)
                    .await;
                changed |= self.settle_approved().await;
            }
            let state = self.fingerprint().await;
            if state.is_some() && state != shown {
                // The state from before: what arrives meanwhile, and what the skill itself writes,
                // is looked at once more; the second time it writes nothing.
                if self.skill("local-merge-updates", Trigger::News).await {
                    shown = state;
                }
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

    /// Asks the mailbox after outcomes in doubt; what is still not known is told to the owner.
    async fn settle_doubts(&mut self) -> bool {
        let Some(sent) = &self.sent else { return false };
        let now = SystemClock.now();
        let found = match reconcile(self.approvals.journal(), sent.as_ref(), now).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!("Outcomes in doubt cannot be settled: {error}");
                return false;
            }
        };
        let mut changed = !found.confirmed.is_empty();
        for doubt in found.in_doubt {
            let (vault, put_aside) = (self.vault.clone(), layout::rejected(doubt.draft));
            // The owner knows and has closed it.
            if read(move || vault.exists(&put_aside).unwrap_or(false)).await {
                continue;
            }
            let text = format!(
                "Not known whether {} was sent; it is not sent again. {}",
                doubt.draft, doubt.why
            );
            changed |= self.tell_once(Some(doubt.task), &text).await;
        }
        changed
    }

    /// Puts away what happened and tells the owner what never will.
    async fn settle_approved(&mut self) -> bool {
        let entries = match self.approvals.entries().await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!("Approved/ cannot be looked at: {error}");
                return false;
            }
        };
        let mut changed = false;
        for entry in entries {
            let draft = entry.leaving.map(|leaving| leaving.note);
            match (entry.state, draft) {
                (EntryState::Done(receipt), Some(draft)) => {
                    let happened = Finish::done(&draft.summary, self.receipts(draft.task).await);
                    let filed = match self.place(draft.task).await {
                        Some(TaskPlace::Owned(_) | TaskPlace::Waiting) => {
                            self.sync.finish(draft.task, happened).await
                        }
                        Some(TaskPlace::Finished | TaskPlace::Absent) => Ok(()),
                        // Put away now, its task would stay open for ever.
                        None => continue,
                    };
                    if let Err(error) = filed {
                        tracing::warn!(task = %draft.task, "It cannot be filed yet: {error}.");
                        continue;
                    }
                    changed |= self.put_away(&entry.path, receipt.at).await;
                    let text = format!("Done: {}; {}", draft.summary, receipt.answer);
                    self.tell_once(Some(draft.task), &text).await;
                }
                // Nobody here will ever do it.
                (EntryState::Ready, Some(draft))
                    if self.sent.is_none() || draft.action.kind() != ActionKind::EmailSend =>
                {
                    let kind = draft.action.kind();
                    let text = format!(
                        "{}: this host has nothing that does {kind}; a mail needs an account \
                         under [mail] in the configuration",
                        entry.path
                    );
                    changed |= self.tell_once(Some(draft.task), &text).await;
                }
                (EntryState::Done(_) | EntryState::Ready, _) => {}
                // Told once its mailbox was asked after it.
                (EntryState::InDoubt(_), _) if self.sent.is_some() => {}
                (EntryState::Waiting { reason, .. }, draft) => {
                    let text = format!("Not sent yet, tried again by itself: {reason}");
                    changed |= self.tell_once(draft.map(|draft| draft.task), &text).await;
                }
                (state, draft) => {
                    let text = format!("{}: {state}", entry.path);
                    changed |= self.tell_once(draft.map(|draft| draft.task), &text).await;
                }
            }
        }
        changed
    }

    async fn receipts(&self, task: TaskId) -> Vec<platinum_vault::note::ReceiptRecord> {
        let journal = Arc::clone(self.approvals.journal());
        match read(move || crate::run::receipts_of(&journal, task)).await {
            Ok(receipts) => receipts,
            Err(error) => {
                tracing::warn!(%task, "Its receipts cannot be read: {error}");
                Vec::new()
            }
        }
    }

    /// Moves a draft that was carried out from `Approved/` to the month's folder in `Done/`.
    async fn put_away(&self, path: &VaultPath, at: platinum_core::Timestamp) -> bool {
        let (vault, from) = (self.vault.clone(), path.clone());
        let moved = read(move || {
            let to = VaultPath::new(format!("{}/{}", layout::done_month(at), from.file_name()))
                .map_err(|error| error.to_string())?;
            vault.rename(&from, &to).map_err(|error| error.to_string())
        })
        .await;
        match moved {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("{path} cannot be put away: {error}");
                false
            }
        }
    }

    /// Writes an update for the dashboard, once in this life of the daemon.
    async fn tell_once(&mut self, task: Option<TaskId>, text: &str) -> bool {
        if !self.told.insert(text.to_owned()) {
            return false;
        }
        tracing::info!("{text}");
        let note = UpdateNote {
            id: UpdateId::generate(),
            created: SystemClock.now(),
            by: self.agent.to_string(),
            task,
            headline: text.chars().filter(|c| !c.is_control()).take(300).collect(),
        };
        let path = layout::update(&self.agent, note.id);
        let vault = self.vault.clone();
        match read(move || vault.create(&path, note.render().as_bytes())).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("The owner cannot be told: {error}");
                false
            }
        }
    }

    /// Where a task is; nothing if that cannot be found out now.
    async fn place(&self, task: TaskId) -> Option<TaskPlace> {
        match self.sync.place(task).await {
            Ok(place) => Some(place),
            Err(error) => {
                tracing::warn!(%task, "Where it is cannot be found out: {error}");
                None
            }
        }
    }

    /// Runs a skill; whether it came to its end.
    async fn skill(&self, name: &str, trigger: Trigger) -> bool {
        let invocation = Invocation {
            trigger,
            task: None,
            about: None,
        };
        match self
            .skills
            .run(name, invocation, &platinum_core::Zone::ALL)
            .await
        {
            Ok(outcome) => {
                tracing::debug!(skill = name, ?outcome, "The skill is done.");
                true
            }
            Err(error) => {
                tracing::warn!("{error}");
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

    /// Files the tasks of drafts in `Rejected/`, unless another draft of theirs is still open.
    async fn settle_rejected(&mut self) -> bool {
        let vault = self.vault.clone();
        let closed = self.closed.clone();
        let (rejected, open) = read(move || rejected_and_open(&vault, &closed)).await;
        let mut changed = false;
        for rejected in rejected {
            let task = rejected.draft.task;
            match self.place(task).await {
                Some(TaskPlace::Owned(_)) if !open.contains(&task) => {}
                Some(TaskPlace::Finished) => {
                    self.closed.insert(rejected.draft.id);
                    continue;
                }
                _ => continue,
            }
            let reason = self.why_not(&rejected).await;
            match self.sync.finish(task, Finish::filed(&reason)).await {
                Ok(()) => changed = true,
                Err(error) => {
                    tracing::warn!(%task, "It cannot be filed yet: {error}.")
                }
            }
        }
        changed
    }

    /// One line for the owner: why a draft in `Rejected/` is not carried out.
    async fn why_not(&self, rejected: &Rejected) -> String {
        let (journal, id) = (Arc::clone(self.approvals.journal()), rejected.draft.id);
        let known = read(move || journal.state(id)).await;
        reason_of(rejected, known.ok().as_ref())
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
