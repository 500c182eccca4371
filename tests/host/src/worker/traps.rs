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
pub struct Trap {
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
    traps: Vec<Trap>,
}

static STATE: Mutex<State> = Mutex::new(State {
    hits: BTreeMap::new(),
    traps: Vec::new(),
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
pub(super) fn arm(traps: Vec<Trap>) {
    for trap in &traps {
        let name = trap.point.clone();
        fail::cfg_callback(trap.point.clone(), move || hit(&name)).unwrap();
    }
    state().traps.extend(traps);
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
        for trap in state.traps.iter_mut().filter(|trap| trap.point == point) {
            trap.hit = trap.hit.saturating_sub(1);
        }
        state.traps.retain(|trap| {
            let now = trap.point == point && trap.hit == 0;
            if now {
                acts.push((trap.act.clone(), trap.witness.clone()));
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
