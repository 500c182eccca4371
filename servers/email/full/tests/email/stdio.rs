//! The sending binary, end to end over stdio on a Maildir: what it "sends" lies in the outbox.

use std::path::{Path, PathBuf};

use platinum_mailbox::compose::{Address, Outgoing};
use rmcp::ServiceExt as _;
use rmcp::model::{CallToolRequestParams, CallToolResult};
use rmcp::transport::TokioChildProcess;
use serde_json::{Value, json};

fn mailbox(extra: &str) -> tempfile::TempDir {
    let folder = platinum_testkit::mail_folder().unwrap();
    let file = folder.path().join("mail.toml");
    let config = std::fs::read_to_string(&file).unwrap() + extra;
    std::fs::write(file, config).unwrap();
    folder
}

async fn call(folder: &Path, tool: &'static str, arguments: Value) -> Value {
    let result = result_of(folder, tool, arguments).await;
    assert_ne!(result.is_error, Some(true), "{result:?}");
    result.structured_content.unwrap()
}

async fn result_of(folder: &Path, tool: &'static str, arguments: Value) -> CallToolResult {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_platinum-email"));
    command.arg("--config").arg(folder.join("mail.toml"));
    let client = ().serve(TokioChildProcess::new(command).unwrap()).await.unwrap();
    let tools = client.list_all_tools().await.unwrap();
    let mut names: Vec<_> = tools.iter().map(|tool| tool.name.clone()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "close_email",
            "draft_email",
            "get_answer",
            "get_own_addresses",
            "list_attachments",
            "prepare_email",
            "read_attachment",
            "read_style",
            "search_emails",
            "search_people",
            "send_email",
            "try_submission"
        ]
    );
    for tool in &tools {
        let required = tool.input_schema.get("required");
        let required = required.map(ToString::to_string).unwrap_or_default();
        let needs_approval = required.contains("approved");
        assert_eq!(
            needs_approval,
            ["prepare_email", "send_email"].contains(&&*tool.name),
            "{}: {required}",
            tool.name
        );
    }
    let request =
        CallToolRequestParams::new(tool).with_arguments(arguments.as_object().unwrap().clone());
    let result = client.call_tool(request).await.unwrap();
    client.cancel().await.unwrap();
    result
}

#[tokio::test]
async fn send_without_a_message_id_is_refused() {
    let folder = mailbox("");
    let mut mail = mail();
    mail["mail"].as_object_mut().unwrap().remove("message_id");
    let result = result_of(folder.path(), "send_email", mail).await;
    assert_eq!(result.is_error, Some(true));
    let text = &result.content[0].as_text().unwrap().text;
    assert!(text.contains("missing field `message_id`"), "{text}");
    assert!(!folder.path().join("Mail/.Outbox").exists());
}

/// Neither tool takes a mail without what was approved of it.
#[tokio::test]
async fn send_without_an_approval_is_refused() {
    let folder = mailbox("");
    for tool in ["prepare_email", "send_email"] {
        let mut mail = mail();
        mail.as_object_mut().unwrap().remove("approved");
        let result = result_of(folder.path(), tool, mail).await;
        assert_eq!(result.is_error, Some(true));
        let text = &result.content[0].as_text().unwrap().text;
        assert!(text.contains("missing field `approved`"), "{text}");
    }
    assert!(!folder.path().join("Mail/.Outbox").exists());
}

/// What is composed otherwise than it was approved stays: another account, a recipient, a byte.
#[tokio::test]
async fn mail_that_differs_from_its_approval_is_refused() {
    const REFUSED: &str =
        "nothing was handed over: the mail server does not compose the message that was approved: ";
    let folder = mailbox("");
    let digest = mail()["approved"]["sha256"].as_str().unwrap().to_owned();
    let other = "0".repeat(64);
    for (field, value, why) in [
        (
            "from",
            json!("other@example.test"),
            "it would leave from owner@example.test, and was approved to leave from other@example.test".to_owned(),
        ),
        (
            "recipients",
            json!(["ann@x.test"]),
            "it would go to ann@x.test, secret@x.test, and was approved to go to ann@x.test".to_owned(),
        ),
        (
            "sha256",
            json!(other),
            format!("its bytes have the SHA-256 {digest}, and those approved have {other}"),
        ),
    ] {
        let mut mail = mail();
        mail["approved"][field] = value;
        let prepared = call(folder.path(), "prepare_email", mail.clone()).await;
        let expected = format!("{REFUSED}{why}");
        assert_eq!(
            prepared,
            json!({"ready": false, "retry": false, "differs": true, "answer": expected})
        );
        let sent = call(folder.path(), "send_email", mail).await;
        assert_eq!(
            sent,
            json!({"outcome": "not_sent", "retry": false, "differs": true, "message_id": "s1@example.test",
                "answer": expected, "sent_copy": "missing: the mail was not sent"})
        );
    }
    assert!(
        !folder.path().join("Mail/.Outbox").exists() && !folder.path().join("Mail/.Sent").exists()
    );
}

