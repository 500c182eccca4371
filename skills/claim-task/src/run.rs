//! One claim, and what its end means.
//!
//! Invariants: asks the remote once per run; a lost claim is never argued with.

use platinum_sdk::host::{ClaimTasks, Log, ReadTasks};
use platinum_sdk::skill::log::Level;
use platinum_sdk::tasks::{claim::ClaimOutcome, types};
use platinum_sdk::text::one_line;
use platinum_sdk::{Error, Invocation, Outcome};

/// `claimed` if the task belongs to this agent now, `tentative` if it does until the remote answers,
/// `nothing` if another agent was first or the task is gone.
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
        ClaimOutcome::Won(epoch) => Ok(Outcome::Claimed(format!("epoch {epoch}: {subject}"))),
        ClaimOutcome::Tentative => {
            host.line(
                Level::Warn,
                &format!("{id}: the remote is away, the claim is tentative"),
            );
            Ok(Outcome::Tentative(format!(
                "until the remote answers: {subject}"
            )))
        }
        ClaimOutcome::Lost(owner) => {
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
    use platinum_sdk::testing::TestHost;

    fn claim(claimed: Result<ClaimOutcome, types::Error>) -> (TestHost, Result<Outcome, Error>) {
        let task = types::Task {
            id: "task_1".into(),
            zone: "email".into(),
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
            event: "task.claim".into(),
            task: Some("task_1".into()),
            message: None,
        };
        let outcome = run(&host, &invocation);
        (host, outcome)
    }

    #[test]
    fn claim_won_is_claimed() {
        let (_, outcome) = claim(Ok(ClaimOutcome::Won(7)));
        assert_eq!(
            outcome,
            Ok(Outcome::Claimed("epoch 7: Tea on Monday?".into()))
        );
    }

    #[test]
    fn claim_without_a_remote_is_tentative() {
        let (host, outcome) = claim(Ok(ClaimOutcome::Tentative));
        assert!(matches!(outcome, Ok(Outcome::Tentative(text)) if text.contains("until")));
        assert!(host.logged("tentative"));
    }

    #[test]
    fn claim_lost_is_nothing_to_do() {
        let (host, outcome) = claim(Ok(ClaimOutcome::Lost("cloud-2".into())));
        assert_eq!(outcome, Ok(Outcome::Nothing));
        assert!(host.logged("lost to cloud-2"));
        assert_eq!(
            claim(Ok(ClaimOutcome::Lost(String::new()))).1,
            Ok(Outcome::Nothing)
        );
    }

    #[test]
    fn claim_in_a_zone_not_granted_is_denied() {
        let (_, outcome) = claim(Err(types::Error::ZoneDenied("payments".into())));
        assert!(matches!(outcome, Err(Error::Denied(_))));
    }

    #[test]
    fn claim_of_a_task_that_is_gone_is_nothing_to_do() {
        let invocation = Invocation {
            event: "task.claim".into(),
            task: Some("task_9".into()),
            message: None,
        };
        assert_eq!(run(&TestHost::default(), &invocation), Ok(Outcome::Nothing));
    }
}
