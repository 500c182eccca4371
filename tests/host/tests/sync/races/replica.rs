//! One agent for a test, and tasks for it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use platinum_core::{
    AgentName, Backoff, Member, Role, TaskId, Timestamp, VaultPath, ZoneId, layout,
};
use platinum_protocol::PushOutcome;
use platinum_repo::{
    Address, ClientOptions, GitRemote, Oid, Remote, RemoteError, Repo, Signer, Signers, SigningKey,
};
use platinum_sync::{SyncConfig, Synchronizer};
use platinum_testkit::{
    git::GitServer,
    notes::{as_note, drafted_task, text_of},
};
use platinum_vault::{Vault, note::TaskNote};
use platinum_verify::Identity;

pub(crate) struct Replica {
    pub(crate) agent: AgentName,
    pub(crate) vault: Vault,
    pub(crate) sync: Synchronizer,
    folder: tempfile::TempDir,
}

pub(crate) fn replica(server: &GitServer, name: &str) -> Replica {
    replica_with(server, name, |remote| Box::new(remote))
}

/// As [`side`], but this one trusts these agents alone.
pub(crate) fn side_knowing(server: &GitServer, name: &str, known: &[&str]) -> Replica {
    open(server, name, known, |remote| Box::new(remote))
}

pub(crate) fn replica_with(
    server: &GitServer,
    name: &str,
    between: impl FnOnce(GitRemote) -> Box<dyn Remote>,
) -> Replica {
    open(server, name, &AGENTS, between)
}

fn open(
    server: &GitServer,
    name: &str,
    known: &[&str],
    between: impl FnOnce(GitRemote) -> Box<dyn Remote>,
) -> Replica {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("vault")).unwrap();
    let (vault, sync) = started(server, folder.path(), name, known, between);
    Replica {
        agent: agent_of(name),
        vault,
        sync,
        folder,
    }
}

fn agent_of(name: &str) -> AgentName {
    name.trim_end_matches('\'').parse().unwrap()
}

/// A remote that a test cut off does not come back by waiting.
const WHILE_AWAY: Backoff = Backoff::new(Duration::from_millis(1), Duration::from_millis(20));

/// A daemon's life in a folder that may have seen others.
fn started(
    server: &GitServer,
    folder: &Path,
    name: &str,
    known: &[&str],
    between: impl FnOnce(GitRemote) -> Box<dyn Remote>,
) -> (Vault, Synchronizer) {
    let options = ClientOptions {
        user_config: false,
        time_out: Duration::from_secs(30),
        ..ClientOptions::default()
    };
    let remote = GitRemote::with_options(
        Repo::open_or_init(&git_dir(folder)).unwrap(),
        Address::parse(&server.address()).unwrap(),
        options,
    );
    started_with(folder, name, known, Some(between(remote)))
}

fn git_dir(folder: &Path) -> PathBuf {
    folder.join("state/vault.git")
}

fn started_with(
    folder: &Path,
    name: &str,
    known: &[&str],
    remote: Option<Box<dyn Remote>>,
) -> (Vault, Synchronizer) {
    let vault = Vault::open(&folder.join("vault")).unwrap();
    let agent = agent_of(name);
    let sync = Synchronizer::new(SyncConfig {
        vault: vault.clone(),
        git_dir: git_dir(folder),
        remote,
        agent: agent.clone(),
        role: role_of(name),
        scanner: std::sync::Arc::default(),
        identity: identity(&agent, key(name), known),
    })
    .unwrap()
    .with_delays_while_away(WHILE_AWAY);
    (vault, sync)
}

/// The agents of these tests. All of them trust each other.
const AGENTS: [&str; 3] = ["local", "cloud", "cloud-2"];

fn role_of(name: &str) -> Role {
    match name.starts_with("local") {
        true => Role::Local,
        false => Role::Cloud,
    }
}

/// As what it signs: a phone is no agent.
fn member_of(name: &str) -> Member {
    match name {
        "phone" => Member::Device,
        host => role_of(host).into(),
    }
}

/// The key of an agent of these tests: always the same one.
pub(crate) fn key(agent: &str) -> SigningKey {
    let mut seed = [0; 32];
    let name = agent.as_bytes();
    seed[..name.len()].copy_from_slice(name);
    SigningKey::from_seed(seed).unwrap()
}

fn identity(agent: &AgentName, own: SigningKey, known: &[&str]) -> Identity {
    let mut signers = Signers::default();
    for name in known {
        let signer = Signer {
            agent: name.parse().unwrap(),
            role: member_of(name),
            key: key(name).public(),
        };
        signers.add(signer).unwrap();
    }
    Identity::new(agent.clone(), role_of(agent.as_str()), own, signers)
}

