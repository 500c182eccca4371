//! What is known of the test programs: how much of the machine they need, about how long, and what the long
//! forms are.
//!
//! A test program that is not named here is taken for a short one. A program with tests of different needs
//! is run in parts, one for each module that is named: every test is in exactly one part.
//! Seconds are those of two cores; they only decide which starts first. Shares of a core are what a run shows
//! behind each job, rounded up: with them, many that wait run beside few that compute.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{
    binaries::Binary,
    schedule::{Job, Needs, Weight},
};

/// When a program that is not named here is killed.
const DEADLINE: u64 = 300;

/// What is known of a test program, or of one module of it.
#[derive(Debug, Clone, Copy)]
struct Part {
    /// The name of the program: see [`Binary::name`].
    program: &'static str,
    /// The module, or all that is not another part.
    module: Option<&'static str>,
    /// How many hundredths of a core it keeps busy: see [`Weight::Percent`].
    percent: usize,
    /// How many of its tests run at the same time.
    threads: usize,
    /// About how long it takes.
    seconds: u64,
    /// Killed after so many seconds.
    deadline: u64,
}

const fn part(
    program: &'static str,
    module: Option<&'static str>,
    percent: usize,
    threads: usize,
    seconds: u64,
) -> Part {
    Part {
        program,
        module,
        percent,
        threads,
        seconds,
        deadline: 600,
    }
}

/// What `cargo xtask test` runs, but for the short ones.
const ORDINARY: [Part; 28] = [
    // The tests themselves use both cores.
    part("model::model", None, 170, 2, 80),
    part("host::faults", Some("contest"), 100, 2, 130),
    part("host::faults", Some("failpoints"), 100, 2, 60),
    part("host::sync", Some("races::claims"), 90, 1, 80),
    part("secrets::ordinary", None, 100, 2, 30),
    part("secrets", None, 100, 2, 20),
    part("host::sync", Some("races"), 70, 3, 90),
    part("host::sync", Some("dropped"), 60, 1, 55),
    part("host::sync", Some("leaks"), 60, 2, 40),
    part("host::sync", Some("scale"), 70, 1, 20),
    part("host::mail", Some("gate"), 80, 3, 100),
    part("host::mail", Some("hostile_mail"), 20, 2, 30),
    part("host::mail", Some("obedient"), 60, 1, 30),
    part("host::faults", Some("crashes"), 60, 1, 35),
    part("host::faults", Some("sending"), 60, 3, 50),
    part("verify", None, 70, 2, 35),
    part("local", None, 70, 2, 30),
    part("worktree", None, 70, 2, 20),
    part("tidy::rules", None, 100, 2, 15),
    part("repo::repo", None, 60, 4, 60),
    part("repo", None, 80, 2, 15),
    part("daemon", None, 80, 2, 15),
    part("engine::engine", None, 100, 2, 15),
    // What it asserts depends on how soon the hosts get to work: more than it computes.
    part("host::faults", Some("partition"), 70, 1, 55),
    // These look at the clock more than they compute; `freshness` asserts how soon.
    part("host::sync", Some("freshness"), 60, 3, 60),
    part("host::mail", Some("faulty_imap"), 40, 8, 50),
    part("full::email", None, 40, 4, 30),
    part("testkit::servers", None, 40, 4, 20),
];

/// A long form: the same tests with more to do, one after the other on a quiet machine.
struct Long {
    program: &'static str,
    module: &'static str,
    /// What makes the tests long.
    variables: &'static [(&'static str, &'static str)],
    /// Whether it is the tests that are left out otherwise.
    ignored: bool,
    /// Killed after so many minutes.
    deadline: u64,
}

/// What `cargo xtask test --full` runs after the ordinary tests.
const LONG: [Long; 10] = [
    Long {
        program: "model::model",
        module: "simulator",
        variables: &[("PLATINUM_SEEDS", "1000000")],
        ignored: false,
        deadline: 90,
    },
    Long {
        program: "host::faults",
        module: "contest",
        variables: &[("PLATINUM_CLAIMS", "10000")],
        ignored: false,
        deadline: 120,
    },
    Long {
        program: "host::faults",
        module: "failpoints",
        variables: &[("PLATINUM_EVERY_HIT", "1")],
        ignored: false,
        deadline: 120,
    },
    Long {
        program: "host::faults",
        module: "sending",
        variables: &[("PLATINUM_SENDS", "1000"), ("PLATINUM_COPIES", "100")],
        ignored: false,
        deadline: 120,
    },
    Long {
        program: "host::faults",
        module: "partition",
        variables: &[("PLATINUM_CUT_SECONDS", "180")],
        ignored: false,
        deadline: 15,
    },
    Long {
        program: "secrets::ordinary",
        module: "",
        variables: &[("PLATINUM_NOTES", "100000")],
        ignored: false,
        deadline: 30,
    },
    Long {
        program: "host::sync",
        module: "scale",
        variables: &[],
        ignored: true,
        deadline: 60,
    },
    Long {
        program: "host::sync",
        module: "races::floods",
        variables: &[],
        ignored: true,
        deadline: 60,
    },
    Long {
        program: "host::mail",
        module: "obedient",
        variables: &[("PLATINUM_AGENTDOJO", "1")],
        ignored: false,
        deadline: 15,
    },
    Long {
        program: "local::local",
        module: "limits",
        variables: &[],
        ignored: true,
        deadline: 30,
    },
];

/// The ordinary jobs of all test programs.
pub(crate) fn ordinary(binaries: &[Binary], logs: &Path) -> Vec<Job> {
    binaries
        .iter()
        .flat_map(|binary| parts_of(binary, logs))
        .collect()
}

