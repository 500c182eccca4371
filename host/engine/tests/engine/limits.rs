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

/// A skill that takes memory without end runs out of it.
#[tokio::test]
async fn limits_endless_growth_runs_out_of_memory() {
    let error = stopped("hogs-memory", limits()).await;
    assert_eq!(
        error.to_string(),
        "skill hogs-memory ran out of memory: 67108864 bytes of memory are allowed"
    );
}

/// A skill that starts with too much memory does not start.
#[tokio::test]
async fn limits_initial_memory_too_large_does_not_start() {
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

/// A skill with a huge table does not start.
#[tokio::test]
async fn limits_huge_table_does_not_start() {
    let error = stopped("hogs-table", limits()).await;
    assert_eq!(
        error.to_string(),
        "skill hogs-table ran out of memory: 20000 table elements are allowed"
    );
}

/// A component of too many instances memories or tables does not start.
#[tokio::test]
async fn limits_too_many_parts_do_not_start() {
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

/// A skill that computes without end runs out of time.
#[tokio::test]
async fn limits_endless_loop_runs_out_of_time() {
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

/// A skill that computes without end is also stopped by the wall clock.
#[tokio::test]
async fn limits_endless_loop_times_out() {
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

/// A skill that computes lets others run on the same thread.
#[tokio::test]
async fn limits_endless_loop_yields_to_other_tasks() {
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

/// A skill that waits in the host is stopped by the wall clock.
#[tokio::test]
async fn limits_endless_wait_times_out() {
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

/// Waiting for the host is not the skills own time.
#[tokio::test]
async fn limits_waiting_in_the_host_is_not_cpu_time() {
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

/// A skill that floods the host is stopped at its budget.
#[tokio::test]
async fn limits_host_calls_stop_at_the_budget() {
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

/// A string that is too long does not reach the host.
#[tokio::test]
async fn limits_string_too_long_traps() {
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

/// A list that is too long does not reach the host.
#[tokio::test]
async fn limits_list_too_long_traps() {
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

/// An outcome that is far too long is not taken.
#[tokio::test]
async fn limits_outcome_far_too_long_traps() {
    let error = stopped("huge-outcome", limits()).await;
    assert!(matches!(error, InvokeError::Trapped { .. }), "{error}");
    assert!(error.to_string().len() < 2_000, "{error}");
}

/// An outcome that is too long is cut to one line.
#[tokio::test]
async fn limits_outcome_too_long_is_cut() {
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

/// A skill that breaks says how.
#[tokio::test]
async fn invoke_trap_says_how() {
    let error = stopped("traps", limits()).await;
    assert_eq!(
        error.to_string(),
        "skill traps trapped: wasm trap: wasm `unreachable` instruction executed"
    );
}

/// A skill that calls itself without end runs out of stack.
#[tokio::test]
async fn limits_endless_recursion_traps() {
    let error = stopped("recurses", limits()).await;
    assert_eq!(
        error.to_string(),
        "skill recurses trapped: wasm trap: call stack exhausted"
    );
}

/// More calls than places wait for their turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_calls_beyond_the_places_wait() {
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

/// Waiting for a place counts as time.
#[tokio::test]
async fn limits_waiting_for_a_place_counts_as_time() {
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

/// Limits hold without a pool too.
#[tokio::test]
async fn limits_without_a_pool_hold() {
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
