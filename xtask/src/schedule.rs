//! Runs programs at the same time, as many as the machine has room for.
//!
//! Lives here: which job starts next, deadlines, and the log of each. Lives elsewhere: which jobs there are
//! is in [`plan`](crate::plan), what their logs say is in [`results`](crate::results).
//! Invariants: jobs of one group never overlap; a job alone overlaps with nothing; a job that is not over at
//! its deadline is killed and reported. The output of a job goes to its log and nowhere else, so nothing that
//! a job leaves behind can keep the scheduler waiting.

use std::{
    collections::BTreeMap,
    fs::File,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    thread::park_timeout,
    time::{Duration, Instant},
};

use anyhow::Context;

/// How many jobs that mostly wait run beside the others.
const WAITING_AT_ONCE: usize = 4;
/// How often the running jobs are looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// What a job needs of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It mostly waits: it runs beside others.
    Waits,
    /// It keeps so many cores busy.
    Cores(usize),
    /// Its figures are wrong if anything else runs.
    Alone,
}

/// Which kinds of resources a job occupies while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Needs {
    /// The room it takes on the machine.
    pub(crate) weight: Weight,
    /// Jobs with the same group never overlap.
    pub(crate) group: Option<&'static str>,
}

/// A program to run.
#[derive(Debug)]
pub(crate) struct Job {
    /// How it is called in messages.
    pub(crate) name: String,
    /// The program with its arguments and environment.
    pub(crate) command: Command,
    /// What it occupies.
    pub(crate) needs: Needs,
    /// About how long it takes: of those that need as many cores, longer ones start first.
    pub(crate) estimate: Duration,
    /// When it is killed.
    pub(crate) deadline: Duration,
    /// Where its output goes.
    pub(crate) log: PathBuf,
}

/// How a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself.
    Exited(ExitStatus),
    /// It was killed at its deadline.
    Killed,
}

/// A job that is over.
#[derive(Debug)]
pub(crate) struct Finished {
    /// The name of the job.
    pub(crate) name: String,
    /// How it ended.
    pub(crate) end: End,
    /// How long it ran.
    pub(crate) took: Duration,
    /// Its output.
    pub(crate) log: PathBuf,
}

/// Runs all jobs on `cores` cores; `on_end` hears of each as it ends.
///
/// # Errors
/// If a program cannot be started or its log cannot be written.
pub(crate) fn run(
    mut waiting: Vec<Job>,
    cores: usize,
    mut on_end: impl FnMut(&Finished) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    // A job for several cores would wait for ever beside a stream of small ones.
    waiting.sort_by_key(|job| std::cmp::Reverse((cores_of(job.needs), job.estimate)));
    let mut running: BTreeMap<usize, Running> = BTreeMap::new();
    let mut started = 0;
    while !(waiting.is_empty() && running.is_empty()) {
        let mut occupied: Vec<Needs> = running.values().map(|running| running.needs).collect();
        while let Some(index) = next(waiting.iter().map(|job| job.needs), &occupied, cores) {
            let job = waiting.remove(index);
            occupied.push(job.needs);
            running.insert(started, Running::start(job)?);
            started += 1;
        }
        park_timeout(INTERVAL);
        let mut ended = Vec::new();
        for (&key, job) in &mut running {
            if let Some(end) = job.poll()? {
                ended.push((key, end));
            }
        }
        for (key, end) in ended {
            if let Some(job) = running.remove(&key) {
                on_end(&job.finished(end))?;
            }
        }
    }
    Ok(())
}

/// The first of the waiting jobs that fits beside the running ones.
fn next(
    mut waiting: impl Iterator<Item = Needs>,
    running: &[Needs],
    cores: usize,
) -> Option<usize> {
    let is_alone = running.iter().any(|needs| needs.weight == Weight::Alone);
    let busy: usize = running.iter().map(|needs| cores_of(*needs)).sum();
    let waits = |needs: &Needs| needs.weight == Weight::Waits;
    let many_wait = running.iter().copied().filter(|needs| waits(needs)).count();
    waiting.position(|job| {
        let is_free = job
            .group
            .is_none_or(|group| running.iter().all(|needs| needs.group != Some(group)));
        let has_room = match job.weight {
            Weight::Alone => running.is_empty(),
            Weight::Waits => many_wait < WAITING_AT_ONCE,
            // A job that wants more cores than there are gets all of them.
            Weight::Cores(wanted) => busy == 0 || busy + wanted <= cores,
        };
        !is_alone && is_free && has_room
    })
}

fn cores_of(needs: Needs) -> usize {
    match needs.weight {
        Weight::Cores(cores) => cores,
        Weight::Waits | Weight::Alone => 0,
    }
}

