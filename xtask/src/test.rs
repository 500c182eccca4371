//! `cargo xtask test`: sets up what tests need and runs every check there is.
//!
//! Lives here: the order of steps, and what is said of each. Lives elsewhere: the test programs are built and
//! found in [`binaries`], with the [`lints`] on the way, what is known of them is in [`plan`], [`schedule`]
//! runs them, [`results`] reads their logs.
//! Invariant: the last line on the standard output is `N passed, N failed, N skipped`, alone.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use anyhow::bail;

use crate::{
    bench,
    binaries::{self, GUESTS},
    lints::{self, Lints},
    plan,
    results::{self, Counts, Results},
    schedule::{self, End, Finished, Job, Needs, Weight},
    setup, steps,
    temp_folder::TempFolder,
};

/// The packages of the skills, none of which has examples.
const SKILLS: &str = "skill-*";
/// Jobs that run cargo: it would wait for itself.
const CARGO: &str = "cargo";

/// Runs everything; with `full` the long forms, too; with names, these parts alone. The last line counts the tests.
pub(crate) fn run(root: &Path, full: bool, names: &[String]) -> anyhow::Result<ExitCode> {
    setup::packages("tests on real servers", &setup::SERVERS)?;
    steps::run_quiet(
        "Formatting",
        steps::cargo(root).args(["fmt", "--all", "--check"]),
    )?;
    let (binaries, lints) = std::thread::scope(|scope| {
        let skills = scope.spawn(|| setup::skills(root, setup::Skills::AndGuests));
        // Mostly they wait for the network: beside the compiler they cost no time.
        let odoo = scope.spawn(|| setup::odoo::set_up(root));
        let social = scope.spawn(|| setup::social::set_up(root));
        let browser = scope.spawn(|| setup::browser::set_up(root));
        let binaries = binaries::build(root);
        setup::joined(skills)?;
        setup::joined(odoo)?;
        setup::joined(social)?;
        setup::joined(browser)?;
        binaries
    })?;

    let logs = setup::target(root).join("test-logs");
    fs::create_dir_all(&logs)?;
    let mut jobs = plan::ordinary(&binaries, &logs)?;
    jobs.extend(doctests(root, &logs)?);
    jobs.push(benches(root, &logs));
    let mut long = match full {
        true => plan::long(&binaries, &logs)?,
        false => Vec::new(),
    };
    select(names, &mut [&mut jobs, &mut long])?;
    let programs = setup::target(root).join("debug");
    for job in jobs.iter_mut().chain(&mut long) {
        job.command.env(setup::PROGRAMS_VARIABLE, &programs);
    }
    let mut report = Report::default();
    report.add_lints(&lints);
    if !jobs.is_empty() {
        let temp = TempFolder::in_memory();
        match &temp {
            Some(folder) => eprintln!(
                "Temporary files of the tests are in memory: {}",
                folder.path().display()
            ),
            None => eprintln!(
                "Temporary files of the tests are on the disk: /dev/shm is missing, smaller than 6 GiB or \
                 noexec, or less memory is free."
            ),
        }
        if let Some(folder) = &temp {
            for job in &mut jobs {
                job.command.env("TMPDIR", folder.path());
            }
        }
        report.run("Tests", jobs)?;
    }
    if !long.is_empty() {
        report.run("The long forms, one at a time", long)?;
    }
    Ok(report.close())
}

/// Keeps the jobs of these names alone, of all lists; without names, all.
///
/// # Errors
/// If there is no job of a name.
fn select(names: &[String], lists: &mut [&mut Vec<Job>]) -> anyhow::Result<()> {
    let known: Vec<String> = lists
        .iter()
        .flat_map(|jobs| jobs.iter().map(|job| job.name.clone()))
        .collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name)) {
        bail!("no part {name:?}; there are\n  {}", known.join("\n  "));
    }
    if !names.is_empty() {
        for jobs in lists {
            jobs.retain(|job| names.contains(&job.name));
        }
    }
    Ok(())
}

