//! Commits on the remote that may not be applied.

use std::path::Path;

use platinum_core::{Role, Timestamp};
use platinum_daemon::sync::SyncError;
use platinum_repo::{Address, AddressError, CommitMeta, Edit, GitRemote, Repo};
use platinum_testkit::git::{GitServer, hermetic};

use crate::side::{Side, at, side};

/// Puts a commit on the remote's tip that nothing has checked.
fn forge(server: &GitServer, agent: &str, role: Role, edits: &[(&str, Option<&str>)]) -> String {
    let repo = Repo::open_or_init(&server.repository()).unwrap();
    let edits: Vec<_> = edits
        .iter()
        .map(|(path, text)| {
            let edit = text.map_or(Edit::Delete, |text| Edit::Put(text.into()));
            (at(path), edit)
        })
        .collect();
    let meta = CommitMeta {
        agent: agent.parse().unwrap(),
        role,
        message: "Forged".to_owned(),
        trailers: Vec::new(),
        at: Timestamp::now(),
    };
    let tip = Repo::oid(&server.git(&["rev-parse", "main"]).unwrap()).unwrap();
    let commit = repo.commit(Some(tip), &edits, &meta).unwrap().to_string();
    server
        .git(&["update-ref", "refs/heads/main", &commit])
        .unwrap();
    commit
}

