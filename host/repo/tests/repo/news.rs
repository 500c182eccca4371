//! Events of the remote: a push by another host is noticed soon, over every kind of address, and a
//! remote that went away is noticed when it is back.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::{Duration, Instant},
};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_protocol::PushOutcome;
use platinum_repo::{
    Address, BRANCH, ClientOptions, CommitMeta, Edit, GitRemote, Oid, Remote, RemoteEvent, Repo,
    watch_branch,
};
use platinum_testkit::git::{
    Access, GitServer, HttpsServer, SshOptions, SshServer, bare_repository, git_in,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// How long a push by another host may take to be noticed.
const SOON: Duration = Duration::from_secs(5);
/// Far longer than any wait here.
const TIMER: Duration = Duration::from_secs(600);

fn replica(folder: &Path, name: &str, access: &Access) -> (Repo, GitRemote) {
    let repo = Repo::open_or_init(&folder.join(name)).unwrap();
    let options = ClientOptions {
        user_config: false,
        ssh: access.ssh.clone(),
        settings: access.settings.clone(),
        ..ClientOptions::default()
    };
    let address = Address::parse(&access.address).unwrap();
    (
        repo.clone(),
        GitRemote::with_options(repo, address, options),
    )
}

fn commit(repo: &Repo, parent: Option<Oid>, text: &str) -> Oid {
    let meta = CommitMeta {
        agent: "cloud".parse().unwrap(),
        role: Role::Cloud,
        message: "Change".to_owned(),
        trailers: Vec::new(),
        at: Timestamp::from_second(1_795_000_000).unwrap(),
    };
    let path = VaultPath::new("Inbox/a.md").unwrap();
    repo.commit(parent, &[(path, Edit::Put(text.into()))], &meta)
        .unwrap()
}

/// Another one pushes again and again; answers how long each push took to be noticed, sorted.
async fn noticed(access: &Access, times: usize) -> Vec<Duration> {
    let folder = tempfile::tempdir().unwrap();
    let (repo, writer) = replica(folder.path(), "writer.git", access);
    let (_, reader) = replica(folder.path(), "reader.git", access);
    let mut known = reader.fetch().await.unwrap();
    let mut took = Vec::new();
    for number in 0..times {
        let next = commit(&repo, known, &number.to_string());
        // Not always at the same moment between two looks.
        let wait = Duration::from_millis(137 * (number as u64 % 7));
        let push = async {
            tokio::time::sleep(wait).await;
            assert_eq!(writer.push(next, known).await, PushOutcome::Landed);
            Instant::now()
        };
        let noticed = async {
            let news = reader.next_event(known, TIMER).await;
            (news, Instant::now())
        };
        let (landed, (event, at)) = tokio::join!(push, noticed);
        assert_eq!(event, RemoteEvent::Moved(Some(next)));
        took.push(at.saturating_duration_since(landed));
        known = reader.fetch().await.unwrap();
        assert_eq!(known, Some(next));
    }
    took.sort();
    took
}

fn assert_soon(way: &str, took: &[Duration]) {
    let p95 = took[(took.len() * 95).div_ceil(100) - 1];
    println!(
        "{way}: p50 {:?}, p95 {p95:?}, worst {:?}",
        took[took.len() / 2],
        took[took.len() - 1]
    );
    assert!(p95 < SOON, "{way}: {took:?}");
}

#[tokio::test]
async fn watch_folder_notices_a_push_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("vault.git");
    bare_repository(&bare).unwrap();
    let access = Access::plain(bare.to_str().unwrap());
    assert_soon("folder", &noticed(&access, 10).await);
}

#[tokio::test]
async fn watch_git_daemon_notices_a_push_within_seconds() {
    let server = GitServer::start().unwrap();
    assert_soon("git daemon", &noticed(&server.access(), 10).await);
}

#[tokio::test]
async fn watch_https_notices_a_push_within_seconds() {
    let server = HttpsServer::start().unwrap();
    assert_soon("https", &noticed(&server.access(), 6).await);
}

#[tokio::test]
async fn watch_ssh_plain_host_notices_a_push_within_seconds() {
    let server = SshServer::start().unwrap();
    assert_soon("ssh, asked by git", &noticed(&server.access(), 6).await);
}

/// A host that has `platinum hook watch`, which speaks as [`watch_branch`] does.
fn host_of_ours(folder: &Path) -> SshServer {
    let program = folder.join("platinum");
    let script = format!(
        "#!/bin/sh\n[ \"$1 $2\" = 'hook watch' ] || exit 2\nlast=\n\
         while :; do now=$(git --git-dir=\"$3\" rev-parse --verify --quiet {BRANCH} || echo none)\n\
         [ \"$now\" = \"$last\" ] || echo \"$now\"; last=$now; sleep 0.1; done\n"
    );
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    SshServer::start_with(SshOptions {
        programs: Some(folder.to_owned()),
        ..SshOptions::default()
    })
    .unwrap()
}

/// A push over ssh is noticed at once where the host is ours.
#[tokio::test]
async fn watch_ssh_own_host_notices_a_push_over_one_connection() {
    let folder = tempfile::tempdir().unwrap();
    let server = host_of_ours(folder.path());
    let took = noticed(&server.access(), 10).await;
    assert_soon("ssh, listened to", &took);
    // The fetch of the empty remote asks twice.
    let fetches_and_pushes = 2 + 10 + 10;
    // One connection for all events, and no polling.
    let connections = server.log().matches("Accepted publickey").count();
    assert_eq!(connections, fetches_and_pushes + 1, "{}", server.log());
}