/// The examples in doc comments, where there are some.
fn doctests(root: &Path, logs: &Path) -> anyhow::Result<Option<Job>> {
    let packages = binaries::with_doctests(root)?;
    if packages.is_empty() {
        return Ok(None);
    }
    // As everything else was built, so that nothing is built again. `--doc` compiles every library that it is not
    // told to leave out, the components of the skills too.
    let mut command = lints::cargo(root);
    command.args(["test", "--locked", "--workspace", "--exclude", GUESTS]);
    if !packages.iter().any(|package| package.starts_with("skill-")) {
        command.args(["--exclude", SKILLS]);
    }
    command.arg("--doc");
    let minute = Duration::from_secs(60);
    let name = format!("examples in the documentation of {}", packages.join(", "));
    Ok(Some(cargo_job(&name, command, minute, 10 * minute, logs)))
}

/// Each benchmark once, with the smallest numbers.
fn benches(root: &Path, logs: &Path) -> Job {
    const NAME: &str = "benches (smoke)";
    Job {
        name: NAME.to_owned(),
        command: bench::smoke(root),
        needs: Needs {
            weight: Weight::Percent(80),
            group: None,
        },
        estimate: Duration::from_secs(60),
        deadline: Duration::from_secs(600),
        log: plan::log_of(logs, "benches"),
        has_counts: false,
    }
}

fn cargo_job(
    name: &str,
    command: Command,
    estimate: Duration,
    deadline: Duration,
    logs: &Path,
) -> Job {
    Job {
        name: name.to_owned(),
        command,
        needs: Needs {
            weight: Weight::Percent(80),
            group: Some(CARGO),
        },
        estimate,
        deadline,
        log: plan::log_of(logs, name.split([' ', ',']).next().unwrap_or(name)),
        has_counts: true,
    }
}

/// What is known so far.
#[derive(Debug, Default)]
struct Report {
    counts: Counts,
    skipped: Vec<String>,
    figures: Vec<String>,
    /// What failed and is no test: lints.
    others: Vec<String>,
    failed: Vec<String>,
    /// How long all jobs together computed.
    computed: Duration,
}

