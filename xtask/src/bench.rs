//! `cargo xtask bench`: builds the benchmarks, the programs and the peers for release, and runs them.
//!
//! Lives elsewhere: the measurements are in `benches/`. The test command runs the same with the smallest numbers,
//! in the build that the tests have: see [`smoke`].

use std::{path::Path, process::Command};

use crate::{setup, steps};

/// The program that measures.
const PROGRAM: &str = "platinum-benches";
/// The packages whose programs are measured. By package: so they are built with the features that they are
/// shipped with.
const MEASURED: [&str; 5] = [
    "platinum-local",
    "platinum-cloud",
    "platinum-email",
    "platinum-email-draft",
    "platinum-intake",
];

/// Builds for release and prints the tables.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    setup::packages("the main job on real servers", &setup::SERVERS)?;
    setup::skills(root, setup::Skills::AndGuests)?;
    let release = setup::target(root).join("release");
    let mut programs = steps::cargo(root);
    programs.args(["build", "--release", "--locked"]);
    for package in MEASURED {
        programs.args(["-p", package]);
    }
    steps::run_verbose(
        "Building the programs for release (many minutes)",
        &mut programs,
    )?;
    let mut benches = steps::cargo(root);
    benches.args(["build", "--release", "--locked", "-p", PROGRAM]);
    steps::run_verbose("Building the benchmarks for release", &mut benches)?;
    let extism = root.join("benches/extism");
    let mut peer = steps::cargo(&extism);
    peer.args(["build", "--release", "--locked", "--target-dir"])
        .arg(setup::target(root).join("extism"));
    steps::run_verbose("Building Extism for release", &mut peer)?;
    let mut run = Command::new(release.join(PROGRAM));
    run.arg(root)
        .arg("--extism")
        .arg(setup::target(root).join("extism/release/extism-peer"))
        .env(setup::PROGRAMS_VARIABLE, release);
    steps::run_verbose("Benchmarks", &mut run)
}

/// Each benchmark once, to see that it still runs.
pub(crate) fn smoke(root: &Path) -> Command {
    let mut command = Command::new(setup::target(root).join("debug").join(PROGRAM));
    command.arg(root).arg("--smoke");
    command
}
