//! A push that lands after its host was killed, and began anew.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use platinum_core::ZoneId;
use platinum_protocol::{Claimed, PushOutcome, TaskPlace};
use platinum_repo::{GitRemote, Oid, Remote, RemoteError};
use platinum_testkit::git::GitServer;
use tokio::sync::Notify;

use crate::races::replica::{put_tasks, replica, replica_with};

/// What is on its way, and to which tip.
type Sent = Arc<Mutex<Option<(Oid, Option<Oid>)>>>;

/// A remote to which pushes take for ever; or, once something is on its way, that thing arrives
/// just before the next push.
struct Slow {
    inner: GitRemote,
    sent: Sent,
    is_on_its_way: Arc<Notify>,
}

impl Slow {
    fn take(&self) -> Option<(Oid, Option<Oid>)> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

#[async_trait]
impl Remote for Slow {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        self.inner.fetch().await
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        if let Some((late, on)) = self.take() {
            assert_eq!(self.inner.push(late, on).await, PushOutcome::Landed);
            return self.inner.push(commit, expected).await;
        }
        *self.sent.lock().unwrap() = Some((commit, expected));
        self.is_on_its_way.notify_one();
        std::future::pending().await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

/// A claim that lands after its host began anew is known as its own.
#[tokio::test(flavor = "multi_thread")]
async fn claim_that_lands_after_a_restart_is_recognised() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    let sent = Sent::default();
    let is_on_its_way = Arc::new(Notify::new());
    let slow = |inner| -> Box<dyn Remote> {
        Box::new(Slow {
            inner,
            sent: Arc::clone(&sent),
            is_on_its_way: Arc::clone(&is_on_its_way),
        })
    };
    let cloud = replica_with(&server, "cloud", slow);
    cloud.sync.sync().await.unwrap();
    let killed = tokio::spawn({
        let sync = cloud.sync.clone();
        async move { sync.claim(task).await }
    });
    is_on_its_way.notified().await;
    killed.abort();
    killed.await.unwrap_err();

    let cloud = cloud.restarted(&server, slow);
    assert_eq!(
        cloud.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );
    assert!(
        cloud
            .read(&format!("In_Progress/cloud/{task}.md"))
            .is_some()
    );
    let TaskPlace::Owned(record) = cloud.sync.place(task).await.unwrap() else {
        panic!("the task has no owner");
    };
    assert_eq!((record.agent.as_str(), record.epoch), ("cloud", 1));
}