/// Puts a raw tree entry at the top of `Inbox/` on the remote's tip.
fn forge_entry(server: &GitServer, entry: &str) -> String {
    let mktree = |dir: &Path, text: &str| {
        use std::io::Write as _;
        let mut child = hermetic("git")
            .env("GIT_DIR", dir)
            .args(["mktree", "--missing"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let dir = server.repository();
    let inner = mktree(&dir, entry);
    let rest = server.git(&["ls-tree", "main"]).unwrap();
    let rest: Vec<_> = rest
        .lines()
        .filter(|line| !line.ends_with("\tInbox"))
        .collect();
    let outer = mktree(
        &dir,
        &format!("{}\n040000 tree {inner}\tInbox\n", rest.join("\n")),
    );
    let message = "Forged\n\nPlatinum-Agent: cloud\nPlatinum-Role: cloud";
    let commit = server
        .git(&["commit-tree", &outer, "-p", "main", "-m", message])
        .unwrap();
    server
        .git(&["update-ref", "refs/heads/main", &commit])
        .unwrap();
    commit
}

async fn owner(server: &GitServer) -> Side {
    let owner = side(server, "local");
    owner.write("Dashboard.md", "# Today\n");
    owner.sync.sync().await.unwrap();
    owner
}

/// Syncs and expects the exact refusal; nothing may have changed.
async fn refused(owner: &Side, commit: &str, reasons: &str) {
    let before = owner.files();
    let verified = owner.sync.status().await.unwrap().verified;
    let error = owner.sync.sync().await.unwrap_err();
    assert!(matches!(error, SyncError::Violation(_)), "{error}");
    assert_eq!(
        error.to_string(),
        format!("commit {} is not applied: {reasons}", &commit[..12])
    );
    assert_eq!(owner.files(), before);
    let status = owner.sync.status().await.unwrap();
    assert_eq!(status.verified, verified);
    assert_eq!(
        status.last_error.as_deref(),
        Some(error.to_string().as_str())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_that_approves_or_writes_the_dashboard_is_refused() {
    let server = GitServer::start().unwrap();
    let owner = owner(&server).await;
    let commit = forge(
        &server,
        "cloud",
        Role::Cloud,
        &[
            ("Approved/draft.md", Some("send")),
            ("Dashboard.md", Some("# Mine\n")),
        ],
    );
    refused(
        &owner,
        &commit,
        "cloud agent cloud may not create Approved/draft.md: only the owner's machine changes it; \
         cloud agent cloud may not modify Dashboard.md: only the owner's machine changes it",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_and_went_between_two_syncs_is_seen() {
    let server = GitServer::start().unwrap();
    let owner = owner(&server).await;
    let first = forge(
        &server,
        "cloud",
        Role::Cloud,
        &[("Approved/draft.md", Some("send"))],
    );
    forge(
        &server,
        "cloud",
        Role::Cloud,
        &[("Approved/draft.md", None)],
    );
    refused(
        &owner,
        &first,
        "cloud agent cloud may not create Approved/draft.md: only the owner's machine changes it",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_only_says_it_is_the_owners_is_refused() {
    let server = GitServer::start().unwrap();
    let owner = owner(&server).await;
    let commit = forge(&server, "local", Role::Local, &[("Inbox/a.md", Some("a"))]);
    refused(
        &owner,
        &commit,
        "it says that agent local made it, but it was not made here",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_agent_that_says_it_is_local_is_judged_as_cloud() {
    let server = GitServer::start().unwrap();
    let owner = owner(&server).await;
    let commit = forge(
        &server,
        "laptop",
        Role::Local,
        &[("Approved/a.md", Some("a"))],
    );
    refused(
        &owner,
        &commit,
        "cloud agent laptop may not create Approved/a.md: only the owner's machine changes it",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_submodules_and_foreign_files_are_refused() {
    let text = |server: &GitServer| {
        // Any blob will do.
        server.git(&["rev-parse", "main:Dashboard.md"]).unwrap()
    };
    for (entry, reason) in [
        (
            "120000 blob BLOB\tlink.md\n",
            "`Inbox/link.md` is a symbolic link",
        ),
        (
            "160000 commit 1111111111111111111111111111111111111111\tsub\n",
            "`Inbox/sub` is a submodule",
        ),
        (
            "100644 blob BLOB\ta:b.md\n",
            "`Inbox/a:b.md` is no path of a vault: `Inbox/a:b.md` has the character ':', which some systems refuse or hide",
        ),
    ] {
        let server = GitServer::start().unwrap();
        let owner = owner(&server).await;
        let commit = forge_entry(&server, &entry.replace("BLOB", &text(&server)));
        refused(&owner, &commit, reason).await;
    }
    let server = GitServer::start().unwrap();
    let owner = owner(&server).await;
    let commit = forge(
        &server,
        "cloud",
        Role::Cloud,
        &[(".obsidian/plugins/x/main.js", Some("evil()"))],
    );
    let error = owner.sync.sync().await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("commit {} is not applied: ", &commit[..12])),
        "{error}"
    );
    assert!(
        error.contains(".obsidian/plugins/x/main.js is no note or attachment"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rewritten_history_is_refused() {
    let server = GitServer::start().unwrap();
    let owner = owner(&server).await;
    owner.write("Dashboard.md", "# Tomorrow\n");
    owner.sync.sync().await.unwrap();
    let had = server.git(&["rev-parse", "main"]).unwrap();
    let old = server.git(&["rev-parse", "main^"]).unwrap();
    server
        .git(&["update-ref", "refs/heads/main", &old])
        .unwrap();
    let reason = format!("the remote's history was rewritten: it no longer has commit {had}");
    refused(&owner, &old, &reason).await;
    server
        .git(&["update-ref", "-d", "refs/heads/main"])
        .unwrap();
    let error = owner.sync.sync().await.unwrap_err();
    assert!(matches!(error, SyncError::RemoteLost(_)), "{error}");
}

#[test]
fn a_path_that_depends_on_the_folder_and_plain_http_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let open = |text: &str| {
        GitRemote::new(
            &folder.path().join("x.git"),
            text,
            std::time::Duration::from_secs(1),
        )
        .map(drop)
        .unwrap_err()
        .to_string()
    };
    assert_eq!(
        open("../vault.git"),
        "`../vault.git` is a relative path; use an absolute one, https:// or ssh://"
    );
    assert_eq!(
        open("http://example.test/vault.git"),
        "`http://example.test` is neither encrypted nor authenticated; use https:// or ssh:// \
         (http:// and git:// are for this machine's loopback alone)"
    );
    assert!(matches!(
        Address::parse("git://example.test/v"),
        Err(AddressError::Plain(_))
    ));
}
