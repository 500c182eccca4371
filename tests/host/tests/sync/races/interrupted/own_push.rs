//! What this host has pushed itself is its own, also when no one told it that it landed.

use std::{
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use async_trait::async_trait;
use platinum_protocol::{Claimed, PushOutcome};
use platinum_repo::{CommitMeta, GitRemote, Oid, Remote, RemoteError, Repo};
use platinum_sync::{
    ClaimError, JournalHead, OwnElsewhere, SyncError, TRAILER_JOURNAL, TRAILER_MACHINE,
};
use platinum_testkit::{
    git::GitServer,
    notes::{draft_path, drafted_task},
};
use platinum_verify::revert::TRAILER_REVERTS;

use platinum_core::{Role, Timestamp, ZoneId, layout};
use tokio::sync::Barrier;

use crate::races::{
    intruders::{cloud_does, forge},
    replica::{Replica, at, key, remote_files, replica, replica_with, task},
};

/// A line that breaks as soon as a push has landed.
struct Breaks {
    inner: GitRemote,
    /// Whether it breaks with the next push.
    armed: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
}

#[async_trait]
impl Remote for Breaks {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        if self.broken.load(SeqCst) {
            return Err(RemoteError::Unreachable {
                remote: self.describe(),
                reason: "the network is down".to_owned(),
            });
        }
        self.inner.fetch().await
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        if self.broken.load(SeqCst) {
            return PushOutcome::Indeterminate("the network is down".to_owned());
        }
        let outcome = self.inner.push(commit, expected).await;
        if self.armed.swap(false, SeqCst) {
            self.broken.store(true, SeqCst);
            return PushOutcome::Indeterminate("the connection broke after".to_owned());
        }
        outcome
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

/// A line that loses the answer to a push; before it is given up, the test does something.
struct Slow {
    inner: GitRemote,
    armed: Arc<AtomicBool>,
    /// Met when the push has landed, and again when the answer may be given up.
    meeting: Arc<Barrier>,
}

#[async_trait]
impl Remote for Slow {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        self.inner.fetch().await
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        let outcome = self.inner.push(commit, expected).await;
        if self.armed.swap(false, SeqCst) {
            self.meeting.wait().await;
            self.meeting.wait().await;
            return PushOutcome::Indeterminate("no answer came".to_owned());
        }
        outcome
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

struct Cluster {
    server: GitServer,
    owner: Replica,
    other: Replica,
    armed: Arc<AtomicBool>,
    broken: Arc<AtomicBool>,
}

fn breaking_replica(
    server: &GitServer,
    agent: &str,
    armed: &Arc<AtomicBool>,
    broken: &Arc<AtomicBool>,
) -> Replica {
    let (armed, broken) = (Arc::clone(armed), Arc::clone(broken));
    replica_with(server, agent, move |inner| {
        Box::new(Breaks {
            inner,
            armed,
            broken,
        })
    })
}

/// Two hosts that have the same note; of the next push of the first the answer is lost.
async fn cluster() -> Cluster {
    let server = GitServer::start().unwrap();
    let (armed, broken) = (Arc::default(), Arc::default());
    let owner = breaking_replica(&server, "local", &armed, &broken);
    let other = replica(&server, "cloud");
    owner.write("Inbox/a.md", "base\n");
    owner.sync.sync().await.unwrap();
    other.sync.sync().await.unwrap();
    armed.store(true, SeqCst);
    Cluster {
        server,
        owner,
        other,
        armed,
        broken,
    }
}

impl Cluster {
    /// What was written is pushed, and whether it landed is not known.
    async fn push_unheard(&self) {
        let error = self.owner.sync.sync().await.unwrap_err();
        assert!(error.is_away(), "{error}");
        assert!(!self.armed.load(SeqCst));
    }

    async fn both_sync(&self) {
        self.broken.store(false, SeqCst);
        for replica in [&self.owner, &self.other, &self.owner] {
            replica.sync.sync().await.unwrap();
        }
        assert_eq!(self.owner.files(), self.other.files());
    }
}

/// A task that was given back unheard is not claimed again by itself.
#[tokio::test(flavor = "multi_thread")]
async fn unacknowledged_release_is_not_claimed_again() {
    let cluster = cluster().await;
    cluster.armed.store(false, SeqCst);
    let note = task(ZoneId::EMAIL, 1);
    let waits = layout::waiting(ZoneId::EMAIL, note.id);
    cluster.owner.write(waits.as_str(), &note.render());
    cluster.owner.sync.sync().await.unwrap();
    cluster.owner.sync.claim(note.id).await.unwrap();
    cluster.armed.store(true, SeqCst);
    let release = || cluster.owner.sync.release(note.id, "Not now.");
    let error = release().await.unwrap_err();
    assert!(error.is_away(), "{error}");
    cluster.broken.store(false, SeqCst);
    release().await.unwrap();
    cluster.both_sync().await;
    let there = remote_files(&cluster.server);
    assert_eq!(there, ["Inbox/a.md", waits.as_str()]);
}

/// Another has claimed the task before it is known that it was given back: it was, all the same.
#[tokio::test(flavor = "multi_thread")]
async fn unacknowledged_release_is_one_although_claimed_since() {
    let server = GitServer::start().unwrap();
    let (armed, meeting) = (Arc::new(AtomicBool::new(false)), Arc::new(Barrier::new(2)));
    let (arm, meet) = (Arc::clone(&armed), Arc::clone(&meeting));
    let first = replica_with(&server, "cloud", move |inner| {
        Box::new(Slow {
            inner,
            armed: arm,
            meeting: meet,
        })
    });
    let second = replica(&server, "cloud-2");
    let note = task(ZoneId::EMAIL, 1);
    let owner = replica(&server, "local");
    let waits = layout::waiting(ZoneId::EMAIL, note.id);
    owner.write(waits.as_str(), &note.render());
    for replica in [&owner, &first] {
        replica.sync.sync().await.unwrap();
    }
    first.sync.claim(note.id).await.unwrap();
    armed.store(true, SeqCst);
    let claim = async {
        meeting.wait().await;
        let claimed = second.sync.claim(note.id).await;
        meeting.wait().await;
        claimed.unwrap()
    };
    let (released, claimed) = tokio::join!(first.sync.release(note.id, "For the next."), claim);
    released.unwrap();
    assert_eq!(claimed, Claimed::Won { epoch: 2 });
    // And the next one is refused: it is another's by now.
    let again = first.sync.release(note.id, "Once more.").await;
    let refused = matches!(again, Err(SyncError::Claim(ClaimError::NotOwner { .. })));
    assert!(refused, "{again:?}");
}

/// A note that is edited on after its push is in no conflict with itself.
#[tokio::test(flavor = "multi_thread")]
async fn edit_after_an_unacknowledged_push_is_no_conflict() {
    let cluster = cluster().await;
    cluster.owner.write("Inbox/a.md", "one\n");
    cluster.push_unheard().await;
    cluster.owner.write("Inbox/a.md", "one and two\n");
    cluster.both_sync().await;
    assert_eq!(remote_files(&cluster.server), ["Inbox/a.md"]);
    let text = cluster.other.read("Inbox/a.md");
    assert_eq!(text.as_deref(), Some("one and two\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_note_that_is_deleted_after_its_push_stays_away() {
    let cluster = cluster().await;
    cluster.owner.write("Inbox/new.md", "one\n");
    cluster.push_unheard().await;
    cluster.owner.vault.remove(&at("Inbox/new.md")).unwrap();
    cluster.both_sync().await;
    assert_eq!(remote_files(&cluster.server), ["Inbox/a.md"]);
}

/// An edit that is taken back after its push is taken back everywhere.
#[tokio::test(flavor = "multi_thread")]
async fn edit_undone_after_its_push_is_undone_everywhere() {
    let cluster = cluster().await;
    cluster.owner.write("Inbox/a.md", "one\n");
    cluster.push_unheard().await;
    cluster.owner.write("Inbox/a.md", "base\n");
    cluster.both_sync().await;
    assert_eq!(remote_files(&cluster.server), ["Inbox/a.md"]);
    let text = cluster.other.read("Inbox/a.md");
    assert_eq!(text.as_deref(), Some("base\n"));
}

/// What another has edited on since is in conflict with an edit here.
#[tokio::test(flavor = "multi_thread")]
async fn foreign_edit_since_an_unacknowledged_push_conflicts() {
    let cluster = cluster().await;
    let own = "In_Progress/cloud/note.md";
    cluster.owner.write(own, "one\n");
    cluster.push_unheard().await;
    cluster.other.sync.sync().await.unwrap();
    cluster.other.write(own, "one, by the cloud\n");
    cluster.other.sync.sync().await.unwrap();
    cluster.owner.write(own, "one and two\n");
    cluster.both_sync().await;
    let texts: Vec<_> = cluster.owner.files().into_values().collect();
    for text in ["one, by the cloud\n", "one and two\n"] {
        assert!(texts.iter().any(|it| it == text), "{texts:?}");
    }
}

/// A new note that another host has moved on before its push was acknowledged does not come back.
#[tokio::test(flavor = "multi_thread")]
async fn new_note_moved_after_an_unacknowledged_push_stays_moved() {
    let server = GitServer::start().unwrap();
    let (armed, broken) = (Arc::default(), Arc::default());
    let cloud = breaking_replica(&server, "cloud", &armed, &broken);
    let owner = replica(&server, "local");
    owner.write_drafted_task();
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    let pending = &*draft_path("d");
    let approved = &*pending.replace("Pending_Approval", "Approved");
    cloud.write(pending, "Send it.\n");
    armed.store(true, SeqCst);
    let error = cloud.sync.sync().await.unwrap_err();
    assert!(error.is_away(), "{error}");
    owner.sync.sync().await.unwrap();
    owner.vault.rename(&at(pending), &at(approved)).unwrap();
    owner.sync.sync().await.unwrap();
    let (task, _) = drafted_task();
    assert_eq!(remote_files(&server), [approved, task.as_str()]);

    broken.store(false, SeqCst);
    for replica in [&cloud, &owner] {
        replica.sync.sync().await.unwrap();
        assert_eq!(remote_files(&server), [approved, task.as_str()]);
        assert_eq!(replica.read(pending), None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_put_back_after_its_deletion_was_pushed_stays() {
    let cluster = cluster().await;
    cluster.owner.vault.remove(&at("Inbox/a.md")).unwrap();
    cluster.owner.write("Inbox/b.md", "another\n");
    cluster.push_unheard().await;
    cluster.owner.write("Inbox/a.md", "base\n");
    cluster.both_sync().await;
    let text = cluster.other.read("Inbox/a.md");
    assert_eq!(text.as_deref(), Some("base\n"));
}

/// However many commits others have made since.
#[tokio::test(flavor = "multi_thread")]
async fn own_push_below_a_flood_is_no_conflict() {
    let cluster = cluster().await;
    cluster.owner.write("Inbox/a.md", "one\n");
    cluster.push_unheard().await;
    flood(&cluster.server, 1_100, &[]);
    cluster.owner.write("Inbox/a.md", "one and two\n");
    cluster.both_sync().await;
    assert_eq!(remote_files(&cluster.server), ["Inbox/a.md"]);
    let text = cluster.other.read("Inbox/a.md");
    assert_eq!(text.as_deref(), Some("one and two\n"));
}

/// The journal that the newest commit of this machine names is found below a flood, whatever others' commits
/// say of it; and again when it was found before.
#[tokio::test(flavor = "multi_thread")]
async fn last_journal_head_is_that_of_the_newest_own_commit() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    assert_eq!(owner.sync.last_journal_head().await.unwrap(), None);
    let head = |entries: u64, digit: &str| (entries, digit.repeat(64));
    let name = async |owner: &Replica, (entries, hash): (u64, String), text: &str| {
        let head = JournalHead { entries, hash };
        let machine = "01KAGP4Y00000000000000000A".to_owned();
        owner.sync.name_machine(machine, move || Some(head.clone()));
        owner.write("Inbox/a.md", text);
        owner.sync.sync().await.unwrap();
    };
    name(&owner, head(5, "a"), "one\n").await;
    let said = format!("{} {}", 99, "f".repeat(64));
    flood(&server, 300, &[(TRAILER_JOURNAL.to_owned(), said)]);
    owner.sync.sync().await.unwrap();
    let mut owner = owner.restarted(&server, |remote| Box::new(remote));
    for _ in 0..2 {
        let found = owner.sync.last_journal_head().await.unwrap();
        assert_eq!(found, Some(head(5, "a")));
        owner = owner.restarted(&server, |remote| Box::new(remote));
    }
    // A commit of its own that names none hides none; a newer one is newer.
    owner.write("Inbox/b.md", "two\n");
    owner.sync.sync().await.unwrap();
    let found = owner.sync.last_journal_head().await.unwrap();
    assert_eq!(found, Some(head(5, "a")));
    name(&owner, head(6, "b"), "three\n").await;
    let found = owner.sync.last_journal_head().await.unwrap();
    assert_eq!(found, Some(head(6, "b")));
}

/// Puts so many empty commits of the cloud's with these trailers on the remote's tip.
fn flood(server: &GitServer, count: i64, trailers: &[(String, String)]) {
    let repo = Repo::open_or_init(&server.repository()).unwrap();
    let repo = repo.signing_with(key("cloud"));
    let mut tip = Repo::oid(&server.git(&["rev-parse", "main"]).unwrap()).unwrap();
    for n in 0..count {
        let meta = CommitMeta {
            agent: "cloud".parse().unwrap(),
            role: Role::Cloud,
            message: "Nothing".to_owned(),
            trailers: trailers.to_vec(),
            at: Timestamp::from_second(1_795_000_000 + n).unwrap(),
        };
        tip = repo.commit(Some(tip), &[], &meta).unwrap();
    }
    let tip = tip.to_string();
    server
        .git(&["update-ref", "refs/heads/main", &tip])
        .unwrap();
}

/// It is this machine's own, also if no answer said that it landed.
#[tokio::test(flavor = "multi_thread")]
async fn revert_whose_answer_was_lost_was_made_here() {
    let cluster = cluster().await;
    cloud_does(&cluster.server, &[("Approved/evil.md", Some("x"))]);
    cluster.push_unheard().await;
    cluster.broken.store(false, SeqCst);
    cluster.owner.sync.sync().await.unwrap();
    assert_eq!(remote_files(&cluster.server), ["Inbox/a.md"]);
    let elsewhere = cluster.owner.sync.own_elsewhere();
    assert_eq!(elsewhere, OwnElsewhere::default());
}

/// What a commit says of itself excuses none.
#[tokio::test(flavor = "multi_thread")]
async fn revert_by_the_own_key_elsewhere_is_noticed() {
    let cluster = cluster().await;
    cluster.armed.store(false, SeqCst);
    let machine = "01KAGP4Y00000000000000000A";
    cluster.owner.sync.name_machine(machine.to_owned(), || None);
    let repo = Repo::open_or_init(&cluster.server.repository()).unwrap();
    let tip = cluster.server.git(&["rev-parse", "main"]).unwrap();
    let meta = CommitMeta {
        agent: "local".parse().unwrap(),
        role: Role::Local,
        message: "Revert nothing".to_owned(),
        trailers: vec![
            (TRAILER_REVERTS.to_owned(), tip.clone()),
            (TRAILER_MACHINE.to_owned(), machine.to_owned()),
        ],
        at: Timestamp::now(),
    };
    let repo = repo.signing_with(key("local"));
    let tip = Repo::oid(&tip).unwrap();
    let made = repo.commit(Some(tip), &[], &meta).unwrap().to_string();
    let update = ["update-ref", "refs/heads/main", &made];
    cluster.server.git(&update).unwrap();
    cluster.owner.sync.sync().await.unwrap();
    let elsewhere = cluster.owner.sync.own_elsewhere();
    assert_eq!(elsewhere.commits.into_iter().collect::<Vec<_>>(), [made]);
}

/// Copies everything below a folder, with its times.
fn copy(from: &Path, to: &Path) {
    let mut cp = Command::new("cp");
    let copied = cp.arg("-a").arg(from.join(".")).arg(to).status().unwrap();
    assert!(copied.success());
}

/// What was deleted since the backup that was restored stays deleted.
#[tokio::test(flavor = "multi_thread")]
async fn restored_backup_does_not_restore_deleted_files() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let other = replica(&server, "cloud");
    owner.write("Inbox/a.md", "one\n");
    owner.write("Inbox/b.md", "two\n");
    owner.sync.sync().await.unwrap();
    other.sync.sync().await.unwrap();
    let backup = tempfile::tempdir().unwrap();
    copy(owner.folder(), backup.path());
    owner.vault.remove(&at("Inbox/a.md")).unwrap();
    owner.write("Inbox/b.md", "three\n");
    owner.sync.sync().await.unwrap();

    // The vault and what the daemon knows of it, as they were.
    for part in ["vault", "state"] {
        std::fs::remove_dir_all(owner.folder().join(part)).unwrap();
    }
    copy(backup.path(), owner.folder());
    let owner = owner.restarted(&server, |remote| Box::new(remote));
    owner.sync.sync().await.unwrap();
    assert_eq!(remote_files(&server), ["Inbox/b.md"]);
    other.sync.sync().await.unwrap();
    for replica in [&owner, &other] {
        assert_eq!(replica.read("Inbox/a.md"), None);
        assert_eq!(replica.read("Inbox/b.md").as_deref(), Some("three\n"));
    }
}

/// An approval that is taken back elsewhere and forged anew is not given again by its undoing.
#[tokio::test(flavor = "multi_thread")]
async fn revert_does_not_restore_a_withdrawn_approval() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    let pending = &*draft_path("d");
    let approved = &*pending.replace("Pending_Approval", "Approved");
    owner.write_drafted_task();
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    cloud.write(pending, "Send it.\n");
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    owner.vault.rename(&at(pending), &at(approved)).unwrap();
    owner.sync.sync().await.unwrap();
    // With local's key, from another clone; and the cloud puts it there again.
    let rejected = "Rejected/d.md";
    let taken_back = [(approved, None), (rejected, Some("Send it.\n"))];
    forge(&server, Some("local"), ("local", Role::Local), &taken_back);
    cloud_does(&server, &[(approved, Some("Send it.\n"))]);
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.read(approved), None);
    assert_eq!(owner.read(rejected).as_deref(), Some("Send it.\n"));
    let there = remote_files(&server);
    assert!(!there.iter().any(|path| path == approved), "{there:?}");
}
