//! What `status` claims of the sync, and what it names beside.

use std::fs;

use super::{Home, Kind};

#[tokio::test]
async fn init_refuses_a_remote_that_run_would_refuse() {
    let home = Home::new();
    let (vault, state) = (home.path("vault"), home.path("state"));
    let error = home
        .fails(&[
            "init",
            vault.to_str().unwrap(),
            "--state",
            state.to_str().unwrap(),
            "--remote",
            "/srv/my vault.git",
        ])
        .await;
    assert_eq!(error.kind, Kind::Usage);
    assert!(
        error
            .message
            .starts_with("the remote's address has a blank in it"),
        "{}",
        error.message
    );
    assert!(!vault.exists());
}

#[tokio::test]
async fn status_names_missing_keys_and_files_that_stay() {
    let home = Home::new();
    let (vault, state) = (home.path("vault"), home.path("state"));
    home.does(&[
        "init",
        vault.to_str().unwrap(),
        "--state",
        state.to_str().unwrap(),
        "--remote",
        home.path("remote.git").to_str().unwrap(),
    ])
    .await;
    fs::create_dir(vault.join("Journal")).unwrap();
    for path in ["Journal/a.md", "Inbox/voice.m4a", "Inbox/note.md"] {
        fs::write(vault.join(path), "x").unwrap();
    }
    let status = home.does(&["status"]).await;
    let row = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("{name}: {status}"))
    };
    assert!(
        row("keys").contains("no key of a cloud host is trusted here"),
        "{status}"
    );
    assert!(row("keys").contains("platinum trust"), "{status}");
    assert!(
        row("not synced").ends_with("1 in Journal/, 1 .m4a"),
        "{status}"
    );
    let json = home.does(&["status", "--json"]).await;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["unsynced"]["elsewhere"]["Journal"], 1, "{json}");
}
