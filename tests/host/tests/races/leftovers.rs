//! What a kill, or a server that says no, leaves in the repository: it is settled or taken away,
//! and is in nobody's way.

use std::{
    fs,
    sync::{Arc, Mutex, atomic::AtomicU32},
};

use platinum_daemon::sync::SyncError;
use platinum_testkit::git::{GitServer, hook};

use crate::side::{LosesAnswers, Side, side, side_with};

async fn in_doubt(side: &Side) -> usize {
    side.sync.status().await.unwrap().in_doubt
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_can_land_no_more_is_no_question_once_another_has_landed() {
    let server = GitServer::start().unwrap();
    let owner = side_with(&server, "local", |inner| {
        Box::new(LosesAnswers {
            inner,
            lost: Arc::new(AtomicU32::new(100)),
            pushes: Arc::new(Mutex::default()),
            lands: false,
        })
    });
    owner.write("Inbox/a.md", "one\n");
    let error = owner.sync.sync().await.unwrap_err();
    assert!(matches!(error, SyncError::InDoubt(_)), "{error}");
    assert_eq!(in_doubt(&owner).await, 1);

    // Killed then, and begun anew: another commit takes its place.
    let owner = owner.restarted(&server, |remote| Box::new(remote));
    assert_eq!(in_doubt(&owner).await, 1, "it may still be on its way");
    owner.write("Inbox/b.md", "two\n");
    assert_eq!(owner.sync.sync().await.unwrap().pushed, 2);
    assert_eq!(in_doubt(&owner).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_declines_is_no_question_after_the_next_look() {
    let server = GitServer::start().unwrap();
    let owner = side(&server, "local");
    // On a remote without a branch, and on one with.
    for (text, landed) in [("one\n", 1), ("two\n", 1)] {
        let no = hook(&server.repository(), "pre-receive", "#!/bin/sh\nexit 1\n").unwrap();
        owner.write("Inbox/a.md", text);
        for _ in 0..3 {
            let error = owner.sync.sync().await.unwrap_err();
            assert!(matches!(error, SyncError::Contended { .. }), "{error}");
            assert_eq!(in_doubt(&owner).await, 1, "only the one that was pushed last");
        }
        fs::remove_file(no).unwrap();
        assert_eq!(owner.sync.sync().await.unwrap().pushed, landed);
        assert_eq!(in_doubt(&owner).await, 0);
    }
}
