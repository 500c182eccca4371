//! The remotes serve git's own client, turn others away, and their line fails as it is told.

use std::{
    path::{Path, PathBuf},
    process::Output,
    time::{Duration, Instant},
};

use platinum_testkit::{
    git::{
        Access, GitServer, HttpsServer, LineFaults, Proxy, SshOptions, SshServer, git_in, hermetic,
        hook,
    },
    seed,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

/// A repository of a client's.
struct Clone {
    _folder: tempfile::TempDir,
    git_dir: PathBuf,
}

impl Clone {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let git_dir = folder.path().join("clone.git");
        let made = hermetic("git")
            .args(["init", "-q", "--bare"])
            .arg(&git_dir)
            .status();
        assert!(made.unwrap().success());
        Self {
            _folder: folder,
            git_dir,
        }
    }

    fn commit(&self, text: &str, parent: Option<&str>) -> String {
        let tree = git_in(&self.git_dir, &["mktree"]).unwrap();
        let mut args = vec!["commit-tree", "-m", text, &tree];
        args.extend(parent.into_iter().flat_map(|parent| ["-p", parent]));
        git_in(&self.git_dir, &args).unwrap()
    }

    fn run(&self, access: &Access, args: &[&str]) -> Output {
        let mut command = hermetic("git");
        command
            .env("GIT_DIR", &self.git_dir)
            .env("GIT_SSH_COMMAND", &access.ssh);
        // It would take the place of the setting.
        command.env_remove("GIT_SSL_CAINFO");
        for (name, value) in &access.settings {
            command.arg("-c").arg(format!("{name}={value}"));
        }
        command.args(args).output().unwrap()
    }

    fn push(&self, access: &Access, commit: &str) -> Output {
        let refspec = format!("{commit}:refs/heads/main");
        self.run(access, &["push", "-q", &access.address, &refspec])
    }

    fn tip(&self, access: &Access) -> String {
        let output = self.run(access, &["ls-remote", &access.address, "refs/heads/main"]);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.split('\t').next().unwrap_or_default().to_owned()
    }
}

fn serves_a_push_and_a_fetch(access: &Access, repository: &Path) {
    let clone = Clone::new();
    let first = clone.commit("First", None);
    let pushed = clone.push(access, &first);
    assert!(pushed.status.success(), "{pushed:?}");
    assert_eq!(git_in(repository, &["rev-parse", "main"]).unwrap(), first);
    assert_eq!(clone.tip(access), first);
    let other = Clone::new();
    let fetched = other.run(access, &["fetch", "-q", &access.address, "main:main"]);
    assert!(fetched.status.success(), "{fetched:?}");
    assert_eq!(
        git_in(&other.git_dir, &["rev-parse", "main"]).unwrap(),
        first
    );
    // What the repository refuses, it refuses over every line.
    let pushed = clone.push(access, &format!("+{}", clone.commit("Another first", None)));
    assert!(!pushed.status.success());
    assert_eq!(clone.tip(access), first);
}

#[test]
fn gits_daemon_serves() {
    let server = GitServer::start().unwrap();
    serves_a_push_and_a_fetch(&server.access(), &server.repository());
}

#[test]
fn sshd_serves_the_one_key_and_nobody_else() {
    let server = SshServer::start().unwrap();
    serves_a_push_and_a_fetch(&server.access(), &server.repository());
    let other = SshServer::start().unwrap();
    // The key of another server's client, with this server's host key.
    let mixed = server.ssh().replacen(
        &format!("-i {}", server.repository().parent().unwrap().display()),
        &format!("-i {}", other.repository().parent().unwrap().display()),
        1,
    );
    let access = Access {
        ssh: mixed,
        ..server.access()
    };
    let turned_away = Clone::new().run(&access, &["ls-remote", &access.address]);
    let printed = String::from_utf8_lossy(&turned_away.stderr).into_owned();
    assert!(
        printed.contains("Permission denied (publickey)"),
        "{printed}"
    );
    // The right key, and the host key of another.
    let access = Access {
        address: server.address(),
        ..other.access()
    };
    let turned_away = Clone::new().run(&access, &["ls-remote", &access.address]);
    let printed = String::from_utf8_lossy(&turned_away.stderr).into_owned();
    assert!(
        printed.contains("Host key verification failed"),
        "{printed}"
    );
}

#[test]
fn sshd_listens_where_it_is_told_and_starts_under_a_command() {
    let server = SshServer::start_with(SshOptions {
        listen: "127.0.0.9".parse().unwrap(),
        under: vec!["env".to_owned(), "TZ=UTC".to_owned()],
        ..SshOptions::default()
    })
    .unwrap();
    assert!(
        server.address().contains("@127.0.0.9:"),
        "{}",
        server.address()
    );
    serves_a_push_and_a_fetch(&server.access(), &server.repository());
}

