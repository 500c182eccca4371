//! What befalls the workers: they are killed and started again, stopped and continued, their git
//! clients too; the line is cut while they push, after their push has landed, and at random.
//!
//! Invariant: no one is left stopped, and who was killed is started again with the same state.

use std::{
    collections::BTreeMap,
    fs,
    process::Child,
    time::{Duration, Instant},
};

use platinum_testkit::git::{LineFaults, Proxy};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use rustix::process::{Pid, Signal, kill_process};

use crate::contest::worker::{self, Part};

/// What the line does all the time: of eight landed pushes one loses its answer, of twenty-five
/// connections one is reset.
const FAULTS: LineFaults = LineFaults {
    lost_answers: 0.125,
    resets: 0.04,
    stalls: 0.0,
    delay: Duration::ZERO,
};

/// How often each thing was done.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Deeds {
    pub(crate) kills: usize,
    pub(crate) stops: usize,
    pub(crate) kills_of_git: usize,
    pub(crate) stops_of_git: usize,
    pub(crate) cuts: usize,
}

/// The workers and what befalls them.
pub(crate) struct Nemesis<'a> {
    test: &'a str,
    parts: &'a [Part],
    proxy: &'a Proxy,
    workers: Vec<Option<Child>>,
    is_over: Vec<bool>,
    /// When a killed worker is started again.
    back_at: Vec<Option<Instant>>,
    /// Whoever is stopped, until when.
    stopped: BTreeMap<u32, Instant>,
    chance: StdRng,
    next: Instant,
    /// How far the workers were when something befell one of them last.
    progress: u64,
    turn: usize,
    pub(crate) deeds: Deeds,
}

impl<'a> Nemesis<'a> {
    pub(crate) fn start(test: &'a str, parts: &'a [Part], proxy: &'a Proxy, seed: u64) -> Self {
        proxy.set(FAULTS);
        Self {
            test,
            parts,
            proxy,
            workers: parts
                .iter()
                .map(|part| Some(worker::start(test, part)))
                .collect(),
            is_over: vec![false; parts.len()],
            back_at: vec![None; parts.len()],
            stopped: BTreeMap::new(),
            chance: StdRng::seed_from_u64(seed),
            next: Instant::now() + Duration::from_secs(2),
            progress: 0,
            turn: 0,
            deeds: Deeds::default(),
        }
    }

    /// Does what is due; answers whether all workers have played their part.
    pub(crate) fn step(&mut self) -> bool {
        let now = Instant::now();
        let due: Vec<_> = self
            .stopped
            .iter()
            .filter(|(_, until)| **until <= now)
            .collect();
        for process in due
            .into_iter()
            .map(|(process, _)| *process)
            .collect::<Vec<_>>()
        {
            self.stopped.remove(&process);
            signal(process, Signal::CONT);
        }
        for number in 0..self.parts.len() {
            self.look_after(number, now);
        }
        // On a slow machine less befalls them in a second, or no one would get anywhere.
        let progress = worker::places(&self.parts[0].folder, self.parts.len());
        let progress = progress.iter().sum();
        if now >= self.next && progress > self.progress {
            self.progress = progress;
            self.strike(now);
            self.next = now + Duration::from_millis(self.chance.random_range(600..3000));
        }
        self.is_over.iter().all(|it| *it)
    }

    fn look_after(&mut self, number: usize, now: Instant) {
        if let Some(child) = &mut self.workers[number]
            && let Some(status) = child.try_wait().unwrap()
        {
            let part = &self.parts[number];
            let output = || worker::log(&part.folder, number);
            assert!(
                status.success(),
                "a worker fell over: {status}\n{}",
                output()
            );
            self.workers[number] = None;
            self.is_over[number] = true;
        }
        if self.back_at[number].is_some_and(|at| at <= now) {
            self.back_at[number] = None;
            self.workers[number] = Some(worker::start(self.test, &self.parts[number]));
        }
    }

    /// One thing after another, so that each happens even in a short contest; whom it befalls, and
    /// when, is chance.
    fn strike(&mut self, now: Instant) {
        let victim = self.chance.random_range(0..self.parts.len());
        self.turn += 1;
        let Some(process) = self.workers[victim].as_ref().map(Child::id) else {
            return;
        };
        match self.turn % 5 {
            0 => {
                if let Some(mut child) = self.workers[victim].take() {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    self.stopped.remove(&process);
                    // Its git client lives on, and may push.
                    let pause = self.chance.random_range(0..600);
                    self.back_at[victim] = Some(now + Duration::from_millis(pause));
                    self.deeds.kills += 1;
                }
            }
            1 => {
                self.stop(process, now);
                self.deeds.stops += 1;
            }
            2 => {
                if let Some(git) = child_of(process) {
                    signal(git, Signal::KILL);
                    self.deeds.kills_of_git += 1;
                }
            }
            3 => {
                if let Some(git) = child_of(process) {
                    self.stop(git, now);
                    self.deeds.stops_of_git += 1;
                }
            }
            _ => {
                self.proxy.break_all();
                self.deeds.cuts += 1;
            }
        }
    }

    fn stop(&mut self, process: u32, now: Instant) {
        signal(process, Signal::STOP);
        let pause = self.chance.random_range(100..2000);
        self.stopped
            .insert(process, now + Duration::from_millis(pause));
    }
}

impl Drop for Nemesis<'_> {
    fn drop(&mut self) {
        for process in self.stopped.keys() {
            signal(*process, Signal::CONT);
        }
        for mut child in self.workers.drain(..).flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Whoever ended in this moment gets no signal.
fn signal(process: u32, signal: Signal) {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    let _ = kill_process(process.unwrap(), signal);
}

/// A child of this process, which for a worker is git.
fn child_of(parent: u32) -> Option<u32> {
    fs::read_dir("/proc").ok()?.flatten().find_map(|entry| {
        let process = entry.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
        // `<pid> (<name>) <state> <parent> …`, and a name may hold anything.
        let mut after = stat.rsplit_once(") ")?.1.split(' ');
        let (state, its_parent) = (after.next()?, after.next()?);
        (state != "Z" && its_parent == parent.to_string()).then_some(process)
    })
}
