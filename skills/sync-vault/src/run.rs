//! One sync and its report.
//!
//! Invariants: decides nothing; merging and refusing are the host's.

use platinum_sdk::host::{Log, Sync};
use platinum_sdk::skill::log::Level;
use platinum_sdk::{Error, Invocation, Outcome};

/// `nothing` if both sides were equal, else `done` with the numbers.
///
/// # Errors
/// If the remote is away, or holds what its author may not make.
pub fn run(host: &(impl Log + Sync), _: &Invocation) -> Result<Outcome, Error> {
    let report = host.run()?;
    if report.conflicts > 0 {
        let text = match report.conflicts {
            1 => "1 file was changed on both sides; the older version is kept as a .conflict file"
                .to_owned(),
            files => format!(
                "{files} files were changed on both sides; the older versions are kept as .conflict files"
            ),
        };
        host.line(Level::Warn, &text);
    }
    if (report.pulled, report.pushed, report.conflicts) == (0, 0, 0) {
        return Ok(Outcome::Nothing);
    }
    Ok(Outcome::Done(format!(
        "pulled {}, pushed {}, conflicts {}",
        report.pulled, report.pushed, report.conflicts
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platinum_sdk::sync::run as sync;
    use platinum_sdk::testing::TestHost;

    fn after(synced: Result<sync::Report, sync::Error>) -> (TestHost, Result<Outcome, Error>) {
        let host = TestHost {
            synced,
            ..TestHost::default()
        };
        let invocation = Invocation {
            event: "schedule:60s".into(),
            task: None,
            message: None,
        };
        let outcome = run(&host, &invocation);
        (host, outcome)
    }

    fn report(pulled: u32, pushed: u32, conflicts: u32) -> sync::Report {
        sync::Report {
            pulled,
            pushed,
            conflicts,
            tip: "00".into(),
        }
    }

    /// Equal sides are nothing to do.
    #[test]
    fn run_equal_sides_are_nothing() {
        assert_eq!(after(Ok(report(0, 0, 0))).1, Ok(Outcome::Nothing));
    }

    /// What moved is reported in one line.
    #[test]
    fn run_reports_what_moved_in_one_line() {
        let (host, outcome) = after(Ok(report(2, 1, 1)));
        assert_eq!(
            outcome,
            Ok(Outcome::Done("pulled 2, pushed 1, conflicts 1".into()))
        );
        assert!(host.logged(".conflict"));
    }

    /// A remote that is away is tried again, and a violation is not.
    #[test]
    fn run_remote_away_is_unavailable() {
        let away = sync::Error::Unavailable("no route".into());
        assert_eq!(
            after(Err(away)).1,
            Err(Error::Unavailable("no route".into()))
        );
        let violation = sync::Error::Violation("cloud wrote Approved/x.md".into());
        assert!(matches!(after(Err(violation)).1, Err(Error::Denied(_))));
    }
}
