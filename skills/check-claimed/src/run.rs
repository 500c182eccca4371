//! Whether a task is worth a claim.
//!
//! Invariants: an answer of `done` means free at the remote's last verified state, no more; the
//! claim itself is what decides.

use platinum_sdk::host::{Log, Ownership, ReadTasks};
use platinum_sdk::skill::log::Level;
use platinum_sdk::tasks::{ownership::Owner, types};
use platinum_sdk::{Error, Invocation, Outcome};

/// `done("free")` if the task can be claimed, `nothing` if it is owned, finished or gone.
///
/// # Errors
/// If no task is named, its zone is not granted, or the state cannot be read.
pub fn run(
    host: &(impl Log + ReadTasks + Ownership),
    invocation: &Invocation,
) -> Result<Outcome, Error> {
    let id = invocation
        .task
        .as_deref()
        .ok_or_else(|| Error::Invalid("check-claimed needs a task".into()))?;
    let owner = match host.owner_of(id) {
        Err(types::Error::NotFound) => return Ok(Outcome::Nothing),
        answer => answer?,
    };
    match owner {
        Owner::Unowned => {}
        Owner::ThisAgent | Owner::Finished => return Ok(Outcome::Nothing),
        Owner::Other(agent) => {
            host.line(Level::Debug, &format!("{id} belongs to {agent}"));
            return Ok(Outcome::Nothing);
        }
    }
    // A note that is broken or of a zone that is not granted is not worth a push.
    match host.get(id) {
        Ok(_) => Ok(Outcome::Done("free".into())),
        Err(types::Error::NotFound) => Ok(Outcome::Nothing),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platinum_sdk::testing::TestHost;

    fn host() -> TestHost {
        let task = types::Task {
            id: "task_1".into(),
            zone: "email".into(),
            source: "maildir:owner".into(),
            sender: "Ada <ada@example.test>".into(),
            subject: "Hello".into(),
            received: None,
            created: "2026-11-20T18:00:00Z".into(),
            facts: Vec::new(),
            text: "Hello".into(),
        };
        TestHost {
            tasks: vec![task],
            ..TestHost::default()
        }
    }

    fn check(host: &TestHost) -> Result<Outcome, Error> {
        let invocation = Invocation {
            event: "task.waiting".into(),
            task: Some("task_1".into()),
            message: None,
        };
        run(host, &invocation)
    }

    #[test]
    fn task_that_waits_is_free() {
        assert_eq!(check(&host()), Ok(Outcome::Done("free".into())));
    }

    #[test]
    fn task_owned_finished_or_absent_is_nothing_to_do() {
        for owner in [
            Owner::ThisAgent,
            Owner::Finished,
            Owner::Other("cloud-2".into()),
        ] {
            let host = TestHost {
                owner: Ok(owner),
                ..host()
            };
            assert_eq!(check(&host), Ok(Outcome::Nothing));
        }
        let host = TestHost {
            owner: Err(types::Error::NotFound),
            ..host()
        };
        assert_eq!(check(&host), Ok(Outcome::Nothing));
        assert_eq!(check(&TestHost::default()), Ok(Outcome::Nothing));
    }

    #[test]
    fn state_that_cannot_be_read_is_unavailable() {
        let away = types::Error::Unavailable("the disk is away".into());
        let host = TestHost {
            owner: Err(away),
            ..host()
        };
        assert_eq!(
            check(&host),
            Err(Error::Unavailable("the disk is away".into()))
        );
    }

    #[test]
    fn run_without_a_task_is_invalid() {
        let invocation = Invocation {
            event: "task.waiting".into(),
            task: None,
            message: None,
        };
        assert!(matches!(run(&host(), &invocation), Err(Error::Invalid(_))));
    }
}
