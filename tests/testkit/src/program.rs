//! [`program`]: a program of the workspace, built, for tests that start it as a process;
//! [`add_skills`], without which a host runs none, and [`compiled_skills`], without which each compiles them; and
//! [`exchange_keys`], without which two halves take nothing from each other.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context as _, ensure};

/// Names the folder where someone (xtask) built all programs already; then nothing is built here.
pub const PROGRAMS_VARIABLE: &str = "PLATINUM_PROGRAMS";

/// Where the program `name` of `package` is. The first caller builds it, so it is never older
/// than the sources.
///
/// # Errors
/// If it does not build; the compiler's words are in the text.
pub fn program(package: &str, name: &str) -> anyhow::Result<PathBuf> {
    if let Some(folder) = std::env::var_os(PROGRAMS_VARIABLE) {
        let path = PathBuf::from(folder).join(name);
        ensure!(
            path.is_file(),
            "{PROGRAMS_VARIABLE} is set, and {} is not there",
            path.display()
        );
        return Ok(path);
    }
    static BUILT: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(path) = built.get(name) {
        return Ok(path.clone());
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        // Of the whole workspace: with the features that the tests were built with, so that little is built.
        .args(["build", "--quiet", "--workspace", "--bin", name])
        .output()
        .context("cannot start cargo")?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "cannot build {name} of {package}: {complaint}"
    );
    // A test is target/<profile>/deps/<test>; programs are one folder up.
    let here = std::env::current_exe()?;
    let folder = here
        .ancestors()
        .nth(2)
        .context("the test is not in a target folder")?;
    let path = folder.join(name);
    ensure!(
        path.is_file(),
        "cargo built {name}, and {} is not there",
        path.display()
    );
    built.insert(name.to_owned(), path.clone());
    Ok(path)
}

/// A folder where the hosts of all tests keep compiled skills, for `work.compiled`: each skill is compiled once,
/// not by every host of every test.
pub fn compiled_skills() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/skills/compiled")
}

/// Adds the skills that `cargo xtask skills` built to the folder of installed skills that the
/// configuration of an owner's machine names, as the owner does.
///
/// # Errors
/// If they are not built, or `platinum skill add` fails.
pub fn add_skills(config: &Path) -> anyhow::Result<()> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/skills/installed");
    ensure!(
        built.exists(),
        "{} is not there: run `cargo xtask skills` first",
        built.display()
    );
    add_skills_of(&built, config)
}

/// Adds all skills in `folder`, each a folder of its own, as [`add_skills`] does.
///
/// # Errors
/// If `platinum skill add` fails.
pub fn add_skills_of(folder: &Path, config: &Path) -> anyhow::Result<()> {
    let output = Command::new(program("platinum-local", "platinum")?)
        .args(["skill", "add", "--all", "--yes"])
        .arg(folder)
        .arg("--config")
        .arg(config)
        .output()?;
    ensure!(
        output.status.success(),
        "platinum skill add: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Each half learns the other's key, as the owner does it once; given the configurations of both.
///
/// # Errors
/// If a command of theirs fails.
pub fn exchange_keys(cloud: &Path, local: &Path) -> anyhow::Result<()> {
    let line = |package: &str, name: &str, config: &Path, arguments: &[&str]| {
        let output = Command::new(program(package, name)?)
            .args(arguments)
            .arg("--config")
            .arg(config)
            .output()?;
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{name} {arguments:?}: {errors}");
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    let of_local = line("platinum-local", "platinum", local, &["key"])?;
    let trust = ["trust", of_local.as_str()];
    let of_cloud = line("platinum-cloud", "platinum-cloud", cloud, &trust)?;
    line("platinum-local", "platinum", local, &["trust", &of_cloud])?;
    Ok(())
}
