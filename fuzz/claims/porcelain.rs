//! Any bytes as what `git push --porcelain` prints: a push counts as landed only by the one line that names it.

use platinum_protocol::PushOutcome;
use platinum_repo::{BRANCH, Oid, push_outcome};

const COMMIT: &str = "1111111111111111111111111111111111111111";

/// The claim, of these bytes.
pub(super) fn check(input: &[u8]) {
    let commit = Oid::from_str(COMMIT).expect("an id");
    let named = format!("\t{COMMIT}:{BRANCH}\t");
    // As it is, and behind the start of a good line.
    for start in ["", "To x\n \t", "To x\n!\t"] {
        let printed = match start {
            "" => input.to_vec(),
            start => [start.as_bytes(), &named.as_bytes()[1..], input].concat(),
        };
        let text = String::from_utf8_lossy(&printed);
        let lines = text.lines().filter(|line| line.contains(&named)).count();
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
