//! [`Pipeline`]: the way of a task through the skills: veto, claim, draft, notify, sync, each by its
//! event.
//!
//! Lives elsewhere: what wakes it is a loop in [`crate::loops`]; ownership is `sync`'s; which skill
//! is run for an event is in [`crate::skills`].
//! Invariants: a pass re-reads the state and finishes what an earlier pass, or an earlier run of
//! this host, left half done; a task whose skill answers again and again that it cannot be done is
//! filed as failed, and a task whose skill breaks waits.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use platinum_capabilities::{
    in_background,
    proposals::LIMIT_REACHED,
    tasks::{Owner, TaskError, TaskStore},
};
use platinum_core::{Backoff, Clock as _, SystemClock, TaskId, ZoneId, layout, text::one_line};
use platinum_engine::{InvokeError, Outcome, SkillError};
use platinum_protocol::TaskPlace;
use platinum_sync::{Drafts, Finish, ReadDrafts, Synchronizer};
use platinum_vault::{
    Vault, VaultError,
    note::{Note, TaskNote},
};
use rand::seq::SliceRandom;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    OwnerUpdates, OwnersWork, Tasks,
    skills::{Event, Request, RunError, SkillSet},
};

/// After so many answers of its drafting skill that it cannot be done, a task is filed as failed.
const MAX_FAILURES: u32 = 3;
/// Largest task note that is read, in bytes.
const MAX_TASK_BYTES: u64 = 1024 * 1024;
/// How many tasks are claimed before the first of them is drafted: who dropped a handful of files sees
/// at once that they are in hand, and other agents still find work while a model thinks.
const CLAIMED_AHEAD: usize = 16;
const RETRIES: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(600));

/// Moves tasks through the skills.
pub struct Pipeline {
    skills: Arc<SkillSet>,
    sync: Synchronizer,
    tasks: Tasks,
    vault: Vault,
    updates: OwnerUpdates,
    zones: Vec<ZoneId>,
    retries: Mutex<BTreeMap<TaskId, RetryState>>,
    owners_work: Option<Arc<dyn OwnersWork>>,
    read_drafts: Mutex<ReadDrafts>,
    /// The day, since 1970, on which the owner was told last that as many drafts wait as may.
    limit_reported: Mutex<Option<i64>>,
}

/// A task that did not go through, and when it is tried again.
#[derive(Debug, Clone, Copy)]
struct RetryState {
    failures: u32,
    pauses: u32,
    until: Instant,
}

impl Pipeline {
    /// A pipeline over these skills. Of the zones, those that no skill claims or drafts in are left
    /// out.
    pub fn new(
        skills: Arc<SkillSet>,
        sync: Synchronizer,
        vault: Vault,
        updates: OwnerUpdates,
        zones: &[ZoneId],
    ) -> Self {
        let zones = zones.iter().copied();
        let zones = zones.filter(|&zone| skills.can_work_in(zone)).collect();
        Self {
            skills,
            tasks: Tasks(sync.clone()),
            sync,
            vault,
            updates,
            zones,
            retries: Mutex::default(),
            owners_work: None,
            read_drafts: Mutex::default(),
            limit_reported: Mutex::default(),
        }
    }

    /// Drafts nothing for what the owner has done themself.
    #[must_use]
    pub fn with_owners_work(self, owners_work: Arc<dyn OwnersWork>) -> Self {
        Self {
            owners_work: Some(owners_work),
            ..self
        }
    }

    /// The zones in which it claims and drafts.
    pub fn zones(&self) -> &[ZoneId] {
        &self.zones
    }

    /// One pass over everything there is to do; answers how many tasks moved.
    pub async fn work(&self) -> usize {
        let mut moved = 0;
        match self.drafts().await {
            Ok(drafts) => {
                for task in self.unfinished(&drafts).await {
                    moved += self.take_over().await;
                    moved += usize::from(self.draft(task).await);
                }
            }
            // A task whose draft is not seen would be drafted again.
            Err(error) => tracing::warn!(
                "The tasks without a draft are not looked for: {error}. Move the file elsewhere if it \
                 is no draft."
            ),
        }
        moved += self.take_over().await;
        let tentative = self.sync.tentative();
        for &zone in &self.zones {
            let mut waiting = match TaskStore::waiting(&self.tasks, zone).await {
                Ok(waiting) => waiting,
                Err(error) => {
                    tracing::warn!("The tasks of {zone} cannot be listed: {error}.");
                    continue;
                }
            };
            // In another order at every agent: two that begin with the same task lose time.
            waiting.shuffle(&mut rand::rng());
            waiting.retain(|task| !tentative.contains(&task.id) && task.returned().is_none());
            for some in waiting.chunks(CLAIMED_AHEAD) {
                let mut claimed = Vec::new();
                for task in some.iter().map(|task| (task.id, task.zone)) {
                    if self.is_due(task.0).await && self.claim(task).await {
                        claimed.push(task);
                        moved += self.take_over().await;
                    }
                }
                for task in claimed {
                    moved += usize::from(self.draft(task).await);
                    moved += self.take_over().await;
                }
            }
        }
        if moved > 0 {
            self.run_observers(&Request::new(&Event::WorkDone)).await;
        }
        moved
    }

