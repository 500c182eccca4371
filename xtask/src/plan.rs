//! What is known of the test programs: how much of the machine they need, about how long, and what the long
//! forms are.
//!
//! A test program that is not named here is taken for a short one. A program with tests of different needs
//! is run in parts, one for each module that is named. The tests of a part are named one by one, as the program
//! lists them: so every test is in exactly one part, and a part without tests is an error.
//! Seconds are those of two cores; they only decide which starts first. Shares of a core are what a run shows
//! behind each job, rounded up: with them, many that wait run beside few that compute.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, ensure};

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
const ORDINARY: [Part; 35] = [
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
    part("host::mail", Some("threads"), 90, 3, 80),
    part("host::mail", Some("gate"), 80, 3, 100),
    part("host::mail", Some("hostile_mail"), 20, 2, 30),
    part("host::mail", Some("obedient"), 60, 1, 30),
    part("host::faults", Some("crashes"), 60, 1, 35),
    // Odoo itself computes, for all of its tests one after the other: some 500 calls, three times.
    Part {
        deadline: 1500,
        ..part("host::odoo", None, 100, 1, 450)
    },
    part("host::faults", Some("sending"), 60, 3, 50),
    // A server of each kind for all of its tests, and a hundred posts whose first answer is lost.
    part("host::social", None, 100, 3, 200),
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
    part("email-full::email", None, 40, 4, 30),
    // Its tests share one Odoo, which lives as long as one of them: so some run at any time.
    part("odoo-full::odoo", None, 100, 4, 120),
    // As that one; and it starts the program that acts again and again.
    Part {
        deadline: 900,
        ..part("effects::odoo", None, 100, 3, 180)
    },
    // Some eighty browsers, each of which starts, walks over a page and ends.
    Part {
        deadline: 900,
        ..part("browser::bank", Some("kills"), 100, 2, 90)
    },
    Part {
        deadline: 900,
        ..part("browser::bank", Some("stops"), 100, 2, 100)
    },
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
const LONG: [Long; 14] = [
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
        program: "effects::odoo",
        module: "faults",
        variables: &[("PLATINUM_EVERY_HIT", "1")],
        ignored: false,
        deadline: 30,
    },
    // About a second of computing for each kill or power cut, shared by eight machines.
    Long {
        program: "host::faults",
        module: "sending::random",
        variables: &[("PLATINUM_SENDS", "1000")],
        ignored: false,
        deadline: 40,
    },
    Long {
        program: "host::faults",
        module: "sending::copies",
        variables: &[("PLATINUM_COPIES", "100")],
        ignored: false,
        deadline: 40,
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
        program: "worktree",
        module: "scan::state::tests::moves",
        variables: &[("PLATINUM_NOTES", "5000")],
        ignored: false,
        deadline: 10,
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
        program: "email-full::email",
        module: "folders",
        variables: &[],
        ignored: true,
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
///
/// # Errors
/// If a program that is named here is not there or cannot list its tests, or a part has none.
pub(crate) fn ordinary(binaries: &[Binary], logs: &Path) -> anyhow::Result<Vec<Job>> {
    for part in &ORDINARY {
        find(binaries, part.program)?;
    }
    let mut jobs = Vec::new();
    for binary in binaries {
        jobs.extend(jobs_of(binary, logs)?);
    }
    Ok(jobs)
}

fn find<'a>(binaries: &'a [Binary], program: &str) -> anyhow::Result<&'a Binary> {
    let found = binaries.iter().find(|binary| binary.name == program);
    found.with_context(|| {
        format!("no test program {program}; correct the lists in xtask/src/plan.rs")
    })
}

fn jobs_of(binary: &Binary, logs: &Path) -> anyhow::Result<Vec<Job>> {
    let mut parts = ORDINARY.to_vec();
    parts.retain(|part| part.program == binary.name);
    let rest = Part {
        deadline: DEADLINE,
        ..part("", None, 60, 2, 5)
    };
    let modules: Vec<&str> = parts.iter().filter_map(|part| part.module).collect();
    if modules.is_empty() {
        let whole = parts.first().unwrap_or(&rest);
        return Ok(vec![job(binary, None, whole, &[], logs)]);
    }
    let (divided, others) = divide(tests_of(binary, &[])?, &modules);
    let mut jobs = Vec::new();
    for (part, tests) in parts.iter().zip(&divided) {
        jobs.push(job(binary, part.module, part, &exactly(part, tests)?, logs));
    }
    if !others.is_empty() {
        jobs.push(job(binary, None, &rest, &exactly(&rest, &others)?, logs));
    }
    Ok(jobs)
}

/// The tests of each module, but for those of a module inside of it that is named, too; and all others.
fn divide(tests: Vec<String>, modules: &[&str]) -> (Vec<Vec<String>>, Vec<String>) {
    let mut divided = vec![Vec::new(); modules.len()];
    let mut others = Vec::new();
    for test in tests {
        let inside = (0..modules.len()).filter(|index| is_inside(&test, modules[*index]));
        match inside.max_by_key(|index| modules[*index].len()) {
            Some(index) => divided[index].push(test),
            None => others.push(test),
        }
    }
    (divided, others)
}

