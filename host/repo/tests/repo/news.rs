//! News of the remote: a push by somebody else is noticed soon, over every way there is, and a
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
    Address, BRANCH, ClientOptions, CommitMeta, Edit, GitRemote, News, Oid, Remote, Repo,
    watch_branch,
};
use platinum_testkit::git::{
    Access, GitServer, HttpsServer, SshOptions, SshServer, bare_repository, git_in,
};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// What a push by somebody else may take to be noticed.
const SOON: Duration = Duration::from_secs(5);
/// Far longer than any wait here.
const TIMER: Duration = Duration::from_secs(600);

fn side(folder: &Path, name: &str, access: &Access) -> (Repo, GitRemote) {
    let repo = Repo::open_or_init(&folder.join(name)).unwrap();
    let options = ClientOptions {
        user_config: false,
        ssh: access.ssh.clone(),
        settings: access.settings.clone(),
        ..ClientOptions::default()
    };
    let address = Address::parse(&access.address).unwrap();
    (repo.clone(), GitRemote::with(repo, address, options))
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
    let (repo, writer) = side(folder.path(), "writer.git", access);
    let (_, reader) = side(folder.path(), "reader.git", access);
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
        let heard = async {
            let news = reader.news(known, TIMER).await;
            (news, Instant::now())
        };
        let (landed, (news, heard)) = tokio::join!(push, heard);
        assert_eq!(news, News::Moved(Some(next)));
        took.push(heard.saturating_duration_since(landed));
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
async fn a_push_to_a_folder_is_noticed_within_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("vault.git");
    bare_repository(&bare).unwrap();
    let access = Access::plain(bare.to_str().unwrap());
    assert_soon("folder", &noticed(&access, 10).await);
}

#[tokio::test]
async fn a_push_to_gits_daemon_is_noticed_within_seconds() {
    let server = GitServer::start().unwrap();
    assert_soon("git daemon", &noticed(&server.access(), 10).await);
}

#[tokio::test]
async fn a_push_over_https_is_noticed_within_seconds() {
    let server = HttpsServer::start().unwrap();
    assert_soon("https", &noticed(&server.access(), 6).await);
}

#[tokio::test]
async fn a_push_over_ssh_is_noticed_within_seconds_where_the_host_knows_nothing_of_this_house() {
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

#[tokio::test]
async fn a_push_over_ssh_is_noticed_at_once_where_the_host_is_ours() {
    let folder = tempfile::tempdir().unwrap();
    let server = host_of_ours(folder.path());
    let took = noticed(&server.access(), 10).await;
    assert_soon("ssh, listened to", &took);
    // The fetch of the empty remote asks twice.
    let fetches_and_pushes = 2 + 10 + 10;
    // One connection for all the news: nobody asks again and again.
    let connections = server.log().matches("Accepted publickey").count();
    assert_eq!(connections, fetches_and_pushes + 1, "{}", server.log());
}

#[tokio::test]
async fn what_a_connection_tells_survives_waits_that_are_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let server = host_of_ours(folder.path());
    let (repo, remote) = side(folder.path(), "a.git", &server.access());
    let first = commit(&repo, None, "first");
    assert_eq!(remote.fetch().await, Ok(None));
    // It listens, and the branch does not move.
    let began = Instant::now();
    loop {
        let news = remote.news(None, Duration::from_millis(300)).await;
        assert_eq!(news, News::Quiet);
        if server.log().contains("Accepted publickey") && began.elapsed() > Duration::from_secs(3) {
            break;
        }
    }
    assert_eq!(remote.push(first, None).await, PushOutcome::Landed);
    // Given up in every state it can be in.
    for millis in 0..40 {
        let waited = Duration::from_millis(millis);
        tokio::time::timeout(waited, remote.news(Some(first), TIMER))
            .await
            .ok();
    }
    let next = commit(&repo, Some(first), "next");
    assert_eq!(remote.push(next, Some(first)).await, PushOutcome::Landed);
    let news = tokio::time::timeout(SOON, remote.news(Some(first), TIMER)).await;
    assert_eq!(news, Ok(News::Moved(Some(next))));
}

#[tokio::test]
async fn a_remote_that_was_away_is_noticed_when_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("vault.git");
    let access = Access::plain(bare.to_str().unwrap());
    let (_, remote) = side(folder.path(), "a.git", &access);
    assert_eq!(
        remote.news(None, Duration::from_millis(1500)).await,
        News::Unknown
    );
    bare_repository(&bare).unwrap();
    let news = tokio::time::timeout(SOON, remote.news(None, TIMER)).await;
    assert_eq!(news, Ok(News::Back));
    assert_eq!(
        remote.news(None, Duration::from_millis(1500)).await,
        News::Quiet
    );
    // That it goes is told once, and soon.
    fs::rename(&bare, folder.path().join("elsewhere.git")).unwrap();
    let news = tokio::time::timeout(SOON, remote.news(None, TIMER)).await;
    assert_eq!(news, Ok(News::Lost));
    assert_eq!(
        remote.news(None, Duration::from_millis(2500)).await,
        News::Unknown
    );
    fs::rename(folder.path().join("elsewhere.git"), &bare).unwrap();
    let news = tokio::time::timeout(SOON, remote.news(None, TIMER)).await;
    assert_eq!(news, Ok(News::Back));
}

#[tokio::test]
async fn a_server_that_says_nothing_holds_no_wait_for_news() {
    let folder = tempfile::tempdir().unwrap();
    // Accepts and never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let access = Access::plain(format!("git://127.0.0.1:{port}/vault.git"));
    let (_, remote) = side(folder.path(), "a.git", &access);
    let began = Instant::now();
    assert_eq!(
        remote.news(None, Duration::from_secs(1)).await,
        News::Unknown
    );
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_host_tells_each_move_of_the_branch_till_nobody_listens() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("vault.git");
    bare_repository(&bare).unwrap();
    let access = Access::plain(bare.to_str().unwrap());
    let (repo, remote) = side(folder.path(), "a.git", &access);
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

    // Nobody reads any more: the next move ends it.
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
