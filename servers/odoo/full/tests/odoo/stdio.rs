//! The binary that acts, over stdio with a real MCP client.

use rmcp::ServiceExt as _;
use rmcp::transport::TokioChildProcess;

const PROGRAM: &str = env!("CARGO_BIN_EXE_platinum-odoo");

#[tokio::test]
async fn full_server_adds_two_tools_that_act() {
    let folder = tempfile::tempdir().unwrap();
    let config = "[odoo]\nurl = 'http://127.0.0.1:1'\ndatabase = 'd'\nkey = { env = 'PATH' }\n";
    std::fs::write(folder.path().join("odoo.toml"), config).unwrap();
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