impl Replica {
    /// The same host after a restart, without a remote.
    pub(crate) fn restarted_alone(self) -> Self {
        let (vault, sync) = started_with(self.folder(), self.agent.as_str(), &AGENTS, None);
        Self {
            vault,
            sync,
            ..self
        }
    }

    /// The same host after a restart.
    pub(crate) fn restarted(
        self,
        server: &GitServer,
        between: impl FnOnce(GitRemote) -> Box<dyn Remote>,
    ) -> Self {
        let name = self.agent.to_string();
        let (vault, sync) = started(server, self.folder.path(), &name, &AGENTS, between);
        Self {
            vault,
            sync,
            ..self
        }
    }

    pub(crate) fn root(&self) -> &Path {
        self.vault.root()
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The lock of a ref of its repository.
    pub(crate) fn lock_of(&self, name: &str) -> PathBuf {
        git_dir(self.folder()).join(format!("refs/vault/{name}.lock"))
    }

    /// Writes a file. Where a cloud may create only notes, its text is in one.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let text = match role_of(self.agent.as_str()) {
            Role::Cloud => as_note(path, text),
            Role::Local => text.to_owned(),
        };
        self.vault
            .replace(&at(path), text.as_bytes(), None)
            .unwrap();
    }

    /// Puts the task there that the drafts of these tests answer.
    pub(crate) fn write_drafted_task(&self) {
        let (path, text) = drafted_task();
        self.write(&path, &text);
    }

    /// The text of a file, out of the note that [`Replica::write`] put it in.
    pub(crate) fn read(&self, path: &str) -> Option<String> {
        let text = self.vault.read_text(&at(path), 1 << 20).ok()?;
        Some(text_of(&text).to_owned())
    }

    /// Every synced file and its text.
    pub(crate) fn files(&self) -> BTreeMap<String, String> {
        self.vault
            .walk()
            .unwrap()
            .into_iter()
            .map(|e| (e.path.to_string(), self.read(e.path.as_str()).unwrap()))
            .collect()
    }
}

pub(crate) fn at(path: &str) -> VaultPath {
    VaultPath::new(path).unwrap()
}

pub(crate) fn task(zone: ZoneId, n: u64) -> TaskNote {
    TaskNote {
        id: TaskId::from_parts(1_795_000_000_000 + n, u128::from(n)),
        zone,
        source: "maildir:owner".to_owned(),
        from: "Someone <someone@example.test>".to_owned(),
        subject: format!("Question {n}"),
        received: None,
        created: Timestamp::from_second(1_795_000_000).unwrap(),
        by: "intake".to_owned(),
        facts: Vec::new(),
        claim: None,
        body: format!("Can you answer question {n}?\n"),
    }
}

/// Puts tasks into a vault's `Needs_Action/`.
pub(crate) fn put_tasks(replica: &Replica, zone: ZoneId, count: u64) -> Vec<TaskId> {
    (0..count)
        .map(|n| {
            let task = task(zone, n);
            let path = layout::waiting(zone, task.id);
            replica
                .vault
                .create(&path, task.render().as_bytes())
                .unwrap();
            task.id
        })
        .collect()
}

/// The files of the remote's tip.
pub(crate) fn remote_files(server: &GitServer) -> Vec<String> {
    let listed = server
        .git(&["ls-tree", "-r", "--name-only", "main"])
        .unwrap();
    listed.lines().map(str::to_owned).collect()
}

/// A remote whose answers to pushes are lost after they landed, as long as `lost` says so.
pub(crate) struct LosesAnswers {
    pub(crate) inner: GitRemote,
    pub(crate) lost: Arc<std::sync::atomic::AtomicU32>,
    pub(crate) pushes: Arc<std::sync::Mutex<Vec<Oid>>>,
    /// Whether a push whose answer is lost landed.
    pub(crate) lands: bool,
}

#[async_trait]
impl Remote for LosesAnswers {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        self.inner.fetch().await
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        use std::sync::atomic::Ordering;
        self.pushes.lock().unwrap().push(commit);
        let lose = self
            .lost
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
            .is_ok();
        if lose && !self.lands {
            return PushOutcome::Indeterminate("the connection broke before".to_owned());
        }
        let outcome = self.inner.push(commit, expected).await;
        if lose {
            return PushOutcome::Indeterminate("the connection broke after".to_owned());
        }
        outcome
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}

/// A remote that can be cut off.
pub(crate) struct CutOff {
    pub(crate) inner: GitRemote,
    pub(crate) away: Arc<std::sync::atomic::AtomicBool>,
}

#[async_trait]
impl Remote for CutOff {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(RemoteError::Unreachable {
                remote: self.describe(),
                reason: "the network is down".to_owned(),
            });
        }
        self.inner.fetch().await
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        if self.away.load(std::sync::atomic::Ordering::SeqCst) {
            return PushOutcome::Indeterminate("the network is down".to_owned());
        }
        self.inner.push(commit, expected).await
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }
}
