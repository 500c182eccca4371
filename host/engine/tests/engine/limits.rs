//! Every limit against the guest that tries it, and the host well afterwards.

use std::time::{Duration, Instant};

use platinum_core::Role;
use platinum_engine::{EngineOptions, InvokeError, Limits, Outcome};

use crate::support::{Ledger, engine, host, host_on, limits, load, run};

/// Runs a guest that must not end well, then a harmless one on the same host.
async fn stopped(guest: &str, limits_of_guest: Limits) -> InvokeError {
    let ledger = Ledger::default();
    let host = host(Role::Local, &ledger);
    let skill = load(&host, guest);
    let error = run(&host, &skill, &limits_of_guest).await.unwrap_err();
    assert!(
        error.to_string().starts_with(&format!("skill {guest} ")),
        "{error}"
    );
    let minimal = load(&host, "minimal");
    let after = run(&host, &minimal, &limits()).await.unwrap();
    assert_eq!(after, Outcome::Done("minimal".to_owned()));
    error
}

#[tokio::test]
async fn a_skill_that_takes_memory_without_end_runs_out_of_it() {
    let error = stopped("hogs-memory", limits()).await;
    assert_eq!(
        error.to_string(),
        "skill hogs-memory ran out of memory: 67108864 bytes of memory are allowed"
    );
}

#[tokio::test]
async fn a_skill_that_starts_with_too_much_memory_does_not_start() {
    let error = stopped(
        "traps",
        Limits {
            memory_bytes: 1 << 16,
            ..limits()
        },
    )
    .await;
    assert!(
        matches!(error, InvokeError::OutOfMemory { limit: 65_536, .. }),
        "{error}"
    );
}

#[tokio::test]
async fn a_skill_with_a_huge_table_does_not_start() {
    let error = stopped("hogs-table", limits()).await;
    assert_eq!(
        error.to_string(),
        "skill hogs-table ran out of memory: 20000 table elements are allowed"
    );
}

