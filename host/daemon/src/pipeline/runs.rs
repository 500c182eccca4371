//! [`DraftRuns`]: the tasks for which a drafting run was begun that has not come to its end, over restarts.
//!
//! A post has a draft for each account, so that one draft of a task does not say that all were made: a run that was cut
//! off, or that failed in the middle, is made again, and finds those that are there.
//! Invariants: what is begun is on the disk before its skill runs; the pipeline alone writes the file.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use platinum_core::TaskId;
use platinum_repo::replace_file;

/// The file in the state folder.
const FILE: &str = "drafting.json";

/// The runs that are open.
#[derive(Debug)]
pub(super) struct DraftRuns {
    path: PathBuf,
    open: Mutex<BTreeSet<TaskId>>,
}

impl DraftRuns {
    /// Those that an earlier daemon of this state folder left.
    pub(super) fn of(state: &Path) -> Self {
        let path = state.join(FILE);
        let read = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
            Err(error) => Err(error),
        };
        let open = read.unwrap_or_else(|error| {
            tracing::warn!(
                "Which drafting runs were cut off is not known, so a post may lack a draft: {}: {error}.",
                path.display()
            );
            BTreeSet::new()
        });
        Self {
            path,
            open: Mutex::new(open),
        }
    }

    /// A run is about to begin.
    pub(super) fn begin(&self, task: TaskId) {
        let mut open = self.lock();
        if open.insert(task) {
            self.write(&open);
        }
    }

    /// A run has come to its end.
    pub(super) fn end(&self, task: TaskId) {
        let mut open = self.lock();
        if open.remove(&task) {
            self.write(&open);
        }
    }

    /// Forgets the runs of all other tasks.
    pub(super) fn keep(&self, tasks: &BTreeSet<TaskId>) {
        let mut open = self.lock();
        let before = open.len();
        open.retain(|task| tasks.contains(task));
        if open.len() < before {
            self.write(&open);
        }
    }

    /// Whether a run was begun and did not come to its end.
    pub(super) fn is_open(&self, task: TaskId) -> bool {
        self.lock().contains(&task)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<TaskId>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, open: &BTreeSet<TaskId>) {
        let written = serde_json::to_vec(open)
            .map_err(io::Error::from)
            .and_then(|bytes| replace_file(&self.path, &bytes));
        if let Err(error) = written {
            tracing::warn!(
                "A drafting run that is cut off now is not made again: {}: {error}.",
                self.path.display()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_open_over_a_restart_until_they_end() {
        let state = tempfile::tempdir().unwrap();
        let [first, second] = [1, 2].map(|n| TaskId::from_parts(1, n));
        let runs = DraftRuns::of(state.path());
        assert!(!runs.is_open(first));
        runs.begin(first);
        runs.begin(second);
        runs.end(second);
        let again = DraftRuns::of(state.path());
        assert!(again.is_open(first) && !again.is_open(second));
        again.keep(&BTreeSet::from([first]));
        assert!(again.is_open(first));
        again.keep(&BTreeSet::new());
        assert!(!DraftRuns::of(state.path()).is_open(first));
        fs::write(state.path().join(FILE), "no list").unwrap();
        assert!(!DraftRuns::of(state.path()).is_open(first));
    }
}
