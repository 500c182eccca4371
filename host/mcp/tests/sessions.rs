//! Sessions with real child processes: both lifecycles, and every way a call can go wrong.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic in a test is a failed test with a line number"
)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use platinum_core::Role;
use platinum_mcp::{CallError, Gate, McpError, ServerSpec, Session};
use serde_json::{Value, json};

/// The example `scripted_server`, which `cargo test` builds beside this test.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let path = test
        .parent()
        .unwrap()
        .parent()
        .unwrap()
        .join("examples/scripted_server");
    assert!(
        path.exists(),
        "{} is not built; run: cargo test -p platinum-mcp",
        path.display()
    );
    path
}

fn spec(mode: &str) -> ServerSpec {
    ServerSpec {
        name: "scripted".to_owned(),
        command: program(),
        args: vec![mode.to_owned()],
        env: BTreeMap::from([("NAMED".to_owned(), "1".to_owned())]),
        call_timeout: Duration::from_secs(20),
        gate: Gate::new(Role::Local, &TOOLS, &["later"]),
    }
}

/// What the scripted server offers.
const TOOLS: [&str; 10] = [
    "echo",
    "text",
    "fail",
    "invalid",
    "stall",
    "die",
    "huge",
    "environment",
    "pid",
    "announce",
];

/// A server whose list of tools is in a file, for a role that needs `pid` and may have `later`.
fn listed(mode: &str, role: Role, file: &Path, tools: &str) -> ServerSpec {
    std::fs::write(file, tools).unwrap();
    let mut spec = spec(mode);
    let file = file.to_string_lossy().into_owned();
    spec.env.insert("TOOLS_FILE".to_owned(), file);
    spec.gate = Gate::new(role, &["pid", "die"], &["later"]);
    spec
}

async fn session(mode: &str) -> Session {
    Session::spawn(spec(mode)).await.unwrap()
}

async fn pid(session: &Session) -> u64 {
    session.call("pid", json!({})).await.unwrap()["pid"]
        .as_u64()
        .unwrap()
}

