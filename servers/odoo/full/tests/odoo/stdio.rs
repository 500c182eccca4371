//! The binary that acts, over stdio with a real MCP client.

use rmcp::ServiceExt as _;
use rmcp::transport::TokioChildProcess;

const PROGRAM: &str = env!("CARGO_BIN_EXE_platinum-odoo");

/// Nothing answers there.
const CONFIG: &str = "[odoo]\nurl = 'http://127.0.0.1:1'\ndatabase = 'd'\nkey = { env = 'PATH' }\n";

/// Names, descriptions and schemas of the tools.
#[test]
fn full_server_passes_the_inspectors_strict_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("odoo.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let inspected = platinum_testkit::inspect_program(std::path::Path::new(PROGRAM), &config);
    if let Some(words) = inspected.unwrap() {
        assert!(words.contains("record_payment"), "{words}");
    }
}

#[tokio::test]
async fn full_server_adds_two_tools_that_act() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("odoo.toml"), CONFIG).unwrap();
    let mut command = tokio::process::Command::new(PROGRAM);
    command.arg("--config").arg(folder.path().join("odoo.toml"));
    let client = ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let acting = tools
        .iter()
        .filter(|tool| tool.annotations.as_ref().unwrap().destructive_hint == Some(true));
    let mut acting: Vec<&str> = acting.map(|tool| tool.name.as_ref()).collect();
    acting.sort_unstable();
    assert_eq!(
        (tools.len(), acting),
        (5, vec!["post_invoice", "record_payment"])
    );
    client.cancel().await.unwrap();
    // What the draft-only program is searched for in vain is found here.
    let program = std::fs::read(PROGRAM).unwrap();
    for word in [
        "action_post",
        "account.payment.register",
        "action_create_payments",
    ] {
        assert!(
            program
                .windows(word.len())
                .any(|bytes| bytes == word.as_bytes()),
            "{word}"
        );
    }
}
