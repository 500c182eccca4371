//! The draft-only binary, end to end over stdio with a real MCP client, in both lifecycles.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "a panic here is a failed test with a line number"
)]

use std::path::Path;

use rmcp::model::{CallToolRequestParams, CallToolResult, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, ClientServiceExt as _, RunningService};
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, ServiceExt as _};
use serde_json::{Value, json};

type Client = RunningService<RoleClient, ()>;

fn mailbox() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mail = folder.path().join("Mail");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(mail.join(part)).unwrap();
    }
    let question = "Message-ID: <q1@x.test>\r\nFrom: Ann <ann@x.test>\r\nTo: owner@example.test\r\nSubject: Lunch?\r\n\
                    Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nTomorrow?\r\n";
    std::fs::write(mail.join("new/1.a"), question).unwrap();
    let config = "[account.owner]\naddress = 'Owner <owner@example.test>'\nbackend = 'maildir'\npath = 'Mail'\n";
    std::fs::write(folder.path().join("mail.toml"), config).unwrap();
    folder
}

fn process(folder: &Path) -> TokioChildProcess {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_platinum-email-draft"));
    command.arg("--config").arg(folder.join("mail.toml"));
    TokioChildProcess::new(command).unwrap()
}

async fn call(client: &Client, tool: &'static str, arguments: Value) -> CallToolResult {
    let request =
        CallToolRequestParams::new(tool).with_arguments(arguments.as_object().unwrap().clone());
    client.call_tool(request).await.unwrap()
}

fn structured(result: CallToolResult) -> Value {
    assert_ne!(result.is_error, Some(true), "{result:?}");
    result.structured_content.unwrap()
}

#[tokio::test]
async fn draft_server_has_no_tool_that_sends() {
    let folder = mailbox();
    let client = ().serve(process(folder.path())).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let mut names: Vec<_> = tools.iter().map(|tool| tool.name.as_ref()).collect();
    names.sort_unstable();
    assert_eq!(names, ["draft_email", "get_answer", "search_emails"]);
    for tool in &tools {
        assert!(
            tool.output_schema.is_some() && tool.annotations.is_some(),
            "{}",
            tool.name
        );
    }
    let found = structured(call(&client, "search_emails", json!({"text": "lunch"})).await);
    assert_eq!(
        found,
        json!({"messages": [{"message_id": "q1@x.test", "sender": "Ann <ann@x.test>", "to": ["owner@example.test"], "cc": [],
            "subject": "Lunch?", "date": "2026-11-20T10:00:00Z", "folder": "INBOX", "text": "Tomorrow?\n"}]})
    );
    let draft = json!({"from_account": "owner", "to": ["Ann <ann@x.test>"], "subject": "Re: Lunch?", "body": "Gern – um zwölf.",
        "in_reply_to": "<q1@x.test>", "message_id": "d1@example.test"});
    let saved = structured(call(&client, "draft_email", draft).await);
    assert_eq!(
        saved,
        json!({"message_id": "d1@example.test", "folder": "Drafts"})
    );
    let found = structured(
        call(
            &client,
            "search_emails",
            json!({"message_id": "d1@example.test"}),
        )
        .await,
    );
    assert_eq!(found["messages"][0]["text"], "Gern – um zwölf.\n");
    assert!(
        folder.path().join("Mail/new/1.a").exists(),
        "searching must not mark as read"
    );
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn draft_server_supports_the_newer_lifecycle() {
    let folder = mailbox();
    let mode = ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    };
    let client = ().serve_with_lifecycle(process(folder.path()), mode).await.unwrap();
    assert_eq!(client.list_all_tools().await.unwrap().len(), 3);
    let found = structured(call(&client, "search_emails", json!({})).await);
    assert_eq!(found["messages"].as_array().unwrap().len(), 1);
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn invalid_call_is_a_one_line_error() {
    let folder = mailbox();
    let client = ().serve(process(folder.path())).await.unwrap();
    let draft = |edit: Value| {
        let mut draft =
            json!({"from_account": "owner", "to": ["a@x.test"], "subject": "x", "body": "y"});
        draft
            .as_object_mut()
            .unwrap()
            .extend(edit.as_object().unwrap().clone());
        draft
    };
    for (edit, expected) in [
        (
            json!({"from_account": "boss"}),
            "there is no account \"boss\"; accounts: owner",
        ),
        (
            json!({"subject": "x\r\nBcc: e@x.test"}),
            "subject contains a line end",
        ),
        (json!({"to": ["nobody"]}), "there is no @"),
        (json!({"to": []}), "no recipient"),
        (
            json!({"attachments": [{"name": "a", "media_type": "text/plain", "base64": "%%"}]}),
            "not base64",
        ),
    ] {
        let result = call(&client, "draft_email", draft(edit)).await;
        assert_eq!(result.is_error, Some(true));
        let text = &result.content[0].as_text().unwrap().text;
        assert!(text.contains(expected) && !text.contains('\n'), "{text}");
    }
    assert!(!folder.path().join("Mail/.Drafts").exists());
    client.cancel().await.unwrap();
}

/// An account that is away stops a search of all, and none of another.
#[tokio::test]
async fn search_of_one_account_asks_no_other() {
    let folder = mailbox();
    let file = folder.path().join("mail.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    let away = "[account.away]\naddress = 'a@example.test'\nbackend = 'imap'\nhost = '127.0.0.1'\n\
                port = 1\nuser = 'a'\npassword = { env = 'HOME' }\n";
    std::fs::write(&file, config + away).unwrap();
    let client = ().serve(process(folder.path())).await.unwrap();
    let search = |query: Value| call(&client, "search_emails", query);
    assert_eq!(search(json!({})).await.is_error, Some(true));
    let found = structured(search(json!({"account": "owner"})).await);
    assert_eq!(found["messages"][0]["message_id"], "q1@x.test");
    let unknown = search(json!({"account": "boss"})).await;
    let text = &unknown.content[0].as_text().unwrap().text;
    assert!(text.contains("there is no account \"boss\""), "{text}");
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn invalid_config_is_reported_on_stderr_alone() {
    let folder = mailbox();
    std::fs::write(
        folder.path().join("mail.toml"),
        "[account.owner]\nadress = 'x'\n",
    )
    .unwrap();
    let output = tokio::process::Command::new(env!("CARGO_BIN_EXE_platinum-email-draft"))
        .arg("--config")
        .arg(folder.path().join("mail.toml"))
        .output()
        .await
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert!(
        errors.contains("unknown key `adress`, did you mean `address`?"),
        "{errors}"
    );
}
