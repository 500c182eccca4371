//! More commits than anybody needs.

use std::time::Instant;

use platinum_testkit::git::GitServer;

use super::{Evil, SOON, cluster, git, on_main, tip};
use crate::races::replica::replica;

/// Many commits that do nothing or what may not be keep no one out.
#[tokio::test(flavor = "multi_thread")]
async fn many_empty_or_forbidden_commits_do_not_block_sync() {
    let server = GitServer::start().unwrap();
    let (owner, other) = cluster(&server).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn merges_with_one_old_commit_cost_what_each_of_them_brings() {
    let server = GitServer::start().unwrap();
    let (owner, other) = cluster(&server).await;
    let old = tip(&server);
    // The first message is long: who reads all of them for each merge is never done.
    let mut stream = String::new();
    for n in 1..=1500 {
        let message = "word ".repeat(if n == 1 { 100_000 } else { 1 });
        let parents = match n {
            1 => format!("from {old}\n"),
            _ => format!("from {old}\nmerge :{}\n", n - 1),
        };
        stream.push_str(&format!(
            "commit refs/heads/main\nmark :{n}\ncommitter Evil <evil@example.test> \
             1600000000 +0000\ndata {}\n{message}\n{parents}",
            message.len()
        ));
    }
    git(
        &server,
        &["fast-import", "--quiet", "--force"],
        stream.as_bytes(),
    );
    let began = Instant::now();
    for replica in [&owner, &owner, &other] {
        replica.sync.sync().await.unwrap();
    }
    assert_eq!(other.files(), owner.files());
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

/// How many commits are meant where the number is the point.
const MANY: u32 = 150_000;

/// A vault of a thousand notes that is older than Platinum: of each commit one line in one note.
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
    println!("FIGURE: {what}: {:?}, {}", began.elapsed(), peak.unwrap());
}

/// A vault of 150 000 commits is joined and a flood of as many is passed through.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask test --full runs it"]
async fn flood_of_150_000_empty_commits_is_verified() {
    let server = GitServer::start().unwrap();
    let began = Instant::now();
    old_vault(&server, MANY);
    took("made", began);
    let began = Instant::now();
    let owner = replica(&server, "local");
    owner.sync.sync().await.unwrap();
    took("joined by local", began);
    assert_eq!(owner.files().len(), 1000);
    let began = Instant::now();
    let cloud = replica(&server, "cloud");
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

/// A flood of 150 000 violations is undone.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes: cargo xtask test --full runs it"]
async fn flood_of_150_000_violations_is_reverted() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
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
