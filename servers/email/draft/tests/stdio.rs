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
    let folder = platinum_testkit::mail_folder().unwrap();
    let question = "Message-ID: <q1@x.test>\r\nFrom: Ann <ann@x.test>\r\nTo: owner@example.test\r\nSubject: Lunch?\r\n\
                    Date: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\nTomorrow?\r\n";
    std::fs::write(folder.path().join("Mail/new/1.a"), question).unwrap();
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
    assert_eq!(
        names,
        [
            "draft_email",
            "get_answer",
            "get_own_addresses",
            "read_style",
            "search_emails",
            "search_people"
        ]
    );
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
            "subject": "Lunch?", "date": "2026-11-20T10:00:00Z", "folder": "INBOX", "text": "Tomorrow?\n", "cut": false,
            "in_reply_to": [], "references": [], "attachments": []}]})
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

/// Words are found in any order; Cc, thread, files and a cut are told.
#[tokio::test]
async fn search_tells_the_whole_mail() {
    let folder = mailbox();
    let mail = format!(
        "Message-ID: <q2@x.test>\r\nFrom: Joann <joann@x.test>\r\nTo: owner@example.test\r\nCc: Bo <bo@y.test>\r\n\
         In-Reply-To: <q0@x.test>\r\nReferences: <root@x.test> <q0@x.test>\r\nSubject: The offer\r\n\
         Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
         <p>It holds <a href='https://x.test/may'>for May</a>.</p>{}\r\n--b\r\nContent-Type: application/pdf; name=o.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8gd29ybGQh\r\n--b--\r\n",
        "<p>more</p>".repeat(5000)
    );
    std::fs::write(folder.path().join("Mail/new/2.a"), mail).unwrap();
    let client = ().serve(process(folder.path())).await.unwrap();
    let search = |query: Value| call(&client, "search_emails", query);
    let found = structured(search(json!({"text": "may bo@y.test OFFER"})).await);
    let mail = &found["messages"][0];
    assert_eq!(found["messages"].as_array().unwrap().len(), 1);
    assert_eq!(mail["cc"], json!(["Bo <bo@y.test>"]));
    assert_eq!(mail["in_reply_to"], json!(["q0@x.test"]));
    assert_eq!(mail["references"], json!(["root@x.test", "q0@x.test"]));
    let files = json!([{"name": "o.pdf", "media_type": "application/pdf", "size": 12}]);
    assert_eq!((&mail["attachments"], &mail["cut"]), (&files, &json!(true)));
    let text = mail["text"].as_str().unwrap();
    assert!(
        text.starts_with("It holds for May <https://x.test/may>.\n"),
        "{text:.60}"
    );
    for (query, count) in [
        (json!({"text": "offer lunch"}), 0),
        (json!({"text": "\"holds for May\""}), 1),
        (json!({"sender": "ann@x.test"}), 1),
        (json!({"sender": "ann"}), 2),
    ] {
        let found = structured(search(query.clone()).await);
        assert_eq!(
            found["messages"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
    client.cancel().await.unwrap();
}

#[tokio::test]
async fn draft_server_supports_the_newer_lifecycle() {
    let folder = mailbox();
    let mode = ClientLifecycleMode::Discover {
        preferred_versions: vec![ProtocolVersion::V_2026_07_28],
    };
    let client = ().serve_with_lifecycle(process(folder.path()), mode).await.unwrap();
    assert_eq!(client.list_all_tools().await.unwrap().len(), 6);
    let found = structured(call(&client, "search_emails", json!({})).await);
    assert_eq!(found["messages"].as_array().unwrap().len(), 1);
    client.cancel().await.unwrap();
}

/// A client that asks what the server is and what it can do, each request by itself, and leaves.
#[tokio::test]
async fn client_that_only_discovers_is_answered() {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let folder = mailbox();
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "probe", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}});
    for methods in [
        &["server/discover"][..],
        &["server/discover", "tools/list"],
        &["tools/list"],
    ] {
        let mut server = tokio::process::Command::new(env!("CARGO_BIN_EXE_platinum-email-draft"))
            .arg("--config")
            .arg(folder.path().join("mail.toml"))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = server.stdin.take().unwrap();
        let mut answers = BufReader::new(server.stdout.take().unwrap()).lines();
        for method in methods {
            let request =
                json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": meta}});
            input
                .write_all(format!("{request}\n").as_bytes())
                .await
                .unwrap();
            let answer = answers.next_line().await.unwrap().unwrap();
            let answer: Value = serde_json::from_str(&answer).unwrap();
            let result = &answer["result"];
            match *method {
                "server/discover" => {
                    let versions = result["supportedVersions"].as_array().unwrap();
                    assert!(versions.contains(&json!("2026-07-28")), "{answer}");
                    assert_eq!(result["capabilities"], json!({"tools": {}}));
                    assert!(
                        result["instructions"]
                            .as_str()
                            .unwrap()
                            .contains("cannot send")
                    );
                }
                _ => assert_eq!(result["tools"].as_array().unwrap().len(), 6, "{answer}"),
            }
        }
        drop(input);
        let output = server.wait_with_output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !errors.contains("Error"),
            "{methods:?}: {errors}"
        );
    }
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

