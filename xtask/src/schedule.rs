//! Runs programs at the same time, as many as the machine has room for.
//!
//! Lives here: which job starts next, deadlines, how much each computed, and the log of each. Lives elsewhere:
//! which jobs there are is in [`plan`](crate::plan), what their logs say is in [`results`](crate::results).
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

/// A job that wants at least so many hundredths of a core starts before all others.
const WIDE: usize = 150;
/// How often the running jobs are looked at.
const INTERVAL: Duration = Duration::from_millis(20);

/// What a job needs of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It keeps so many hundredths of a core busy, and waits the rest of the time.
    Percent(usize),
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
    /// About how long it takes: longer ones start first.
    pub(crate) estimate: Duration,
    /// When it is killed.
    pub(crate) deadline: Duration,
    /// Where its output goes.
    pub(crate) log: PathBuf,
    /// Whether it is a test program, which says at its end how many tests passed.
    pub(crate) has_counts: bool,
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
    /// How long it computed, with the processes that it waited for; `None` where the system does not tell.
    pub(crate) computed: Option<Duration>,
    /// Its output.
    pub(crate) log: PathBuf,
    /// See [`Job::has_counts`].
    pub(crate) has_counts: bool,
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
    let is_wide = |job: &Job| percent_of(job.needs) >= WIDE;
    waiting.sort_by_key(|job| std::cmp::Reverse((is_wide(job), job.estimate)));
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
    let busy: usize = running.iter().map(|needs| percent_of(*needs)).sum();
    waiting.position(|job| {
        let is_free = job
            .group
            .is_none_or(|group| running.iter().all(|needs| needs.group != Some(group)));
        let has_room = match job.weight {
            Weight::Alone => running.is_empty(),
            // A job that wants more than there is gets all of it.
            Weight::Percent(wanted) => busy == 0 || busy + wanted <= cores * 100,
        };
        !is_alone && is_free && has_room
    })
}

fn percent_of(needs: Needs) -> usize {
    match needs.weight {
        Weight::Percent(percent) => percent,
        Weight::Alone => 0,
    }
}

/// What the system says of a process.
#[derive(Debug, Clone, Copy)]
struct Usage {
    /// How long it has computed so far, with the children that it waited for.
    computed: Duration,
    /// Whether it has ended, and nobody has waited for it yet: then the time is final.
    has_ended: bool,
}

impl Usage {
    /// `None` where the system does not tell.
    fn of(process: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name, in brackets, may hold anything. Behind it are the state, and as fields 14 to 17 of proc(5) the
        // times, in hundredths.
        let (_, fields) = stat.rsplit_once(") ")?;
        let times = fields.split(' ').skip(11).take(4);
        let ticks: u64 = times.filter_map(|time| time.parse::<u64>().ok()).sum();
        Some(Self {
            computed: Duration::from_millis(ticks * 10),
            has_ended: fields.starts_with('Z'),
        })
    }
}

/// A job that was started.
struct Running {
    name: String,
    child: Child,
    started: Instant,
    needs: Needs,
    deadline: Duration,
    computed: Option<Duration>,
    log: PathBuf,
    has_counts: bool,
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
            computed: None,
            log: job.log,
            has_counts: job.has_counts,
        })
    }

    /// How it ended, if it has; kills it at its deadline.
    fn poll(&mut self) -> anyhow::Result<Option<End>> {
        let usage = Usage::of(self.child.id());
        self.computed = usage.map(|usage| usage.computed).or(self.computed);
        if usage.is_none_or(|usage| usage.has_ended)
            && let Some(status) = self.child.try_wait()?
        {
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
            computed: self.computed,
            log: self.log.clone(),
            has_counts: self.has_counts,
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
    const WAITS: Needs = needs(Weight::Percent(20));
    const ONE: Needs = needs(Weight::Percent(90));
    const TWO: Needs = needs(Weight::Percent(180));
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
        assert_eq!(first(&[WAITS], &[TWO, WAITS]), None);
        assert_eq!(first(&[WAITS], &[WAITS; 9]), Some(0));
        assert_eq!(first(&[WAITS], &[WAITS; 10]), None);
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
            group: Some("cargo"),
            ..WAITS
        };
        assert_eq!(first(&[cargo, ONE], &[cargo]), Some(1));
    }

    #[test]
    fn next_gives_all_cores_to_a_job_that_wants_more() {
        assert_eq!(first(&[needs(Weight::Percent(800))], &[]), Some(0));
        assert_eq!(first(&[needs(Weight::Percent(800))], &[ONE]), None);
    }

    #[test]
    fn run_says_how_much_a_job_computed() {
        let busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let long = Duration::from_secs(60);
        // In a child of its own, too.
        let jobs = vec![
            job("waits", "sleep 0.3", long),
            job("computes", busy, long),
            job("lets-compute", &format!("sh -c '{busy}'; true"), long),
        ];
        let mut computed = BTreeMap::new();
        run(jobs, 2, |finished| {
            std::fs::remove_file(&finished.log)?;
            computed.insert(finished.name.clone(), finished.computed.unwrap_or_default());
            Ok(())
        })
        .unwrap();
        assert!(
            computed["waits"] < Duration::from_millis(50),
            "{computed:?}"
        );
        for name in ["computes", "lets-compute"] {
            assert!(computed[name] >= Duration::from_millis(50), "{computed:?}");
        }
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
            has_counts: false,
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
