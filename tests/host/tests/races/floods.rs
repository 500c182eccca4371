//! What a host can put on the remote that is too much to look through, too many, or not even git's.

use std::{io::Write as _, process::Stdio};

use platinum_daemon::sync::SyncError;
use platinum_repo::Oid;
use platinum_testkit::git::{GitServer, hermetic};

use crate::side::{Side, side};

/// Runs git in the server's repository.
fn git(server: &GitServer, args: &[&str], stdin: &[u8]) -> String {
    let mut child = hermetic("git")
        .env("GIT_DIR", server.repository())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn tip(server: &GitServer) -> String {
    server.git(&["rev-parse", "main"]).unwrap()
}

async fn house(server: &GitServer) -> (Side, Side) {
    let owner = side(server, "local");
    owner.write("Dashboard.md", "# Today\n");
    owner.sync.sync().await.unwrap();
    let cloud = side(server, "cloud");
    cloud.sync.sync().await.unwrap();
    (owner, cloud)
}

fn on_main(server: &GitServer, commit: &str) {
    server
        .git(&["update-ref", "refs/heads/main", commit])
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_git_refuses_stops_the_sync_and_is_no_remote_that_is_away() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = house(&server).await;
    let good = tip(&server);
    let blob = git(&server, &["rev-parse", "main:Dashboard.md"], b"");
    let mut tree = b"0100644 Dashboard.md\0".to_vec();
    tree.extend_from_slice(Oid::from_str(&blob).unwrap().as_bytes());
    let raw = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    let tree = git(&server, &raw, &tree);
    let commit = server
        .git(&["commit-tree", &tree, "-p", "main", "-m", "x"])
        .unwrap();
    on_main(&server, &commit);
    for host in [&owner, &cloud] {
        let before = host.files();
        let error = host.sync.sync().await.unwrap_err();
        assert!(matches!(error, SyncError::Faulty(_)), "{error}");
        assert!(!error.is_away(), "waiting does not mend it");
        let text = error.to_string();
        assert!(
            text.contains(&tree) && text.contains("zeroPaddedFilemode"),
            "{text}"
        );
        let status = host.sync.status().await.unwrap();
        assert_eq!(status.last_error, Some(text));
        assert_eq!(status.verified.as_deref(), Some(good.as_str()));
        assert_eq!(host.files(), before);
    }
    // Put back, as it says, it is as before.
    on_main(&server, &good);
    owner.write("Inbox/later.md", "later");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert_eq!(owner.files(), cloud.files());
}
