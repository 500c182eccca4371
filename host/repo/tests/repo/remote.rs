//! The remote as a compare-and-swap register, over a bare repository that git's client serves.

use std::{path::Path, process::Command, time::Duration};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_protocol::PushOutcome;
use platinum_repo::{
    Address, ClientOptions, CommitMeta, Edit, GitRemote, Oid, Remote, RemoteError, Repo,
};

fn serve(folder: &Path) -> Address {
    let bare = folder.join("remote.git");
    let ran = Command::new("git")
        .args(["init", "--quiet", "--bare", "--initial-branch=main"])
        .arg(&bare)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .status()
        .unwrap();
    assert!(ran.success());
    Address::parse(bare.to_str().unwrap()).unwrap()
}

fn replica(folder: &Path, name: &str, address: &Address) -> (Repo, GitRemote) {
    let repo = Repo::open_or_init(&folder.join(name)).unwrap();
    let options = ClientOptions {
        user_config: false,
        ..ClientOptions::default()
    };
    (
        repo.clone(),
        GitRemote::with_options(repo, address.clone(), options),
    )
}

fn commit(repo: &Repo, parent: Option<Oid>, agent: &str) -> Oid {
    let meta = CommitMeta {
        agent: agent.parse().unwrap(),
        role: Role::Cloud,
        message: "Change".to_owned(),
        trailers: Vec::new(),
        at: Timestamp::from_second(1_795_000_000).unwrap(),
    };
    let edit = (
        VaultPath::new("Inbox/a.md").unwrap(),
        Edit::Put(agent.into()),
    );
    repo.commit(parent, &[edit], &meta).unwrap()
}

/// Only one of two pushes lands on an empty remote and on a tip.
#[tokio::test]
async fn push_race_lands_exactly_once() {
    let folder = tempfile::tempdir().unwrap();
    let address = serve(folder.path());
    let (repo_a, a) = replica(folder.path(), "a.git", &address);
    let (repo_b, b) = replica(folder.path(), "b.git", &address);
    assert_eq!(a.fetch().await, Ok(None));
    let (first_a, first_b) = (commit(&repo_a, None, "a"), commit(&repo_b, None, "b"));
    assert_eq!(a.push(first_a, None).await, PushOutcome::Landed);
    let refused = b.push(first_b, None).await;
    assert!(matches!(refused, PushOutcome::Rejected(_)), "{refused:?}");
    // The same commit again is there already, which is what it wanted.
    assert_eq!(a.push(first_a, None).await, PushOutcome::Landed);

    assert_eq!(b.fetch().await, Ok(Some(first_a)));
    let (next_a, next_b) = (
        commit(&repo_a, Some(first_a), "a2"),
        commit(&repo_b, Some(first_a), "b2"),
    );
    assert_eq!(b.push(next_b, Some(first_a)).await, PushOutcome::Landed);
    let refused = a.push(next_a, Some(first_a)).await;
    assert!(matches!(refused, PushOutcome::Rejected(_)), "{refused:?}");
    assert_eq!(a.fetch().await, Ok(Some(next_b)));
}

/// A remote that is not there is an error and a push to it is indeterminate.
#[tokio::test]
async fn absent_remote_fetch_fails_and_push_is_indeterminate() {
    let folder = tempfile::tempdir().unwrap();
    let address = Address::parse(folder.path().join("no.git").to_str().unwrap()).unwrap();
    let (repo, remote) = replica(folder.path(), "a.git", &address);
    assert!(matches!(
        remote.fetch().await,
        Err(RemoteError::Unreachable { .. })
    ));
    let first = commit(&repo, None, "a");
    assert!(matches!(
        remote.push(first, None).await,
        PushOutcome::Indeterminate(_)
    ));
}

