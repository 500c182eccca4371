//! The cloud's server takes nothing that can publish: no app password, and no token that can write.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use platinum_core::Role;
use platinum_host_tests::hosts::{Hosts, SOON};
use platinum_mcp::{Gate, ServerSpec, Session};
use platinum_testkit::{
    program,
    social::{FediverseServer as _, MastodonMock},
};
use serde_json::json;

use crate::section;

/// A session with the program as the cloud starts it.
fn cloud_session(config: &Path) -> Session {
    let tools = [
        "check_post",
        "draft_post",
        "get_post",
        "list_accounts",
        "search_posts",
    ];
    let name = "platinum-social-draft";
    Session::lazy(ServerSpec {
        name: "social".to_owned(),
        command: program(name, name).unwrap(),
        args: vec![
            "--config".to_owned(),
            config.display().to_string(),
            "--drafter-only".to_owned(),
        ],
        env: [].into(),
        call_timeout: SOON,
        gate: Gate::new(Role::Cloud, &tools, &[]),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn cloud_server_refuses_a_token_that_can_post() {
    if !MastodonMock::present().unwrap() {
        return;
    }
    let mock = MastodonMock::shared().unwrap();
    let account = mock.create_account("credentials").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let post = json!({"post": {"account": "fedi", "parts": ["We open on Monday"], "media": []}, "operation": "draft-1"});
    for (scopes, is_taken) in [("read", true), ("read write", false)] {
        let token = mock.token_for(&account, scopes).unwrap();
        let section = account.section("fedi", &mock.url(), folder.path(), Some(&token));
        let config = folder.path().join("social.toml");
        fs::write(&config, section.unwrap()).unwrap();
        let session = cloud_session(&config);
        let answer = session.call("draft_post", post.clone()).await;
        session.close().await;
        match answer {
            Ok(answer) => assert!(is_taken, "{scopes}: {answer}"),
            Err(error) => {
                let words = error.to_string();
                assert!(!is_taken, "{scopes}: {words}");
                assert!(words.contains("fedi"), "{scopes}: {words}");
                println!("{scopes}: {words}");
            }
        }
    }
    // The token was asked for what it can do, and nothing was published to find out.
    assert!(mock.posts(&account).unwrap().is_empty());
}

/// It says so once, and how to mend it; as do both doctors.
#[test]
fn cloud_with_a_token_that_can_post_does_not_start() {
    if !MastodonMock::present().unwrap() {
        return;
    }
    let mock = MastodonMock::shared().unwrap();
    let account = mock.create_account("starting").unwrap();
    let token = mock.token_for(&account, "read write").unwrap();
    let programs = [
        "platinum-intake",
        "platinum-social-draft",
        "platinum-social",
    ];
    let hosts = Hosts::set(&programs, &["social"], |_, home| {
        let accounts = account.section("fedi", &mock.url(), home, Some(&token));
        section(home, &accounts.unwrap())
    });
    let advice = "make one with the scope `read` alone at 127.0.0.1";
    let says_once = |output: &Output| {
        let said = [&*output.stdout, &*output.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        println!("{said}");
        assert!(!output.status.success());
        assert_eq!(said.matches(advice).count(), 1, "{said}");
        assert_eq!(said.matches("the token of `fedi`").count(), 1, "{said}");
        said
    };
    let refused = says_once(&hosts.cloud.run(&["run"]));
    let words =
        "role cloud refuses the zone `social`: a cloud holds nothing that can act on a network";
    assert!(refused.contains(words), "{refused}");
    says_once(&hosts.cloud.run(&["doctor"]));
    let copy = hosts.cloud.home().join("social.toml");
    let copy = copy.display().to_string();
    let tried = says_once(&hosts.local.run(&["doctor", "--cloud-social", &copy]));
    assert!(tried.contains("cloud"), "{tried}");
    assert!(mock.posts(&account).unwrap().is_empty());
}

#[test]
fn cloud_server_refuses_an_app_password() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("social.toml");
    fs::write(
        &config,
        "[accounts.sky]\nnetwork = 'bluesky'\nserver = 'https://bsky.social'\nhandle = 'ada.test'\n\
         password = { env = 'NO_SUCH_VARIABLE' }\n",
    )
    .unwrap();
    let name = "platinum-social-draft";
    let output = Command::new(program(name, name).unwrap())
        .arg("--config")
        .arg(&config)
        .output()
        .unwrap();
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("can post; drafting needs none"), "{errors}");
}
