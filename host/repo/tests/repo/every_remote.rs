//! What holds for a remote, tried over every way to one: a folder, git's daemon, ssh, https.
//!
//! The servers are real and on loopback; two repositories push to each, as two hosts would.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_protocol::PushOutcome;
use platinum_repo::{
    Address, ClientOptions, CommitMeta, Edit, GitRemote, Oid, Remote, RemoteError, Repo,
};
use platinum_testkit::{
    git::{
        Access, GitServer, HttpsServer, LineFaults, Proxy, SshServer, bare_repository, git_in, hook,
    },
    wait_for,
};

/// A remote and the way to it.
enum Server {
    Folder(tempfile::TempDir),
    Daemon(GitServer),
    Ssh(SshServer),
    Https(HttpsServer),
}

impl Server {
    fn folder() -> Self {
        let folder = tempfile::tempdir().unwrap();
        bare_repository(&folder.path().join("vault.git")).unwrap();
        Self::Folder(folder)
    }

    fn daemon() -> Self {
        Self::Daemon(GitServer::start().unwrap())
    }

    fn ssh() -> Self {
        Self::Ssh(SshServer::start().unwrap())
    }

    fn https() -> Self {
        Self::Https(HttpsServer::start().unwrap())
    }

    fn repository(&self) -> PathBuf {
        match self {
            Self::Folder(folder) => folder.path().join("vault.git"),
            Self::Daemon(server) => server.repository(),
            Self::Ssh(server) => server.repository(),
            Self::Https(server) => server.repository(),
        }
    }

    fn access(&self) -> Access {
        match self {
            Self::Folder(_) => Access::plain(self.repository().display().to_string()),
            Self::Daemon(server) => server.access(),
            Self::Ssh(server) => server.access(),
            Self::Https(server) => server.access(),
        }
    }

    /// A line with faults to it; a folder has no line.
    fn line(&self) -> (Proxy, Access) {
        let port = match self {
            Self::Folder(_) => panic!("no line leads to a folder"),
            Self::Daemon(server) => server.port(),
            Self::Ssh(server) => server.port(),
            Self::Https(server) => server.port(),
        };
        let proxy = Proxy::start(port, 7).unwrap();
        proxy.watch(&self.repository()).unwrap();
        let access = match self {
            Self::Folder(_) => unreachable!(),
            Self::Daemon(server) => server.access_through(proxy.port()),
            Self::Ssh(server) => server.access_through(proxy.port()),
            Self::Https(server) => server.access_through(proxy.port()),
        };
        (proxy, access)
    }

    fn tip(&self) -> String {
        git_in(&self.repository(), &["rev-parse", "main"]).unwrap()
    }
}

/// One host.
struct Host {
    _folder: tempfile::TempDir,
    git_dir: PathBuf,
    repo: Repo,
    remote: GitRemote,
}

impl Host {
    fn new(access: &Access) -> Self {
        Self::patient(access, Duration::from_secs(60))
    }

    fn patient(access: &Access, time_out: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let git_dir = folder.path().join("vault.git");
        let repo = Repo::open_or_init(&git_dir).unwrap();
        let options = ClientOptions {
            user_config: false,
            time_out,
            ssh: access.ssh.clone(),
            settings: access.settings.clone(),
            ..ClientOptions::default()
        };
        let address = Address::parse(&access.address).unwrap();
        Self {
            _folder: folder,
            git_dir,
            remote: GitRemote::with_options(repo.clone(), address, options),
            repo,
        }
    }

    fn commit(&self, parent: Option<Oid>, text: &str) -> Oid {
        let meta = CommitMeta {
            agent: "cloud".parse().unwrap(),
            role: Role::Cloud,
            message: "Change".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::from_second(1_795_000_000).unwrap(),
        };
        let path = VaultPath::new(format!("Inbox/{text}.md")).unwrap();
        let edit = (path, Edit::Put(text.into()));
        self.repo.commit(parent, &[edit], &meta).unwrap()
    }

    /// A first commit, pushed.
    async fn begin(&self) -> Oid {
        let first = self.commit(None, "first");
        assert_eq!(self.remote.push(first, None).await, PushOutcome::Landed);
        first
    }

