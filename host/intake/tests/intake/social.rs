//! Mentions on mastodon-mock, and on a Bluesky that answers as the test says, become tasks if a rule asks, once each.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::atomic::{AtomicUsize, Ordering},
};

use platinum_testkit::{
    scripted_http::{Reply, Request, ScriptedHttp},
    social::{FediverseServer as _, MastodonMock},
};
use platinum_vault::note::TaskNote;
use serde_json::{Value, json};

use crate::accounting::notes_in;

const PROGRAM: &str = env!("CARGO_BIN_EXE_platinum-intake");

/// A vault, and the configuration of some accounts beside it.
struct Fixture {
    dir: tempfile::TempDir,
}

impl Fixture {
    fn new(rules: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("vault/Needs_Action")).unwrap();
        let handbook = format!("# Handbook\n\n## Social\n\n{rules}\n");
        fs::write(dir.path().join("vault/Company_Handbook.md"), handbook).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn configure(&self, sections: &[String]) {
        fs::write(self.path("social.toml"), sections.concat()).unwrap();
    }

    fn run(&self) -> Output {
        Command::new(PROGRAM)
            .args(["social", "--once", "--config"])
            .arg(self.path("social.toml"))
            .arg("--vault")
            .arg(self.path("vault"))
            .arg("--state")
            .arg(self.path("state"))
            .output()
            .unwrap()
    }

    fn poll(&self) -> Vec<TaskNote> {
        let output = self.run();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        notes_in(&self.path("vault/Needs_Action/social"))
    }
}

/// The tasks to answer, and the text of those that list what is left out.
fn divided(notes: Vec<TaskNote>) -> (Vec<TaskNote>, String) {
    let (lists, tasks): (Vec<_>, Vec<_>) = notes
        .into_iter()
        .partition(|note| !note.fact("no-answer").is_empty());
    let lists = lists.into_iter().map(|note| note.body);
    (tasks, lists.collect::<Vec<_>>().join("\n"))
}

#[test]
fn mention_becomes_a_task_once_if_a_rule_asks() {
    if !MastodonMock::present().unwrap() {
        return;
    }
    let mock = MastodonMock::start().unwrap();
    let [owner, ann, mirror] =
        ["owner", "ann", "mirror"].map(|name| mock.create_account(name).unwrap());
    // It can read and nothing else.
    let token = mock.token_for(&owner, "read").unwrap();
    let fixture = Fixture::new("- answer mentions: text contains \"when\"");
    let section = |name: &str| owner.section(name, &mock.url(), &fixture.path(""), Some(&token));
    fixture.configure(&[section("work").unwrap()]);
    mock.publish(&ann, "@owner When was that? It is over.", None)
        .unwrap();
    assert!(fixture.poll().is_empty(), "what was before is passed over");

    let text = "We open on Monday, ask @owner when!";
    mock.publish(&owner, text, None).unwrap();
    mock.publish(&mirror, text, None).unwrap();
    mock.publish(&ann, "@owner Nice weather.", None).unwrap();
    let asked = mock
        .publish(&ann, "@owner When do you open? ```\n# x", None)
        .unwrap();
    let (tasks, list) = divided(fixture.poll());
    let [task] = tasks.try_into().unwrap();
    assert_eq!(task.fact("social-account"), ["work"]);
    let author = &task.fact("social-author")[0];
    assert!(author.starts_with("ann@"), "{author}");
    assert_eq!(task.fact("social-post"), [asked["id"].as_str().unwrap()]);
    assert_eq!(
        task.fact("social-rule"),
        ["answer mentions: text contains \"when\""]
    );
    assert!(task.body.contains("When do you open?"), "{}", task.body);
    assert!(list.contains("a copy of your post"), "{list}");
    assert!(
        list.contains("no rule of your handbook asks for an answer | @ann@"),
        "{list}"
    );
    assert_eq!(
        list.lines().filter(|line| line.contains(" | ")).count(),
        2,
        "{list}"
    );

    // A second account of the same owner is notified of the same post; and all of it is known after a restart.
    fixture.configure(&[section("other").unwrap(), section("work").unwrap()]);
    let (tasks, _) = divided(fixture.poll());
    assert_eq!(tasks.len(), 1);
}

