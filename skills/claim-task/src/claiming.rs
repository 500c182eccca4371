//! One claim, and what its end means.
//!
//! Invariants: asks the remote once per run; a lost claim is never argued with.

use platinum_sdk::host::{ClaimTasks, Log, ReadTasks};
use platinum_sdk::skill::log::Level;
use platinum_sdk::tasks::{claim::Claimed, types};
use platinum_sdk::text::one_line;
use platinum_sdk::{Error, Invocation, Outcome};

/// `passed` if the task belongs to this agent now (or tentatively), `nothing` if somebody was
/// first or the task is gone.
///
/// # Errors
/// If no task is named, its zone is not granted, or it cannot be read.
pub fn run(
    host: &(impl Log + ReadTasks + ClaimTasks),
    invocation: &Invocation,
) -> Result<Outcome, Error> {
    let id = invocation
        .task
        .as_deref()
        .ok_or_else(|| Error::Invalid("claim-task needs a task".into()))?;
    let task = match host.get(id) {
        Err(types::Error::NotFound) => return Ok(Outcome::Nothing),
        answer => answer?,
    };
    let subject = one_line(&task.subject, 80);
    match host.claim(id)? {
        Claimed::Won(epoch) => Ok(Outcome::Passed(format!(
            "claimed with epoch {epoch}: {subject}"
        ))),
        Claimed::Tentative => {
            host.line(
                Level::Warn,
                &format!("{id}: the remote is away, the claim is tentative"),
            );
            Ok(Outcome::Passed(format!(
                "claimed until the remote answers: {subject}"
            )))
        }
        Claimed::Lost(owner) => {
            let who = if owner.is_empty() {
                "the task is gone".into()
            } else {
                format!("lost to {owner}")
            };
            host.line(Level::Info, &format!("{id}: {who}"));
            Ok(Outcome::Nothing)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platinum_sdk::doubles::TestHost;
    use platinum_sdk::{Trigger, Zone};

    fn claim(claimed: Result<Claimed, types::Error>) -> (TestHost, Result<Outcome, Error>) {
        let task = types::Task {
            id: "task_1".into(),
            zone: Zone::Email,
            source: "maildir:owner".into(),
            sender: "Ada <ada@example.test>".into(),
            subject: "Tea\non Monday?".into(),
            received: None,
            created: "2026-11-20T18:00:00Z".into(),
            facts: Vec::new(),
            text: "Hello".into(),
        };
        let host = TestHost {
            tasks: vec![task],
            claimed,
            ..TestHost::default()
        };
        let invocation = Invocation {
            trigger: Trigger::Task,
            task: Some("task_1".into()),
            about: None,
        };
        let outcome = run(&host, &invocation);
        (host, outcome)
    }

    #[test]
    fn a_won_claim_passes_the_task_on() {
        let (_, outcome) = claim(Ok(Claimed::Won(7)));
        assert_eq!(
            outcome,
            Ok(Outcome::Passed(
                "claimed with epoch 7: Tea on Monday?".into()
            ))
        );
    }

    #[test]
    fn a_tentative_claim_passes_the_task_on_and_says_so() {
        let (host, outcome) = claim(Ok(Claimed::Tentative));
        assert!(matches!(outcome, Ok(Outcome::Passed(text)) if text.contains("until")));
        assert!(host.logged("tentative"));
    }

    #[test]
    fn a_lost_claim_is_nothing_to_do() {
        let (host, outcome) = claim(Ok(Claimed::Lost("cloud-2".into())));
        assert_eq!(outcome, Ok(Outcome::Nothing));
        assert!(host.logged("lost to cloud-2"));
        assert_eq!(
            claim(Ok(Claimed::Lost(String::new()))).1,
            Ok(Outcome::Nothing)
        );
    }

    #[test]
    fn a_zone_that_is_not_granted_is_denied() {
        let (_, outcome) = claim(Err(types::Error::ZoneDenied(Zone::Payments)));
        assert!(matches!(outcome, Err(Error::Denied(_))));
    }

    #[test]
    fn a_task_that_is_gone_is_nothing_to_do() {
        let invocation = Invocation {
            trigger: Trigger::Task,
            task: Some("task_9".into()),
            about: None,
        };
        assert_eq!(run(&TestHost::default(), &invocation), Ok(Outcome::Nothing));
    }
}