/// Waits until the process is gone, or is a zombie.
async fn assert_ends(pid: u64) {
    let stat = format!("/proc/{pid}/stat");
    let deadline = Instant::now() + Duration::from_secs(10);
    let runs = || std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z "));
    while runs() {
        assert!(Instant::now() < deadline, "process {pid} still runs");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn session_both_lifecycles_list_and_call_tools() {
    for mode in ["modern", "legacy"] {
        let session = session(mode).await;
        let tools = session.tools().await.unwrap();
        assert_eq!(tools.len(), TOOLS.len(), "{mode}");
        assert_eq!(
            (tools[0].name.as_str(), tools[0].description.as_str()),
            ("echo", "does echo")
        );
        assert_eq!(tools[0].destructive_hint, Some(false));
        let sent = json!({ "subject": "Grüße", "to": ["a@example.test"] });
        assert_eq!(session.call("echo", sent.clone()).await, Ok(sent), "{mode}");
    }
}

#[tokio::test]
async fn session_falls_back_if_the_server_exits_at_discover() {
    let begun = Instant::now();
    let strict = session("strict").await;
    assert_eq!(
        strict.call("echo", json!({ "a": 1 })).await,
        Ok(json!({ "a": 1 }))
    );
    // Less than an answer to `server/discover` is waited for.
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "took {:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn session_falls_back_if_discover_is_not_answered() {
    let begun = Instant::now();
    let silent = session("silent").await;
    assert_eq!(
        silent.call("echo", json!({ "a": 1 })).await,
        Ok(json!({ "a": 1 }))
    );
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "took {:?}",
        begun.elapsed()
    );
}

#[tokio::test]
async fn text_answer_is_read_as_json_if_it_is_json() {
    let session = session("legacy").await;
    let call = |text: &str| session.call("text", json!({ "text": text }));
    assert_eq!(call("{\"a\":1}").await, Ok(json!({ "a": 1 })));
    assert_eq!(call("sent.").await, Ok(Value::String("sent.".to_owned())));
}

#[tokio::test]
async fn tool_error_and_refused_call_are_distinct() {
    for mode in ["modern", "legacy"] {
        let session = session(mode).await;
        let failed = session.call("fail", json!({})).await.unwrap_err();
        assert_eq!(
            failed,
            CallError::Tool("mailbox is full".to_owned()),
            "{mode}"
        );
        let refused = session.call("invalid", json!({})).await.unwrap_err();
        assert!(refused.certainly_not_run(), "{mode}: {refused:?}");
        assert!(
            refused.to_string().contains("`to` is missing"),
            "{mode}: {refused}"
        );
    }
}

#[tokio::test]
async fn arguments_other_than_an_object_are_not_delivered() {
    let session = session("legacy").await;
    assert!(matches!(
        session.call("echo", json!([1])).await,
        Err(CallError::NotStarted(_))
    ));
}

#[tokio::test]
async fn server_exit_during_a_call_leaves_the_outcome_unknown() {
    for mode in ["modern", "legacy"] {
        let session = session(mode).await;
        let before = pid(&session).await;
        let lost = session.call("die", json!({})).await.unwrap_err();
        let CallError::Lost(reason) = &lost else {
            panic!("{mode}: {lost:?}")
        };
        assert!(reason.contains("ended"), "{reason}");
        assert!(!lost.certainly_not_run());
        assert_ne!(pid(&session).await, before, "{mode}");
    }
}

#[tokio::test]
async fn server_killed_between_calls_is_restarted() {
    let session = session("modern").await;
    let before = pid(&session).await;
    std::process::Command::new("kill")
        .args(["-9", &before.to_string()])
        .status()
        .unwrap();
    assert_ends(before).await;
    // The end of the process may or may not be noticed yet; either way nothing was delivered to
    // it, or the loss is reported.
    match session.call("pid", json!({})).await {
        Ok(answer) => assert_ne!(answer["pid"].as_u64(), Some(before)),
        Err(error) => assert!(matches!(error, CallError::Lost(_)), "{error:?}"),
    }
    assert_ne!(pid(&session).await, before);
}

#[tokio::test]
async fn call_time_out_is_lost_and_replaces_the_server() {
    for mode in ["modern", "legacy"] {
        let mut spec = spec(mode);
        spec.call_timeout = Duration::from_secs(1);
        let session = Session::spawn(spec).await.unwrap();
        let before = pid(&session).await;
        let lost = session.call("stall", json!({})).await.unwrap_err();
        assert_eq!(
            lost,
            CallError::Lost("no answer within 1s".to_owned()),
            "{mode}"
        );
        assert_ne!(pid(&session).await, before, "{mode}");
        assert_ends(before).await;
    }
}

#[tokio::test]
async fn oversized_answer_is_refused_at_once() {
    let session = session("legacy").await;
    let begun = Instant::now();
    let lost = session.call("huge", json!({})).await.unwrap_err();
    assert_eq!(
        lost,
        CallError::Lost("the answer is larger than 4194304 bytes".to_owned())
    );
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert_eq!(
        session.call("echo", json!({ "a": 1 })).await,
        Ok(json!({ "a": 1 }))
    );
}

#[tokio::test]
async fn server_environment_holds_named_variables_alone() {
    let session = session("modern").await;
    let answer = session.call("environment", json!({})).await.unwrap();
    let mut names: Vec<&str> = answer["names"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    names.sort_unstable();
    let ours = ["HOME", "NAMED", "PATH"];
    assert!(names.iter().all(|name| ours.contains(name)), "{names:?}");
    assert!(names.contains(&"NAMED"));
}

#[tokio::test]
async fn process_ends_with_the_last_clone_of_its_session() {
    let session = session("modern").await;
    let clone = session.clone();
    let pid = pid(&session).await;
    drop(session);
    assert!(Path::new(&format!("/proc/{pid}")).exists());
    assert_eq!(clone.call("echo", json!({})).await, Ok(json!({})));
    drop(clone);
    assert_ends(pid).await;
}

#[tokio::test]
async fn closed_session_starts_a_process_when_called() {
    let session = session("legacy").await;
    let before = pid(&session).await;
    session.close().await;
    assert_ends(before).await;
    assert_ne!(pid(&session).await, before);
}

#[tokio::test]
async fn concurrent_calls_get_their_own_answers() {
    let session = session("modern").await;
    let calls = (0..50).map(|n| {
        let session = session.clone();
        tokio::spawn(async move { (n, session.call("echo", json!({ "n": n })).await) })
    });
    for call in calls.collect::<Vec<_>>() {
        let (n, answer) = call.await.unwrap();
        assert_eq!(answer, Ok(json!({ "n": n })));
    }
}

#[tokio::test]
async fn missing_program_is_named() {
    let mut spec = spec("legacy");
    spec.command = "/nowhere/platinum-email".into();
    let error = Session::spawn(spec.clone()).await.unwrap_err();
    assert!(matches!(error, McpError::Start { .. }));
    assert!(
        error.to_string().contains("/nowhere/platinum-email"),
        "{error}"
    );
    let call = Session::lazy(spec)
        .call("echo", json!({}))
        .await
        .unwrap_err();
    assert!(matches!(call, CallError::NotStarted(_)), "{call:?}");
}

/// A server that does not start is tried again at the next call; nothing about that is final.
#[tokio::test]
async fn session_starts_its_server_once_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let mut spec = spec("legacy");
    spec.command = folder.path().join("server");
    let session = Session::lazy(spec.clone());
    let error = session.start().await.unwrap_err();
    assert!(matches!(error, McpError::Start { .. }) && !error.is_final());
    std::os::unix::fs::symlink(program(), &spec.command).unwrap();
    assert!(pid(&session).await > 0);
}

#[tokio::test]
async fn early_exit_is_refused_with_the_last_error_output() {
    let error = Session::spawn(spec("crash")).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("no configuration at /etc/nowhere"),
        "{error}"
    );
}

