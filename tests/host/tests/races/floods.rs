//! What a host can put on the remote that is too much to look through, too many, or not even git's.

use std::{
    io::Write as _,
    process::Stdio,
    time::{Duration, Instant},
};

use platinum_core::{Role, Timestamp};
use platinum_daemon::sync::SyncError;
use platinum_repo::{CommitMeta, Edit, Oid, Repo};
use platinum_testkit::git::{GitServer, hermetic};

use crate::side::{Side, at, key, remote_files, side};

/// Far more than any of this takes on a slow machine.
const SOON: Duration = Duration::from_secs(120);

/// Runs git in the server's repository.
fn git(server: &GitServer, args: &[&str], stdin: &[u8]) -> String {
    let mut child = hermetic("git")
        .env("GIT_DIR", server.repository())
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn tip(server: &GitServer) -> String {
    server.git(&["rev-parse", "main"]).unwrap()
}

async fn house(server: &GitServer) -> (Side, Side) {
    let owner = side(server, "local");
    owner.write("Dashboard.md", "# Today\n");
    owner.sync.sync().await.unwrap();
    let cloud = side(server, "cloud");
    cloud.sync.sync().await.unwrap();
    (owner, cloud)
}

fn on_main(server: &GitServer, commit: &str) {
    server
        .git(&["update-ref", "refs/heads/main", commit])
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_git_refuses_stops_the_sync_and_is_no_remote_that_is_away() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = house(&server).await;
    let good = tip(&server);
    let blob = git(&server, &["rev-parse", "main:Dashboard.md"], b"");
    let mut tree = b"0100644 Dashboard.md\0".to_vec();
    tree.extend_from_slice(Oid::from_str(&blob).unwrap().as_bytes());
    let raw = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    let tree = git(&server, &raw, &tree);
    let commit = server
        .git(&["commit-tree", &tree, "-p", "main", "-m", "x"])
        .unwrap();
    on_main(&server, &commit);
    for host in [&owner, &cloud] {
        let before = host.files();
        let error = host.sync.sync().await.unwrap_err();
        assert!(matches!(error, SyncError::Faulty(_)), "{error}");
        assert!(!error.is_away(), "waiting does not mend it");
        let text = error.to_string();
        assert!(
            text.contains(&tree) && text.contains("zeroPaddedFilemode"),
            "{text}"
        );
        let status = host.sync.status().await.unwrap();
        assert_eq!(status.last_error, Some(text));
        assert_eq!(status.verified.as_deref(), Some(good.as_str()));
        assert_eq!(host.files(), before);
    }
    // Put back, as it says, it is as before.
    on_main(&server, &good);
    owner.write("Inbox/later.md", "later");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert_eq!(owner.files(), cloud.files());
}

/// The cloud puts commits on the tip with its own key, each with the files of a tree or an edit.
struct Evil {
    repo: Repo,
    tip: Oid,
}

impl Evil {
    fn on(server: &GitServer) -> Self {
        let repo = Repo::open_or_init(&server.repository()).unwrap();
        Self {
            repo: repo.signing_with(key("cloud")),
            tip: Repo::oid(&tip(server)).unwrap(),
        }
    }

    fn commits(&mut self, files_of: Oid, edits: &[(&str, &str)]) -> String {
        let edits: Vec<_> = edits
            .iter()
            .map(|(path, text)| (at(path), Edit::Put((*text).into())))
            .collect();
        let meta = CommitMeta {
            agent: "cloud".parse().unwrap(),
            role: Role::Cloud,
            message: "Forged".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::now(),
        };
        self.tip = self
            .repo
            .commit_over(Some(self.tip), Some(files_of), &edits, &meta)
            .unwrap();
        self.tip.to_string()
    }
}

/// A commit whose files nobody comes to the end of, made of sixty objects.
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

#[tokio::test(flavor = "multi_thread")]
async fn a_bomb_of_folders_is_undone_by_local_and_the_other_clouds_go_on() {
    let server = GitServer::start().unwrap();
    let (owner, other) = house(&server).await;
    let late = side(&server, "cloud-2");
    late.sync.sync().await.unwrap();
    let mut evil = Evil::on(&server);
    let bomb = bomb(&server);
    let bad = evil.commits(bomb, &[]);
    let honest = evil.commits(evil.tip, &[("Pending_Approval/draft.md", "draft")]);
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
    let joined = side(&server, "cloud-2");
    joined.sync.sync().await.unwrap();
    let mut expected: Vec<String> = owner.files().into_keys().collect();
    expected.sort();
    let mut there = remote_files(&server);
    there.sort();
    assert_eq!(there, expected);
    for side in [&other, &late, &joined] {
        assert_eq!(side.files(), owner.files());
    }
    assert!(owner.read("Pending_Approval/draft.md").is_some());
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn many_commits_that_do_nothing_or_what_may_not_be_keep_nobody_out() {
    let server = GitServer::start().unwrap();
    let (owner, other) = house(&server).await;
    let mut evil = Evil::on(&server);
    let began = Instant::now();
    for n in 0..300 {
        evil.commits(evil.tip, &[]);
        evil.commits(evil.tip, &[("Dashboard.md", &n.to_string())]);
    }
    on_main(&server, &evil.tip.to_string());
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.read("Dashboard.md").as_deref(), Some("# Today\n"));
    other.sync.sync().await.unwrap();
    owner.write("Inbox/later.md", "later");
    owner.sync.sync().await.unwrap();
    other.sync.sync().await.unwrap();
    assert_eq!(other.files(), owner.files());
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

/// How many commits are meant where the number is the point.
const MANY: u32 = 150_000;

/// A vault of a thousand notes that is older than the house: of each commit one line in one note.
fn old_vault(server: &GitServer, commits: u32) {
    let mut stream = String::new();
    for n in 0..commits {
        let text = format!("version {n}\n");
        let from = match n {
            0 => String::new(),
            _ => format!("from :{n}\n"),
        };
        stream.push_str(&format!(
            "commit refs/heads/main\nmark :{}\ncommitter Old <old@example.test> {} +0000\ndata \
             2\nx\n{from}M 100644 inline Inbox/{}/{}.md\ndata {}\n{text}\n",
            n + 1,
            1_600_000_000 + n,
            n % 10,
            n % 1000,
            text.len()
        ));
    }
    git(server, &["fast-import", "--quiet"], stream.as_bytes());
}

/// Says how long something took, and how much memory there was at most.
fn took(what: &str, began: Instant) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    println!("{what}: {:?}, {}", began.elapsed(), peak.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: run by hand, with --nocapture"]
async fn a_vault_of_150_000_commits_is_joined_and_a_flood_of_as_many_is_passed_through() {
    let server = GitServer::start().unwrap();
    let began = Instant::now();
    old_vault(&server, MANY);
    took("made", began);
    let began = Instant::now();
    let owner = side(&server, "local");
    owner.sync.sync().await.unwrap();
    took("joined by local", began);
    assert_eq!(owner.files().len(), 1000);
    let began = Instant::now();
    let cloud = side(&server, "cloud");
    cloud.sync.sync().await.unwrap();
    took("joined by a cloud", began);

    let began = Instant::now();
    let mut evil = Evil::on(&server);
    for _ in 0..MANY {
        evil.commits(evil.tip, &[]);
    }
    on_main(&server, &evil.tip.to_string());
    server.git(&["repack", "-adq"]).unwrap();
    took("flood made", began);
    let began = Instant::now();
    owner.sync.sync().await.unwrap();
    took("flood passed through by local", began);
    let began = Instant::now();
    owner.write("Inbox/later.md", "later");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    took("and by the cloud", began);
    assert_eq!(cloud.files(), owner.files());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: run by hand, with --nocapture"]
async fn a_flood_of_150_000_violations_is_undone() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = house(&server).await;
    let began = Instant::now();
    let mut evil = Evil::on(&server);
    for n in 0..MANY {
        evil.commits(evil.tip, &[("Dashboard.md", &(n % 1000).to_string())]);
    }
    on_main(&server, &evil.tip.to_string());
    server.git(&["repack", "-adq"]).unwrap();
    took("flood made", began);
    let began = Instant::now();
    owner.sync.sync().await.unwrap();
    took("undone by local", began);
    let began = Instant::now();
    cloud.sync.sync().await.unwrap();
    took("passed by the cloud", began);
    assert_eq!(owner.read("Dashboard.md").as_deref(), Some("# Today\n"));
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert_eq!(cloud.files(), owner.files());
}
