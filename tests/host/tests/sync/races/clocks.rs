//! Which of two edits is later, whoever pushes first and whatever clocks say.

use platinum_core::{Role, Timestamp};
use platinum_repo::{CommitMeta, Edit, Repo};
use platinum_testkit::git::GitServer;

use crate::races::{
    offline::Line,
    replica::{Replica, at, key, replica, replica_with},
};

const NOTE: &str = "In_Progress/cloud/note.md";

/// Two sides that have the same note.
async fn two(server: &GitServer, line: &Line) -> (Replica, Replica) {
    let owner = replica_with(server, "local", line.through());
    let cloud = replica(server, "cloud");
    owner.write(NOTE, "first\n");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    (owner, cloud)
}

/// The text at the note's path and the one beside it, the same on both sides.
fn conflict_files(owner: &Replica, cloud: &Replica) -> (String, String) {
    assert_eq!(owner.files(), cloud.files());
    let mut files = owner.files();
    let kept = files.remove(NOTE).unwrap();
    files.retain(|path, _| path.starts_with("In_Progress/"));
    assert_eq!(files.len(), 1, "{files:?}");
    let (name, aside) = files.pop_first().unwrap();
    assert!(name.contains("note.conflict-"), "{name}");
    (kept, aside)
}

/// An edit made earlier loses although it is pushed later.
#[tokio::test(flavor = "multi_thread")]
async fn earlier_edit_loses_although_it_is_pushed_second() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let (owner, cloud) = two(&server, &line).await;
    line.cut();
    owner.write(NOTE, "the owner's, earlier\n");
    // It is found while the remote is away, and again after a restart.
    assert!(owner.sync.sync().await.unwrap_err().is_away());
    let owner = owner.restarted(&server, line.through());
    // Kept edits have their time to the second.
    let found = Timestamp::now();
    while Timestamp::now().as_second() <= found.as_second() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    cloud.write(NOTE, "the cloud's, later\n");
    cloud.sync.sync().await.unwrap();
    line.heal();
    assert_eq!(owner.sync.sync().await.unwrap().conflicts, 1);
    cloud.sync.sync().await.unwrap();
    let (kept, aside) = conflict_files(&owner, &cloud);
    assert_eq!(kept, "the cloud's, later\n");
    assert_eq!(aside, "the owner's, earlier\n");
}

/// An edit made later keeps the path although the other was pushed first.
#[tokio::test(flavor = "multi_thread")]
async fn later_edit_wins_although_it_is_pushed_second() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let (owner, cloud) = two(&server, &line).await;
    cloud.write(NOTE, "the cloud's, earlier\n");
    cloud.sync.sync().await.unwrap();
    owner.write(NOTE, "the owner's, later\n");
    assert_eq!(owner.sync.sync().await.unwrap().conflicts, 1);
    cloud.sync.sync().await.unwrap();
    let (kept, aside) = conflict_files(&owner, &cloud);
    assert_eq!(kept, "the owner's, later\n");
    assert_eq!(aside, "the cloud's, earlier\n");
}

/// A commit of the cloud's own, with its key, but with this on its clock.
fn cloud_stamps(server: &GitServer, ahead_ms: i64, text: &str) {
    let repo = Repo::open_or_init(&server.repository()).unwrap();
    let repo = repo.signing_with(key("cloud"));
    let stamp = Timestamp::now().as_millisecond() + ahead_ms;
    let meta = CommitMeta {
        agent: "cloud".parse().unwrap(),
        role: Role::Cloud,
        message: "Sync".to_owned(),
        trailers: vec![("Platinum-Clock".to_owned(), format!("{stamp}-0"))],
        at: Timestamp::now(),
    };
    let tip = server.git(&["rev-parse", "main"]).unwrap();
    let tip = Repo::oid(tip.trim()).unwrap();
    let edits = [(at(NOTE), Edit::Put(text.into()))];
    let commit = repo.commit(Some(tip), &edits, &meta).unwrap();
    server
        .git(&["update-ref", "refs/heads/main", &commit.to_string()])
        .unwrap();
}

/// A clock that is ahead is told and one far ahead is not believed.
#[tokio::test(flavor = "multi_thread")]
async fn clock_ahead_is_reported_and_far_ahead_is_not_trusted() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let (owner, cloud) = two(&server, &line).await;
    assert!(owner.sync.status().await.unwrap().skew.is_empty());

    cloud_stamps(&server, 60_500, "a minute ahead\n");
    owner.sync.sync().await.unwrap();
    let skew = owner.sync.status().await.unwrap().skew;
    assert_eq!(skew.len(), 1);
    assert!(
        skew[0] == "the clock of cloud is 60 s ahead of this machine's; set the one that is wrong"
            || skew[0].contains("is 59 s ahead"),
        "{skew:?}"
    );

    // An hour ahead: the stamp would win every conflict. The remote's order decides instead.
    cloud_stamps(&server, 3_600_500, "an hour ahead\n");
    owner.write(NOTE, "the owner's\n");
    assert_eq!(owner.sync.sync().await.unwrap().conflicts, 1);
    let skew = owner.sync.status().await.unwrap().skew;
    assert!(
        skew[0].starts_with("the clock of cloud is 60 minutes ahead of this machine's; ")
            && skew[0].ends_with(
                "set the one that is wrong; its edits no longer count as later, but in the order of the remote"
            ),
        "{skew:?}"
    );
    cloud.sync.sync().await.unwrap();
    let (kept, aside) = conflict_files(&owner, &cloud);
    assert_eq!(kept, "an hour ahead\n");
    assert_eq!(aside, "the owner's\n");
    // The clock here went on as it was: the next stamp is not an hour ahead.
    let stamp = server
        .git(&[
            "log",
            "-1",
            "--format=%(trailers:key=Platinum-Clock,valueonly)",
            "main",
        ])
        .unwrap();
    let wall: i64 = stamp.trim().split('-').next().unwrap().parse().unwrap();
    assert!(wall < Timestamp::now().as_millisecond() + 120_000, "{wall}");
}
