//! Owners that show no sign of life, and owners that do.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use platinum_core::{TaskId, ZoneId, layout};
use platinum_protocol::{Claimed, PushOutcome, TaskPlace};
use platinum_repo::{GitRemote, Oid, Remote, RemoteError};
use platinum_sync::{ClaimError, Finish, SyncError, Synchronizer};
use platinum_testkit::git::GitServer;

use crate::races::{
    offline::{Line, draft},
    replica::{Replica, put_tasks, remote_files, replica, replica_with, task},
};

/// Longer than several looks at the remote take, on a slow machine too.
const LEASE: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(60);

/// Looks for stuck owners until a task was taken over.
async fn taken_over(replica: &Replica) -> Vec<(TaskId, ZoneId)> {
    let deadline = Instant::now() + DEADLINE;
    loop {
        let taken = replica
            .sync
            .take_over_expired(&[ZoneId::EMAIL])
            .await
            .unwrap();
        if !taken.is_empty() {
            return taken;
        }
        assert!(Instant::now() < deadline, "nothing was taken over");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn with_lease(mut replica: Replica, lease: Duration) -> Replica {
    replica.sync = replica.sync.with_lease(lease);
    replica
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_owner_loses_its_tasks_that_have_no_draft() {
    let server = GitServer::start().unwrap();
    let owner = with_lease(replica(&server, "local"), LEASE);
    let cloud = replica(&server, "cloud");
    let tasks = put_tasks(&owner, ZoneId::EMAIL, 3);
    // Of a number of its own: a task has one place.
    let payment = task(ZoneId::PAYMENTS, 3);
    let waits = layout::waiting(ZoneId::PAYMENTS, payment.id);
    owner.write(waits.as_str(), &payment.render());
    let payment = payment.id;
    owner.sync.sync().await.unwrap();
    for task in &tasks {
        cloud.sync.claim(*task).await.unwrap();
    }
    owner.sync.claim(payment).await.unwrap();
    // One has a draft that local has, one a draft that local has not synced yet.
    draft(&cloud, tasks[1], "An answer\n").await;
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    draft(&cloud, tasks[2], "An answer\n").await;
    cloud.sync.sync().await.unwrap();

    let began = Instant::now();
    let taken = taken_over(&owner).await;
    assert!(began.elapsed() >= LEASE, "not before a lease was over");
    assert_eq!(taken, [(tasks[0], ZoneId::EMAIL)]);
    let place = owner.sync.place(tasks[0]).await.unwrap();
    assert!(matches!(place, TaskPlace::Owned(record)
        if record.agent == owner.agent && record.epoch == 2));
    assert!(
        owner
            .read(layout::in_progress(&owner.agent, tasks[0]).as_str())
            .is_some()
    );
    let log = server.git(&["log", "-1", "--format=%s", "main"]).unwrap();
    assert_eq!(log.trim(), format!("Take over {}", tasks[0]));

    // The old owner comes back: it finds the task lost, and can do nothing on it.
    let lost = Claimed::Lost {
        owner: Some(owner.agent.clone()),
    };
    assert!(matches!(
        cloud.sync.finish(tasks[0], Finish::filed("late")).await,
        Err(SyncError::Claim(ClaimError::NotOwner { owner, .. })) if owner == "local"
    ));
    assert_eq!(cloud.sync.claim(tasks[0]).await.unwrap(), lost);
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert_eq!(cloud.sync.drafting_epoch(tasks[0]).await.unwrap(), None);
    assert_eq!(cloud.sync.drafting_epoch(tasks[1]).await.unwrap(), Some(1));
    assert_eq!(cloud.files(), owner.files());
}

/// A draft of an earlier claim keeps no task with a silent owner.
#[tokio::test(flavor = "multi_thread")]
async fn stale_draft_does_not_protect_a_silent_owner() {
    for is_synced in [false, true] {
        is_taken_over_despite_an_old_draft(is_synced).await;
    }
}

async fn is_taken_over_despite_an_old_draft(is_synced: bool) {
    let server = GitServer::start().unwrap();
    let owner = with_lease(replica(&server, "local"), LEASE);
    let cloud = replica(&server, "cloud");
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    cloud.sync.claim(task).await.unwrap();
    draft(&cloud, task, "An answer\n").await;
    cloud.sync.sync().await.unwrap();
    cloud.sync.release(task, "not so").await.unwrap();
    let again = cloud.sync.claim(task).await.unwrap();
    assert_eq!(again, Claimed::Won { epoch: 2 });
    if is_synced {
        owner.sync.sync().await.unwrap();
    }
    assert_eq!(taken_over(&owner).await, [(task, ZoneId::EMAIL)]);
}

/// What the old owner edited meanwhile is set aside.
#[tokio::test(flavor = "multi_thread")]
async fn edit_of_the_expired_owner_is_preserved() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let owner = with_lease(replica(&server, "local"), LEASE);
    let cloud = replica_with(&server, "cloud", line.through());
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    cloud.sync.claim(task).await.unwrap();
    line.cut();
    let own = layout::in_progress(&cloud.agent, task);
    let text = cloud.read(own.as_str()).unwrap();
    cloud.write(own.as_str(), &format!("{text}A late remark.\n"));
    taken_over(&owner).await;
    line.heal();
    cloud.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    let files = owner.files();
    let name = format!("{task}.md");
    let places: Vec<_> = files.keys().filter(|path| path.ends_with(&name)).collect();
    assert_eq!(places, [&format!("In_Progress/local/{task}.md")]);
    let kept = files
        .iter()
        .find(|(path, _)| path.starts_with(&format!("Updates/cloud/{task}.conflict-cloud-")));
    assert!(
        kept.is_some_and(|(_, text)| text.ends_with("A late remark.\n")),
        "{files:?}"
    );
    assert_eq!(cloud.files(), files);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_gives_signs_of_life_keeps_its_tasks() {
    let server = GitServer::start().unwrap();
    let owner = with_lease(replica(&server, "local"), LEASE);
    let cloud = with_lease(replica(&server, "cloud"), LEASE);
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    cloud.sync.claim(task).await.unwrap();
    let (began, mut beats) = (Instant::now(), 0);
    while began.elapsed() < LEASE * 2 {
        beats += u64::from(cloud.sync.heartbeat().await.unwrap());
        let taken = owner.sync.take_over_expired(&[ZoneId::EMAIL]);
        assert_eq!(taken.await.unwrap(), [], "after {:?}", began.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(
        (2..=7).contains(&beats),
        "a beat each third of the lease, not {beats}"
    );
    owner.sync.sync().await.unwrap();
    let place = owner.sync.place(task).await.unwrap();
    assert!(
        matches!(&place, TaskPlace::Owned(record)
            if record.agent == cloud.agent && record.epoch == 1 && record.heartbeats == beats),
        "{place:?}, {beats}"
    );
    assert_eq!(
        cloud.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owners_machine_takes_over() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let cloud = with_lease(replica(&server, "cloud"), Duration::from_millis(30));
    let silent = replica(&server, "cloud-2");
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    silent.sync.claim(task).await.unwrap();
    for _ in 0..5 {
        let taken = cloud.sync.take_over_expired(&[ZoneId::EMAIL]);
        assert_eq!(taken.await.unwrap(), []);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        remote_files(&server),
        [format!("In_Progress/cloud-2/{task}.md")]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn marks_of_claims_go_with_their_tasks() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let cloud = with_lease(replica(&server, "cloud"), Duration::from_millis(1));
    let tasks = put_tasks(&owner, ZoneId::EMAIL, 3);
    owner.sync.sync().await.unwrap();
    for task in &tasks {
        cloud.sync.claim(*task).await.unwrap();
    }
    let marks = || {
        let folder = cloud
            .folder()
            .join("state/vault.git/refs/vault/marks/claims");
        let names = std::fs::read_dir(folder).map(|entries| {
            let names = entries.map(|entry| entry.unwrap().file_name());
            names
                .map(|name| name.into_string().unwrap())
                .collect::<BTreeSet<_>>()
        });
        names.unwrap_or_default()
    };
    assert_eq!(marks().len(), 3);
    // One the cloud files itself, one the owner files.
    cloud
        .sync
        .finish(tasks[0], Finish::filed("x"))
        .await
        .unwrap();
    owner.sync.sync().await.unwrap();
    owner
        .sync
        .finish(tasks[1], Finish::done("sent", vec![]))
        .await
        .unwrap();
    cloud.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert_eq!(marks(), BTreeSet::from([tasks[2].to_string()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_that_was_cut_off_for_a_lease_has_edited_nothing() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let owner = with_lease(replica(&server, "local"), LEASE);
    let cloud = with_lease(
        replica_with(&server, "cloud", line.through()),
        Duration::from_millis(30),
    );
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    cloud.sync.claim(task).await.unwrap();
    let own = layout::in_progress(&cloud.agent, task);
    let text = cloud.read(own.as_str());
    line.cut();
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(cloud.sync.heartbeat().await.unwrap_err().is_away());
    assert_eq!(cloud.read(own.as_str()), text);
    taken_over(&owner).await;
    line.heal();
    tokio::time::sleep(Duration::from_millis(50)).await;
    cloud.sync.heartbeat().await.unwrap();
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    let files: Vec<_> = owner.files().into_keys().collect();
    assert_eq!(files, [format!("In_Progress/local/{task}.md")]);
    assert_eq!(cloud.files(), owner.files());
}

/// A remote at which another host syncs just before the second fetch since the count was set back.
struct Busy {
    inner: GitRemote,
    fetches: Arc<AtomicU32>,
    other: Arc<OnceLock<Synchronizer>>,
}

#[async_trait]
impl Remote for Busy {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        if self.fetches.fetch_add(1, SeqCst) == 1
            && let Some(other) = self.other.get()
        {
            other.sync().await.unwrap();
        }
        self.inner.fetch().await
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        self.inner.push(commit, expected).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

/// An owner that comes back in the moment of the look keeps its tasks.
#[tokio::test(flavor = "multi_thread")]
async fn owner_back_during_the_lease_check_keeps_its_tasks() {
    let server = GitServer::start().unwrap();
    let (fetches, other) = (Arc::<AtomicU32>::default(), Arc::<OnceLock<_>>::default());
    let owner = replica_with(&server, "local", |inner| {
        let (fetches, other) = (Arc::clone(&fetches), Arc::clone(&other));
        Box::new(Busy {
            inner,
            fetches,
            other,
        })
    });
    let owner = with_lease(owner, LEASE);
    let cloud = replica(&server, "cloud");
    let tasks = put_tasks(&owner, ZoneId::EMAIL, 2);
    owner.sync.sync().await.unwrap();
    for task in &tasks {
        cloud.sync.claim(*task).await.unwrap();
    }
    cloud.write(
        "Updates/cloud/upd_00000000010000000000000001.md",
        "I live.\n",
    );
    other.set(cloud.sync.clone()).ok();
    let deadline = Instant::now() + DEADLINE;
    // Only one that finds the owner stuck asks the remote twice.
    loop {
        fetches.store(0, SeqCst);
        let taken = owner
            .sync
            .take_over_expired(&[ZoneId::EMAIL])
            .await
            .unwrap();
        assert_eq!(taken, []);
        if fetches.load(SeqCst) > 1 {
            break;
        }
        assert!(Instant::now() < deadline, "nobody was found stuck");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for task in &tasks {
        let place = owner.sync.place(*task).await.unwrap();
        assert!(matches!(place, TaskPlace::Owned(record) if record.agent == cloud.agent));
    }
}

/// A remote that lets every fetch wait in vain.
struct Mute(Arc<AtomicU32>);

#[async_trait]
impl Remote for Mute {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        self.0.fetch_add(1, SeqCst);
        Err(RemoteError::TimedOut {
            remote: self.describe(),
            seconds: 30,
        })
    }

    async fn push(&self, _: Oid, _: Option<Oid>) -> PushOutcome {
        PushOutcome::Indeterminate("nobody answers".to_owned())
    }

    fn describe(&self) -> String {
        "ssh://vault@example.test/vault.git".to_owned()
    }
}

/// A remote that is silent is asked once for looks and signs of life.
#[tokio::test(flavor = "multi_thread")]
async fn silent_remote_is_asked_once_for_lease_and_heartbeat() {
    let server = GitServer::start().unwrap();
    let asked = Arc::<AtomicU32>::default();
    let owner = replica_with(&server, "local", |_| Box::new(Mute(Arc::clone(&asked))));
    let owner = with_lease(owner, Duration::from_millis(30));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let looked = owner.sync.take_over_expired(&[ZoneId::EMAIL]).await;
    assert!(looked.unwrap_err().is_away());
    let looked = owner.sync.take_over_expired(&[ZoneId::EMAIL]).await;
    assert_eq!(looked.unwrap(), []);
    assert!(!owner.sync.heartbeat().await.unwrap());
    assert_eq!(asked.load(SeqCst), 1);
}
