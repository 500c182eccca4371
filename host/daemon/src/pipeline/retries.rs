//! [`Retries`]: when a task that did not go through is tried again.
//!
//! Invariants: nothing here sleeps; a task that could not be claimed is tried at once when its note is another, as
//! what kept it from the remote may be mended.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use platinum_core::{Backoff, TaskId, sha256_hex};
use platinum_vault::note::TaskNote;
use tokio::time::Instant;

/// After a failure.
const FAILED: Backoff = Backoff::new(Duration::from_secs(5), LONGEST);
/// After a claim that came to nothing: the remote does not have the task, or another host was first.
const UNCLAIMED: Backoff = Backoff::new(Duration::from_secs(1), LONGEST);
const LONGEST: Duration = Duration::from_secs(600);

/// What did not go through.
#[derive(Debug, Default)]
pub(super) struct Retries(Mutex<Tried>);

#[derive(Debug, Default)]
struct Tried {
    /// Tasks that were put off, or whose skill failed.
    failed: BTreeMap<TaskId, Failed>,
    /// Tasks that could not be claimed.
    unclaimed: BTreeMap<TaskId, Unclaimed>,
}

#[derive(Debug)]
struct Failed {
    failures: u32,
    pauses: u32,
    until: Instant,
}

#[derive(Debug)]
struct Unclaimed {
    /// The digest of its note at the last try.
    note: String,
    pauses: u32,
    until: Instant,
}

impl Retries {
    /// Whether a task may be tried now.
    pub(super) fn is_due(&self, task: TaskId) -> bool {
        let tried = self.lock();
        let failed = tried.failed.get(&task);
        failed.is_none_or(|failed| failed.until <= Instant::now())
    }

    /// Whether a task that waits may be claimed now.
    pub(super) fn is_claim_due(&self, note: &TaskNote) -> bool {
        self.is_due(note.id)
            && self
                .lock()
                .unclaimed
                .get(&note.id)
                .is_none_or(|tried| tried.until <= Instant::now() || tried.note != digest(note))
    }

    /// Leaves a task alone for a while, after so many more failures; answers how many there were.
    pub(super) fn pause(&self, task: TaskId, failures: u32) -> u32 {
        let mut tried = self.lock();
        let failed = tried.failed.entry(task).or_insert(Failed {
            failures: 0,
            pauses: 0,
            until: Instant::now(),
        });
        failed.failures += failures;
        failed.until = Instant::now() + FAILED.delay(failed.pauses);
        failed.pauses += 1;
        failed.failures
    }

    /// Leaves a task alone for a while that could not be claimed.
    pub(super) fn pause_claim(&self, note: &TaskNote) {
        let digest = digest(note);
        let mut tried = self.lock();
        let before = tried.unclaimed.remove(&note.id);
        let same = before.filter(|before| before.note == digest);
        let pauses = same.map_or(0, |before| before.pauses);
        let unclaimed = Unclaimed {
            note: digest,
            pauses: pauses.saturating_add(1),
            until: Instant::now() + UNCLAIMED.delay(pauses),
        };
        tried.unclaimed.insert(note.id, unclaimed);
    }

    /// A task went through.
    pub(super) fn forget(&self, task: TaskId) {
        self.lock().failed.remove(&task);
    }

    /// Forgets the claims of all tasks that do not wait any more.
    pub(super) fn keep_waiting(&self, waiting: &BTreeSet<TaskId>) {
        self.lock()
            .unclaimed
            .retain(|task, _| waiting.contains(task));
    }

    fn lock(&self) -> MutexGuard<'_, Tried> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(note: &TaskNote) -> String {
    sha256_hex(note.render())
}

#[cfg(test)]
impl Retries {
    /// As if every pause were over.
    pub(super) fn end_pauses(&self) {
        let (now, mut tried) = (Instant::now(), self.lock());
        tried.failed.values_mut().for_each(|one| one.until = now);
        tried.unclaimed.values_mut().for_each(|one| one.until = now);
    }

    /// Whether nothing ever failed.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().failed.is_empty()
    }

    /// How often a task could not be claimed.
    pub(super) fn claims(&self, task: TaskId) -> u32 {
        let tried = self.lock();
        tried.unclaimed.get(&task).map_or(0, |tried| tried.pauses)
    }
}
