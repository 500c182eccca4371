//! Configurations, environments and servers that would lead git elsewhere, learn what is none of
//! theirs, or hold it for ever.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_protocol::PushOutcome;
use platinum_repo::{
    Address, ClientOptions, CommitMeta, Edit, GitRemote, HostKey, Oid, Remote, RemoteError, Repo,
};
use platinum_testkit::{
    git::{
        Access, GitServer, HttpsServer, LineFaults, Proxy, SshServer, bare_repository, git_in, hook,
    },
    seed, wait_for,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// How long a stalled call may be silent here.
const SILENCE: Duration = Duration::from_millis(1500);

fn options(access: &Access) -> ClientOptions {
    ClientOptions {
        user_config: false,
        ssh: access.ssh.clone(),
        settings: access.settings.clone(),
        time_out: Duration::from_secs(20),
        ..ClientOptions::default()
    }
}

fn commit(repo: &Repo, parent: Option<Oid>, bytes: Vec<u8>) -> Oid {
    let meta = CommitMeta {
        agent: "cloud".parse().unwrap(),
        role: Role::Cloud,
        message: "Change".to_owned(),
        trailers: Vec::new(),
        at: Timestamp::from_second(1_795_000_000).unwrap(),
    };
    let path = VaultPath::new("Inbox/a.md").unwrap();
    repo.commit(parent, &[(path, Edit::Put(bytes))], &meta)
        .unwrap()
}

fn script(path: &Path, text: &str) -> PathBuf {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_owned()
}

/// Git's client as a user has it whose configuration this is.
fn configured(folder: &Path, configuration: &str) -> ClientOptions {
    let file = folder.join("gitconfig");
    fs::write(&file, configuration).unwrap();
    let program = script(
        &folder.join("git-of-the-user"),
        &format!("GIT_CONFIG_GLOBAL={} exec git \"$@\"", file.display()),
    );
    ClientOptions {
        program: program.into(),
        user_config: true,
        time_out: Duration::from_secs(20),
        ..ClientOptions::default()
    }
}

/// Everything in a configuration that could lead from `to` to `evil`, or run the program `trap`.
fn tricks(to: &str, evil: &str, trap: &Path) -> String {
    let trap = trap.display();
    let (start, _) = to.split_at(to.len() / 2);
    format!(
        "[url \"{evil}\"]\n insteadOf = {to}\n insteadOf = {start}\n insteadOf = \"\"\n\
         pushInsteadOf = {to}\n pushInsteadOf = \"\"\n insteadOf = p\n pushInsteadOf = platinum:\n\
         [remote \"{to}\"]\n url = {evil}\n pushurl = {evil}\n vcs = evil\n\
         receivepack = {trap}\n uploadpack = {trap}\n mirror = true\n prune = true\n\
         [remote]\n pushDefault = evil\n\
         [core]\n gitProxy = {trap}\n sshCommand = {trap}\n askPass = {trap}\n\
         fsmonitor = {trap}\n hooksPath = {hooks}\n pager = {trap}\n editor = {trap}\n\
         alternateRefsCommand = {trap}\n\
         [credential]\n interactive = true\n\
         [push]\n pushOption = evil\n gpgSign = true\n followTags = true\n recurseSubmodules = check\n\
         [gpg]\n program = {trap}\n\
         [fetch]\n prune = true\n pruneTags = true\n recurseSubmodules = true\n writeCommitGraph = true\n\
         uriProtocols = http,https\n\
         [submodule]\n recurse = true\n\
         [gc]\n auto = 1\n autoDetach = false\n\
         [maintenance]\n auto = true\n\
         [protocol]\n allow = always\n version = 0\n\
         [http]\n followRedirects = true\n sslVerify = false\n\
         [http \"{to}\"]\n followRedirects = true\n sslVerify = false\n",
        hooks = Path::new(&trap.to_string())
            .parent()
            .unwrap()
            .join("hooks")
            .display(),
    )
}

/// A program that leaves a mark when it runs, also as every hook of git's client.
fn trap(folder: &Path) -> (PathBuf, PathBuf) {
    let mark = folder.join("sprung");
    let text = format!("echo \"$0\" >> {}", mark.display());
    let trap = script(&folder.join("trap"), &text);
    fs::create_dir(folder.join("hooks")).unwrap();
    for name in [
        "pre-push",
        "reference-transaction",
        "post-checkout",
        "pre-auto-gc",
    ] {
        script(&folder.join("hooks").join(name), &text);
    }
    (trap, mark)
}

/// No configuration leads to another remote nor runs a program.
#[tokio::test]
async fn hostile_configuration_redirects_and_runs_nothing() {
    let (good, evil) = (GitServer::start().unwrap(), GitServer::start().unwrap());
    let as_folder = |server: &GitServer| server.repository().display().to_string();
    for (to, elsewhere) in [
        (good.address(), evil.address()),
        (as_folder(&good), as_folder(&evil)),
        (good.address(), as_folder(&evil)),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let (trap, mark) = trap(folder.path());
        let repo = Repo::open_or_init(&folder.path().join("a.git")).unwrap();
        let mut configuration = tricks(&to, &elsewhere, &trap);
        if to.starts_with('/') {
            // The other end of a folder is the same user's git, which has hooks of its own.
            for own in ["hooksPath", "alternateRefsCommand"] {
                configuration = configuration.replace(own, "nothing");
            }
        }
        let options = configured(folder.path(), &configuration);
        let remote = GitRemote::with_options(repo.clone(), Address::parse(&to).unwrap(), options);
        let tip = remote.fetch().await.unwrap();
        let next = commit(&repo, tip, to.clone().into_bytes());
        assert_eq!(remote.push(next, tip).await, PushOutcome::Landed);
        assert_eq!(remote.fetch().await, Ok(Some(next)));
        assert_eq!(good.git(&["rev-parse", "main"]).unwrap(), next.to_string());
        assert_eq!(evil.git(&["for-each-ref"]).unwrap(), "", "{to}");
        assert!(
            !mark.exists(),
            "{to}: {}",
            fs::read_to_string(mark).unwrap()
        );
    }
}

/// Answers every request with this; counts them.
fn http_server(answer: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    // It ends with the test process.
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            counted.fetch_add(1, SeqCst);
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            if stream.read(&mut request).is_ok() {
                stream.write_all(answer.as_bytes()).ok();
            }
        }
    });
    (port, count)
}