/// Puts the branch of a bare repository on an object that git itself would not write.
fn faulty(bare: &Path, what: &str) -> String {
    use std::io::Write as _;
    let git = |args: &[&str], stdin: &[u8]| {
        let mut child = Command::new("git")
            .args(args)
            .env("GIT_DIR", bare)
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
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {args:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let raw = |kind: &str, bytes: &[u8]| {
        let args = ["hash-object", "-t", kind, "-w", "--literally", "--stdin"];
        git(&args, bytes)
    };
    let blob = raw("blob", b"x");
    let mut tree = match what {
        "zeroPaddedFilemode" => b"0100644 a.md\0".to_vec(),
        _ => b"100644 a.md\0".to_vec(),
    };
    tree.extend_from_slice(Oid::from_str(&blob).unwrap().as_bytes());
    let tree = raw("tree", &tree);
    let mail = match what {
        "missingEmail" => "",
        _ => " <t@t.invalid>",
    };
    let commit = format!("tree {tree}\nauthor t{mail} 1 +0000\ncommitter t <t@t> 1 +0000\n\nx\n");
    let commit = raw("commit", commit.as_bytes());
    git(&["update-ref", "refs/heads/main", &commit], b"");
    match what {
        "zeroPaddedFilemode" => tree,
        _ => commit,
    }
}

/// An object that git refuses is no remote that is away.
#[tokio::test]
async fn fetch_faulty_object_is_not_unreachable() {
    for fault in ["zeroPaddedFilemode", "missingEmail"] {
        let folder = tempfile::tempdir().unwrap();
        let address = serve(folder.path());
        let (repo, remote) = replica(folder.path(), "a.git", &address);
        let first = commit(&repo, None, "a");
        assert_eq!(remote.push(first, None).await, PushOutcome::Landed);
        let bare = folder.path().join("remote.git");
        let bad = faulty(&bare, fault);
        // Every time: what arrived is not kept.
        for _ in 0..2 {
            match remote.fetch().await {
                Err(RemoteError::Faulty { object, what, .. }) => {
                    assert_eq!(object, bad);
                    assert!(what.starts_with(fault), "{what}");
                }
                other => panic!("{other:?}"),
            }
        }
        // Put back, it is as before.
        let args = ["update-ref", "refs/heads/main", &first.to_string()];
        let put_back = Command::new("git")
            .args(args)
            .env("GIT_DIR", &bare)
            .status();
        assert!(put_back.unwrap().success());
        assert_eq!(remote.fetch().await, Ok(Some(first)));
    }
}

/// Folders that an old program wrote can be let in and are read as ever.
#[tokio::test]
async fn fetch_zero_padded_modes_can_be_allowed() {
    let folder = tempfile::tempdir().unwrap();
    let address = serve(folder.path());
    faulty(&folder.path().join("remote.git"), "zeroPaddedFilemode");
    let setting = "fetch.fsck.zeroPaddedFilemode".to_owned();
    let options = ClientOptions {
        user_config: false,
        settings: vec![(setting, "ignore".to_owned())],
        ..ClientOptions::default()
    };
    let repo = Repo::open_or_init(&folder.path().join("a.git")).unwrap();
    let remote = GitRemote::with_options(repo.clone(), address, options);
    let tip = remote.fetch().await.unwrap().unwrap();
    let files = repo.tree_files(tip).unwrap();
    let files: Vec<_> = files.keys().map(VaultPath::as_str).collect();
    assert_eq!(files, ["a.md"]);
}

#[tokio::test]
async fn fetch_hanging_remote_times_out() {
    let folder = tempfile::tempdir().unwrap();
    // Accepts and never answers.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let text = format!(
        "git://127.0.0.1:{}/vault.git",
        listener.local_addr().unwrap().port()
    );
    let repo = Repo::open_or_init(&folder.path().join("a.git")).unwrap();
    let options = ClientOptions {
        time_out: Duration::from_millis(400),
        user_config: false,
        ..ClientOptions::default()
    };
    let remote = GitRemote::with_options(repo.clone(), Address::parse(&text).unwrap(), options);
    assert!(matches!(
        remote.fetch().await,
        Err(RemoteError::TimedOut { .. })
    ));
    let first = commit(&repo, None, "a");
    assert!(matches!(
        remote.push(first, None).await,
        PushOutcome::Indeterminate(_)
    ));
}

#[cfg(unix)]
#[tokio::test]
async fn fetch_empty_remote_over_ssh_is_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    // What git says over ssh: the reason first, and then that the remote hung up.
    let program = folder.path().join("git");
    let script = "#!/bin/sh\ncase \"$*\" in *ls-remote*) exit 0;; esac\n\
        echo \"fatal: couldn't find remote ref refs/heads/main\" >&2\n\
        echo 'fatal: the remote end hung up unexpectedly' >&2\nexit 128\n";
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let repo = Repo::open_or_init(&folder.path().join("a.git")).unwrap();
    let options = ClientOptions {
        program: program.into(),
        user_config: false,
        ..ClientOptions::default()
    };
    let address = Address::parse("ssh://host/vault.git").unwrap();
    let remote = GitRemote::with_options(repo, address, options);
    assert_eq!(remote.fetch().await, Ok(None));
}
