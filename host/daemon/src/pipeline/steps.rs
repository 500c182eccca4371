//! [`Pipeline`]: the way of a task through the skills: veto, claim, draft, notify, sync, each by its
//! event.
//!
//! Lives elsewhere: which tasks are left over from an earlier pass is in `unfinished`; what wakes it is a loop in
//! [`crate::loops`]; ownership is `sync`'s; which skill
//! is run for an event is in [`crate::skills`].
//! Invariants: a pass re-reads the state and finishes what an earlier pass, or an earlier run of
//! this host, left half done; a task whose skill answers again and again that it cannot be done is
//! filed as failed, and a task whose skill breaks waits.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use platinum_capabilities::{
    in_background,
    proposals::LIMIT_REACHED,
    tasks::{Owner, TaskError, TaskStore},
};
use platinum_core::{Clock as _, SystemClock, TaskId, ZoneId, layout, text::one_line};
use platinum_engine::{InvokeError, Outcome, SkillError};
use platinum_policy::has_draft_for_each_account;
use platinum_sync::{Finish, ReadDrafts, Synchronizer};
use platinum_vault::{
    Vault,
    note::{Note, TaskNote},
};
use rand::seq::SliceRandom;
use tokio::sync::Mutex;

use super::{retries::Retries, runs::DraftRuns};
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

/// Moves tasks through the skills.
pub struct Pipeline {
    skills: Arc<SkillSet>,
    pub(super) sync: Synchronizer,
    pub(super) tasks: Tasks,
    pub(super) vault: Vault,
    updates: OwnerUpdates,
    pub(super) zones: Vec<ZoneId>,
    pub(super) retries: Retries,
    /// Drafting runs that are under way, where a task has several drafts.
    pub(super) runs: DraftRuns,
    owners_work: Option<Arc<dyn OwnersWork>>,
    pub(super) read_drafts: Mutex<ReadDrafts>,
    /// The day, since 1970, on which the owner was told last that as many drafts wait as may.
    limit_reported: Mutex<Option<i64>>,
}

impl Pipeline {
    /// A pipeline over these skills, with its own state in a folder. Of the zones, those that no skill
    /// claims or drafts in are left out.
    pub fn new(
        skills: Arc<SkillSet>,
        sync: Synchronizer,
        vault: Vault,
        updates: OwnerUpdates,
        zones: &[ZoneId],
        state: &Path,
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
            retries: Retries::default(),
            runs: DraftRuns::of(state),
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
        let mut all_waiting = BTreeSet::new();
        let mut is_complete = true;
        for &zone in &self.zones {
            let mut waiting = match TaskStore::waiting(&self.tasks, zone).await {
                Ok(waiting) => waiting,
                Err(error) => {
                    tracing::warn!("The tasks of {zone} cannot be listed: {error}.");
                    is_complete = false;
                    continue;
                }
            };
            all_waiting.extend(waiting.iter().map(|task| task.id));
            // In another order at every agent: two that begin with the same task lose time.
            waiting.shuffle(&mut rand::rng());
            waiting.retain(|task| !tentative.contains(&task.id) && task.returned().is_none());
            for some in waiting.chunks(CLAIMED_AHEAD) {
                let mut claimed = Vec::new();
                for task in some {
                    if self.retries.is_claim_due(task) && self.claim(task).await {
                        claimed.push((task.id, task.zone));
                        moved += self.take_over().await;
                    }
                }
                for task in claimed {
                    moved += usize::from(self.draft(task).await);
                    moved += self.take_over().await;
                }
            }
        }
        if is_complete {
            self.retries.keep_waiting(&all_waiting);
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

    /// Asks for vetoes and claims a task; whether it is this agent's now.
    async fn claim(&self, note: &TaskNote) -> bool {
        let (task, zone) = (note.id, note.zone);
        let waiting = Request::of_task(&Event::TaskWaiting, task, zone);
        for skill in self.skills.dispatch().skills(waiting.event, Some(zone)) {
            match self.skills.run(skill, &waiting).await {
                Ok(Outcome::Done(_)) => {}
                Ok(_) => {
                    self.retries.pause_claim(note);
                    return false;
                }
                Err(error) => {
                    self.record_failure(task, &error);
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
                self.defer(task);
                false
            }
            // Another host was first; or the remote does not have it, as it is withheld from it.
            Ok(_) => {
                self.retries.pause_claim(note);
                false
            }
            Err(error) => {
                self.record_failure(task, &error);
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
            self.defer(task);
            return false;
        }
        if let Some(how) = self.done_by_owner(task).await {
            return self.finish_as_done_by_owner(task, &how).await;
        }
        let claimed = Request::of_task(&Event::TaskClaimed, task, zone);
        if has_draft_for_each_account(zone) {
            self.runs.begin(task);
        }
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
                self.defer(task);
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
            Ok(Outcome::Dismissed(reason)) if self.has_other_draft(task, zone).await => {
                self.end_in_part(task, &reason).await;
                return true;
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
                self.defer(task);
                return false;
            }
            Err(error) => {
                let failures = self.record_failure(task, &error);
                self.report_limit(&error).await;
                // A skill that breaks says nothing of the task.
                if !error.is_answer() || failures < MAX_FAILURES || !self.owns(task).await {
                    return false;
                }
                if self.has_other_draft(task, zone).await {
                    self.end_in_part(task, &error.to_string()).await;
                    return true;
                }
                if !self.finish(task, Finish::failed(&error.to_string())).await {
                    return false;
                }
                let update = format!("Could not draft an answer: {error}");
                self.updates.publish(Some(task), &headline(&update)).await;
            }
        }
        self.runs.end(task);
        self.retries.forget(task);
        true
    }

    /// Whether an earlier run has put a draft for one of its accounts before the owner, so that the task is theirs to end;
    /// also if that cannot be seen.
    async fn has_other_draft(&self, task: TaskId, zone: ZoneId) -> bool {
        if !has_draft_for_each_account(zone) {
            return false;
        }
        match (self.drafts().await, TaskStore::get(&self.tasks, task).await) {
            (Ok(drafts), Ok(note)) => {
                drafts.has(task, note.claim.as_ref().map_or(0, |claim| claim.epoch))
            }
            _ => true,
        }
    }

    /// Tells the owner that some accounts have no draft, and tries no more.
    async fn end_in_part(&self, task: TaskId, why: &str) {
        let update = format!("Not drafted for every account: {why}");
        self.updates.publish(Some(task), &headline(&update)).await;
        self.runs.end(task);
        self.retries.forget(task);
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
        self.retries.forget(task);
        true
    }

    async fn finish(&self, task: TaskId, finish: Finish) -> bool {
        match self.sync.finish(task, finish).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%task, "Cannot file a task yet: {error}.");
                self.defer(task);
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

    /// Records that a task did not go through; answers how often its skill answered that it cannot
    /// be done.
    fn record_failure(&self, task: TaskId, error: &RunError) -> u32 {
        error.log();
        self.retries.pause(task, u32::from(error.is_answer()))
    }

    /// Leaves a task alone for a while.
    fn defer(&self, task: TaskId) {
        self.retries.pause(task, 0);
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

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