fn parts_of(binary: &Binary, logs: &Path) -> Vec<Job> {
    let parts: Vec<Part> = ORDINARY
        .into_iter()
        .filter(|part| part.program == binary.name)
        .collect();
    let modules: Vec<&str> = parts.iter().filter_map(|part| part.module).collect();
    let mut jobs: Vec<Job> = parts
        .iter()
        .map(|part| {
            let mut filters = Vec::new();
            if let Some(module) = part.module {
                let inner = modules.iter().filter(|other| {
                    other
                        .strip_prefix(module)
                        .is_some_and(|rest| rest.starts_with("::"))
                });
                filters.push(format!("{module}::"));
                filters.extend(skipped(inner));
            }
            job(binary, part.module, part, &filters, logs)
        })
        .collect();
    if parts.iter().all(|part| part.module.is_some()) {
        let rest = part("", None, 60, 2, 5);
        let rest = Part {
            deadline: DEADLINE,
            ..rest
        };
        let skips: Vec<String> = skipped(modules.iter()).collect();
        jobs.push(job(binary, None, &rest, &skips, logs));
    }
    jobs
}

/// The arguments that leave out the tests of modules.
fn skipped<'a>(modules: impl Iterator<Item = &'a &'a str>) -> impl Iterator<Item = String> {
    modules.flat_map(|module| ["--skip".to_owned(), format!("{module}::")])
}

/// The long jobs, one at a time.
pub(crate) fn long(binaries: &[Binary], logs: &Path) -> Vec<Job> {
    let mut jobs = Vec::new();
    for long in &LONG {
        let Some(binary) = binaries.iter().find(|binary| binary.name == long.program) else {
            continue;
        };
        let known = Part {
            deadline: long.deadline * 60,
            ..part(long.program, None, 100, 1, long.deadline)
        };
        let mut filters: Vec<String> = Vec::new();
        if !long.module.is_empty() {
            filters.push(format!("{}::", long.module));
        }
        if long.ignored {
            filters.push("--ignored".to_owned());
        }
        let mut job = job(binary, Some(long.module), &known, &filters, logs);
        job.needs.weight = Weight::Alone;
        job.name = format!("{}, long", job.name);
        job.log = job.log.with_extension("long.log");
        job.command.envs(long.variables.iter().copied());
        jobs.push(job);
    }
    jobs
}

fn job(binary: &Binary, module: Option<&str>, part: &Part, filters: &[String], logs: &Path) -> Job {
    let name = match module {
        Some(module) if !module.is_empty() => format!("{}::{module}", binary.name),
        _ => binary.name.clone(),
    };
    let mut command = Command::new(&binary.path);
    command
        .current_dir(&binary.folder)
        .env("CARGO_MANIFEST_DIR", &binary.folder)
        .env("CARGO_PKG_NAME", &binary.package)
        .arg("--show-output")
        .arg(format!("--test-threads={}", part.threads))
        .args(filters);
    Job {
        log: log_of(logs, &name),
        name,
        command,
        needs: Needs {
            weight: Weight::Percent(part.percent),
            group: None,
        },
        estimate: Duration::from_secs(part.seconds),
        deadline: Duration::from_secs(part.deadline),
    }
}

/// Where the output of a job goes.
pub(crate) fn log_of(logs: &Path, job: &str) -> PathBuf {
    logs.join(format!("{}.log", job.replace("::", "-").replace(' ', "-")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binary(name: &str) -> Binary {
        Binary {
            name: name.to_owned(),
            path: "program".into(),
            package: name.to_owned(),
            folder: "/".into(),
        }
    }

    fn arguments(job: &Job) -> String {
        let words = job.command.get_args().map(|word| word.to_string_lossy());
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn ordinary_runs_every_test_of_a_divided_program_once() {
        let jobs = ordinary(&[binary("host::mail")], Path::new("logs"));
        let names: Vec<_> = jobs.iter().map(|job| job.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "host::mail::gate",
                "host::mail::hostile_mail",
                "host::mail::obedient",
                "host::mail::faulty_imap",
                "host::mail"
            ]
        );
        assert!(arguments(&jobs[0]).ends_with(" gate::"));
        let skips = "--skip gate:: --skip hostile_mail:: --skip obedient:: --skip faulty_imap::";
        assert!(arguments(&jobs[4]).ends_with(skips));
    }

    #[test]
    fn ordinary_leaves_an_inner_module_to_its_own_part() {
        let jobs = ordinary(&[binary("host::sync")], Path::new("logs"));
        let end = |name: &str| {
            let job = jobs.iter().find(|job| job.name == name).unwrap();
            arguments(job).split_once("--test-threads=").unwrap().1[2..].to_owned()
        };
        assert_eq!(end("host::sync::races::claims"), "races::claims::");
        assert_eq!(end("host::sync::races"), "races:: --skip races::claims::");
        assert_eq!(end("host::sync::leaks"), "leaks::");
    }

    #[test]
    fn ordinary_runs_an_unknown_program_whole() {
        let jobs = ordinary(&[binary("new")], Path::new("logs"));
        assert_eq!(jobs.len(), 1);
        assert_eq!(arguments(&jobs[0]), "--show-output --test-threads=2");
    }

    #[test]
    fn parts_name_no_program_both_whole_and_by_module() {
        for one in &ORDINARY {
            let others = ORDINARY.iter().filter(|other| other.program == one.program);
            let whole = others.filter(|other| other.module.is_none()).count();
            assert!(
                whole == 0 || (whole == 1 && one.module.is_none()),
                "{one:?}"
            );
        }
    }
}
