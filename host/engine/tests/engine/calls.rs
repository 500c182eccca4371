//! What goes into a call and what comes out of it.

use platinum_core::{Capability, Role, TaskId, Timestamp};
use platinum_engine::{Invocation, InvokeError, Outcome, SkillError};

use crate::support::{Ledger, host, limits, load, run, run_with};

/// A skill calls the host and answers.
#[tokio::test]
async fn invoke_skill_calls_the_host() {
    let host = host(Role::Cloud, &Ledger::default());
    let skill = load(&host, "two-calls");
    assert_eq!(
        run(&host, &skill, &limits()).await.unwrap(),
        Outcome::Done("tester at 1970-01-01T00:00:00Z".to_owned())
    );
}

/// Every outcome and error comes back as it was meant.
#[tokio::test]
async fn invoke_every_outcome_and_error_comes_back() {
    let host = host(Role::Cloud, &Ledger::default());
    let echo = load(&host, "echo");
    for (message, expected) in [
        ("", Outcome::Nothing),
        ("drafted d", Outcome::Drafted("d".to_owned())),
        ("dismissed d", Outcome::Dismissed("d".to_owned())),
        ("claimed c", Outcome::Claimed("c".to_owned())),
        ("tentative t", Outcome::Tentative("t".to_owned())),
    ] {
        assert_eq!(
            run_with(&host, &echo, message, &limits()).await.unwrap(),
            expected
        );
    }
    for (message, expected, sentence) in [
        (
            "invalid i",
            SkillError::Invalid("i".to_owned()),
            "invalid invocation: i",
        ),
        ("denied d", SkillError::Denied("d".to_owned()), "denied: d"),
        (
            "unavailable u",
            SkillError::Unavailable("u".to_owned()),
            "unavailable: u",
        ),
        (
            "failed a\nb\u{7}",
            SkillError::Failed("a b".to_owned()),
            "a b",
        ),
    ] {
        let failed = run_with(&host, &echo, message, &limits())
            .await
            .unwrap_err();
        assert_eq!(failed.to_string(), format!("skill echo failed: {sentence}"));
        let InvokeError::Skill { error, .. } = failed else {
            panic!("{failed}")
        };
        assert_eq!(error, expected);
    }
}

/// A task is named by its id.
#[tokio::test]
async fn invoke_passes_the_task_as_its_id() {
    let host = host(Role::Cloud, &Ledger::default());
    let echo = load(&host, "echo");
    let task = TaskId::generate();
    let invocation = Invocation {
        event: "task.claimed".to_owned(),
        task: Some(task),
        message: Some("task please".to_owned()),
    };
    let outcome = host
        .invoke(
            &echo,
            invocation,
            Vec::new(),
            Timestamp::UNIX_EPOCH,
            &limits(),
        )
        .await
        .unwrap();
    assert_eq!(outcome, Outcome::Done(task.to_string()));
}

/// Every call gets a fresh instance.
#[tokio::test]
async fn invoke_starts_a_fresh_instance() {
    let host = host(Role::Cloud, &Ledger::default());
    let skill = load(&host, "keeps-a-count");
    for _ in 0..3 {
        let outcome = run(&host, &skill, &limits()).await.unwrap();
        assert_eq!(outcome, Outcome::Done("1".to_owned()));
    }
}

/// Wasi is there and empty.
#[tokio::test]
async fn wasi_by_default_is_empty() {
    // The test itself has an environment, arguments and a folder to be in.
    let host = host(Role::Local, &Ledger::default());
    let skill = load(&host, "asks-wasi");
    assert_eq!(
        run(&host, &skill, &limits()).await.unwrap(),
        Outcome::Done("0 variables, 0 arguments, 0 folders, home None".to_owned())
    );
}

/// What a skill has called of its grants is known, and what it only imports is not among it.
#[tokio::test]
async fn invoke_notes_which_grants_were_used() {
    let host = host(Role::Local, &Ledger::default());
    let skill = load(&host, "asks-email-send");
    assert_eq!(skill.used().count(), 0);
    run(&host, &skill, &limits()).await.unwrap();
    let used: Vec<_> = skill.used().collect();
    assert_eq!(
        used,
        [Capability::ApprovalsQueue],
        "there was nothing to send"
    );
}
