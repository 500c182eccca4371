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

const PROGRAM: &str = env!("CARGO_BIN_EXE_platinum-social-draft");

/// Nothing answers there.
const CONFIG: &str = "[accounts.sky]\nnetwork = 'bluesky'\nserver = 'http://127.0.0.1:1'\nhandle = 'ada.test'\n\
                      [accounts.fedi]\nnetwork = 'mastodon'\nserver = 'http://127.0.0.1:1'\n";

#[tokio::test]
async fn draft_server_has_no_tool_that_publishes() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("social.toml"), CONFIG).unwrap();
    let mut command = tokio::process::Command::new(PROGRAM);
    command
        .arg("--config")
        .arg(folder.path().join("social.toml"));
    let client = ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap();
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
            ("check_post", Some(true), Some(false)),
            ("draft_post", Some(false), Some(false)),
            ("get_post", Some(true), Some(false)),
            ("list_accounts", Some(true), Some(false)),
            ("search_posts", Some(true), Some(false)),
        ]
    );
    let request = CallToolRequestParams::new("check_post").with_arguments(
        json!({"post": {"account": "sky", "parts": ["x"]}})
            .as_object()
            .unwrap()
            .clone(),
    );
    let answer = client.call_tool(request).await.unwrap();
    assert_eq!(answer.is_error, Some(true));
    let text = format!("{answer:?}");
    assert!(text.contains("cannot reach 127.0.0.1: "), "{text}");
    client.cancel().await.unwrap();
}

/// What publishes on the networks, as its calls are named there.
const ACTING: [&str; 7] = [
    "putRecord",
    "createRecord",
    "applyWrites",
    "uploadBlob",
    "createSession",
    "Idempotency-Key",
    "/api/v2/media",
];

fn sources(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, found),
            false => found.push(path),
        }
    }
}

/// No call that publishes is named in the sources, but for the post without a text of the proof.
#[test]
fn draft_sources_name_nothing_that_publishes() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in ["src", "../client/src"] {
        sources(&root.join(folder), &mut files);
    }
    assert!(files.len() > 20, "{files:?}");
    let mut asking: Vec<String> = Vec::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        for word in ACTING {
            assert!(!text.contains(word), "{word} in {}", file.display());
        }
        if text.contains("Method::POST") {
            asking.push(file.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    assert_eq!(asking, ["proof.rs"]);
}

/// Nor is it in the program.
#[test]
fn draft_program_has_no_word_that_publishes() {
    let program = std::fs::read(PROGRAM).unwrap();
    let has = |word: &str| {
        program
            .windows(word.len())
            .any(|bytes| bytes == word.as_bytes())
    };
    assert!(has("com.atproto.repo.getRecord"));
    for word in ACTING {
        assert!(!has(word), "{word}");
    }
}

/// Names, descriptions and schemas of the tools.
#[test]
fn draft_server_passes_the_inspectors_strict_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("social.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let inspected = platinum_testkit::inspect_program(std::path::Path::new(PROGRAM), &config);
    if let Some(words) = inspected.unwrap() {
        assert!(words.contains("draft_post"), "{words}");
    }
}

#[test]
fn app_password_ends_the_draft_server_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("social.toml");
    std::fs::write(
        &path,
        CONFIG.replace("'ada.test'\n", "'ada.test'\npassword = { env = 'X' }\n"),
    )
    .unwrap();
    let ended = std::process::Command::new(PROGRAM)
        .arg("--config")
        .arg(&path)
        .output()
        .unwrap();
    let words = String::from_utf8(ended.stderr).unwrap();
    let line = "social.toml:5: [accounts.sky]: `password` can post; drafting needs none: remove it here, and give it to \
                the owner's machine alone";
    assert!(!ended.status.success() && words.contains(line), "{words}");
}