#[tokio::test]
async fn a_component_of_too_many_instances_memories_or_tables_does_not_start() {
    for limits in [
        Limits {
            instances: 0,
            ..limits()
        },
        Limits {
            memories: 0,
            ..limits()
        },
        Limits {
            tables: 0,
            ..limits()
        },
    ] {
        let error = stopped("hogs-table", limits).await;
        assert!(
            error.to_string().contains("resource limit exceeded"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_skill_that_computes_without_end_runs_out_of_time() {
    let error = stopped(
        "loops-forever",
        Limits {
            cpu: Duration::from_millis(100),
            ..limits()
        },
    )
    .await;
    assert_eq!(
        error.to_string(),
        "skill loops-forever ran out of time: 100ms of its own computing are allowed"
    );
}

#[tokio::test]
async fn a_skill_that_computes_without_end_is_also_stopped_by_the_wall_clock() {
    let error = stopped(
        "loops-forever",
        Limits {
            wall_clock: Duration::from_millis(100),
            ..limits()
        },
    )
    .await;
    assert!(matches!(error, InvokeError::TimedOut { .. }), "{error}");
}

#[tokio::test]
async fn a_skill_that_computes_lets_others_run_on_the_same_thread() {
    let host = host(Role::Local, &Ledger::default());
    let (hostile, harmless) = (load(&host, "loops-forever"), load(&host, "minimal"));
    let (endless, limits) = (limits(), limits());
    let endless = run(&host, &hostile, &endless);
    tokio::select! {
        biased;
        ended = endless => panic!("it ended: {ended:?}"),
        outcome = run(&host, &harmless, &limits) => {
            assert_eq!(outcome.unwrap(), Outcome::Done("minimal".to_owned()));
        }
    }
}

#[tokio::test]
async fn a_skill_that_waits_in_the_host_is_stopped_by_the_wall_clock() {
    let started = Instant::now();
    let error = stopped(
        "waits-in-host",
        Limits {
            wall_clock: Duration::from_millis(100),
            ..limits()
        },
    )
    .await;
    assert_eq!(
        error.to_string(),
        "skill waits-in-host was stopped: it took longer than 100ms, waiting included"
    );
    assert!(started.elapsed() < Duration::from_secs(60));
}

#[tokio::test]
async fn waiting_for_the_host_is_not_the_skills_own_time() {
    let ledger = Ledger {
        sync_takes: Some(Duration::from_millis(300)),
        ..Ledger::default()
    };
    let host = host(Role::Local, &ledger);
    let skill = load(&host, "waits-in-host");
    let limits = Limits {
        cpu: Duration::from_millis(10),
        ..limits()
    };
    let outcome = run(&host, &skill, &limits).await.unwrap();
    assert_eq!(outcome, Outcome::Done("tip".to_owned()));
}

#[tokio::test]
async fn a_skill_that_floods_the_host_is_stopped_at_its_budget() {
    let ledger = Ledger::default();
    let host = host(Role::Local, &ledger);
    let skill = load(&host, "floods-host");
    let error = run(
        &host,
        &skill,
        &Limits {
            host_calls: 500,
            ..limits()
        },
    )
    .await
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "skill floods-host was stopped: it called the host more than 500 times"
    );
    let lines = ledger.lines.lock().unwrap().len();
    assert!((1..=500).contains(&lines), "{lines}");
}

#[tokio::test]
async fn a_string_that_is_too_long_does_not_reach_the_host() {
    let ledger = Ledger::default();
    let host = host(Role::Local, &ledger);
    let skill = load(&host, "huge-line");
    let error = run(&host, &skill, &limits()).await.unwrap_err();
    assert!(matches!(error, InvokeError::Trapped { .. }), "{error}");
    assert!(ledger.lines.lock().unwrap().is_empty());
    let roomy = Limits {
        boundary_bytes: 16 << 20,
        ..limits()
    };
    run(&host, &skill, &roomy).await.unwrap();
    assert_eq!(ledger.lines.lock().unwrap()[0].len(), 8 << 20);
}

#[tokio::test]
async fn a_list_that_is_too_long_does_not_reach_the_host() {
    let error = stopped(
        "huge-list",
        Limits {
            boundary_bytes: 64 << 10,
            ..limits()
        },
    )
    .await;
    assert!(matches!(error, InvokeError::Trapped { .. }), "{error}");
}

#[tokio::test]
async fn an_outcome_that_is_far_too_long_is_not_taken() {
    let error = stopped("huge-outcome", limits()).await;
    assert!(matches!(error, InvokeError::Trapped { .. }), "{error}");
    assert!(error.to_string().len() < 2_000, "{error}");
}

#[tokio::test]
async fn an_outcome_that_is_too_long_is_cut_to_one_line() {
    let host = host(Role::Local, &Ledger::default());
    let skill = load(&host, "long-outcome");
    let outcome = run(&host, &skill, &limits()).await.unwrap();
    let Outcome::Done(text) = outcome else {
        panic!("{outcome:?}")
    };
    assert!(
        text.starts_with("line line ") && text.ends_with('…'),
        "{text}"
    );
    assert!(text.len() <= limits().outcome_bytes + '…'.len_utf8());
}

#[tokio::test]
async fn a_skill_that_breaks_says_how() {
    let error = stopped("traps", limits()).await;
    assert_eq!(
        error.to_string(),
        "skill traps trapped: wasm trap: wasm `unreachable` instruction executed"
    );
}

#[tokio::test]
async fn a_skill_that_calls_itself_without_end_runs_out_of_stack() {
    let error = stopped("recurses", limits()).await;
    assert_eq!(
        error.to_string(),
        "skill recurses trapped: wasm trap: call stack exhausted"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_than_places_wait_for_their_turn() {
    let options = EngineOptions {
        concurrent_calls: 2,
        ..EngineOptions::default()
    };
    let engine = platinum_engine::Engine::new(options).unwrap();
    let host = host_on(engine, Role::Local, &Ledger::default());
    let skill = load(&host, "two-calls");
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..40 {
        let (host, skill) = (host.clone(), skill.clone());
        calls.spawn(async move { run(&host, &skill, &limits()).await });
    }
    while let Some(outcome) = calls.join_next().await {
        outcome.unwrap().unwrap();
    }
}

#[tokio::test]
async fn waiting_for_a_place_counts_as_time() {
    let options = EngineOptions {
        concurrent_calls: 1,
        ..EngineOptions::default()
    };
    let engine = platinum_engine::Engine::new(options).unwrap();
    let host = host_on(engine, Role::Local, &Ledger::default());
    let (waits, minimal) = (load(&host, "waits-in-host"), load(&host, "minimal"));
    let (long, short) = (
        limits(),
        Limits {
            wall_clock: Duration::from_millis(100),
            ..limits()
        },
    );
    tokio::select! {
        biased;
        ended = run(&host, &waits, &long) => panic!("it ended: {ended:?}"),
        second = run(&host, &minimal, &short) => {
            assert!(matches!(second, Err(InvokeError::TimedOut { .. })), "{second:?}");
        }
    }
    // The first was dropped in the middle of a host call; its place is free again.
    run(&host, &minimal, &limits()).await.unwrap();
}

#[tokio::test]
async fn limits_hold_without_a_pool_too() {
    let options = EngineOptions {
        concurrent_calls: 1 << 20,
        ..EngineOptions::default()
    };
    let without_pool = platinum_engine::Engine::new(options).unwrap();
    assert_ne!(without_pool.allocation(), engine().allocation());
    let host = host_on(without_pool, Role::Local, &Ledger::default());
    let hog = load(&host, "hogs-memory");
    let error = run(&host, &hog, &limits()).await.unwrap_err();
    assert!(matches!(error, InvokeError::OutOfMemory { .. }), "{error}");
}
