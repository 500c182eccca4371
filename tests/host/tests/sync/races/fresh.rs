//! How fresh the view of the remote is that this machine acts on, and that a sync ends although
//! no one waits for it any more, and that no one waits again and again for a remote that is silent.

use std::{
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use platinum_capabilities::sync::Syncer as _;
use platinum_core::{Timestamp, ZoneId};
use platinum_daemon::Tasks;
use platinum_protocol::{Claimed, PushOutcome};
use platinum_repo::{GitRemote, Oid, Remote, RemoteError};
use platinum_sync::{SyncStatus, Synchronizer};
use platinum_testkit::git::GitServer;
use tokio::{sync::RwLock, time::timeout};

use crate::races::{
    intruders::cloud_does,
    replica::{put_tasks, replica, replica_with},
};

/// What was seen from the remote's side.
#[derive(Default)]
struct Observed {
    /// Whom to ask for its status at each push.
    of: OnceLock<Synchronizer>,
    /// When the last fetch began.
    asked: Mutex<Option<Timestamp>>,
    /// How many began.
    fetches: AtomicU32,
    /// While someone writes, no fetch goes on.
    goes: RwLock<()>,
    /// How things stood at each push.
    at_push: Mutex<Vec<SyncStatus>>,
}

struct Observing {
    inner: GitRemote,
    seen: Arc<Observed>,
}

#[async_trait]
impl Remote for Observing {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        *self.seen.asked.lock().unwrap() = Some(Timestamp::now());
        self.seen.fetches.fetch_add(1, Ordering::SeqCst);
        let _goes = self.seen.goes.read().await;
        self.inner.fetch().await
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        if let Some(sync) = self.seen.of.get() {
            let status = sync.status().await.unwrap();
            self.seen.at_push.lock().unwrap().push(status);
        }
        self.inner.push(commit, expected).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

/// A tip that is still being judged makes no view of the remote fresh.
#[tokio::test(flavor = "multi_thread")]
async fn unverified_tip_does_not_make_the_view_fresh() {
    let server = GitServer::start().unwrap();
    let seen = Arc::new(Observed::default());
    let owner = replica_with(&server, "local", |inner| {
        let seen = Arc::clone(&seen);
        Box::new(Observing { inner, seen })
    });
    owner.write("Inbox/a.md", "one\n");
    owner.sync.sync().await.unwrap();
    // The owner's machine undoes it, by a push, before anything is verified.
    let forged = cloud_does(&server, &[("Approved/draft.md", Some("send"))]);
    let before = owner.sync.status().await.unwrap();
    assert!(before.last_contact.is_some());
    seen.of.set(owner.sync.clone()).ok().unwrap();
    owner.sync.sync().await.unwrap();
    let at_push = seen.at_push.lock().unwrap().clone();
    assert!(!at_push.is_empty(), "{forged} was undone");
    for status in at_push {
        assert_eq!(status.verified, before.verified);
        assert_eq!(status.remote_tip_seen.as_ref(), Some(&forged));
        assert_eq!(status.last_contact, before.last_contact);
    }
    let after = owner.sync.status().await.unwrap();
    assert!(after.last_contact > before.last_contact, "{after:?}");
    assert_ne!(after.verified, before.verified);
}

/// A view of the remote is as old as the question and not as the answer.
#[tokio::test(flavor = "multi_thread")]
async fn view_of_the_remote_is_as_old_as_the_request() {
    let server = GitServer::start().unwrap();
    let seen = Arc::new(Observed::default());
    let cloud = replica_with(&server, "cloud", |inner| {
        let seen = Arc::clone(&seen);
        Box::new(Observing { inner, seen })
    });
    let owner = replica(&server, "local");
    owner.write("Inbox/a.md", "one\n");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    let status = cloud.sync.status().await.unwrap();
    assert!(status.last_contact.is_some());
    assert!(status.last_contact <= *seen.asked.lock().unwrap());
}

/// A transfer that takes longer than a skill may comes to its end all the same.
#[tokio::test(flavor = "multi_thread")]
async fn transfer_outlives_the_time_limit_of_a_skill() {
    let server = GitServer::start().unwrap();
    let seen = Arc::new(Observed::default());
    let cloud = replica_with(&server, "cloud", |inner| {
        let seen = Arc::clone(&seen);
        Box::new(Observing { inner, seen })
    });
    let owner = replica(&server, "local");
    owner.write("Inbox/a.md", "one\n");
    owner.sync.sync().await.unwrap();

    let slow = seen.goes.write().await;
    // The skill's time is up three times: the first leaves its sync behind, the others wait for it.
    for _ in 0..3 {
        let tasks = Tasks(cloud.sync.clone());
        let ran = timeout(Duration::from_millis(300), tasks.run());
        ran.await.unwrap_err();
    }
    let begun = seen.fetches.load(Ordering::SeqCst);
    assert!(begun <= 1, "it was begun {begun} times");
    drop(slow);
    // Whoever comes next finds it done.
    let report = Tasks(cloud.sync.clone()).run().await.unwrap();
    assert_eq!(report.pulled, 0, "{report:?}");
    assert_eq!(cloud.read("Inbox/a.md").as_deref(), Some("one\n"));
    assert_eq!(seen.fetches.load(Ordering::SeqCst), 2);
}

/// A remote that lets every fetch wait in vain, as long as it is silent.
struct Silent {
    inner: GitRemote,
    is_silent: Arc<AtomicBool>,
    fetches: Arc<AtomicU32>,
}

#[async_trait]
impl Remote for Silent {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        self.fetches.fetch_add(1, Ordering::SeqCst);
        if self.is_silent.load(Ordering::SeqCst) {
            return Err(RemoteError::TimedOut {
                remote: self.describe(),
                seconds: 30,
            });
        }
        self.inner.fetch().await
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        if self.is_silent.load(Ordering::SeqCst) {
            return PushOutcome::Indeterminate("no answer".to_owned());
        }
        self.inner.push(commit, expected).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_remote_is_waited_for_by_one_claim_and_not_by_each() {
    let server = GitServer::start().unwrap();
    let is_silent = Arc::new(AtomicBool::new(false));
    let fetches = Arc::new(AtomicU32::new(0));
    let cloud = replica_with(&server, "cloud", |inner| {
        Box::new(Silent {
            inner,
            is_silent: Arc::clone(&is_silent),
            fetches: Arc::clone(&fetches),
        })
    });
    let owner = replica(&server, "local");
    let tasks = put_tasks(&owner, ZoneId::EMAIL, 3);
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    is_silent.store(true, Ordering::SeqCst);
    let before = fetches.load(Ordering::SeqCst);
    cloud.sync.sync().await.unwrap_err();
    for task in &tasks {
        assert_eq!(cloud.sync.claim(*task).await.unwrap(), Claimed::Tentative);
    }
    assert_eq!(fetches.load(Ordering::SeqCst), before + 1);
    // The sync asks all the same, and with its first answer all of them are made for real.
    is_silent.store(false, Ordering::SeqCst);
    cloud.sync.sync().await.unwrap();
    assert!(cloud.sync.tentative().is_empty());
    assert_eq!(cloud.sync.owned().await.unwrap().len(), 3);
}
