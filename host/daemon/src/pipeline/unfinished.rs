//! Which tasks of this agent an earlier pass, or an earlier run of this host, left without a draft that they should have.
//!
//! Invariant: a task whose draft is not seen, or whose owner cannot be determined, counts as drafted: it is not drafted
//! twice.

use std::collections::BTreeSet;

use platinum_capabilities::{in_background, tasks::TaskStore};
use platinum_core::{TaskId, ZoneId};
use platinum_protocol::TaskPlace;
use platinum_sync::Drafts;
use platinum_vault::{VaultError, note::TaskNote};

use super::steps::Pipeline;

impl Pipeline {
    /// Tasks this agent owns that have neither a draft of their claim nor an end, or have a draft and
    /// may lack another: left over from a pass that was cut short.
    pub(super) async fn unfinished(&self, drafts: &Drafts) -> Vec<(TaskId, ZoneId)> {
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
        self.runs.keep(&owned.iter().map(|task| task.id).collect());
        let mut undrafted = Vec::new();
        for task in owned {
            let is_work = self.zones.contains(&task.zone) && task.returned().is_none();
            if is_work && (self.is_cut_off(&task, drafts) || !self.is_drafted(&task, drafts).await)
            {
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
            if self.retries.is_due(task.0) {
                left.push(task);
            }
        }
        left
    }

    /// Whether the drafting run of a task was cut off and a draft of it is still the owner's to decide on: they may lack
    /// another. What they have decided on everything is over, whatever is missing.
    fn is_cut_off(&self, task: &TaskNote, drafts: &Drafts) -> bool {
        if !self.runs.is_open(task.id) {
            return false;
        }
        let claim = task.claim.as_ref().map_or(0, |claim| claim.epoch);
        let has_draft = drafts.has(task.id, claim);
        if !has_draft {
            self.runs.end(task.id);
        }
        has_draft
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

    pub(super) async fn drafts(&self) -> Result<Drafts, VaultError> {
        let vault = self.vault.clone();
        let mut read = std::mem::take(&mut *self.read_drafts.lock().await);
        let (drafts, read) = in_background(move || (read.read_on(&vault), read)).await;
        *self.read_drafts.lock().await = read;
        drafts
    }
}

/// Whether one of these drafts counts, as far as that can be seen without the repository: `noted` is
/// the epoch in the task's note.
pub(super) fn is_drafted_by_note(made: &[Option<u64>], noted: Option<u64>) -> Option<bool> {
    if made.is_empty() {
        return Some(false);
    }
    // One that says none counts for every claim; 0 is that of a claim which is not confirmed yet.
    let counts = |made: &Option<u64>| made.is_none_or(|made| made == 0 || Some(made) == noted);
    made.iter().any(counts).then_some(true)
}
