//! `cargo xtask bench`: builds the benchmarks, the programs and the peers for release, and runs them.
//!
//! Lives elsewhere: the measurements are in `benches/`. The test command runs the same with the smallest numbers,
//! in the build that the tests have: see [`smoke`].

use std::{path::Path, process::Command};

use crate::{setup, steps};

/// The program that measures.
const PROGRAM: &str = "platinum-benches";
/// The packages that are built for it. By package: so the programs are built with the features that they are shipped
/// with, to which the benchmarks add none.
const PACKAGES: [&str; 10] = [
    "platinum-local",
    "platinum-cloud",
    "platinum-email",
    "platinum-email-draft",
    "platinum-intake",
    "platinum-odoo",
    "platinum-odoo-draft",
    "platinum-social",
    "platinum-social-draft",
    PROGRAM,
];

/// Builds for release and prints the tables.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    setup::packages("the jobs on real servers", &setup::SERVERS)?;
    setup::skills(root, setup::Skills::AndGuests)?;
    setup::odoo::set_up(root)?;
    setup::social::set_up(root)?;
    let release = setup::target(root).join("release");
    let mut programs = steps::cargo(root);
    programs.args(["build", "--release", "--locked"]);
    for package in PACKAGES {
        programs.args(["-p", package]);
    }
    steps::run_verbose(
        "Building the programs and benchmarks for release (many minutes)",
        &mut programs,
    )?;
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
