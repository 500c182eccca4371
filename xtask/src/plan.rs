//! What is known of the test programs: how much of the machine they need, about how long, and what the long
//! forms are.
//!
//! A test program that is not named here is taken for a short one. A program with tests of different needs
//! is run in parts, one for each module that is named: every test is in exactly one part.
//! Seconds are those of two cores; they only decide which starts first.

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
    weight: Weight,
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
    weight: Weight,
    threads: usize,
    seconds: u64,
) -> Part {
    Part {
        program,
        module,
        weight,
        threads,
        seconds,
        deadline: 600,
    }
}

/// What `cargo xtask test` runs, but for the short ones.
const ORDINARY: [Part; 28] = [
    // Two processors: the tests themselves use both.
    part("model::model", None, Weight::Cores(2), 2, 60),
    part("host::faults", Some("contest"), Weight::Cores(2), 2, 80),
    part("host::faults", Some("failpoints"), Weight::Cores(2), 2, 60),
    part("host::sync", Some("races::claims"), Weight::Cores(2), 1, 60),
    part("secrets::ordinary", None, Weight::Cores(1), 2, 30),
    part("secrets", None, Weight::Cores(1), 2, 20),
    part("host::sync", Some("races"), Weight::Cores(1), 3, 90),
    part("host::sync", Some("dropped"), Weight::Cores(1), 1, 75),
    part("host::sync", Some("leaks"), Weight::Cores(1), 2, 40),
    part("host::sync", Some("scale"), Weight::Cores(1), 1, 20),
    part("host::mail", Some("gate"), Weight::Cores(1), 3, 50),
    part("host::mail", Some("hostile_mail"), Weight::Cores(1), 2, 30),
    part("host::mail", Some("obedient"), Weight::Cores(1), 1, 30),
    part("host::faults", Some("crashes"), Weight::Cores(1), 1, 40),
    // They wait for the first retry, half a minute, most of the time.
    part("host::faults", Some("sending"), Weight::Cores(1), 3, 150),
    part("verify", None, Weight::Cores(1), 2, 35),
    part("local", None, Weight::Cores(1), 2, 30),
    part("worktree", None, Weight::Cores(1), 2, 20),
    part("tidy::rules", None, Weight::Cores(1), 2, 15),
    part("repo::repo", None, Weight::Cores(1), 4, 60),
    part("repo", None, Weight::Cores(1), 2, 15),
    part("daemon", None, Weight::Cores(1), 2, 15),
    part("engine::engine", None, Weight::Cores(1), 2, 15),
    // It waits, too, but what it asserts depends on how soon the hosts get to work.
    part("host::faults", Some("partition"), Weight::Cores(1), 1, 95),
    // These look at the clock more than they compute.
    part("host::sync", Some("freshness"), Weight::Waits, 3, 60),
    part("host::mail", Some("faulty_imap"), Weight::Waits, 8, 50),
    part("full::email", None, Weight::Waits, 4, 30),
    part("testkit::servers", None, Weight::Waits, 4, 20),
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
        let rest = part("", None, Weight::Cores(1), 2, 5);
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
            ..part(long.program, None, Weight::Alone, 1, long.deadline)
        };
        let mut filters: Vec<String> = Vec::new();
        if !long.module.is_empty() {
            filters.push(format!("{}::", long.module));
        }
        if long.ignored {
            filters.push("--ignored".to_owned());
        }
        let mut job = job(binary, Some(long.module), &known, &filters, logs);
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
            weight: part.weight,
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
