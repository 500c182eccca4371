//! `cargo xtask test`: sets up what tests need and runs every check there is.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::Stdio,
};

use anyhow::{Context, bail};

use crate::{setup, steps};

/// Runs everything; the last line counts the tests.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    setup::packages("tests on real servers", platinum_testkit::PACKAGES)?;
    steps::quiet(
        "Formatting",
        steps::cargo(root).args(["fmt", "--all", "--check"]),
    )?;
    setup::skills(root)?;
    steps::shown(
        "Building everything (the first time: several minutes)",
        steps::cargo(root).args(["build", "--locked", "--workspace", "--all-targets"]),
    )?;
    let (passed, failed, ignored) = tests(root)?;
    steps::shown(
        "Lints (clippy)",
        steps::cargo(root).args([
            "clippy",
            "--quiet",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    println!("{passed} passed, {failed} failed, {ignored} skipped");
    if failed > 0 {
        bail!("{failed} tests failed");
    }
    Ok(())
}

/// Runs the workspace's tests, with their output on the screen, and counts them.
fn tests(root: &Path) -> anyhow::Result<(u64, u64, u64)> {
    eprintln!("… Tests");
    let mut child = steps::cargo(root)
        .args(["test", "--locked", "--workspace", "--no-fail-fast"])
        // Built just now, all in one folder: tests that start programs need not build them again.
        .env(
            platinum_testkit::PROGRAMS_VARIABLE,
            setup::target(root).join("debug"),
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cargo test cannot be started")?;
    let mut counts = (0, 0, 0);
    let output = child.stdout.take().context("cargo test has no output")?;
    for line in BufReader::new(output).lines() {
        let line = line?;
        // Passing tests are many; what failed and how each part ended is shown.
        if !(line.is_empty() || line.starts_with("test ") && line.ends_with("... ok")) {
            println!("{line}");
        }
        if let Some(result) = line.strip_prefix("test result: ") {
            counts.0 += count(result, "passed");
            counts.1 += count(result, "failed");
            counts.2 += count(result, "ignored");
        }
    }
    let status = child.wait()?;
    if !status.success() && counts.1 == 0 {
        bail!("cargo test failed ({status}) before it counted its tests");
    }
    Ok(counts)
}

/// The number before a word in `ok. 3 passed; 0 failed; …`.
fn count(result: &str, word: &str) -> u64 {
    result
        .split([';', '.'])
        .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn the_result_line_of_cargo_test_is_counted() {
        let line =
            "ok. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        assert_eq!(
            (
                count(line, "passed"),
                count(line, "failed"),
                count(line, "ignored")
            ),
            (12, 3, 1)
        );
    }
}