/// The gate is asked when the server is started, for both roles and both lifecycles.
#[tokio::test]
async fn gate_refuses_a_tool_off_the_list_at_the_first_start() {
    let folder = tempfile::tempdir().unwrap();
    for (mode, role) in [("modern", Role::Cloud), ("legacy", Role::Local)] {
        let spec = listed(
            mode,
            role,
            &folder.path().join(mode),
            "pid\ndie\nget_more\n",
        );
        let refused = Session::spawn(spec.clone()).await.unwrap_err();
        assert!(matches!(refused, McpError::Gate(_)), "{refused:?}");
        assert!(refused.is_final());
        let text = format!(
            "role {role} refuses the MCP server `scripted`: it offers `get_more`, which is not on \
             the list of this role; run the build of it that belongs to this version of Platinum"
        );
        assert_eq!(refused.to_string(), text);
        let call = Session::lazy(spec).call("pid", json!({})).await;
        assert_eq!(call, Err(CallError::NotStarted(text)));
    }
}

/// The attack: the server ends and comes back with another list, which is within what the role may
/// have. The session ends in words, and stays ended when the list is the first one again.
#[tokio::test]
async fn gate_ends_the_session_if_a_restart_changes_the_tools() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tools");
    for mode in ["modern", "legacy"] {
        let session = Session::spawn(listed(mode, Role::Local, &file, "pid\ndie\n"))
            .await
            .unwrap();
        session.call("die", json!({})).await.unwrap_err();
        pid(&session).await;
        std::fs::write(&file, "pid\ndie\nlater\n").unwrap();
        session.call("die", json!({})).await.unwrap_err();
        let ended = CallError::NotStarted(
            "the session with the MCP server `scripted` has ended: it offers `later` now; restart \
             Platinum if that is as it should be"
                .to_owned(),
        );
        assert_eq!(
            session.call("pid", json!({})).await,
            Err(ended.clone()),
            "{mode}"
        );
        std::fs::write(&file, "pid\ndie\n").unwrap();
        assert_eq!(session.call("pid", json!({})).await, Err(ended), "{mode}");
    }
}

/// A cloud host whose server comes back with a tool that acts makes no further call.
#[tokio::test]
async fn gate_ends_the_session_if_a_restart_adds_an_acting_tool() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tools");
    let session = Session::spawn(listed("legacy", Role::Cloud, &file, "pid\ndie\n"))
        .await
        .unwrap();
    let (sender, ends) = std::sync::mpsc::channel();
    session.on_end(move |reason| sender.send(reason.to_owned()).unwrap());
    std::fs::write(&file, "pid\ndie\nsend_email\n").unwrap();
    session.call("die", json!({})).await.unwrap_err();
    let refused = session.call("pid", json!({})).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the call was not made: role cloud refuses the MCP server `scripted`: it offers \
         `send_email`, which acts on the outside world; run its draft-only build \
         (platinum-email-draft) instead"
    );
    let again = session
        .call("pid", json!({}))
        .await
        .unwrap_err()
        .to_string();
    assert!(again.contains("has ended: role cloud refuses"), "{again}");
    let reasons: Vec<String> = ends.try_iter().collect();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    assert!(refused.to_string().ends_with(&reasons[0]), "{reasons:?}");
}

/// A server that says that its tools changed is not asked what they are now.
#[tokio::test]
async fn gate_ends_the_session_at_a_list_changed_notification() {
    let session = session("legacy").await;
    let before = pid(&session).await;
    // The announcement comes before the answer, which may still be delivered.
    session.call("announce", json!({})).await.ok();
    assert_ends(before).await;
    let ended = session.call("pid", json!({})).await.unwrap_err();
    assert_eq!(
        ended.to_string(),
        "the call was not made: the session with the MCP server `scripted` has ended: it announced \
         another list of tools; restart Platinum if that is as it should be"
    );
}

/// A server that announces the list that it has keeps its session; one whose list is another then loses it.
#[tokio::test]
async fn gate_that_asks_again_keeps_a_server_with_its_list() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tools");
    let mut spec = listed("legacy", Role::Local, &file, "pid\ndie\nannounce\n");
    spec.gate = Gate::new(Role::Local, &["pid", "die", "announce"], &["later"]).asking_again();
    let session = Session::spawn(spec).await.unwrap();
    let before = pid(&session).await;
    session.call("announce", json!({})).await.unwrap();
    assert_eq!(pid(&session).await, before);
    std::fs::write(&file, "pid\ndie\nannounce\nlater\n").unwrap();
    session.call("announce", json!({})).await.unwrap();
    let ended = session.call("pid", json!({})).await.unwrap_err();
    assert!(
        ended.to_string().contains("it offers `later` now"),
        "{ended}"
    );
}

/// A tool that the server offers and the list does not have is never called.
#[tokio::test]
async fn tool_off_the_list_is_not_called() {
    let session = session("legacy").await;
    assert_eq!(
        session.call("send_email", json!({})).await,
        Err(CallError::NotStarted(
            "`send_email` is not on this role's list of tools of `scripted`".to_owned()
        ))
    );
}
