//! What is too much to look through, and what is not even git's: as the commands tell of it.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_repo::{CommitMeta, Edit, Oid, Repo, Signer, Signers, SigningKey};
use platinum_testkit::{
    git::{bare_repository, git_in, hermetic},
    notes::as_note,
};

/// Far more than it takes on a slow machine, and less than a client waits for an answer.
const SOON: Duration = Duration::from_secs(50);

fn platinum(home: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_platinum"))
        .args(args)
        .env("HOME", home)
        .env_remove("XDG_STATE_HOME")
        .env_remove("XDG_CONFIG_HOME")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn git(dir: &Path, args: &[&str], stdin: &[u8]) -> String {
    let mut child = hermetic("git")
        .env("GIT_DIR", dir)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    text(&output.stdout).trim().to_owned()
}

/// A remote with the hook, and a repository of the cloud's beside it.
struct Stage {
    folder: tempfile::TempDir,
    remote: String,
    repo: Repo,
}

impl Stage {
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (remote, clone) = (folder.path().join("r.git"), folder.path().join("c.git"));
        bare_repository(&remote).unwrap();
        bare_repository(&clone).unwrap();
        let key = SigningKey::from_seed([2; 32]).unwrap();
        let mut signers = Signers::default();
        let signer = Signer {
            agent: "cloud".parse().unwrap(),
            role: Role::Cloud.into(),
            key: key.public(),
        };
        signers.add(signer).unwrap();
        let list = folder.path().join("signers");
        std::fs::write(&list, signers.to_string()).unwrap();
        let remote = remote.to_str().unwrap().to_owned();
        let list = list.to_str().unwrap();
        let args = ["hook", "install", &remote, "--signers", list];
        let done = platinum(folder.path(), &args);
        assert!(done.status.success(), "{}", text(&done.stderr));
        let repo = Repo::open_or_init(&clone).unwrap().signing_with(key);
        Self {
            folder,
            remote,
            repo,
        }
    }

    fn commit(&self, on: Option<Oid>, files_of: Option<Oid>, edits: &[(VaultPath, Edit)]) -> Oid {
        let meta = CommitMeta {
            agent: "cloud".parse().unwrap(),
            role: Role::Cloud,
            message: "A commit".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::now(),
        };
        self.repo.commit_over(on, files_of, edits, &meta).unwrap()
    }

    fn first(&self) -> Oid {
        let plan = VaultPath::new("Plans/a.md").unwrap();
        self.commit(
            None,
            None,
            &[(plan, Edit::Put(as_note("Plans/a.md", "a").into()))],
        )
    }

    fn push(&self, commit: Oid) -> Output {
        let refspec = format!("{commit}:refs/heads/main");
        hermetic("git")
            .env("GIT_DIR", self.repo.git_dir())
            .args(["push", "--quiet", &self.remote, &refspec])
            .output()
            .unwrap()
    }

    fn tip(&self) -> String {
        git_in(Path::new(&self.remote), &["rev-parse", "main"]).unwrap()
    }
}

#[test]
fn hook_refuses_a_tree_bomb_at_once() {
    let stage = Stage::set();
    let base = stage.first();
    assert!(stage.push(base).status.success());
    let clone = stage.folder.path().join("c.git");
    let blob = git(&clone, &["hash-object", "-w", "--stdin"], b"x");
    let mktree = |entries: String| git(&clone, &["mktree"], entries.as_bytes());
    let mut below = mktree(format!("100644 blob {blob}\tx.md\n"));
    for _ in 0..58 {
        below = mktree(format!("040000 tree {below}\ta\n040000 tree {below}\tb\n"));
    }
    let root = mktree(format!("040000 tree {below}\tPlans\n"));
    let bomb = git_in(&clone, &["commit-tree", &root, "-m", "x"]).unwrap();
    let bomb = stage.commit(Some(base), Some(Repo::oid(&bomb).unwrap()), &[]);
    let later = stage.commit(Some(bomb), Some(base), &[]);
    for evil in [bomb, later] {
        let began = Instant::now();
        let refused = stage.push(evil);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        assert!(!refused.status.success());
        let stderr = text(&refused.stderr);
        let line = format!(
            "commit {} is refused: it changes more than 100000 files or folders at once",
            &bomb.to_string()[..12]
        );
        assert!(stderr.contains(&line), "{stderr}");
    }
    assert_eq!(stage.tip(), base.to_string());
}

