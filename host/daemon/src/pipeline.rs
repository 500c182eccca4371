//! [`Pipeline`]: the way of a task through the skills: check, claim, draft, tell, sync.
//!
//! Lives elsewhere: what wakes it is a loop in [`crate::loops`]; ownership is `sync`'s.
//! Invariants: a pass re-reads the state and finishes what an earlier pass, or an earlier life of
//! this host, left half done; a task that keeps failing is filed as failed, not tried for ever.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use platinum_capabilities::tasks::{Owner, TaskError, TaskStore};
use platinum_core::{Backoff, TaskId, ZoneId, layout, text::one_line};
use platinum_engine::{Invocation, InvokeError, Outcome, SkillError};
use platinum_protocol::TaskPlace;
use platinum_sync::{Drafts, Finish, Synchronizer};
use platinum_vault::{Vault, note::TaskNote};
use rand::seq::SliceRandom;
use tokio::{sync::Mutex, time::Instant};

use crate::{RunError, SkillSet, Tasks};

/// After so many failures of its drafting skill a task is filed as failed.
const MAX_FAILURES: u32 = 3;
const RETRIES: Backoff = Backoff::new(Duration::from_secs(5), Duration::from_secs(600));

/// Moves tasks through the skills.
pub struct Pipeline {
    skills: Arc<SkillSet>,
    sync: Synchronizer,
    tasks: Tasks,
    vault: Vault,
    zones: Vec<ZoneId>,
    setbacks: Mutex<BTreeMap<TaskId, Setback>>,
}

/// A task that did not go through, and when it is tried again.
#[derive(Debug, Clone, Copy)]
struct Setback {
    failures: u32,
    pauses: u32,
    until: Instant,
}

/// The skill that drafts for a zone.
fn drafting_skill(zone: ZoneId) -> Option<&'static str> {
    match zone {
        ZoneId::EMAIL => Some("cloud-draft-email"),
        _ => None,
    }
}

impl Pipeline {
    /// A pipeline over these skills. Zones whose drafting skill is not here are not claimed.
    pub fn new(skills: Arc<SkillSet>, sync: Synchronizer, vault: Vault, zones: &[ZoneId]) -> Self {
        let able: BTreeSet<&str> = skills.names().collect();
        let zones = zones
            .iter()
            .copied()
            .filter(|&zone| drafting_skill(zone).is_some_and(|skill| able.contains(skill)))
            .collect();
        Self {
            skills,
            tasks: Tasks(sync.clone()),
            sync,
            vault,
            zones,
            setbacks: Mutex::default(),
        }
    }

    /// One pass over everything there is to do; answers how many tasks moved.
    pub async fn work(&self) -> usize {
        let mut moved = 0;
        let drafts = self.drafts().await;
        for task in self.unfinished(&drafts).await {
            moved += self.take_over().await;
            moved += usize::from(self.draft(task).await);
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
            // In another order at every agent: whoever starts with the same task loses time.
            waiting.shuffle(&mut rand::rng());
            waiting.retain(|task| !tentative.contains(&task.id));
            for task in waiting {
                if self.is_due(task.id).await && self.claim(task.id).await {
                    moved += usize::from(self.draft((task.id, task.zone)).await);
                    moved += self.take_over().await;
                }
            }
        }
        if moved > 0 {
            self.run_quietly("sync-vault", invocation("work.done", None, None))
                .await;
        }
        moved
    }