/// Puts a mail of the owner into Sent.
fn sent(folder: &Path, number: usize, to: &str, text: &str) {
    let sent = folder.join("Mail/.Sent");
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(sent.join(part)).unwrap();
    }
    let mail = format!(
        "Message-ID: <s{number}@example.test>\r\nFrom: Owner <owner@example.test>\r\nTo: {to}\r\n\
         Subject: x\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\n{text}\r\n"
    );
    std::fs::write(sent.join(format!("cur/{number}.a:2,S")), mail).unwrap();
}

#[tokio::test]
async fn draft_server_knows_people_and_how_they_are_written_to() {
    let folder = mailbox();
    let text = |line: &str| format!("Hi Bob,\r\n\r\n{line}\r\n\r\nCheers\r\nOlga\r\n");
    let quoted = "On Monday, Bob wrote:\r\n> SECRET of Bob?\r\n";
    sent(
        folder.path(),
        1,
        "Bob Miller <bob@b.test>",
        &text("The plans are here."),
    );
    sent(
        folder.path(),
        2,
        "Bob Miller <bob@b.test>, eve@e.test",
        &text("Both of you come."),
    );
    sent(
        folder.path(),
        3,
        "\"Bob M.\" <bob@b.test>",
        &format!("{}\r\n{quoted}", text("Yes.")),
    );
    sent(
        folder.path(),
        4,
        "carl@b.test",
        "Dear Carl,\r\n\r\nno.\r\n\r\nRegards\r\nO.",
    );
    let client = ().serve(process(folder.path())).await.unwrap();
    let people = |name: &str| {
        call(
            &client,
            "search_people",
            json!({"account": "owner", "name": name}),
        )
    };
    let found = structured(people("Bob").await);
    assert_eq!(found["people"].as_array().unwrap().len(), 1, "{found}");
    assert_eq!(found["people"][0]["address"], "bob@b.test");
    assert_eq!(found["clear"], true);
    // Who wrote to the owner is known too, but can take any name; the owner is nobody to write to.
    let found = structured(people("Ann").await);
    assert_eq!(found["people"][0]["address"], "ann@x.test");
    assert_eq!(found["clear"], false);
    for nobody in ["Bo", "Owner", "Zoe"] {
        let found = structured(people(nobody).await);
        assert_eq!(found["people"], json!([]), "{nobody}");
    }

    let style = |to: Value| {
        call(
            &client,
            "read_style",
            json!({"account": "owner", "recipients": to}),
        )
    };
    let bob = structured(style(json!(["BOB@b.test"])).await);
    assert_eq!(bob["greeting"], "Hi Bob,");
    assert_eq!(bob["closing"], "Cheers");
    assert_eq!(bob["signature"], "Olga");
    let texts = bob["texts"].to_string();
    assert_eq!(bob["texts"].as_array().unwrap().len(), 3);
    assert!(
        texts.contains("The plans") && !texts.contains("SECRET"),
        "{texts}"
    );
    let before =
        json!({"account": "owner", "recipients": ["bob@b.test"], "until": "2026-11-20T09:59:59Z"});
    let before = structured(call(&client, "read_style", before).await);
    assert_eq!(
        (&before["texts"], &before["greeting"]),
        (&json!([]), &Value::Null)
    );
    let both = structured(style(json!(["bob@b.test", "eve@e.test"])).await);
    let texts = both["texts"].to_string();
    assert!(
        texts.contains("Both of you") && !texts.contains("plans"),
        "{texts}"
    );
    let colleague = structured(style(json!(["zoe@b.test"])).await);
    assert_eq!(colleague["texts"], json!([]), "{colleague}");
    assert!(colleague["closing"].is_string() && colleague["greeting"].is_null());
    let sources = structured(style(json!([])).await)["sources"].clone();
    assert_eq!(sources, json!(["4 sent mails for your signature"]));
    client.cancel().await.unwrap();
}

/// A name is found by its words, however many others have a part of it; behind too many it is not clear.
#[tokio::test]
async fn people_are_not_hidden_by_names_like_theirs() {
    let folder = mailbox();
    let aliases = "aliases = ['@own.test']\n";
    let file = folder.path().join("mail.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, config + aliases).unwrap();
    let sent = |number, to: &str| sent(folder.path(), number, to, "Hi.");
    sent(1000, "\"Miller, Jane\" <jane@a.test>, carl.stone@c.test");
    sent(1001, "Ann Lee <ann@a.test>, Ann Owner <me@own.test>");
    for number in 2000..2060 {
        sent(number, "Johanna <johanna@j.test>");
    }
    let ask = async |name: &str| {
        let client = ().serve(process(folder.path())).await.unwrap();
        let arguments = json!({"account": "owner", "name": name});
        let found = structured(call(&client, "search_people", arguments).await);
        client.cancel().await.unwrap();
        (
            found["people"][0]["address"].clone(),
            found["clear"].clone(),
        )
    };
    for (name, address) in [
        ("Jane Miller", "jane@a.test"),
        ("Carl Stone", "carl.stone@c.test"),
        ("Ann", "ann@a.test"),
    ] {
        assert_eq!(ask(name).await, (json!(address), json!(true)), "{name}");
    }
    // Not among the newest 500 any more: an older mail is searched for.
    for number in 2060..2500 {
        sent(number, "Johanna <johanna@j.test>");
    }
    assert_eq!(
        ask("Jane Miller").await,
        (json!("jane@a.test"), json!(true))
    );
    assert_eq!(ask("Ann").await, (json!("ann@x.test"), json!(false)));
}
