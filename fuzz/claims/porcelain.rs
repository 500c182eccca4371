//! Any bytes as what `git push --porcelain` prints: a push counts as landed only by the one line that names it.

use platinum_protocol::PushOutcome;
use platinum_repo::{BRANCH, Oid, push_outcome};

const COMMIT: &str = "1111111111111111111111111111111111111111";

/// The claim, of these bytes.
pub(super) fn check(input: &[u8]) {
    let commit = Oid::from_str(COMMIT).expect("an id");
    let spec = format!("{COMMIT}:{BRANCH}");
    // As it is, and behind the start of a good line.
    for start in ["", "To x\n \t", "To x\n!\t"] {
        let printed = match start {
            "" => input.to_vec(),
            start => [start, &spec, "\t"]
                .map(str::as_bytes)
                .concat()
                .into_iter()
                .chain(input.iter().copied())
                .collect(),
        };
        let text = String::from_utf8_lossy(&printed);
        let names_us = |line: &&str| {
            line.split('\t').nth(1) == Some(spec.as_str()) && line.matches('\t').count() > 1
        };
        let lines = text.lines().filter(names_us).count();
        for success in [false, true] {
            match push_outcome(&printed, success, commit, "reason") {
                PushOutcome::Landed => {
                    assert!(
                        success && lines == 1 && text.lines().any(|line| line == "Done"),
                        "{text:?}"
                    );
                }
                PushOutcome::Rejected(_) => assert!(!success && lines == 1, "{text:?}"),
                PushOutcome::Indeterminate(why) => assert!(!why.is_empty()),
            }
        }
    }
}