#[tokio::test]
async fn http_redirect_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (elsewhere, reached) = http_server("HTTP/1.0 404 Not Found\r\n\r\n".to_owned());
    let (proxy, proxied) = http_server("HTTP/1.0 502 Bad Gateway\r\n\r\n".to_owned());
    let (here, asked) = http_server(format!(
        "HTTP/1.0 302 Found\r\nLocation: http://127.0.0.1:{elsewhere}/vault.git/info/refs?service=git-upload-pack\r\n\r\n"
    ));
    let (trap, mark) = trap(folder.path());
    let address = format!("http://127.0.0.1:{here}/vault.git");
    let evil = format!("http://127.0.0.1:{elsewhere}/vault.git");
    let configuration =
        tricks(&address, &evil, &trap) + &format!("[http]\n proxy = http://127.0.0.1:{proxy}\n");
    let repo = Repo::open_or_init(&folder.path().join("a.git")).unwrap();
    let options = configured(folder.path(), &configuration);
    let remote = GitRemote::with_options(repo.clone(), Address::parse(&address).unwrap(), options);
    let refused = remote.fetch().await.unwrap_err();
    assert!(
        matches!(refused, RemoteError::Unreachable { .. }),
        "{refused}"
    );
    let first = commit(&repo, None, b"a".to_vec());
    let pushed = remote.push(first, None).await;
    assert!(
        matches!(pushed, PushOutcome::Indeterminate(_)),
        "{pushed:?}"
    );
    assert!(asked.load(SeqCst) >= 2);
    assert_eq!((reached.load(SeqCst), proxied.load(SeqCst)), (0, 0));
    assert!(!mark.exists(), "{}", fs::read_to_string(mark).unwrap());
}

