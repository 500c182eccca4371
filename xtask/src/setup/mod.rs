//! What a fresh machine needs: packages of the distribution, the skills, the programs.
//!
//! Installed by name, from the distribution, and said before it is done. Nothing else is fetched
//! than these packages and crates, and for some tests an Odoo and servers of social networks, which are not
//! installed: [`odoo`], [`social`], and a browser's: [`browser`].

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, bail};

use crate::{lints, skills, steps};

pub(crate) mod browser;
mod fetched;
pub(crate) mod odoo;
pub(crate) mod social;

/// The programs that the daemons and tests start.
const PROGRAMS: [&str; 5] = [
    "platinum",
    "platinum-cloud",
    "platinum-email",
    "platinum-email-draft",
    "platinum-intake",
];

/// What the servers of the tests need, by its Debian name; `iproute2` cuts hosts apart in network namespaces, and
/// `strace` counts what a sync asks of the file system.
pub(crate) const SERVERS: [&str; 11] = [
    "dovecot-core",
    "dovecot-imapd",
    "dovecot-lmtpd",
    "postfix",
    "openssh-server",
    "openssh-client",
    "openssl",
    "curl",
    "iproute2",
    "procps",
    "strace",
];
/// Where the tests find built programs: `platinum_testkit::PROGRAMS_VARIABLE`. The task runner does without that
/// crate, whose servers take long to build.
pub(crate) const PROGRAMS_VARIABLE: &str = "PLATINUM_PROGRAMS";

/// Installs packages of the distribution that are not there yet.
///
/// # Errors
/// If one is missing and cannot be installed: the message has the command to give.
pub(crate) fn packages(why: &str, wanted: &[&str]) -> anyhow::Result<()> {
    // What is set up side by side may want packages at the same time; the package manager does one thing at a time.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let missing: Vec<&str> = wanted
        .iter()
        .copied()
        .filter(|name| !is_installed(name))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let by_hand = format!("sudo apt-get install --no-install-recommends {list}");
    let Some(mut prefix) = privilege() else {
        bail!(
            "nothing was run: {why} needs the packages {list} (Debian's names). Install them, then try \
             again:\n    {by_hand}"
        );
    };
    eprintln!("Installing from your distribution, for {why}: {list}");
    let mut apt = |arguments: &[&str]| {
        let (program, first) = prefix.split_first_mut().context("no program")?;
        let mut command = Command::new(program);
        command
            .args(first)
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        steps::run_quiet(&format!("apt-get {}", arguments[1]), &mut command)
    };
    let mut install = vec!["apt-get", "install", "-y", "--no-install-recommends"];
    install.extend(&missing);
    // The list of packages may be old or empty on a fresh machine: once more with a new one.
    if apt(&install).is_err() {
        eprintln!("The list of packages may be old: asking for a new one and trying again.");
        apt(&["apt-get", "update"])?;
        apt(&install).with_context(|| format!("install them by hand with\n    {by_hand}"))?;
    }
    Ok(())
}

fn is_installed(package: &str) -> bool {
    Command::new("dpkg-query")
        .args(["-W", "-f=${db:Status-Status}", package])
        .output()
        .is_ok_and(|output| output.status.success() && output.stdout == b"installed")
}

/// How to become root without asking: not at all, or by sudo.
fn privilege() -> Option<Vec<String>> {
    let succeeds = |program: &str, arguments: &[&str]| {
        Command::new(program)
            .args(arguments)
            .output()
            .is_ok_and(|output| output.status.success())
    };
    if !succeeds("apt-get", &["--version"]) {
        return None;
    }
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if is_root {
        return Some(vec!["env".to_owned()]);
    }
    succeeds("sudo", &["-n", "true"])
        .then(|| vec!["sudo".to_owned(), "-n".to_owned(), "env".to_owned()])
}

/// Which components are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Skills {
    /// Those that the daemons run.
    Only,
    /// And the guests of the tests.
    AndGuests,
}

/// Builds the skills and installs them: `target/skills/installed/<name>/{SKILL.md, skill.wasm}`.
///
/// # Errors
/// If no toolchain for WebAssembly can be found or a skill does not build.
pub(crate) fn skills(root: &Path, which: Skills) -> anyhow::Result<PathBuf> {
    let installed = root.join("target/skills/installed");
    let built = skills::build(root, which == Skills::AndGuests)?;
    // One that was renamed or removed since would be added, and signed, by the demo.
    for folder in std::fs::read_dir(&installed).into_iter().flatten() {
        let folder = folder?;
        if !built.iter().any(|skill| *skill.name == *folder.file_name()) {
            std::fs::remove_dir_all(folder.path())?;
        }
    }
    for built in built {
        let instructions = root.join("skills").join(&built.name).join("SKILL.md");
        if !instructions.is_file() {
            continue;
        }
        let folder = installed.join(&built.name);
        std::fs::create_dir_all(&folder)?;
        std::fs::copy(&instructions, folder.join("SKILL.md"))?;
        std::fs::copy(&built.component_path, folder.join("skill.wasm"))?;
    }
    Ok(installed)
}

/// Builds the daemons, servers and the watcher; answers the folder they are in.
///
/// # Errors
/// If one does not build.
pub(crate) fn programs(root: &Path) -> anyhow::Result<PathBuf> {
    // Not by package: so the features are those of the whole workspace, and what is built here is not built
    // again for the tests. For the same reason by the compiler that lints, which takes no longer.
    let mut build = lints::cargo(root);
    build.args(["build", "--locked", "--workspace"]);
    for program in PROGRAMS {
        build.args(["--bin", program]);
    }
    steps::run_verbose(
        "Building the daemons and servers (the first time: several minutes)",
        &mut build,
    )?;
    Ok(target(root).join("debug"))
}

/// What a thread came to.
///
/// # Errors
/// Those of the thread, and if it panicked.
pub(crate) fn joined<T>(
    thread: std::thread::ScopedJoinHandle<'_, anyhow::Result<T>>,
) -> anyhow::Result<T> {
    thread
        .join()
        .unwrap_or_else(|_| bail!("a thread panicked: see above"))
}

/// Where cargo puts what it builds.
pub(crate) fn target(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every package with its features, as cargo resolves them for the whole workspace.
    fn features(edges: &str) -> BTreeSet<String> {
        let output = steps::cargo(&crate::root())
            .args(["tree", "--offline", "--locked", "--workspace"])
            .args(["--edges", edges, "--prefix", "none", "--format", "{p}|{f}"])
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| line.trim_end_matches(" (*)").to_owned())
            .collect()
    }

    #[test]
    fn programs_variable_is_the_one_that_tests_read() {
        assert_eq!(PROGRAMS_VARIABLE, platinum_testkit::PROGRAMS_VARIABLE);
    }

    /// What the demo builds is not built again for the tests: a feature that only tests bring makes a crate, and
    /// all that depends on it, a second one. Where this fails, put what brings the feature into the ordinary
    /// dependencies of `tests/host`.
    #[test]
    fn features_are_the_same_with_and_without_tests() {
        let tests = features("normal,build,dev");
        let programs = features("normal,build");
        let twice: Vec<_> = programs.difference(&tests).collect();
        assert!(twice.is_empty(), "built twice: {twice:#?}");
    }
}