    /// Looks for stuck owners, if it is time for that, and drafts for what was taken over; answers
    /// how many tasks moved. Between any two tasks of a pass, as that can take long: looks that come
    /// too late measure nothing.
    async fn take_over(&self) -> usize {
        let taken = match self.sync.take_over_expired(&self.zones).await {
            Ok(taken) => taken,
            Err(error) => {
                tracing::debug!("Nobody looks for stuck owners now: {error}.");
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
            if self.zones.contains(&task.zone) && !self.is_drafted(&task, drafts).await {
                undrafted.push((task.id, task.zone));
            }
        }
        if undrafted.is_empty() {
            return Vec::new();
        }
        // Whoever only tries again and again has nothing to push, and is alive.
        if let Err(error) = self.sync.heartbeat().await {
            tracing::debug!("No sign of life could be given: {error}.");
        }
        let mut left = Vec::new();
        for task in undrafted {
            if self.is_due(task.0).await {
                left.push(task);
            }
        }
        left
    }

    /// Whether a task has a draft of the claim by which it is this agent's: one of an earlier claim
    /// answers nothing any more.
    async fn is_drafted(&self, task: &TaskNote, drafts: &Drafts) -> bool {
        let made: Vec<_> = drafts.epochs(task.id).collect();
        let noted = task.claim.as_ref().map(|claim| claim.epoch);
        if let Some(is_drafted) = at_first_sight(&made, noted) {
            return is_drafted;
        }
        match self.sync.place(task.id).await {
            Ok(TaskPlace::Owned(record)) => drafts.has(task.id, record.epoch),
            // Its claim is tentative, and none of them was made on that.
            Ok(_) => false,
            Err(error) => {
                tracing::warn!(task = %task.id, "Whose it is cannot be found out: {error}.");
                true
            }
        }
    }

    async fn drafts(&self) -> Drafts {
        let vault = self.vault.clone();
        match tokio::task::spawn_blocking(move || Drafts::of(&vault)).await {
            Ok(drafts) => drafts,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    /// Checks and claims a task; whether it is ours now.
    async fn claim(&self, task: TaskId) -> bool {
        let free = self
            .run(
                "check-claimed",
                invocation("task.waiting", Some(task), None),
            )
            .await;
        match free {
            Ok(Outcome::Done(_)) => {}
            Ok(_) => return false,
            Err(error) => {
                self.set_back(task, &error).await;
                return false;
            }
        }
        match self
            .run("claim-task", invocation("task.claim", Some(task), None))
            .await
        {
            // A tentative claim, with the remote away, passes too: what is drafted on it stays here
            // till the claim is confirmed.
            Ok(Outcome::Claimed(_) | Outcome::Tentative(_)) if self.may_draft(task).await => true,
            Ok(Outcome::Claimed(_) | Outcome::Tentative(_)) => {
                self.pause(task, 0).await;
                false
            }
            Ok(_) => false,
            Err(error) => {
                self.set_back(task, &error).await;
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

    async fn may_draft(&self, task: TaskId) -> bool {
        matches!(self.sync.drafting_epoch(task).await, Ok(Some(_)))
    }

    /// Drafts for an owned task; whether it moved.
    async fn draft(&self, (task, zone): (TaskId, ZoneId)) -> bool {
        let Some(skill) = drafting_skill(zone) else {
            return false;
        };
        // It may have been finished, or given to another, since it was found.
        if !self.may_draft(task).await {
            self.pause(task, 0).await;
            return false;
        }
        match self
            .run(skill, invocation("task.claimed", Some(task), None))
            .await
        {
            // It is told when the claim is confirmed.
            Ok(Outcome::Drafted(draft)) if !self.owns(task).await => {
                tracing::info!(%task, draft, "A draft waits for its task's claim to be confirmed.");
            }
            Ok(Outcome::Drafted(draft)) => {
                let subject = self.subject(task).await;
                self.tell(
                    task,
                    format!(
                        "Drafted an answer to “{subject}”; it waits in {}.",
                        layout::PENDING_APPROVAL
                    ),
                )
                .await;
                tracing::info!(%task, draft, "A draft waits for the owner.");
            }
            Ok(Outcome::Dismissed(_)) if !self.owns(task).await => {
                // Only the owner may file it.
                self.pause(task, 0).await;
                return false;
            }
            Ok(Outcome::Dismissed(reason)) => {
                let subject = self.subject(task).await;
                if !self.finish(task, Finish::filed(&reason)).await {
                    return false;
                }
                self.tell(
                    task,
                    format!("Filed “{subject}” without an answer: {reason}"),
                )
                .await;
                tracing::info!(%task, reason, "A task was filed without an answer.");
            }
            Ok(other) => {
                tracing::warn!(%task, skill, ?other, "The skill ended without a draft; the task stays owned.");
                self.pause(task, 0).await;
                return false;
            }
            Err(error) => {
                if self.set_back(task, &error).await >= MAX_FAILURES && self.owns(task).await {
                    if !self.finish(task, Finish::failed(&error.to_string())).await {
                        return false;
                    }
                    self.tell(task, format!("Could not draft an answer: {error}"))
                        .await;
                    self.setbacks.lock().await.remove(&task);
                    return true;
                }
                return false;
            }
        }
        self.setbacks.lock().await.remove(&task);
        true
    }

    async fn finish(&self, task: TaskId, finish: Finish) -> bool {
        match self.sync.finish(task, finish).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%task, "The task cannot be filed yet: {error}.");
                self.pause(task, 0).await;
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
                tracing::debug!(%task, "Its subject cannot be read: {error}.");
                task.to_string()
            }
        }
    }

    /// Publishes an update through its skill.
    async fn tell(&self, task: TaskId, message: String) {
        let message = one_line(&message, 290);
        self.run_quietly(
            "cloud-write-update",
            invocation("draft.created", Some(task), Some(message)),
        )
        .await;
    }

    async fn run(&self, skill: &str, invocation: Invocation) -> Result<Outcome, RunError> {
        self.skills.run(skill, invocation, &self.zones).await
    }

    /// Runs a skill whose failure costs nothing but the next try.
    async fn run_quietly(&self, skill: &str, invocation: Invocation) {
        if let Err(error) = self.run(skill, invocation).await {
            tracing::warn!("{error}");
        }
    }

    async fn is_due(&self, task: TaskId) -> bool {
        self.setbacks
            .lock()
            .await
            .get(&task)
            .is_none_or(|back| back.until <= Instant::now())
    }

    /// Notes that a task did not go through; answers how often it failed for good.
    async fn set_back(&self, task: TaskId, error: &RunError) -> u32 {
        tracing::warn!(%task, "{error}");
        let passing = matches!(
            error,
            RunError::Invoke(InvokeError::Skill {
                error: SkillError::Unavailable(_),
                ..
            }) | RunError::Absent(_)
        );
        self.pause(task, u32::from(!passing)).await
    }

    async fn pause(&self, task: TaskId, failures: u32) -> u32 {
        let mut setbacks = self.setbacks.lock().await;
        let back = setbacks.entry(task).or_insert(Setback {
            failures: 0,
            pauses: 0,
            until: Instant::now(),
        });
        back.failures += failures;
        back.until = Instant::now() + RETRIES.delay(back.pauses);
        back.pauses += 1;
        back.failures
    }
}

/// An invocation on an event.
pub(crate) fn invocation(event: &str, task: Option<TaskId>, message: Option<String>) -> Invocation {
    Invocation {
        event: event.to_owned(),
        task,
        message,
    }
}

/// Whether one of these drafts counts, as far as that needs no look at the repository: `noted` is
/// the epoch in the task's note.
fn at_first_sight(made: &[Option<u64>], noted: Option<u64>) -> Option<bool> {
    if made.is_empty() {
        return Some(false);
    }
    // One that says none counts for every claim; 0 is that of a claim which is not confirmed yet.
    let counts = |made: &Option<u64>| made.is_none_or(|made| made == 0 || Some(made) == noted);
    made.iter().any(counts).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_of_an_earlier_claim_does_not_count_for_the_one_that_holds_now() {
        let (task, other) = (TaskId::from_parts(1, 2), TaskId::from_parts(1, 3));
        let made = |epochs: &[Option<u64>]| {
            let of_task = epochs.iter().map(|made| (task, *made));
            let drafts: Drafts = of_task
                .chain([(other, Some(2)), (TaskId::from_parts(1, 1), None)])
                .collect();
            drafts.epochs(task).collect::<Vec<_>>()
        };
        for (epochs, noted, told) in [
            (&[][..], Some(2), Some(false)),
            (&[Some(1), Some(2)], Some(2), Some(true)),
            (&[None], Some(2), Some(true)),
            // Made on a claim that is being confirmed.
            (&[Some(0)], Some(2), Some(true)),
            (&[Some(0)], None, Some(true)),
            // The repository says whose the task is.
            (&[Some(1)], Some(2), None),
            (&[Some(1), Some(u64::MAX)], None, None),
        ] {
            assert_eq!(
                at_first_sight(&made(epochs), noted),
                told,
                "{epochs:?}, {noted:?}"
            );
        }
    }
}