/// A server without a known certificate is refused whatever is configured.
#[tokio::test]
async fn https_unknown_certificate_is_refused() {
    let server = HttpsServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (trap, _) = trap(folder.path());
    let evil = folder.path().join("evil.git").display().to_string();
    let options = configured(folder.path(), &tricks(&server.address(), &evil, &trap));
    let repo = Repo::open_or_init(&folder.path().join("a.git")).unwrap();
    let remote = GitRemote::with_options(repo, Address::parse(&server.address()).unwrap(), options);
    let refused = remote.fetch().await.unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
}

/// Git and the hooks of a folder see only what they need of the environment.
#[tokio::test]
async fn git_child_sees_only_the_allowed_environment() {
    let folder = tempfile::tempdir().unwrap();
    let bare = folder.path().join("vault.git");
    bare_repository(&bare).unwrap();
    let seen = folder.path().join("seen");
    hook(
        &bare,
        "pre-receive",
        &format!("#!/bin/sh\nenv > {}\ncat >/dev/null\n", seen.display()),
    )
    .unwrap();
    let access = Access::plain(bare.to_str().unwrap());
    let repo = Repo::open_or_init(&folder.path().join("a.git")).unwrap();
    let address = Address::parse(&access.address).unwrap();
    let remote = GitRemote::with_options(repo.clone(), address, options(&access));
    // Cargo gives every test this; it stands for a secret of the daemon's.
    let secret = "CARGO_PKG_NAME=platinum-repo";
    let first = commit(&repo, None, b"a".to_vec());
    assert_eq!(remote.push(first, None).await, PushOutcome::Landed);
    let environment = fs::read_to_string(&seen).unwrap();
    assert!(
        environment.contains("PATH=") && !environment.contains("CARGO_"),
        "{environment}"
    );
    // One that was named is seen.
    let remote = remote.with_env(&["CARGO_PKG_NAME".to_owned()]);
    let next = commit(&repo, Some(first), b"b".to_vec());
    assert_eq!(remote.push(next, Some(first)).await, PushOutcome::Landed);
    assert!(fs::read_to_string(&seen).unwrap().contains(secret));
}

#[tokio::test]
async fn ssh_untrusted_host_key_error_says_what_to_do() {
    let server = SshServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::open_or_init(&folder.path().join("a.git")).unwrap();
    let known = folder.path().join("hosts");
    let mut access = server.access();
    let (before, after) = access.ssh.split_once("-oUserKnownHostsFile=").unwrap();
    let (_, after) = after.split_once(' ').unwrap();
    access.ssh = format!("{before}-oUserKnownHostsFile={} {after}", known.display());
    let address = Address::parse(&access.address).unwrap();
    let remote = GitRemote::with_options(repo, address, options(&access));
    let unknown = remote.fetch().await.unwrap_err();
    assert!(
        matches!(
            unknown,
            RemoteError::HostKey {
                what: HostKey::Unknown,
                ..
            }
        ),
        "{unknown:?}"
    );
    assert_eq!(
        unknown.to_string(),
        "ssh does not trust the host 127.0.0.1: its key is not known here; run `ssh` to it once in \
         a terminal as this user, compare the fingerprint that it shows with the host's own, and answer yes"
    );
    let other = folder.path().join("other");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&other)
        .status()
        .unwrap();
    assert!(made.success());
    let key = fs::read_to_string(other.with_extension("pub")).unwrap();
    fs::write(&known, format!("platinum-test-remote {key}")).unwrap();
    let changed = remote.fetch().await.unwrap_err();
    assert!(
        matches!(
            changed,
            RemoteError::HostKey {
                what: HostKey::Changed,
                ..
            }
        ),
        "{changed:?}"
    );
}

