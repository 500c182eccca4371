//! Trees of a few objects that name each other so often that no machine comes to the end of them.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_repo::{CommitMeta, Edit, Oid, Repo, RepoError};

/// Far more than any of this takes on a slow machine, and far less than counting to 2^58.
const SOON: Duration = Duration::from_secs(60);

fn git(git_dir: &Path, args: &[&str], stdin: &str) -> String {
    use std::io::Write as _;
    let mut child = Command::new("git")
        .args(args)
        .env("GIT_DIR", git_dir)
        .env("HOME", git_dir)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "t")
        .env("GIT_AUTHOR_EMAIL", "t@t.invalid")
        .env("GIT_COMMITTER_NAME", "t")
        .env("GIT_COMMITTER_EMAIL", "t@t.invalid")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(stdin.as_bytes()).unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A folder in which each of `levels` has the one below it under every one of these names.
fn bomb(dir: &Path, leaf: &str, names: &[String], levels: usize) -> String {
    let mut below = git(dir, &["mktree", "--missing"], leaf);
    for _ in 0..levels {
        let entries: String = names
            .iter()
            .map(|name| format!("040000 tree {below}\t{name}\n"))
            .collect();
        below = git(dir, &["mktree", "--missing"], &entries);
    }
    below
}

fn two() -> Vec<String> {
    ["a", "b"].map(str::to_owned).to_vec()
}

fn commit(dir: &Path, tree: &str) -> Oid {
    Oid::from_str(&git(dir, &["commit-tree", tree, "-m", "x"], "")).unwrap()
}

fn repo() -> (tempfile::TempDir, Repo) {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
    (folder, repo)
}

fn meta() -> CommitMeta {
    CommitMeta {
        agent: "cloud".parse().unwrap(),
        role: Role::Cloud,
        message: "x".to_owned(),
        trailers: Vec::new(),
        at: Timestamp::from_second(1_795_000_000).unwrap(),
    }
}

fn is_too_many<T: std::fmt::Debug>(looked: &Result<T, RepoError>) {
    assert!(matches!(looked, Err(RepoError::TooMany(_))), "{looked:?}");
}

#[test]
fn tree_bomb_of_shared_folders_is_refused() {
    let (_folder, repo) = repo();
    let dir = repo.git_dir();
    let blob = git(dir, &["hash-object", "-w", "--stdin"], "x");
    let clean = repo.commit(None, &[], &meta()).unwrap();
    let long = ["a", "b"].map(|name| name.repeat(200)).to_vec();
    let wide: Vec<String> = (0..1000).map(|n| n.to_string()).collect();
    for (what, leaf, names, levels) in [
        ("files", format!("100644 blob {blob}\tx.md\n"), two(), 58),
        ("links", format!("120000 blob {blob}\tx\n"), two(), 58),
        ("odd", format!("100755 blob {blob}\tx.md\n"), two(), 58),
        ("no path", format!("100644 blob {blob}\tx:y\n"), two(), 58),
        (
            "submodules",
            format!("160000 commit {}\tx\n", "1".repeat(40)),
            two(),
            58,
        ),
        ("nothing", String::new(), two(), 58),
        ("too deep", format!("100644 blob {blob}\tx.md\n"), two(), 90),
        ("too long", format!("120000 blob {blob}\tx\n"), long, 58),
        ("wide", format!("120000 blob {blob}\tx\n"), wide, 4),
    ] {
        let began = Instant::now();
        let evil = commit(dir, &bomb(dir, &leaf, &names, levels));
        is_too_many(&repo.compare(None, evil, 100_000));
        is_too_many(&repo.compare(None, evil, usize::MAX));
        is_too_many(&repo.compare(Some(clean), evil, usize::MAX));
        is_too_many(&repo.compare(Some(evil), clean, usize::MAX));
        is_too_many(&repo.changes(Some(evil), clean));
        if what == "files" {
            is_too_many(&repo.visit_new(None, evil, 10, &|_| true, &mut |_| {}));
        }
        assert!(began.elapsed() < SOON, "{what}: {:?}", began.elapsed());
    }
}

#[test]
fn tree_bombs_compared_with_each_other_are_refused() {
    let (_folder, repo) = repo();
    let dir = repo.git_dir();
    let blob = git(dir, &["hash-object", "-w", "--stdin"], "x");
    let [one, other] = ["x", "y"].map(|name| {
        let leaf = format!("100644 blob {blob}\t{name}.md\n");
        commit(dir, &bomb(dir, &leaf, &two(), 58))
    });
    let began = Instant::now();
    is_too_many(&repo.compare(Some(one), other, usize::MAX));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    assert_eq!(repo.changes(Some(one), one).unwrap(), []);
}

#[test]
fn large_flat_tree_is_accepted() {
    let (_folder, repo) = repo();
    let blob = repo.write_blob(b"x").unwrap();
    let edits: Vec<_> = (0..60_000)
        .map(|n| {
            let path = format!("Inbox/{}/{}/{n}.md", n % 7, n % 600);
            (VaultPath::new(path).unwrap(), Edit::PutBlob(blob))
        })
        .collect();
    let commit = repo.commit(None, &edits, &meta()).unwrap();
    let found = repo.compare(None, commit, 60_000).unwrap();
    assert_eq!(found.changed.len(), 60_000);
    let empty = repo.commit(None, &[], &meta()).unwrap();
    assert_eq!(repo.changes(Some(commit), empty).unwrap().len(), 60_000);
    is_too_many(&repo.compare(None, commit, 59_999));
}
