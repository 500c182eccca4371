//! What the log of a test program says: how many tests passed, which were skipped and why, which figures
//! were reached.
//!
//! A test that cannot run on this machine prints `SKIPPED: <why>`; one that reaches a figure worth knowing
//! prints `FIGURE: <what>`.

use std::ops::AddAssign;

/// How a test begins the line that says why it did not run.
const SKIPPED: &str = "SKIPPED: ";
/// How a test begins a line with a figure it reached.
const FIGURE: &str = "FIGURE: ";
/// How many lines of a log are shown where it does not say what failed.
const TAIL: usize = 100;

/// The numbers of one test program, or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Tests that passed.
    pub(crate) passed: usize,
    /// Tests that failed, and programs that did not come to their end.
    pub(crate) failed: usize,
    /// Tests that did not run.
    pub(crate) skipped: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// What a log says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Results {
    /// The numbers; nothing where the program did not count its tests.
    pub(crate) counts: Option<Counts>,
    /// Why tests were skipped.
    pub(crate) skipped: Vec<String>,
    /// Figures that were reached.
    pub(crate) figures: Vec<String>,
}

impl Results {
    /// Reads them from a log.
    pub(crate) fn of(log: &str) -> Self {
        let begins = |start: &'static str| {
            log.lines()
                .filter_map(move |line| line.strip_prefix(start))
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        let skipped = begins(SKIPPED);
        // A doctest run has a result for each crate.
        let results = log
            .lines()
            .filter_map(|line| line.strip_prefix("test result: "));
        let mut counts: Option<Counts> = None;
        for result in results {
            *counts.get_or_insert_default() += Counts {
                passed: count(result, "passed"),
                failed: count(result, "failed"),
                skipped: count(result, "ignored"),
            };
        }
        if let Some(counts) = &mut counts {
            // For the test program they passed.
            counts.passed = counts.passed.saturating_sub(skipped.len());
            counts.skipped += skipped.len();
        }
        Self {
            counts,
            skipped,
            figures: begins(FIGURE),
        }
    }
}

/// The number before a word in `ok. 3 passed; 0 failed; …`.
fn count(result: &str, word: &str) -> usize {
    result
        .split([';', '.'])
        .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
        .unwrap_or(0)
}

/// The part of a log that says what failed.
pub(crate) fn failures(log: &str) -> String {
    if let Some((_, failures)) = log.split_once("\nfailures:\n") {
        return failures.to_owned();
    }
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| !(line.starts_with("test ") && line.ends_with("... ok")))
        .collect();
    lines[lines.len().saturating_sub(TAIL)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\nrunning 16 tests\ntest a ... ok\n\nsuccesses:\n\n---- a stdout ----\n\
        SKIPPED: no network namespaces here\nFIGURE: 400 claims in 30 s\n\nfailures:\n\n---- b stdout ----\nwrong\n\n\
        test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s\n";

    #[test]
    fn results_count_a_test_that_could_not_run_as_skipped() {
        let results = Results::of(LOG);
        let counts = Counts {
            passed: 11,
            failed: 3,
            skipped: 2,
        };
        assert_eq!(results.counts, Some(counts));
        assert_eq!(results.skipped, ["no network namespaces here"]);
        assert_eq!(results.figures, ["400 claims in 30 s"]);
    }

    #[test]
    fn results_of_a_program_that_died_have_no_counts() {
        assert_eq!(Results::of("running 3 tests\ntest a ... ok\n").counts, None);
    }

    #[test]
    fn failures_are_shown_without_the_tests_that_passed() {
        assert!(failures(LOG).starts_with("\n---- b stdout ----\nwrong"));
        let died = failures("running 3 tests\ntest a ... ok\nfatal\n");
        assert_eq!(died, "running 3 tests\nfatal");
    }
}