    /// Fetches until the remote's tip is this one.
    async fn finds(&self, commit: Oid) {
        let deadline = std::time::Instant::now() + Duration::from_secs(30);
        loop {
            let found = self.remote.fetch().await;
            if found == Ok(Some(commit)) {
                return;
            }
            assert!(std::time::Instant::now() < deadline, "{found:?}");
        }
    }
}

fn rejected(outcome: PushOutcome) -> String {
    match outcome {
        PushOutcome::Rejected(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn in_doubt(outcome: PushOutcome) -> String {
    match outcome {
        PushOutcome::Indeterminate(reason) => reason,
        other => panic!("{other:?}"),
    }
}

async fn an_empty_remote_takes_one_first_push(server: Server) {
    let (a, b) = (Host::new(&server.access()), Host::new(&server.access()));
    assert_eq!(a.remote.fetch().await, Ok(None));
    assert_eq!(a.remote.check_push().await, Ok(()));
    let (first_a, first_b) = (a.commit(None, "a"), b.commit(None, "b"));
    assert_eq!(a.remote.push(first_a, None).await, PushOutcome::Landed);
    assert_eq!(b.remote.check_push().await, Ok(()));
    rejected(b.remote.push(first_b, None).await);
    assert_eq!(b.remote.fetch().await, Ok(Some(first_a)));
}

async fn who_pushes_on_an_old_tip_is_rejected(server: Server) {
    let (a, b) = (Host::new(&server.access()), Host::new(&server.access()));
    let first = a.begin().await;
    assert_eq!(a.remote.fetch().await, Ok(Some(first)));
    assert_eq!(b.remote.fetch().await, Ok(Some(first)));
    let (next_a, next_b) = (a.commit(Some(first), "a"), b.commit(Some(first), "b"));
    assert_eq!(
        b.remote.push(next_b, Some(first)).await,
        PushOutcome::Landed
    );
    let reason = rejected(a.remote.push(next_a, Some(first)).await);
    assert!(
        ["stale info", "fetch first"].contains(&&*reason),
        "{reason}"
    );
    assert_eq!(a.remote.fetch().await, Ok(Some(next_b)));
}

/// The remote has sent A its tip and has read A's pack; only then does B push.
async fn who_is_overtaken_in_the_middle_of_a_push_is_rejected(server: Server) {
    let (a, b) = (Host::new(&server.access()), Host::new(&server.access()));
    let first = a.begin().await;
    assert_eq!(b.remote.fetch().await, Ok(Some(first)));
    let (next_a, next_b) = (a.commit(Some(first), "a"), b.commit(Some(first), "b"));
    let gate = Gate::at(&server.repository());
    let (slow, quick) = tokio::join!(a.remote.push(next_a, Some(first)), async {
        gate.reached().await;
        let outcome = b.remote.push(next_b, Some(first)).await;
        gate.open();
        outcome
    });
    assert_eq!(quick, PushOutcome::Landed);
    rejected(slow);
    assert_eq!(server.tip(), next_b.to_string());
    assert_eq!(a.remote.fetch().await, Ok(Some(next_b)));
}

async fn what_a_hook_declines_is_rejected_with_its_name(server: Server) {
    let a = Host::new(&server.access());
    let first = a.begin().await;
    let next = a.commit(Some(first), "a");
    let script = "#!/bin/sh\necho 'not today' >&2\nexit 1\n";
    hook(&server.repository(), "pre-receive", script).unwrap();
    let reason = rejected(a.remote.push(next, Some(first)).await);
    assert_eq!(
        reason,
        "pre-receive hook declined; the server says: not today"
    );
    fs::remove_file(server.repository().join("hooks/pre-receive")).unwrap();
    hook(&server.repository(), "update", script).unwrap();
    let reason = rejected(a.remote.push(next, Some(first)).await);
    assert_eq!(reason, "hook declined; the server says: not today");
    assert_eq!(server.tip(), first.to_string());
}

async fn what_the_remote_has_already_counts_as_landed(server: Server) {
    let a = Host::new(&server.access());
    let first = a.begin().await;
    assert_eq!(a.remote.push(first, None).await, PushOutcome::Landed);
    let next = a.commit(Some(first), "a");
    for expected in [first, first, next] {
        let outcome = a.remote.push(next, Some(expected)).await;
        assert_eq!(outcome, PushOutcome::Landed);
    }
    // An older commit is not there "already": the branch would have to go back.
    rejected(a.remote.push(first, Some(next)).await);
    assert_eq!(server.tip(), next.to_string());
}

async fn a_push_whose_answer_is_lost_is_in_doubt_and_found(server: Server) {
    let (proxy, access) = server.line();
    let a = Host::new(&access);
    let first = a.begin().await;
    proxy.set(LineFaults {
        lost_answers: 1.0,
        ..LineFaults::default()
    });
    let next = a.commit(Some(first), "a");
    in_doubt(a.remote.push(next, Some(first)).await);
    assert_eq!(proxy.count().lost_answers, 1);
    assert_eq!(a.remote.fetch().await, Ok(Some(next)));
    // Asked again, the remote has it already.
    assert_eq!(a.remote.push(next, Some(first)).await, PushOutcome::Landed);
}

async fn a_line_that_breaks_anywhere_never_makes_a_success_or_a_refusal(server: Server) {
    let (proxy, access) = server.line();
    let a = Host::new(&access);
    let mut tip = a.begin().await;
    proxy.set(LineFaults {
        resets: 0.7,
        ..LineFaults::default()
    });
    let mut doubts = 0;
    for n in 0..12 {
        let next = a.commit(Some(tip), &format!("n{n}"));
        let outcome = a.remote.push(next, Some(tip)).await;
        let landed = server.tip() == next.to_string();
        match outcome {
            PushOutcome::Landed => assert!(landed),
            // No one else pushes, so nothing may ever be refused; but over http the client sends a
            // request again by itself when its line breaks, and is refused for what it sent first.
            PushOutcome::Rejected(reason) => {
                assert!(matches!(server, Server::Https(_)), "{reason}");
                a.finds(next).await;
            }
            PushOutcome::Indeterminate(_) => doubts += 1,
        }
        // The remote may still be at work on it.
        if !landed {
            proxy.set(LineFaults::default());
            let again = a.remote.push(next, Some(tip)).await;
            assert!(!matches!(again, PushOutcome::Indeterminate(_)), "{again:?}");
            a.finds(next).await;
            proxy.set(LineFaults {
                resets: 0.7,
                ..LineFaults::default()
            });
        }
        tip = next;
    }
    assert!(
        doubts > 0 && proxy.count().resets > 0,
        "{:?}",
        proxy.count()
    );
}

async fn when_the_time_is_up_nothing_of_the_client_is_left(server: Server) {
    let access = server.access();
    let a = Host::patient(&access, Duration::from_secs(4));
    let first = a.begin().await;
    let next = a.commit(Some(first), "a");
    let gate = Gate::at(&server.repository());
    let reason = in_doubt(a.remote.push(next, Some(first)).await);
    assert!(reason.contains("took longer than 4 s"), "{reason}");
    gate.reached().await;
    let mine = a.git_dir.display().to_string();
    wait_for("the client's end", Duration::from_secs(10), || {
        Ok(processes_with(&mine).is_empty().then_some(()))
    })
    .unwrap();
    // A folder's receive-pack was the client's own child; a server's goes on, and so may the push.
    if !matches!(server, Server::Folder(_)) {
        gate.open();
        a.finds(next).await;
    }
}

async fn a_line_that_goes_silent_is_given_up_in_time(server: Server) {
    let (proxy, access) = server.line();
    let a = Host::patient(&access, Duration::from_secs(4));
    let first = a.begin().await;
    proxy.set(LineFaults {
        stalls: 1.0,
        ..LineFaults::default()
    });
    let mut tries = 0;
    let error = loop {
        // Now and then a fetch is through before the line stalls.
        if let Err(error) = a.remote.fetch().await {
            break error;
        }
        tries += 1;
        assert!(tries < 100);
    };
    let is_in_time = match &error {
        RemoteError::TimedOut { seconds, .. } => *seconds == 4,
        RemoteError::Unreachable { .. } => true,
        _ => false,
    };
    assert!(is_in_time && proxy.count().stalls > 0, "{error:?}");
    let mine = a.git_dir.display().to_string();
    wait_for("the client's end", Duration::from_secs(10), || {
        Ok(processes_with(&mine).is_empty().then_some(()))
    })
    .unwrap();
    proxy.set(LineFaults::default());
    a.finds(first).await;
}

/// Holds back the first push that comes, after its pack was read and before the branch moves.
struct Gate {
    folder: PathBuf,
}

impl Gate {
    fn at(repository: &Path) -> Self {
        let folder = repository.join("gate");
        fs::create_dir(&folder).unwrap();
        // Ends by itself if no process opens it.
        let script = format!(
            "#!/bin/sh\ncd '{}' || exit 1\nmkdir reached 2>/dev/null || exit 0\nn=0\n\
             while [ ! -e open ] && [ $n -lt 400 ]; do sleep 0.05; n=$((n+1)); done\nexit 0\n",
            folder.display()
        );
        hook(repository, "pre-receive", &script).unwrap();
        Self { folder }
    }

    async fn reached(&self) {
        let reached = self.folder.join("reached");
        let waiting = tokio::task::spawn_blocking(move || {
            wait_for("the push at the gate", Duration::from_secs(30), || {
                Ok(reached.exists().then_some(()))
            })
        });
        waiting.await.unwrap().unwrap();
    }

    fn open(&self) {
        fs::write(self.folder.join("open"), "").unwrap();
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        drop(fs::write(self.folder.join("open"), ""));
    }
}

/// Living processes that have this text in their environment, other than this one.
fn processes_with(text: &str) -> Vec<String> {
    let own = std::process::id().to_string();
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let pid = entry.file_name().to_string_lossy().into_owned();
        // One that ends in this moment cannot be read.
        let read = |name: &str| fs::read(entry.path().join(name)).unwrap_or_default();
        let environment = String::from_utf8_lossy(&read("environ")).into_owned();
        let is_dead = String::from_utf8_lossy(&read("stat")).contains(") Z ");
        if pid != own && !is_dead && environment.contains(text) {
            found.push(String::from_utf8_lossy(&read("cmdline")).replace('\0', " "));
        }
    }
    found
}

/// The same tests over one way.
macro_rules! over {
    ($way:ident: $($test:ident)+) => {
        mod $way {
            $(#[tokio::test]
            async fn $test() {
                super::$test(super::Server::$way()).await;
            })+
        }
    };
}

/// And those that need a line which can break.
macro_rules! over_a_line {
    ($way:ident) => {
        over! { $way:
            an_empty_remote_takes_one_first_push
            who_pushes_on_an_old_tip_is_rejected
            who_is_overtaken_in_the_middle_of_a_push_is_rejected
            what_a_hook_declines_is_rejected_with_its_name
            what_the_remote_has_already_counts_as_landed
            when_the_time_is_up_nothing_of_the_client_is_left
            a_push_whose_answer_is_lost_is_in_doubt_and_found
            a_line_that_breaks_anywhere_never_makes_a_success_or_a_refusal
            a_line_that_goes_silent_is_given_up_in_time
        }
    };
}

over! { folder:
    an_empty_remote_takes_one_first_push
    who_pushes_on_an_old_tip_is_rejected
    who_is_overtaken_in_the_middle_of_a_push_is_rejected
    what_a_hook_declines_is_rejected_with_its_name
    what_the_remote_has_already_counts_as_landed
    when_the_time_is_up_nothing_of_the_client_is_left
}
over_a_line! { daemon }
over_a_line! { ssh }
over_a_line! { https }

#[tokio::test]
async fn check_push_of_a_remote_that_is_only_read_fails() {
    let server = Server::https();
    let host = Host::new(&server.access());
    let first = host.begin().await;
    git_in(
        &server.repository(),
        &["config", "http.receivepack", "false"],
    )
    .unwrap();
    assert_eq!(host.remote.fetch().await, Ok(Some(first)));
    let refused = host.remote.check_push().await.unwrap_err();
    assert!(
        matches!(refused, RemoteError::Unreachable { .. }),
        "{refused}"
    );
}
