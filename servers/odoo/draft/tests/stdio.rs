//! The draft-only binary, end to end over stdio with a real MCP client.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic here is a failed test with a line number"
)]

use rmcp::ServiceExt as _;
use rmcp::model::CallToolRequestParams;
use rmcp::transport::TokioChildProcess;
use serde_json::json;

const PROGRAM: &str = env!("CARGO_BIN_EXE_platinum-odoo-draft");

fn process(folder: &std::path::Path) -> TokioChildProcess {
    // Nothing answers there.
    let config = "[odoo]\nurl = 'http://127.0.0.1:1'\ndatabase = 'd'\nkey = { env = 'PATH' }\n";
    std::fs::write(folder.join("odoo.toml"), config).unwrap();
    let mut command = tokio::process::Command::new(PROGRAM);
    command.arg("--config").arg(folder.join("odoo.toml"));
    TokioChildProcess::new(command).unwrap()
}

#[tokio::test]
async fn draft_server_has_no_tool_that_posts() {
    let folder = tempfile::tempdir().unwrap();
    let client = ().serve(process(folder.path())).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let hints = tools.iter().map(|tool| {
        let hints = tool.annotations.as_ref().unwrap();
        assert!(tool.output_schema.is_some(), "{}", tool.name);
        (
            tool.name.as_ref(),
            hints.read_only_hint,
            hints.destructive_hint,
        )
    });
    let mut hints: Vec<_> = hints.collect();
    hints.sort_unstable();
    assert_eq!(
        hints,
        [
            ("create_draft", Some(false), Some(false)),
            ("get_data", Some(true), Some(false)),
            ("get_document", Some(true), Some(false)),
        ]
    );
    let request = CallToolRequestParams::new("get_document")
        .with_arguments(json!({"id": 1}).as_object().unwrap().clone());
    let answer = client.call_tool(request).await.unwrap();
    assert_eq!(answer.is_error, Some(true));
    let text = format!("{answer:?}");
    assert!(text.contains("cannot reach Odoo at 127.0.0.1: "), "{text}");
    client.cancel().await.unwrap();
}

/// The names of the methods that act are not in the program: it could not call them if it wanted to.
#[test]
fn draft_program_has_no_word_that_acts() {
    let program = std::fs::read(PROGRAM).unwrap();
    let has = |word: &str| {
        program
            .windows(word.len())
            .any(|bytes| bytes == word.as_bytes())
    };
    assert!(has("account.move") && has("search_read"));
    for word in [
        "action_post",
        "account.payment.register",
        "action_create_payments",
    ] {
        assert!(!has(word), "{word}");
    }
}

#[test]
fn wrong_configuration_ends_the_server_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("odoo.toml");
    std::fs::write(&path, "[odoo]\nurl = 'http://odoo.example.com'\n").unwrap();
    let ended = std::process::Command::new(PROGRAM)
        .arg("--config")
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8(ended.stderr).unwrap();
    let line =
        "odoo.toml:2: [odoo]: `url` must begin with https://: the key does not travel in the clear";
    assert!(!ended.status.success() && said.contains(line), "{said}");
}
