//! Objects that are not as git writes them.

use platinum_repo::Oid;
use platinum_sync::SyncError;
use platinum_testkit::git::GitServer;

use super::{cluster, git, on_main, tip};

/// An object that git refuses stops the sync and is no remote that is away.
#[tokio::test(flavor = "multi_thread")]
async fn invalid_object_stops_the_sync_and_is_not_offline() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
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
