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

/// Nothing answers there.
const CONFIG: &str = "[odoo]\nurl = 'http://127.0.0.1:1'\ndatabase = 'd'\nkey = { env = 'PATH' }\n";

fn process(folder: &std::path::Path) -> TokioChildProcess {
    std::fs::write(folder.join("odoo.toml"), CONFIG).unwrap();
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
            ("prove_rights", Some(false), Some(false)),
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

/// The names of methods and models that act, by which a document is posted, cancelled, paid or sent.
const ACTING: [&str; 8] = [
    "action_post",
    "account.payment.register",
    "action_create_payments",
    "account.payment\"",
    "button_cancel",
    "message_post",
    "action_send_and_print",
    "\"unlink\"",
];

/// Where the code of this crate and of what it uses of Odoo is.
const SOURCES: [&str; 2] = ["src", "../client/src"];
/// The one file that has names of what acts: what a key must be refused.
const PROOF: &str = "src/proof/ways.rs";

fn sources(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => sources(&path, found),
            false => found.push(path),
        }
    }
}

/// What acts is named in the list of the proof alone, where each call is about an empty draft or cannot be saved.
#[test]
fn draft_sources_name_what_acts_in_the_proof_alone() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    for folder in SOURCES {
        sources(&root.join(folder), &mut files);
    }
    assert!(files.len() > 20, "{files:?}");
    let mut named = std::collections::BTreeSet::new();
    for file in &files {
        let text = std::fs::read_to_string(file).unwrap();
        if ACTING.iter().any(|word| text.contains(word)) {
            named.insert(file.strip_prefix(root).unwrap().to_owned());
        }
    }
    assert_eq!(
        named.into_iter().collect::<Vec<_>>(),
        [std::path::Path::new(PROOF)]
    );
}

/// What would complete a payment, cancel or send is not in the program at all: not even the proof could call it.
#[test]
fn draft_program_has_no_word_that_pays_or_sends() {
    let program = std::fs::read(PROGRAM).unwrap();
    let has = |word: &str| {
        program
            .windows(word.len())
            .any(|bytes| bytes == word.as_bytes())
    };
    assert!(has("account.move") && has("search_read") && has("action_post"));
    for word in [
        "action_create_payments",
        "js_assign_outstanding_line",
        "button_cancel",
        "button_draft",
        "action_send_and_print",
        "send_mail",
    ] {
        assert!(!has(word), "{word}");
    }
}

/// Names, descriptions and schemas of the tools.
#[test]
fn draft_server_passes_the_inspectors_strict_run() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("odoo.toml");
    std::fs::write(&config, CONFIG).unwrap();
    let inspected = platinum_testkit::inspect_program(std::path::Path::new(PROGRAM), &config);
    if let Some(words) = inspected.unwrap() {
        assert!(words.contains("prove_rights"), "{words}");
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