fn is_inside(test: &str, module: &str) -> bool {
    let rest = test.strip_prefix(module);
    module.is_empty() || rest.is_some_and(|rest| rest.starts_with("::"))
}

/// The tests that a program has; with `--ignored`, those that are left out otherwise.
fn tests_of(binary: &Binary, arguments: &[&str]) -> anyhow::Result<Vec<String>> {
    let output = Command::new(&binary.path)
        .current_dir(&binary.folder)
        .args(["--list", "--format", "terse"])
        .args(arguments)
        .output()
        .with_context(|| format!("cannot start {}", binary.path.display()))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{} does not list its tests ({}): {errors}",
        binary.name,
        output.status
    );
    let lines = String::from_utf8_lossy(&output.stdout);
    let tests = lines.lines().filter_map(|line| line.strip_suffix(": test"));
    Ok(tests.map(str::to_owned).collect())
}

/// The arguments that run these tests and no others.
fn exactly(part: &Part, tests: &[String]) -> anyhow::Result<Vec<String>> {
    let (program, module) = (part.program, part.module.unwrap_or_default());
    ensure!(
        !tests.is_empty(),
        "{program} has no tests in its module {module:?}; correct the lists in xtask/src/plan.rs"
    );
    let exact = std::iter::once("--exact".to_owned());
    Ok(exact.chain(tests.iter().cloned()).collect())
}

/// The long jobs, one at a time.
///
/// # Errors
/// As [`ordinary`].
pub(crate) fn long(binaries: &[Binary], logs: &Path) -> anyhow::Result<Vec<Job>> {
    let mut jobs = Vec::new();
    for long in &LONG {
        let binary = find(binaries, long.program)?;
        let part = Part {
            deadline: long.deadline * 60,
            ..part(long.program, Some(long.module), 100, 1, long.deadline)
        };
        let ignored: &[&str] = if long.ignored { &["--ignored"] } else { &[] };
        let mut tests = tests_of(binary, ignored)?;
        tests.retain(|test| is_inside(test, long.module));
        let mut arguments = exactly(&part, &tests)?;
        arguments.extend(ignored.iter().map(|&argument| argument.to_owned()));
        let mut job = job(binary, part.module, &part, &arguments, logs);
        job.needs.weight = Weight::Alone;
        job.name = format!("{}, long", job.name);
        job.log = job.log.with_extension("long.log");
        job.command.envs(long.variables.iter().copied());
        jobs.push(job);
    }
    Ok(jobs)
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
        has_counts: true,
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

    fn divided(tests: &[&str], modules: &[&str]) -> (Vec<Vec<String>>, Vec<String>) {
        divide(tests.iter().map(ToString::to_string).collect(), modules)
    }

    #[test]
    fn divide_takes_whole_names_of_modules() {
        let tests = ["gate::a", "agate::b", "gates::c", "x::gate::d", "gate"];
        let (parts, others) = divided(&tests, &["gate"]);
        assert_eq!(parts, [["gate::a"]]);
        assert_eq!(others, ["agate::b", "gates::c", "x::gate::d", "gate"]);
    }

    #[test]
    fn divide_leaves_an_inner_module_to_its_own_part() {
        let tests = ["races::claims::a", "races::b", "leaks::c", "other"];
        let (parts, others) = divided(&tests, &["races", "races::claims", "leaks"]);
        assert_eq!(parts, [["races::b"], ["races::claims::a"], ["leaks::c"]]);
        assert_eq!(others, ["other"]);
    }

    /// The program of this very test: its part has tests, and one that it does not have is an error.
    #[test]
    fn exactly_refuses_a_part_without_tests() {
        let this = Binary {
            path: std::env::current_exe().unwrap(),
            ..binary("xtask")
        };
        let tests = tests_of(&this, &[]).unwrap();
        let name = "plan::tests::exactly_refuses_a_part_without_tests";
        assert!(tests.iter().any(|test| test == name), "{tests:?}");
        let (parts, _) = divide(tests, &["plan", "plans"]);
        let [here, nowhere] = parts.as_slice() else {
            panic!("{parts:?}");
        };
        let part = |module| part("xtask", Some(module), 60, 1, 1);
        assert_eq!(exactly(&part("plan"), here).unwrap()[0], "--exact");
        let error = exactly(&part("plans"), nowhere).unwrap_err();
        assert_eq!(
            error.to_string(),
            "xtask has no tests in its module \"plans\"; correct the lists in xtask/src/plan.rs"
        );
    }

    #[test]
    fn ordinary_runs_an_unknown_program_whole() {
        let jobs = jobs_of(&binary("new"), Path::new("logs")).unwrap();
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