fn only_file(folder: PathBuf) -> Vec<u8> {
    let files: Vec<_> = std::fs::read_dir(&folder).unwrap().collect();
    assert_eq!(files.len(), 1, "{}", folder.display());
    std::fs::read(files[0].as_ref().unwrap().path()).unwrap()
}

fn mail() -> Value {
    let mail = json!({"from_account": "owner", "to": ["ann@x.test"], "bcc": ["secret@x.test"], "subject": "Re: Lunch?",
        "body": "Yes", "in_reply_to": "q1@x.test", "references": ["q0@x.test", "q1@x.test"],
        "message_id": "s1@example.test"});
    let address = |text| Address::parse("address", text).unwrap();
    let digest = Outgoing {
        from: address("Owner <owner@example.test>"),
        to: vec![address("ann@x.test")],
        cc: vec![],
        bcc: vec![address("secret@x.test")],
        subject: "Re: Lunch?".to_owned(),
        body: "Yes".to_owned(),
        in_reply_to: Some("q1@x.test".to_owned()),
        references: vec!["q0@x.test".to_owned(), "q1@x.test".to_owned()],
        attachments: vec![],
        message_id: "s1@example.test".to_owned(),
        draft: None,
        date: platinum_mailbox::now(),
    }
    .digest()
    .unwrap();
    json!({"mail": mail, "approved": digest})
}

#[tokio::test]
async fn maildir_send_queues_once_and_files_the_same_bytes() {
    let folder = mailbox("");
    let answer = call(folder.path(), "send_email", mail()).await;
    assert_eq!(
        answer,
        json!({"outcome": "sent", "retry": false, "differs": false, "message_id": "s1@example.test", "answer": "left in the outbox", "sent_copy": "filed"})
    );
    let again = call(folder.path(), "send_email", mail()).await;
    assert_eq!(
        (&again["outcome"], &again["sent_copy"]),
        (&json!("sent"), &json!("filed"))
    );
    let sent = only_file(folder.path().join("Mail/.Outbox/new"));
    assert_eq!(sent, only_file(folder.path().join("Mail/.Sent/cur")));
    let text = String::from_utf8(sent).unwrap();
    assert!(
        text.contains("\r\nMessage-ID: <s1@example.test>\r\n"),
        "{text}"
    );
    assert!(
        text.contains("\r\nReferences: <q0@x.test> <q1@x.test>\r\n"),
        "{text}"
    );
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn unreachable_smtp_server_is_not_sent_and_retryable() {
    // A port that was free a moment ago refuses the connection.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let smtp = format!(
        "[account.owner.smtp]\nhost = '127.0.0.1'\nport = {port}\nuser = 'u'\npassword = {{ env = 'PATH' }}\n"
    );
    let folder = mailbox(&smtp);
    let answer = call(folder.path(), "send_email", mail()).await;
    assert_eq!(
        (&answer["outcome"], &answer["retry"]),
        (&json!("not_sent"), &json!(true)),
        "{answer}"
    );
    assert!(
        answer["sent_copy"]
            .as_str()
            .unwrap()
            .starts_with("missing: ")
    );
    assert!(
        !folder.path().join("Mail/.Sent").exists() && !folder.path().join("Mail/.Outbox").exists()
    );
}

#[tokio::test]
async fn missing_smtp_password_is_named_and_retryable() {
    let smtp = "[account.owner.smtp]\nhost = '127.0.0.1'\nport = 1\nuser = 'u'\npassword = { env = 'PLATINUM_NOT_SET' }\n";
    let folder = mailbox(smtp);
    let answer = call(folder.path(), "send_email", mail()).await;
    assert_eq!(
        (&answer["outcome"], &answer["retry"]),
        (&json!("not_sent"), &json!(true)),
        "{answer}"
    );
    assert!(
        answer["answer"]
            .as_str()
            .unwrap()
            .contains("PLATINUM_NOT_SET")
    );
}
