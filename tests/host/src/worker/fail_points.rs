//! What happens when a worker comes by a fail point: it is counted, and at the hit that a test
//! chose the process dies, or a person edits a file at that very moment.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

/// Something that happens at a fail point.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FailPoint {
    /// Which.
    pub point: String,
    /// At which hit, counted from 1, from the moment the trap is set.
    pub hit: u32,
    /// What.
    pub act: Act,
    /// A file that is there once it happened, so that the test knows of it.
    pub witness: PathBuf,
}

/// What happens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Act {
    /// The process is gone, as by `kill -9`.
    Die,
    /// A person saves a file: it is written beside its place and moved there.
    Save {
        /// The file.
        path: PathBuf,
        /// Its text.
        text: String,
    },
}

#[derive(Debug, Default)]
struct State {
    hits: BTreeMap<String, u32>,
    fail_points: Vec<FailPoint>,
}

static STATE: Mutex<State> = Mutex::new(State {
    hits: BTreeMap::new(),
    fail_points: Vec::new(),
});

fn state() -> std::sync::MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts the hits of these fail points from now on.
pub(super) fn count(points: &[String]) {
    for point in points {
        let name = point.clone();
        fail::cfg_callback(point.clone(), move || hit(&name)).unwrap();
    }
}

/// Sets traps.
pub(super) fn arm(fail_points: Vec<FailPoint>) {
    for fail_point in &fail_points {
        let name = fail_point.point.clone();
        fail::cfg_callback(fail_point.point.clone(), move || hit(&name)).unwrap();
    }
    state().fail_points.extend(fail_points);
}

/// How often each fail point was come by.
pub(super) fn hits() -> BTreeMap<String, u32> {
    state().hits.clone()
}

fn hit(point: &str) {
    let mut acts = Vec::new();
    {
        let mut state = state();
        *state.hits.entry(point.to_owned()).or_default() += 1;
        for fail_point in state
            .fail_points
            .iter_mut()
            .filter(|fail_point| fail_point.point == point)
        {
            fail_point.hit = fail_point.hit.saturating_sub(1);
        }
        state.fail_points.retain(|fail_point| {
            let now = fail_point.point == point && fail_point.hit == 0;
            if now {
                acts.push((fail_point.act.clone(), fail_point.witness.clone()));
            }
            !now
        });
    }
    for (act, witness) in acts {
        match act {
            Act::Die => {
                fs::write(witness, "").unwrap();
                kill_process(getpid(), Signal::KILL).unwrap();
                // The signal is on its way to this thread too.
                loop {
                    std::thread::park();
                }
            }
            Act::Save { path, text } => {
                let name = path.file_name().unwrap_or_default().display();
                let beside = path.with_file_name(format!(".{name}.by-hand.swp"));
                fs::write(&beside, text).unwrap();
                fs::rename(&beside, &path).unwrap();
                fs::write(witness, "").unwrap();
            }
        }
    }
}
