//! `cargo xtask bench`: builds the benchmark's own workspace and runs it.
//!
//! Lives elsewhere: the measurements are in `benches/`, a workspace of its own, because its peers
//! pull a second wasmtime that nobody else should have to build.

use std::path::Path;

use crate::{setup, steps};

/// Builds for release and prints the table.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    setup::packages("the main job on real servers", platinum_testkit::PACKAGES)?;
    setup::skills(root, setup::Skills::AndGuests)?;
    let programs = setup::programs(root)?;
    let benches = root.join("benches");
    let mut build = steps::cargo(&benches);
    build.args(["build", "--release", "--locked"]);
    steps::run_verbose(
        "Building the benchmarks and their peers for release (many minutes)",
        &mut build,
    )?;
    let mut run = steps::cargo(&benches);
    run.args(["run", "--release", "--locked", "--quiet", "--"])
        .arg(root)
        .env(platinum_testkit::PROGRAMS_VARIABLE, programs);
    steps::run_verbose("Benchmarks", &mut run)
}