#[test]
#[ignore = "takes minutes: cargo xtask test --full runs it"]
fn a_first_push_of_150_000_commits_is_taken_by_the_hook() {
    let stage = Stage::set();
    let mut tip = stage.first();
    for _ in 0..150_000 {
        tip = stage.commit(Some(tip), Some(tip), &[]);
    }
    git_in(
        stage.repo.git_dir(),
        &["update-ref", "refs/heads/main", &tip.to_string()],
    )
    .unwrap();
    git_in(stage.repo.git_dir(), &["repack", "-adq"]).unwrap();
    let began = Instant::now();
    let pushed = stage.push(tip);
    println!("FIGURE: 150,000 commits pushed in {:?}", began.elapsed());
    println!("{}", text(&pushed.stderr));
    assert!(pushed.status.success());
    assert_eq!(stage.tip(), tip.to_string());
}

#[test]
fn installed_hook_refuses_what_git_fsck_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let (remote, clone) = (folder.path().join("r.git"), folder.path().join("c.git"));
    for path in [&remote, &clone] {
        let made = hermetic("git")
            .args(["init", "--quiet", "--bare", "--initial-branch=main"])
            .arg(path)
            .status();
        assert!(made.unwrap().success());
    }
    let list = folder.path().join("signers");
    std::fs::write(&list, "").unwrap();
    let (address, list) = (remote.to_str().unwrap(), list.to_str().unwrap());
    let args = ["hook", "install", address, "--signers", list];
    assert!(platinum(folder.path(), &args).status.success());
    let (commit, tree) = faulty(&clone);
    let pushed = hermetic("git")
        .env("GIT_DIR", &clone)
        .args(["push", "--quiet", address])
        .arg(format!("{commit}:refs/heads/main"))
        .output()
        .unwrap();
    let stderr = text(&pushed.stderr);
    let fault = format!("error: object {tree}: zeroPaddedFilemode");
    assert!(
        !pushed.status.success() && stderr.contains(&fault),
        "{stderr}"
    );
}

#[test]
fn doctor_names_a_faulty_remote_object_and_its_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let remote = folder.path().join("r.git");
    bare_repository(&remote).unwrap();
    let (commit, tree) = faulty(&remote);
    git_in(&remote, &["update-ref", "refs/heads/main", &commit]).unwrap();
    let (config, vault) = (folder.path().join("c.toml"), folder.path().join("vault"));
    let (file, vault) = (config.to_str().unwrap(), vault.to_str().unwrap());
    let made = platinum(folder.path(), &["--config", file, "init", vault]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let written = std::fs::read_to_string(&config).unwrap();
    let named = format!("remote = \"{}\"", remote.display());
    assert!(written.contains("remote = \"\""));
    std::fs::write(&config, written.replace("remote = \"\"", &named)).unwrap();
    let report = platinum(folder.path(), &["--config", file, "doctor"]);
    let report = text(&report.stdout)
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let expected = format!(
        "wrong remote the remote holds a faulty object, {tree} (zeroPaddedFilemode: contains \
         zero-padded file modes), and git takes nothing more from it: put its branch back to a \
         commit without it, and set `receive.fsckObjects` to true there"
    );
    assert!(report.contains(&expected), "{report}");
}

/// A commit of a tree that git does not take: both.
pub(crate) fn faulty(dir: &Path) -> (String, String) {
    let blob = git(dir, &["hash-object", "-w", "--stdin"], b"x");
    let mut tree = b"0100644 a.md\0".to_vec();
    tree.extend_from_slice(Repo::oid(&blob).unwrap().as_bytes());
    let raw = ["hash-object", "-t", "tree", "-w", "--literally", "--stdin"];
    let tree = git(dir, &raw, &tree);
    let commit = git_in(dir, &["commit-tree", &tree, "-m", "x"]).unwrap();
    (commit, tree)
}
