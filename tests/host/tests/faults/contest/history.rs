//! What the workers did, as they wrote it down: one file a worker, one line when an operation
//! begins and one when it has ended.
//!
//! Invariants: the line of a beginning is in the file before the operation begins, the line of an
//! end after it has ended, and the clock is one for all processes: so an operation took effect
//! somewhere between its two lines. One without a second line was killed in the middle: it took
//! effect at any time after its first, or never.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What a worker does with a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum What {
    Claim,
    Release,
}

/// How it ended, as far as the worker knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum Outcome {
    /// The task is the worker's under this epoch.
    Won(u64),
    /// It is another's.
    Lost(Option<String>),
    /// It is given back.
    Released,
    /// It certainly had no effect.
    Failed,
    /// No one knows, and why.
    Unknown(String),
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
enum Line {
    Begin { at: u64, task: usize, what: What },
    End { at: u64, outcome: Outcome },
}

/// An operation of a worker on a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Operation {
    pub(crate) worker: usize,
    pub(crate) task: usize,
    pub(crate) what: What,
    /// Nanoseconds since this machine started.
    pub(crate) begin: u64,
    /// None if no one knows when, or whether.
    pub(crate) end: Option<u64>,
    pub(crate) outcome: Outcome,
}

/// Where a worker writes down what it does.
pub(crate) struct Recorder {
    file: File,
}

impl Recorder {
    pub(crate) fn open(path: &Path) -> Self {
        let file = File::options().create(true).append(true).open(path);
        Self {
            file: file.unwrap(),
        }
    }

    pub(crate) fn begin(&mut self, task: usize, what: What) {
        self.write(&Line::Begin {
            at: now(),
            task,
            what,
        });
    }

    pub(crate) fn end(&mut self, outcome: Outcome) {
        self.write(&Line::End { at: now(), outcome });
    }

    /// In one write: a line is there or it is not, whenever the process is killed.
    fn write(&mut self, line: &Line) {
        let text = serde_json::to_string(line).unwrap() + "\n";
        self.file.write_all(text.as_bytes()).unwrap();
    }
}

/// The file of a worker.
pub(crate) fn file(folder: &Path, worker: usize) -> PathBuf {
    folder.join(format!("history-{worker}.jsonl"))
}

/// What a worker wrote down so far.
pub(crate) fn read(folder: &Path, worker: usize) -> Vec<Operation> {
    let mut operations: Vec<Operation> = Vec::new();
    let text = fs::read_to_string(file(folder, worker)).unwrap_or_default();
    for line in text.lines() {
        match serde_json::from_str(line).unwrap() {
            Line::Begin { at, task, what } => operations.push(Operation {
                worker,
                task,
                what,
                begin: at,
                end: None,
                outcome: Outcome::Unknown("killed".to_owned()),
            }),
            Line::End { at, outcome } => {
                let operation = operations.last_mut().unwrap();
                assert_eq!(operation.end, None, "{operation:?} ends twice");
                // When what no one knows took effect, if it did, no one knows either.
                operation.end = (!matches!(outcome, Outcome::Unknown(_))).then_some(at);
                operation.outcome = outcome;
            }
        }
    }
    operations
}

fn now() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    u64::try_from(time.tv_sec).unwrap() * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap()
}
