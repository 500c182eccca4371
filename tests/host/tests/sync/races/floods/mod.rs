//! What a host can put on the remote that is too much to look through, too many, or not even git's.

mod bombs;
mod bounds;
mod faulty;
mod kept_here;
mod many;
mod paths;

use std::{io::Write as _, process::Stdio, time::Duration};

use platinum_core::{Role, Timestamp};
use platinum_repo::{CommitMeta, Edit, Oid, Repo};
use platinum_testkit::{
    git::{GitServer, hermetic},
    notes::as_note,
};

use crate::races::replica::{Replica, at, key, replica};

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

async fn cluster(server: &GitServer) -> (Replica, Replica) {
    let owner = replica(server, "local");
    owner.write("Dashboard.md", "# Today\n");
    owner.sync.sync().await.unwrap();
    let cloud = replica(server, "cloud");
    cloud.sync.sync().await.unwrap();
    (owner, cloud)
}

fn on_main(server: &GitServer, commit: &str) {
    server
        .git(&["update-ref", "refs/heads/main", commit])
        .unwrap();
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
            .map(|(path, text)| (at(path), Edit::Put(as_note(path, text).into())))
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

/// A commit on the tip, not signed, that has one file more, whatever its name.
fn with_file(server: &GitServer, path: &str) -> Oid {
    let blob = git(server, &["hash-object", "-w", "--stdin"], b"text\n");
    let entry = format!("100644 blob {blob}\t{path}\0");
    let (folders, name) = path.rsplit_once('/').unwrap();
    let mut entry = entry.replace(path, name);
    let mut folder = folders;
    loop {
        // What is in the folder already stays.
        let spec = format!("main:{folder}");
        let there = server.git(&["ls-tree", "-z", &spec]).unwrap_or_default();
        let tree = git(server, &["mktree", "-z"], (there + &entry).as_bytes());
        let name = folder.rsplit('/').next().unwrap();
        entry = format!("040000 tree {tree}\t{name}\0");
        match folder.rsplit_once('/') {
            Some((above, _)) => folder = above,
            None => break,
        }
    }
    let rest = server.git(&["ls-tree", "-z", "main"]).unwrap();
    let is_other = |line: &&str| !line.is_empty() && !line.ends_with(&format!("\t{folder}"));
    let rest: String = rest
        .split('\0')
        .filter(is_other)
        .map(|line| format!("{line}\0"))
        .collect();
    let tree = git(server, &["mktree", "-z"], (rest + &entry).as_bytes());
    let commit = git(
        server,
        &["commit-tree", &tree, "-p", "main", "-m", "x"],
        b"",
    );
    Repo::oid(&commit).unwrap()
}

/// As the cloud itself, with its own key.
fn cloud_puts(server: &GitServer, path: &str) -> String {
    let files = with_file(server, path);
    let commit = Evil::on(server).commits(files, &[]);
    on_main(server, &commit);
    commit
}

/// Syncs until nothing is sent or taken any more.
async fn sync_until_quiet(hosts: &[&Replica]) {
    for _ in 0..10 {
        let mut moved = 0;
        for host in hosts {
            let report = host.sync.sync().await.unwrap();
            moved += report.pushed + report.pulled;
        }
        if moved == 0 {
            return;
        }
    }
    panic!("it does not come to an end");
}