#[test]
fn https_serves_whom_it_knows_and_the_client_knows_it() {
    let server = HttpsServer::start().unwrap();
    let access = server.access();
    serves_a_push_and_a_fetch(&access, &server.repository());
    assert!(server.turned_away() > 0, "the password is never asked for");

    let without = |setting: &str| {
        let mut access = access.clone();
        access
            .settings
            .retain(|(name, value)| name != setting || value.is_empty());
        let output = Clone::new().run(&access, &["ls-remote", &access.address]);
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let printed = without("credential.helper");
    assert!(printed.contains("could not read Password"), "{printed}");
    let printed = without("http.sslCAInfo");
    assert!(printed.contains("certificate"), "{printed}");
}

#[test]
fn a_pack_that_is_sent_in_pieces_arrives_over_https() {
    let server = HttpsServer::start().unwrap();
    let mut access = server.access();
    // Everything above this is sent without a length.
    access
        .settings
        .push(("http.postBuffer".to_owned(), "65536".to_owned()));
    let clone = Clone::new();
    let file = clone.git_dir.join("noise");
    let random = StdRng::seed_from_u64(seed());
    let noise: Vec<u8> = random.random_iter().take(600_000).collect();
    std::fs::write(&file, &noise).unwrap();
    let blob = git_in(
        &clone.git_dir,
        &["hash-object", "-w", file.to_str().unwrap()],
    )
    .unwrap();
    std::fs::write(&file, format!("100644 blob {blob}\tnoise\n")).unwrap();
    let tree = hermetic("git")
        .env("GIT_DIR", &clone.git_dir)
        .arg("mktree")
        .stdin(std::fs::File::open(&file).unwrap())
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    let commit = git_in(&clone.git_dir, &["commit-tree", "-m", "Noise", tree.trim()]).unwrap();
    let pushed = clone.push(&access, &commit);
    assert!(pushed.status.success(), "{pushed:?}");
    let size = server.git(&["cat-file", "-s", "main:noise"]).unwrap();
    assert_eq!(size, "600000");
}

/// A server and a proxy to it.
fn line(server: &GitServer) -> (Proxy, Access) {
    let proxy = Proxy::start(server.port(), 1).unwrap();
    proxy.watch(&server.repository()).unwrap();
    let access = server.access_through(proxy.port());
    (proxy, access)
}

fn answer_is_lost_after_the_push_landed(
    port: u16,
    repository: &Path,
    access: impl FnOnce(u16) -> Access,
) {
    let proxy = Proxy::start(port, 1).unwrap();
    proxy.watch(repository).unwrap();
    let access = access(proxy.port());
    let clone = Clone::new();
    let first = clone.commit("First", None);
    assert!(clone.push(&access, &first).status.success());
    assert_eq!((proxy.count().landed, proxy.count().lost_answers), (1, 0));
    proxy.set(LineFaults {
        lost_answers: 1.0,
        ..LineFaults::default()
    });
    let second = clone.commit("Second", Some(&first));
    let pushed = clone.push(&access, &second);
    assert!(!pushed.status.success(), "{pushed:?}");
    assert_eq!(clone.tip(&access), second);
    assert_eq!((proxy.count().landed, proxy.count().lost_answers), (2, 1));
}

/// The proxy loses the answer of a push that landed over every kind of line.
#[test]
fn proxy_loses_the_answer_of_a_landed_push() {
    let daemon = GitServer::start().unwrap();
    answer_is_lost_after_the_push_landed(daemon.port(), &daemon.repository(), |port| {
        daemon.access_through(port)
    });
    let ssh = SshServer::start().unwrap();
    answer_is_lost_after_the_push_landed(ssh.port(), &ssh.repository(), |port| {
        ssh.access_through(port)
    });
    let https = HttpsServer::start().unwrap();
    answer_is_lost_after_the_push_landed(https.port(), &https.repository(), |port| {
        https.access_through(port)
    });
}

#[test]
fn the_proxy_resets_delays_and_stalls() {
    let server = GitServer::start().unwrap();
    let (proxy, access) = line(&server);
    let clone = Clone::new();
    let first = clone.commit("First", None);
    assert!(clone.push(&access, &first).status.success());

    proxy.set(LineFaults {
        delay: Duration::from_millis(150),
        ..LineFaults::default()
    });
    let began = Instant::now();
    assert_eq!(clone.tip(&access), first);
    assert!(began.elapsed() >= Duration::from_millis(300));

    proxy.set(LineFaults {
        resets: 1.0,
        ..LineFaults::default()
    });
    // The point is random and this push is small: it may be through before.
    let mut tip = first;
    while proxy.count().resets == 0 {
        tip = clone.commit("Next", Some(&tip));
        let _ = clone.push(&access, &tip);
        assert!(proxy.count().connections < 2000);
    }

    proxy.set(LineFaults {
        stalls: 1.0,
        ..LineFaults::default()
    });
    let before = proxy.count().connections;
    while proxy.count().stalls == 0 {
        // `timeout` ends what hangs.
        let ended = hermetic("timeout")
            .args(["1", "git", "ls-remote", &access.address])
            .output()
            .unwrap();
        assert!(
            proxy.count().stalls == 0 || ended.status.code() == Some(124),
            "{ended:?}"
        );
        assert!(proxy.count().connections < before + 2000);
    }
}

#[test]
fn without_its_proxy_the_witness_holds_nothing_up() {
    let server = GitServer::start().unwrap();
    drop(line(&server));
    let clone = Clone::new();
    let first = clone.commit("First", None);
    let pushed = clone.push(&server.access(), &first);
    assert!(pushed.status.success(), "{pushed:?}");
}

#[test]
fn a_hook_can_decline() {
    let server = GitServer::start().unwrap();
    hook(
        &server.repository(),
        "pre-receive",
        "#!/bin/sh\necho no >&2\nexit 1\n",
    )
    .unwrap();
    let clone = Clone::new();
    let pushed = clone.push(&server.access(), &clone.commit("First", None));
    let printed = String::from_utf8_lossy(&pushed.stderr).into_owned();
    assert!(printed.contains("pre-receive hook declined"), "{printed}");
}