/// A job that was started.
struct Running {
    name: String,
    child: Child,
    started: Instant,
    needs: Needs,
    deadline: Duration,
    log: PathBuf,
}

impl Running {
    fn start(mut job: Job) -> anyhow::Result<Self> {
        let log = File::create(&job.log)
            .with_context(|| format!("cannot create {}", job.log.display()))?;
        let child = job
            .command
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {:?}", job.command.get_program()))?;
        Ok(Self {
            name: job.name,
            child,
            started: Instant::now(),
            needs: job.needs,
            deadline: job.deadline,
            log: job.log,
        })
    }

    /// How it ended, if it has; kills it at its deadline.
    fn poll(&mut self) -> anyhow::Result<Option<End>> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(Some(End::Exited(status)));
        }
        if self.started.elapsed() < self.deadline {
            return Ok(None);
        }
        // Servers that it started end with it: see `testkit::Child`.
        self.child.kill()?;
        self.child.wait()?;
        Ok(Some(End::Killed))
    }

    fn finished(&self, end: End) -> Finished {
        Finished {
            name: self.name.clone(),
            end,
            took: self.started.elapsed(),
            log: self.log.clone(),
        }
    }
}

impl Drop for Running {
    /// Where the scheduler itself fails, nothing runs on.
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.child.kill().ok();
            self.child.wait().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn needs(weight: Weight) -> Needs {
        Needs {
            weight,
            group: None,
        }
    }
    const WAITS: Needs = needs(Weight::Waits);
    const ONE: Needs = needs(Weight::Cores(1));
    const TWO: Needs = needs(Weight::Cores(2));
    const ALONE: Needs = needs(Weight::Alone);

    fn first(waiting: &[Needs], running: &[Needs]) -> Option<usize> {
        next(waiting.iter().copied(), running, 2)
    }

    #[test]
    fn next_takes_the_first_that_fits() {
        assert_eq!(first(&[TWO, ONE], &[]), Some(0));
        assert_eq!(first(&[TWO, ONE], &[ONE]), Some(1));
        assert_eq!(first(&[TWO, ONE], &[TWO]), None);
        assert_eq!(first(&[ONE], &[ONE, ONE]), None);
    }

    #[test]
    fn next_lets_waiting_jobs_run_beside_busy_ones() {
        assert_eq!(first(&[TWO, WAITS], &[TWO]), Some(1));
        assert_eq!(first(&[WAITS], &[WAITS; WAITING_AT_ONCE]), None);
    }

    #[test]
    fn next_keeps_a_job_alone() {
        assert_eq!(first(&[ALONE, ONE], &[WAITS]), Some(1));
        assert_eq!(first(&[ONE, WAITS], &[ALONE]), None);
        assert_eq!(first(&[ALONE], &[]), Some(0));
    }

    #[test]
    fn next_never_overlaps_jobs_of_one_group() {
        let cargo = Needs {
            weight: Weight::Waits,
            group: Some("cargo"),
        };
        assert_eq!(first(&[cargo, ONE], &[cargo]), Some(1));
    }

    #[test]
    fn next_gives_all_cores_to_a_job_that_wants_more() {
        assert_eq!(first(&[needs(Weight::Cores(8))], &[]), Some(0));
        assert_eq!(first(&[needs(Weight::Cores(8))], &[ONE]), None);
    }

    fn job(name: &str, script: &str, deadline: Duration) -> Job {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        let log = format!("xtask-schedule-{}-{name}.log", std::process::id());
        Job {
            name: name.to_owned(),
            command,
            needs: ONE,
            estimate: Duration::from_secs(1),
            deadline,
            log: std::env::temp_dir().join(log),
        }
    }

    #[test]
    fn run_kills_a_job_at_its_deadline_and_keeps_its_log() {
        let long = Duration::from_secs(60);
        let jobs = vec![
            job("good", "echo fine", long),
            job("bad", "exit 3", long),
            job(
                "hangs",
                "echo begun; exec sleep 60",
                Duration::from_millis(200),
            ),
        ];
        let mut ends = BTreeMap::new();
        run(jobs, 2, |finished| {
            let log = std::fs::read_to_string(&finished.log)?;
            std::fs::remove_file(&finished.log)?;
            let is_good = matches!(finished.end, End::Exited(status) if status.success());
            ends.insert(
                finished.name.clone(),
                (finished.end == End::Killed, is_good, log),
            );
            Ok(())
        })
        .unwrap();
        let end = |name: &str| ends.get(name).cloned().unwrap();
        assert_eq!(end("good"), (false, true, "fine\n".to_owned()));
        assert_eq!(end("bad"), (false, false, String::new()));
        assert_eq!(end("hangs"), (true, false, "begun\n".to_owned()));
    }
}