/// What a connection tells survives waits that are given up.
#[tokio::test]
async fn watch_ssh_dropped_waits_lose_no_event() {
    let folder = tempfile::tempdir().unwrap();
    let server = host_of_ours(folder.path());
    let (repo, remote) = replica(folder.path(), "a.git", &server.access());
    let first = commit(&repo, None, "first");
    assert_eq!(remote.fetch().await, Ok(None));
    // It listens, and the branch does not move.
    let began = Instant::now();
    loop {
        let news = remote.next_event(None, Duration::from_millis(300)).await;
        assert_eq!(news, RemoteEvent::Unchanged);
        if server.log().contains("Accepted publickey") && began.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    assert_eq!(remote.push(first, None).await, PushOutcome::Landed);
    // Given up in every state it can be in.
    for millis in 0..40 {
        let waited = Duration::from_millis(millis);
        tokio::time::timeout(waited, remote.next_event(Some(first), TIMER))
            .await
            .ok();
    }
    let next = commit(&repo, Some(first), "next");
    assert_eq!(remote.push(next, Some(first)).await, PushOutcome::Landed);
    let news = tokio::time::timeout(SOON, remote.next_event(Some(first), TIMER)).await;
    assert_eq!(news, Ok(RemoteEvent::Moved(Some(next))));
}

#[tokio::test]
async fn watch_folder_reports_unreachable_and_reachable() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("vault.git");
    let access = Access::plain(bare.to_str().unwrap());
    let (_, remote) = replica(folder.path(), "a.git", &access);
    assert_eq!(
        remote.next_event(None, Duration::from_millis(1500)).await,
        RemoteEvent::Unknown
    );
    bare_repository(&bare).unwrap();
    let news = tokio::time::timeout(SOON, remote.next_event(None, TIMER)).await;
    assert_eq!(news, Ok(RemoteEvent::Reachable));
    assert_eq!(
        remote.next_event(None, Duration::from_millis(1500)).await,
        RemoteEvent::Unchanged
    );
    // That it went away is reported once, and soon.
    fs::rename(&bare, folder.path().join("elsewhere.git")).unwrap();
    let news = tokio::time::timeout(SOON, remote.next_event(None, TIMER)).await;
    assert_eq!(news, Ok(RemoteEvent::Unreachable));
    assert_eq!(
        remote.next_event(None, Duration::from_millis(2500)).await,
        RemoteEvent::Unknown
    );
    fs::rename(folder.path().join("elsewhere.git"), &bare).unwrap();
    let news = tokio::time::timeout(SOON, remote.next_event(None, TIMER)).await;
    assert_eq!(news, Ok(RemoteEvent::Reachable));
}

#[tokio::test]
async fn watch_silent_server_wait_still_ends() {
    let folder = tempfile::tempdir().unwrap();
    // Accepts and never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let access = Access::plain(format!("git://127.0.0.1:{port}/vault.git"));
    let (_, remote) = replica(folder.path(), "a.git", &access);
    let began = Instant::now();
    assert_eq!(
        remote.next_event(None, Duration::from_secs(1)).await,
        RemoteEvent::Unknown
    );
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn watch_branch_reports_each_move_until_closed() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("vault.git");
    bare_repository(&bare).unwrap();
    let access = Access::plain(bare.to_str().unwrap());
    let (repo, remote) = replica(folder.path(), "a.git", &access);
    let (here, there) = tokio::io::duplex(1024);
    let (leave, left) = tokio::sync::oneshot::channel::<()>();
    let gone = async move { drop(left.await) };
    let watched = bare.clone();
    let host = tokio::spawn(async move { watch_branch(&watched, gone, there).await });
    let mut lines = BufReader::new(here).lines();
    assert_eq!(lines.next_line().await.unwrap().unwrap(), "none");
    let first = commit(&repo, None, "first");
    assert_eq!(remote.push(first, None).await, PushOutcome::Landed);
    assert_eq!(lines.next_line().await.unwrap().unwrap(), first.to_string());
    // Packed, it points where it did.
    git_in(&bare, &["pack-refs", "--all"]).unwrap();
    let next = commit(&repo, Some(first), "next");
    assert_eq!(remote.push(next, Some(first)).await, PushOutcome::Landed);
    assert_eq!(lines.next_line().await.unwrap().unwrap(), next.to_string());
    drop(leave);
    let ended = tokio::time::timeout(SOON, host).await.unwrap().unwrap();
    assert!(ended.is_ok(), "{ended:?}");

    // The output is closed: the next move ends it.
    let (here, there) = tokio::io::duplex(1024);
    drop(here);
    let forever = std::future::pending();
    let closed = watch_branch(&bare, forever, there).await.unwrap_err();
    assert_eq!(closed.kind(), std::io::ErrorKind::BrokenPipe);
    let (_here, there) = tokio::io::duplex(64);
    let forever = std::future::pending();
    let none = watch_branch(&folder.path().join("no.git"), forever, there).await;
    assert_eq!(none.unwrap_err().to_string(), "there is no repository");
}
