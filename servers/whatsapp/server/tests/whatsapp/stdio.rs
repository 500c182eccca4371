//! The built program over stdio with a real MCP client.

use std::path::Path;

use platinum_testkit::whatsapp::CloudApi;
use rmcp::ServiceExt as _;
use rmcp::transport::TokioChildProcess;

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_platinum-whatsapp");

/// Names, descriptions and schemas of the tools.
#[test]
fn server_passes_the_inspectors_strict_run() {
    let folder = tempfile::tempdir().unwrap();
    let api = CloudApi::start().unwrap();
    api.configure(folder.path(), 0).unwrap();
    let config = folder.path().join("whatsapp.toml");
    let inspected = platinum_testkit::inspect_program(Path::new(PROGRAM), &config);
    if let Some(words) = inspected.unwrap() {
        assert!(words.contains("send_message"), "{words}");
    }
    assert!(api.requests().is_empty());
}

#[tokio::test]
async fn server_has_six_tools_that_read_and_one_that_acts() {
    let folder = tempfile::tempdir().unwrap();
    let api = CloudApi::start().unwrap();
    api.configure(folder.path(), 0).unwrap();
    let mut command = tokio::process::Command::new(PROGRAM);
    command
        .arg("--config")
        .arg(folder.path().join("whatsapp.toml"));
    let client = ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let (acting, reading): (Vec<_>, Vec<_>) = tools
        .iter()
        .partition(|tool| tool.annotations.as_ref().unwrap().destructive_hint == Some(true));
    let names = |tools: &[&rmcp::model::Tool]| -> Vec<String> {
        let mut names: Vec<String> = tools.iter().map(|tool| tool.name.to_string()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(names(&acting), ["send_message"]);
    assert_eq!(
        names(&reading),
        [
            "check_message",
            "find_message",
            "get_account",
            "get_chat",
            "get_messages",
            "list_templates"
        ]
    );
    client.cancel().await.unwrap();
}