#[test]
fn mentions_without_a_credential_are_not_read() {
    let fixture = Fixture::new("");
    let section =
        "[accounts.me]\nnetwork = 'bluesky'\nserver = 'http://127.0.0.1:1'\nhandle = 'me.test'\n";
    fixture.configure(&[section.to_owned()]);
    let output = fixture.run();
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("has a `token` or `password` here: mentions are told to nobody else"),
        "{errors}"
    );
}

const ME: &str = "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa";
const ANN: &str = "did:plc:bbbbbbbbbbbbbbbbbbbbbbbb";

/// A notification of Bluesky's.
fn notification(did: &str, handle: &str, reason: &str, key: &str, text: &str) -> Value {
    json!({
        "uri": format!("at://{did}/app.bsky.feed.post/{key}"), "cid": "bafy", "reason": reason,
        "author": {"did": did, "handle": handle}, "isRead": false, "indexedAt": "2126-01-01T00:00:00.000Z",
        "record": {"$type": "app.bsky.feed.post", "text": text, "createdAt": "2126-01-01T00:00:00.000Z"},
    })
}

/// A PDS that logs in, tells two pages of notifications, and forgets the first session after one page.
fn bluesky(pages: [Vec<Value>; 2]) -> ScriptedHttp {
    let logins = AtomicUsize::new(0);
    let answer = move |asked: &Request| match asked.path.trim_start_matches("/xrpc/") {
        "com.atproto.server.createSession" => {
            let login = 1 + logins.fetch_add(1, Ordering::SeqCst);
            Reply::ok(json!({"accessJwt": format!("session-{login}"), "did": ME}))
        }
        "com.atproto.identity.resolveHandle" => Reply::ok(json!({"did": ME})),
        "com.atproto.repo.listRecords" => Reply::ok(json!({"records": []})),
        _ if asked.query("cursor").is_none() => {
            Reply::ok(json!({"notifications": pages[0], "cursor": "second"}))
        }
        _ if asked.header("authorization") == Some("Bearer session-1") => Reply::Json(
            400,
            json!({"error": "ExpiredToken", "message": "Token has expired"}),
        ),
        _ => Reply::ok(json!({"notifications": pages[1]})),
    };
    ScriptedHttp::start(answer).unwrap()
}

fn section_of(url: &str, folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let password = folder.join("password");
    fs::write(&password, "app-password").unwrap();
    fs::set_permissions(&password, fs::Permissions::from_mode(0o600)).unwrap();
    format!(
        "[accounts.me]\nnetwork = 'bluesky'\nserver = '{url}'\nhandle = 'me.test'\npassword = {{ file = 'password' }}\n"
    )
}

/// A session that runs out between two pages is begun anew.
#[test]
fn bluesky_mentions_and_answers_become_tasks() {
    let server = bluesky([
        vec![
            notification(ANN, "ann.test", "mention", "3k1", "@me.test hello"),
            notification(ANN, "ann.test", "like", "3k2", ""),
        ],
        vec![
            notification(ANN, "ann.test", "reply", "3k3", "When?"),
            notification(ME, "me.test", "reply", "3k4", "On Monday"),
        ],
    ]);
    let fixture = Fixture::new("- answer mentions: all");
    fixture.configure(&[section_of(&server.url(), &fixture.path(""))]);
    let (tasks, list) = divided(fixture.poll());
    let mut posts: Vec<String> = tasks
        .iter()
        .flat_map(|task| task.fact("social-post").to_vec())
        .collect();
    posts.sort();
    let post = |key: &str| format!("at://{ANN}/app.bsky.feed.post/{key}");
    assert_eq!(posts, [post("3k1"), post("3k3")]);
    assert!(list.contains("your own post, by me.test"), "{list}");
    assert_eq!(server.count("createSession"), 2);
    let (again, _) = divided(fixture.poll());
    assert_eq!(again.len(), 2);
}