/// Whether every git of this repository has ended, with what it started.
fn nobody_is_left(repo: &Repo) {
    wait_for("the end of every git", Duration::from_secs(10), || {
        Ok(repo.remove_stale_locks()?)
    })
    .unwrap();
}

/// A server that stalls in the middle of a pack is given up.
#[tokio::test]
async fn fetch_stalled_mid_pack_times_out() {
    let server = GitServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let access = server.access();
    let writer = Repo::open_or_init(&folder.path().join("writer.git")).unwrap();
    let address = Address::parse(&access.address).unwrap();
    let remote = GitRemote::with_options(writer.clone(), address, options(&access));
    // Nothing that can be packed.
    let random = StdRng::seed_from_u64(seed());
    let bytes: Vec<u8> = random.random_iter().take(4_000_000).collect();
    let first = commit(&writer, None, bytes);
    assert_eq!(remote.push(first, None).await, PushOutcome::Landed);

    let proxy = Proxy::start(server.port(), 7).unwrap();
    proxy.set(LineFaults {
        stalls: 1.0,
        ..LineFaults::default()
    });
    let access = server.access_through(proxy.port());
    for round in 0..4 {
        let reader = Repo::open_or_init(&folder.path().join(format!("r{round}.git"))).unwrap();
        let options = ClientOptions {
            time_out: SILENCE,
            ..options(&access)
        };
        let address = Address::parse(&access.address).unwrap();
        let remote = GitRemote::with_options(reader.clone(), address, options);
        let began = Instant::now();
        let given_up = remote.fetch().await;
        assert!(
            matches!(given_up, Err(RemoteError::TimedOut { .. })),
            "{given_up:?}"
        );
        let own = commit(&reader, None, vec![round; 100_000]);
        let pushed = remote.push(own, None).await;
        assert!(!matches!(pushed, PushOutcome::Landed), "{pushed:?}");
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "{:?}",
            began.elapsed()
        );
        nobody_is_left(&reader);
    }
    assert!(proxy.count().stalls >= 4);
    assert_eq!(
        server.git(&["rev-parse", "main"]).unwrap(),
        first.to_string()
    );
}

/// A server that is stopped is given up and used again when it goes on.
#[tokio::test]
async fn fetch_stopped_server_times_out_and_recovers() {
    let server = GitServer::start().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let pid = fs::read_to_string(server.repository().with_file_name("daemon.pid")).unwrap();
    let signal = |name: &str| {
        let sent = Command::new("kill")
            .args([name, pid.trim()])
            .status()
            .unwrap();
        assert!(sent.success());
    };
    let repo = Repo::open_or_init(&folder.path().join("a.git")).unwrap();
    let access = server.access();
    let options = ClientOptions {
        time_out: SILENCE,
        ..options(&access)
    };
    let address = Address::parse(&access.address).unwrap();
    let remote = GitRemote::with_options(repo.clone(), address, options);
    let first = commit(&repo, None, b"a".to_vec());
    signal("-STOP");
    let began = Instant::now();
    let fetched = remote.fetch().await;
    let pushed = remote.push(first, None).await;
    let elapsed = began.elapsed();
    signal("-CONT");
    assert!(
        matches!(fetched, Err(RemoteError::TimedOut { .. })),
        "{fetched:?}"
    );
    assert!(
        matches!(pushed, PushOutcome::Indeterminate(_)),
        "{pushed:?}"
    );
    assert!(elapsed < Duration::from_secs(20), "{elapsed:?}");
    nobody_is_left(&repo);
    // The push may have waited at the door and be let in now; then it is there already.
    assert_eq!(remote.push(first, None).await, PushOutcome::Landed);
    assert_eq!(
        git_in(&server.repository(), &["rev-parse", "main"]).unwrap(),
        first.to_string()
    );
}
