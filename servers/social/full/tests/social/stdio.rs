//! The binary that acts, over stdio with a real MCP client.

use rmcp::ServiceExt as _;
use rmcp::transport::TokioChildProcess;

const PROGRAM: &str = env!("CARGO_BIN_EXE_platinum-social");

/// Nothing answers there.
const CONFIG: &str = "[accounts.sky]\nnetwork = 'bluesky'\nserver = 'http://127.0.0.1:1'\nhandle = 'ada.test'\n\
                      password = { env = 'PATH' }\n";

/// Names, descriptions and schemas of the tools.
#[test]
fn full_server_passes_the_inspectors_strict_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("social.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let inspected = platinum_testkit::inspect_program(std::path::Path::new(PROGRAM), &config);
    if let Some(words) = inspected.unwrap() {
        assert!(words.contains("publish_post"), "{words}");
    }
}

#[tokio::test]
async fn full_server_adds_two_tools_that_act() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("social.toml"), CONFIG).unwrap();
    let mut command = tokio::process::Command::new(PROGRAM);
    command
        .arg("--config")
        .arg(folder.path().join("social.toml"));
    let client = ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let mut names: Vec<&str> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "check_post",
            "create_post",
            "draft_post",
            "find_post",
            "get_post",
            "list_accounts",
            "publish_post",
            "search_posts"
        ]
    );
    let acting = tools
        .iter()
        .filter(|tool| tool.annotations.as_ref().unwrap().destructive_hint == Some(true));
    let mut acting: Vec<&str> = acting.map(|tool| tool.name.as_ref()).collect();
    acting.sort_unstable();
    assert_eq!(acting, ["create_post", "publish_post"]);
    client.cancel().await.unwrap();
    // What the draft-only program is searched for in vain is found here.
    let program = std::fs::read(PROGRAM).unwrap();
    for word in [
        "com.atproto.repo.putRecord",
        "Idempotency-Key",
        "/api/v2/media",
    ] {
        let is_there = program
            .windows(word.len())
            .any(|bytes| bytes == word.as_bytes());
        assert!(is_there, "{word}");
    }
}