impl Report {
    /// Runs jobs, with a line for each that ends, and the output of those that fail.
    fn run(&mut self, what: &str, jobs: Vec<Job>) -> anyhow::Result<()> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        eprintln!("… {what} ({} jobs on {cores} cores)", jobs.len());
        let began = Instant::now();
        schedule::run(jobs, cores, |finished| self.add(finished))?;
        let (took, computed) = (began.elapsed(), std::mem::take(&mut self.computed));
        eprintln!(
            "✓ {what} ({:.1} s; {:.0} s of computing)",
            took.as_secs_f32(),
            computed.as_secs_f32()
        );
        Ok(())
    }

    fn add_lints(&mut self, lints: &Lints) {
        match lints.failure() {
            None => eprintln!("✓ lints (clippy)"),
            Some(why) => {
                eprintln!("✗ lints (clippy): {why}");
                self.others.push(format!("lints (clippy): {why}"));
            }
        }
    }

    fn add(&mut self, finished: &Finished) -> anyhow::Result<()> {
        let log = String::from_utf8_lossy(&fs::read(&finished.log)?).into_owned();
        let name = &finished.name;
        let results = Results::of(&log);
        let is_uncounted = finished.has_counts && results.counts.is_none();
        let has_succeeded = matches!(finished.end, End::Exited(status) if status.success());
        let is_good = has_succeeded && !is_uncounted;
        let mut counts = results.counts.unwrap_or_default();
        if !is_good && counts.failed == 0 {
            // It died, or was killed, with a test in its hands.
            counts.failed = 1;
        }
        self.counts += counts;
        let seconds = finished.took.as_secs_f32();
        let computed = finished.computed.unwrap_or_default();
        self.computed += computed;
        let end = match finished.end {
            End::Killed => format!("killed after {seconds:.0} s: it did not end"),
            End::Exited(_) if has_succeeded && is_uncounted => {
                format!("{seconds:.1} s: it ended without the results of its tests")
            }
            End::Exited(_) if has_succeeded => {
                let percent = 100.0 * computed.as_secs_f32() / seconds.max(0.01);
                format!("{seconds:.1} s, {percent:.0} % of a core")
            }
            End::Exited(status) => format!("{seconds:.1} s, {status}"),
        };
        let sign = if is_good { "✓" } else { "✗" };
        match results.counts {
            Some(counts) => eprintln!("{sign} {name}: {} passed ({end})", counts.passed),
            None => eprintln!("{sign} {name} ({end})"),
        }
        if !is_good {
            eprintln!("{}", results::failures(&log));
            eprintln!("The whole output is in {}", finished.log.display());
            self.failed.push(name.clone());
        }
        let of_this = |text: &String| format!("{name}: {text}");
        self.skipped.extend(results.skipped.iter().map(of_this));
        self.figures.extend(results.figures.iter().map(of_this));
        Ok(())
    }

    /// Says what there is to say, the counts last.
    fn close(&self) -> ExitCode {
        for (heading, lines) in [
            ("Figures", &self.figures),
            (
                "Skipped on this machine (the others in the count are long forms: --full)",
                &self.skipped,
            ),
            ("Failed", &self.failed),
            (
                "Failed besides the tests (so the run fails, whatever the counts say)",
                &self.others,
            ),
        ] {
            if !lines.is_empty() {
                eprintln!("{heading}:");
            }
            for line in lines {
                eprintln!("  {line}");
            }
        }
        let Counts {
            passed,
            failed,
            skipped,
        } = self.counts;
        println!("{passed} passed, {failed} failed, {skipped} skipped");
        match self.failed.is_empty() && self.others.is_empty() && failed == 0 {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(name: &str, script: &str, has_counts: bool, folder: &Path) -> Job {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Job {
            name: name.to_owned(),
            command,
            needs: Needs {
                weight: Weight::Percent(10),
                group: None,
            },
            estimate: Duration::from_secs(1),
            deadline: Duration::from_secs(60),
            log: plan::log_of(folder, name),
            has_counts,
        }
    }

    #[test]
    fn report_fails_a_test_program_without_results() {
        let folder = tempfile::tempdir().unwrap();
        let counted = "echo 'test result: ok. 3 passed; 0 failed; 0 ignored;'";
        let mut report = Report::default();
        let jobs = vec![
            job("counted", counted, true, folder.path()),
            job("uncounted", "exit 0", true, folder.path()),
            job("no-tests", "exit 0", false, folder.path()),
        ];
        report.run("Tests", jobs).unwrap();
        assert_eq!(report.failed, ["uncounted"]);
        let counts = Counts {
            passed: 3,
            failed: 1,
            skipped: 0,
        };
        assert_eq!(report.counts, counts);
        assert_eq!(report.close(), ExitCode::FAILURE);
    }

    #[test]
    fn select_takes_names_exactly_and_refuses_unknown_ones() {
        let folder = tempfile::tempdir().unwrap();
        let of = |names: &[&str]| -> Vec<Job> {
            let jobs = names.iter().map(|name| job(name, "", false, folder.path()));
            jobs.collect()
        };
        let names =
            |jobs: &[Job]| -> Vec<String> { jobs.iter().map(|job| job.name.clone()).collect() };
        let (mut ordinary, mut long) = (of(&["gate", "gates"]), of(&["gate, long"]));
        select(&[], &mut [&mut ordinary, &mut long]).unwrap();
        assert_eq!(names(&ordinary), ["gate", "gates"]);
        let error = select(&["gat".to_owned()], &mut [&mut ordinary, &mut long]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no part \"gat\"; there are\n  gate\n  gates\n  gate, long"
        );
        select(&["gate".to_owned()], &mut [&mut ordinary, &mut long]).unwrap();
        assert_eq!(names(&ordinary), ["gate"]);
        assert!(long.is_empty());
    }
}
