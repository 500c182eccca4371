//! Trees that no one comes to the end of.

use std::time::Instant;

use platinum_repo::{Oid, Repo};
use platinum_testkit::{git::GitServer, notes::draft_path};

use super::{Evil, SOON, cluster, git, on_main};
use crate::races::replica::{remote_files, replica};

/// A commit whose files no one comes to the end of, made of sixty objects.
fn bomb(server: &GitServer) -> Oid {
    let mktree = |entries: String| git(server, &["mktree"], entries.as_bytes());
    let blob = git(server, &["hash-object", "-w", "--stdin"], b"x");
    let mut below = mktree(format!("100644 blob {blob}\tx.md\n"));
    for _ in 0..58 {
        below = mktree(format!("040000 tree {below}\ta\n040000 tree {below}\tb\n"));
    }
    let listed = server.git(&["ls-tree", "main"]).unwrap();
    let root = mktree(format!("{listed}\n040000 tree {below}\tPlans\n"));
    let commit = server.git(&["commit-tree", &root, "-m", "x"]).unwrap();
    Repo::oid(&commit).unwrap()
}

/// A bomb of folders is undone by local and the other clouds go on.
#[tokio::test(flavor = "multi_thread")]
async fn tree_bomb_is_reverted_by_local_and_clouds_go_on() {
    let server = GitServer::start().unwrap();
    let (owner, other) = cluster(&server).await;
    owner.write_drafted_task();
    owner.sync.sync().await.unwrap();
    let late = replica(&server, "cloud-2");
    late.sync.sync().await.unwrap();
    let mut evil = Evil::on(&server);
    let bomb = bomb(&server);
    let bad = evil.commits(bomb, &[]);
    let draft = draft_path("honest");
    let honest = evil.commits(evil.tip, &[(&draft, "draft")]);
    on_main(&server, &honest);

    let began = Instant::now();
    let error = other.sync.sync().await.unwrap_err();
    let why = "it changes more than 100000 files or folders at once";
    assert_eq!(
        error.to_string(),
        format!("commit {} is not applied: {why}", &bad[..12])
    );
    owner.sync.sync().await.unwrap();
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let answer = server.git(&["log", "-1", "--format=%B", "main"]).unwrap();
    assert!(
        answer.contains(&format!("\nPlatinum-Reverts: {bad}\n")),
        "{answer}"
    );
    // What came on top of it and is right is there; the others take both over, however late.
    other.write("Updates/cloud/note.md", "note");
    other.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    other.sync.sync().await.unwrap();
    late.sync.sync().await.unwrap();
    let joined = replica(&server, "cloud-2");
    joined.sync.sync().await.unwrap();
    let mut expected: Vec<String> = owner.files().into_keys().collect();
    expected.sort();
    let mut there = remote_files(&server);
    there.sort();
    assert_eq!(there, expected);
    for replica in [&other, &late, &joined] {
        assert_eq!(replica.files(), owner.files());
    }
    assert!(owner.read(&draft).is_some());
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}
