//! What a kill, or a server that says no, leaves in the repository: it is settled or taken away,
//! and is in no one's way.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicU32},
};

use async_trait::async_trait;
use platinum_capabilities::sync::{SyncRunError, Syncer as _};
use platinum_daemon::Tasks;
use platinum_protocol::PushOutcome;
use platinum_repo::{GitRemote, Oid, Remote, RemoteError};
use platinum_sync::SyncError;
use platinum_testkit::git::{GitServer, hook};

use crate::races::replica::{LosesAnswers, Replica, replica, replica_with};

async fn in_doubt(replica: &Replica) -> usize {
    replica.sync.status().await.unwrap().in_doubt
}

/// A commit that can land no more is no question once another has landed.
#[tokio::test(flavor = "multi_thread")]
async fn superseded_push_is_no_longer_in_doubt() {
    let server = GitServer::start().unwrap();
    let owner = replica_with(&server, "local", |inner| {
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
    let owner = replica(&server, "local");
    // On a remote without a branch, and on one with.
    for (text, landed) in [("one\n", 1), ("two\n", 1)] {
        let no = hook(&server.repository(), "pre-receive", "#!/bin/sh\nexit 1\n").unwrap();
        owner.write("Inbox/a.md", text);
        for _ in 0..3 {
            let error = owner.sync.sync().await.unwrap_err();
            assert!(matches!(error, SyncError::Contended { .. }), "{error}");
            assert_eq!(
                in_doubt(&owner).await,
                1,
                "only the one that was pushed last"
            );
        }
        fs::remove_file(no).unwrap();
        assert_eq!(owner.sync.sync().await.unwrap().pushed, landed);
        assert_eq!(in_doubt(&owner).await, 0);
    }
}

/// A lock that a killed daemon left keeps no edit from being kept.
#[tokio::test(flavor = "multi_thread")]
async fn stale_lock_does_not_block_keeping_an_edit() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    owner.write("Inbox/a.md", "one\n");
    owner.sync.sync().await.unwrap();
    fs::write(owner.lock_of("kept"), "").unwrap();
    let owner = owner.restarted(&server, |remote| Box::new(remote));
    owner.write("Inbox/a.md", "two\n");
    assert_eq!(owner.sync.sync().await.unwrap().pushed, 1);
    // Without a remote it is the same.
    fs::write(owner.lock_of("kept"), "").unwrap();
    let owner = owner.restarted_alone();
    owner.write("Inbox/a.md", "three\n");
    assert_eq!(owner.sync.sync().await.unwrap().pushed, 1);
}

/// A remote whose next fetch is killed while it moves a ref, if there is a lock to leave.
struct Killed {
    inner: GitRemote,
    leaves: Arc<Mutex<Option<PathBuf>>>,
}

#[async_trait]
impl Remote for Killed {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        let leaves = self.leaves.lock().unwrap().take();
        match leaves {
            Some(lock) => {
                fs::write(lock, "").unwrap();
                Err(RemoteError::TimedOut {
                    remote: self.describe(),
                    seconds: 30,
                })
            }
            None => self.inner.fetch().await,
        }
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        self.inner.push(commit, expected).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

/// A lock that a git of ours left when it was ended is gone at the next look.
#[tokio::test(flavor = "multi_thread")]
async fn lock_of_a_killed_git_is_removed_by_the_next_sync() {
    let server = GitServer::start().unwrap();
    let leaves = Arc::new(Mutex::new(None));
    let cloud = replica_with(&server, "cloud", |inner| {
        let leaves = Arc::clone(&leaves);
        Box::new(Killed { inner, leaves })
    });
    let owner = replica(&server, "local");
    owner.write("Inbox/a.md", "one\n");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    owner.write("Inbox/a.md", "two\n");
    owner.sync.sync().await.unwrap();
    *leaves.lock().unwrap() = Some(cloud.lock_of("remote"));
    cloud.sync.sync().await.unwrap_err();
    assert!(cloud.lock_of("remote").exists());
    assert_eq!(cloud.sync.sync().await.unwrap().pulled, 1);
    assert!(!cloud.lock_of("remote").exists());
}

/// Trouble is told once while it lasts and again when it comes back.
#[tokio::test(flavor = "multi_thread")]
async fn trouble_is_reported_once_while_it_lasts() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    owner.write("Inbox/a.md", "one\n");
    Tasks(owner.sync.clone()).run().await.unwrap();
    let reports = || {
        let notes = owner.files().into_iter();
        notes
            .filter(|(path, text)| {
                path.starts_with("Updates/local/") && text.contains("Nothing is synced any more")
            })
            .count()
    };
    for times in 1..=2 {
        let tip = server.git(&["rev-parse", "main"]).unwrap();
        server
            .git(&["update-ref", "-d", "refs/heads/main"])
            .unwrap();
        for _ in 0..2 {
            let error = Tasks(owner.sync.clone()).run().await.unwrap_err();
            assert!(matches!(error, SyncRunError::Violation(_)), "{error:?}");
            assert_eq!(reports(), times);
        }
        server
            .git(&["update-ref", "refs/heads/main", &tip])
            .unwrap();
        Tasks(owner.sync.clone()).run().await.unwrap();
    }
}