    /// Checks the leases of other owners, if it is time for that, and drafts for what was taken over;
    /// answers how many tasks moved. Between any two tasks of a pass, as that can take long: a check
    /// that comes too late measures nothing.
    async fn take_over(&self) -> usize {
        let taken = match self.sync.take_over_expired(&self.zones).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::debug!("Skipped the lease check: {error}.");
                return 0;
            }
        };
        let mut moved = 0;
        for task in taken {
            moved += usize::from(self.draft(task).await);
        }
        moved
    }

    /// Tasks this agent owns that have neither a draft of their claim nor an end: left over from a
    /// pass that was cut short.
    async fn unfinished(&self, drafts: &Drafts) -> Vec<(TaskId, ZoneId)> {
        let mut owned = match self.sync.owned().await {
            Ok(owned) => owned,
            Err(error) => {
                tracing::warn!("The tasks of this agent cannot be listed: {error}.");
                return Vec::new();
            }
        };
        for task in self.sync.tentative() {
            owned.extend(TaskStore::get(&self.tasks, task).await.ok());
        }
        let mut undrafted = Vec::new();
        for task in owned {
            let is_work = self.zones.contains(&task.zone) && task.returned().is_none();
            if is_work && !self.is_drafted(&task, drafts).await {
                undrafted.push((task.id, task.zone));
            }
        }
        if undrafted.is_empty() {
            return Vec::new();
        }
        // A host that only tries again and again has nothing to push, and is alive.
        if let Err(error) = self.sync.heartbeat().await {
            tracing::debug!("Heartbeat failed: {error}.");
        }
        let mut left = Vec::new();
        for task in undrafted {
            if self.is_due(task.0).await {
                left.push(task);
            }
        }
        left
    }

    /// Whether a task has, or had, a draft of the claim by which it is this agent's: one of an earlier
    /// claim answers nothing any more, and one that its owner deleted is not made again.
    async fn is_drafted(&self, task: &TaskNote, drafts: &Drafts) -> bool {
        let made: Vec<_> = drafts.epochs(task.id).collect();
        let noted = task.claim.as_ref().map(|claim| claim.epoch);
        if is_drafted_by_note(&made, noted) == Some(true) {
            return true;
        }
        match self.sync.place(task.id).await {
            Ok(TaskPlace::Owned(record)) => {
                drafts.has(task.id, record.epoch) || self.had_draft(task.id, record.epoch).await
            }
            // Its claim is tentative, and none of them was made on that.
            Ok(_) => false,
            Err(error) => {
                tracing::warn!(task = %task.id, "Cannot determine the owner of a task: {error}.");
                true
            }
        }
    }

    /// Whether the history has a draft of this claim.
    async fn had_draft(&self, task: TaskId, epoch: u64) -> bool {
        match self.sync.past_drafts(vec![task], BTreeSet::new()).await {
            Ok(past) => past.iter().any(|draft| draft.epoch == epoch),
            Err(error) => {
                tracing::warn!(%task, "Cannot read which drafts were made for a task: {error}.");
                true
            }
        }
    }

    async fn drafts(&self) -> Result<Drafts, VaultError> {
        let vault = self.vault.clone();
        let mut read = std::mem::take(&mut *self.read_drafts.lock().await);
        let (drafts, read) = in_background(move || (read.read_on(&vault), read)).await;
        *self.read_drafts.lock().await = read;
        drafts
    }

    /// Asks for vetoes and claims a task; whether it is this agent's now.
    async fn claim(&self, (task, zone): (TaskId, ZoneId)) -> bool {
        let waiting = Request::of_task(&Event::TaskWaiting, task, zone);
        for skill in self.skills.dispatch().skills(waiting.event, Some(zone)) {
            match self.skills.run(skill, &waiting).await {
                Ok(Outcome::Done(_)) => {}
                Ok(_) => return false,
                Err(error) => {
                    self.record_failure(task, &error).await;
                    return false;
                }
            }
        }
        let Some(claimer) = self.skills.dispatch().claimer(zone) else {
            return false;
        };
        let claim = Request::of_task(&Event::TaskClaim, task, zone);
        match self.skills.run(claimer, &claim).await {
            // A tentative claim, with the remote away, passes too: what is drafted on it stays here
            // until the claim is confirmed.
            Ok(Outcome::Claimed(_) | Outcome::Tentative(_)) if self.may_draft(task).await => true,
            Ok(Outcome::Claimed(_) | Outcome::Tentative(_)) => {
                self.defer(task).await;
                false
            }
            Ok(_) => false,
            Err(error) => {
                self.record_failure(task, &error).await;
                false
            }
        }
    }

    async fn owns(&self, task: TaskId) -> bool {
        matches!(
            TaskStore::owner_of(&self.tasks, task).await,
            Ok(Owner::ThisAgent)
        )
    }

    async fn is_finished(&self, task: TaskId) -> bool {
        matches!(
            TaskStore::owner_of(&self.tasks, task).await,
            Ok(Owner::Finished)
        )
    }

    async fn may_draft(&self, task: TaskId) -> bool {
        matches!(self.sync.drafting_epoch(task).await, Ok(Some(_)))
    }

    /// Drafts for an owned task; whether it moved.
    async fn draft(&self, (task, zone): (TaskId, ZoneId)) -> bool {
        let Some(drafter) = self.skills.dispatch().drafter(zone) else {
            return false;
        };
        // It may have been finished, or given to another, since it was found.
        if !self.may_draft(task).await {
            self.defer(task).await;
            return false;
        }
        if let Some(how) = self.done_by_owner(task).await {
            return self.finish_as_done_by_owner(task, &how).await;
        }
        let claimed = Request::of_task(&Event::TaskClaimed, task, zone);
        match self.skills.run(drafter, &claimed).await {
            // The owner hears of it when the claim is confirmed.
            Ok(Outcome::Drafted(draft)) if !self.owns(task).await => {
                tracing::info!(%task, draft, "A draft waits for its task's claim to be confirmed.");
            }
            Ok(Outcome::Drafted(draft)) => {
                let subject = self.subject(task).await;
                let message = format!(
                    "Drafted an answer to “{subject}”; it waits in {}.",
                    layout::PENDING_APPROVAL
                );
                self.run_observers(&Request {
                    message: Some(headline(&message)),
                    ..Request::of_task(&Event::DraftCreated, task, zone)
                })
                .await;
                tracing::info!(%task, draft, "A draft waits for the owner.");
            }
            Ok(Outcome::Done(_)) if self.is_finished(task).await => {
                tracing::info!(%task, skill = %drafter, "A skill finished its task.");
            }
            Ok(Outcome::Done(_) | Outcome::Dismissed(_)) if !self.owns(task).await => {
                // Only its owner may file it.
                self.defer(task).await;
                return false;
            }
            Ok(Outcome::Done(summary)) => {
                let subject = self.subject(task).await;
                if !self.finish(task, Finish::done(&summary, Vec::new())).await {
                    return false;
                }
                let update = format!("Done with “{subject}”: {summary}");
                self.updates.publish(Some(task), &headline(&update)).await;
                tracing::info!(%task, summary, "A task was done without a draft.");
            }
            Ok(Outcome::Dismissed(reason)) => {
                let subject = self.subject(task).await;
                if !self.finish(task, Finish::filed(&reason)).await {
                    return false;
                }
                let update = format!("Filed “{subject}” without an answer: {reason}");
                self.updates.publish(Some(task), &headline(&update)).await;
                tracing::info!(%task, reason, "A task was filed without an answer.");
            }
            Ok(other) => {
                tracing::info!(%task, skill = %drafter, ?other, "The skill ended without a draft; the task stays owned.");
                self.defer(task).await;
                return false;
            }
            Err(error) => {
                let failures = self.record_failure(task, &error).await;
                self.report_limit(&error).await;
                // A skill that breaks says nothing of the task.
                if !error.is_answer() || failures < MAX_FAILURES || !self.owns(task).await {
                    return false;
                }
                if !self.finish(task, Finish::failed(&error.to_string())).await {
                    return false;
                }
                let update = format!("Could not draft an answer: {error}");
                self.updates.publish(Some(task), &headline(&update)).await;
            }
        }
        self.retries.lock().await.remove(&task);
        true
    }

    /// Tells the owner, once a day, that as many drafts wait as may.
    async fn report_limit(&self, error: &RunError) {
        let Some(limit) = limit_reached(error) else {
            return;
        };
        let today = SystemClock.now().as_second() / (24 * 60 * 60);
        let is_new = self.limit_reported.lock().await.replace(today) != Some(today);
        if is_new {
            let text = format!(
                "Not drafted yet: {limit}; further tasks are drafted once you approve or reject some, \
                 or tomorrow"
            );
            self.updates.publish(None, &headline(&text)).await;
        }
    }

    /// How the owner has done themself what a task asks for, if they have, and it is this agent's to
    /// say so. A task that was finished before is open because they want it again.
    async fn done_by_owner(&self, task: TaskId) -> Option<String> {
        let owners_work = self.owners_work.as_ref()?;
        let note = TaskStore::get(&self.tasks, task).await.ok()?;
        if !self.owns(task).await || self.was_finished(task).await {
            return None;
        }
        owners_work.find(&note).await
    }

    /// Whether the note of a task says how it ended before.
    async fn was_finished(&self, task: TaskId) -> bool {
        let path = self.sync.find_on_disk(task).await.ok().flatten();
        let Some(path) = path else { return false };
        let vault = self.vault.clone();
        let text = in_background(move || vault.read_text(&path, MAX_TASK_BYTES)).await;
        let note = text.ok().and_then(|text| Note::parse(&text).ok());
        note.is_some_and(|note| note.get("finished").is_some())
    }

    async fn finish_as_done_by_owner(&self, task: TaskId, how: &str) -> bool {
        let subject = self.subject(task).await;
        if !self.finish(task, Finish::done(how, Vec::new())).await {
            return false;
        }
        let update = format!("Nothing drafted for “{subject}”: {how}");
        self.updates.publish(Some(task), &headline(&update)).await;
        tracing::info!(%task, how, "The owner has done a task themself.");
        self.retries.lock().await.remove(&task);
        true
    }

    async fn finish(&self, task: TaskId, finish: Finish) -> bool {
        match self.sync.finish(task, finish).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%task, "Cannot file a task yet: {error}.");
                self.defer(task).await;
                false
            }
        }
    }

    /// The task's subject as one short line for people.
    async fn subject(&self, task: TaskId) -> String {
        match TaskStore::get(&self.tasks, task).await {
            Ok(note) => one_line(&note.subject, 80),
            Err(TaskError::NotFound) => task.to_string(),
            Err(error) => {
                tracing::debug!(%task, "Cannot read the subject of a task: {error}.");
                task.to_string()
            }
        }
    }

    /// Runs skills whose failure costs nothing but the next try.
    async fn run_observers(&self, request: &Request<'_>) {
        if let Err(error) = self.skills.run_all(request).await {
            error.log();
        }
    }

    async fn is_due(&self, task: TaskId) -> bool {
        self.retries
            .lock()
            .await
            .get(&task)
            .is_none_or(|retry| retry.until <= Instant::now())
    }

    /// Records that a task did not go through; answers how often its skill answered that it cannot
    /// be done.
    async fn record_failure(&self, task: TaskId, error: &RunError) -> u32 {
        error.log();
        self.pause(task, u32::from(error.is_answer())).await
    }

    /// Leaves a task alone for a while.
    async fn defer(&self, task: TaskId) {
        self.pause(task, 0).await;
    }

    async fn pause(&self, task: TaskId, failures: u32) -> u32 {
        let mut retries = self.retries.lock().await;
        let retry = retries.entry(task).or_insert(RetryState {
            failures: 0,
            pauses: 0,
            until: Instant::now(),
        });
        retry.failures += failures;
        retry.until = Instant::now() + RETRIES.delay(retry.pauses);
        retry.pauses += 1;
        retry.failures
    }
}

/// What a skill was told if as many drafts wait as may.
fn limit_reached(error: &RunError) -> Option<&str> {
    match error {
        RunError::Invoke(InvokeError::Skill {
            error: SkillError::Unavailable(why),
            ..
        }) if why.ends_with(LIMIT_REACHED) => Some(why),
        _ => None,
    }
}

/// A line for the owner, bounded.
fn headline(text: &str) -> String {
    one_line(text, 290)
}

/// Whether one of these drafts counts, as far as that can be seen without the repository: `noted` is
/// the epoch in the task's note.
fn is_drafted_by_note(made: &[Option<u64>], noted: Option<u64>) -> Option<bool> {
    if made.is_empty() {
        return Some(false);
    }
    // One that says none counts for every claim; 0 is that of a claim which is not confirmed yet.
    let counts = |made: &Option<u64>| made.is_none_or(|made| made == 0 || Some(made) == noted);
    made.iter().any(counts).then_some(true)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
