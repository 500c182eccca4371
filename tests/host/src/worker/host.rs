//! The worker's own side: one host, with its vault, key, repository and synchronizer.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::net::UnixStream,
    time::Duration,
};

use platinum_core::{
    Action, AgentName, DraftId, EmailSend, Role, TaskId, Timestamp, UpdateId, VaultPath, layout,
};
use platinum_daemon::loops::commit_meanwhile;
use platinum_repo::{Address, ClientOptions, GitRemote, RemoteEvent, Repo};
use platinum_sync::{Finish, SyncConfig, Synchronizer};
use platinum_vault::{
    Vault,
    note::{DraftNote, UpdateNote},
};
use platinum_verify::Identity;
use platinum_watch::{DirtyPaths, Wake, WakeUps, Watch};

use super::{Answer, MORE_LINES, Order, Setup, Up, fail_points};

/// How long the vault must be quiet before a change is taken, as in the daemon's loop.
const SETTLE: Duration = Duration::from_millis(300);
/// How long a vault that is never quiet waits at most, as in the daemon's loop.
const PATIENCE: Duration = Duration::from_secs(3);

#[derive(Clone)]
struct Host {
    agent: AgentName,
    vault: Vault,
    sync: Synchronizer,
}

/// Serves the test that started this process until it hangs up.
///
/// # Panics
/// If the host cannot be set up.
pub fn serve((setup, socket): (Setup, std::path::PathBuf)) {
    fail_points::count(&setup.points);
    fail_points::arm(setup.fail_points.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let host = Host::open(&setup);
    let line = UnixStream::connect(&socket).unwrap();
    let watch = setup.every.map(|every| {
        let dirty = DirtyPaths::new();
        let (watch, wake_ups) = Watch::gather(&setup.vault, &dirty).unwrap();
        host.sync.watched_by(dirty);
        runtime.spawn(keep_in_sync(host.sync.clone(), wake_ups, every));
        for _ in 0..MORE_LINES {
            let (host, line) = (host.clone(), UnixStream::connect(&socket).unwrap());
            let handle = runtime.handle().clone();
            std::thread::spawn(move || host.serve(&line, &handle));
        }
        watch
    });
    host.serve(&line, runtime.handle());
    drop(watch);
    // The loop never ends by itself, and a fetch may hang.
    std::process::exit(0);
}

impl Host {
    /// Does what comes in on a line, until its other end hangs up.
    fn serve(&self, mut line: &UnixStream, runtime: &tokio::runtime::Handle) {
        let process = std::process::id();
        let up = serde_json::to_string(&Up { process }).unwrap();
        writeln!(line, "{up}").unwrap();
        let mut orders = BufReader::new(line.try_clone().unwrap());
        let mut text = String::new();
        while matches!(orders.read_line(&mut text), Ok(1..)) {
            let order: Order = serde_json::from_str(&text).unwrap();
            let answer = runtime.block_on(self.answer(order));
            writeln!(line, "{}", serde_json::to_string(&answer).unwrap()).unwrap();
            text.clear();
        }
    }

    fn open(setup: &Setup) -> Self {
        let mut options = ClientOptions {
            user_config: false,
            time_out: setup.time_out,
            ..ClientOptions::default()
        };
        if let Some(ssh) = &setup.ssh {
            options.ssh.clone_from(ssh);
        }
        let (vault, sync) = open(setup, options);
        Self {
            agent: setup.agent.parse().unwrap(),
            vault,
            sync,
        }
    }

    async fn draft(&self, task: TaskId) -> Answer {
        let epoch = match self.sync.drafting_epoch(task).await {
            Ok(Some(epoch)) => epoch,
            other => return Answer::Failed(format!("no draft is allowed: {other:?}")),
        };
        let note = answer_to(task, epoch);
        let path = layout::pending(note.id);
        match self.vault.create(&path, note.render().as_bytes()) {
            Ok(()) => Answer::Place(path.to_string()),
            Err(error) => failed(error),
        }
    }

    async fn answer(&self, order: Order) -> Answer {
        let task = |id: String| id.parse::<TaskId>().unwrap();
        let done = |result: Result<(), _>| match result {
            Ok(()) => Answer::Done,
            Err(error) => failed(error),
        };
        match order {
            Order::Sync => match self.sync.sync().await {
                Ok(report) => Answer::Synced {
                    pulled: report.pulled,
                    pushed: report.pushed,
                    conflicts: report.conflicts,
                    withheld: report
                        .withheld
                        .iter()
                        .map(|held| format!("{}: {}", held.path, held.reason))
                        .collect(),
                },
                Err(error) => failed(error),
            },
            Order::Claim(id) => match self.sync.claim(task(id)).await {
                Ok(claimed) => Answer::Claimed(format!("{claimed:?}")),
                Err(error) => failed(error),
            },
            Order::Finish(id) => done(
                self.sync
                    .finish(task(id), Finish::filed("It needed no answer."))
                    .await,
            ),
            Order::Release(id) => done(self.sync.release(task(id), "Not for me.").await),
            Order::Place(id) => match self.sync.place(task(id)).await {
                Ok(place) => Answer::Place(format!("{place:?}")),
                Err(error) => failed(error),
            },
            Order::Publish(headline) => {
                let note = UpdateNote {
                    id: UpdateId::generate(),
                    created: Timestamp::now(),
                    by: self.agent.to_string(),
                    task: None,
                    headline,
                };
                let path = layout::update(&self.agent, note.id);
                match self.vault.create(&path, note.render().as_bytes()) {
                    Ok(()) => Answer::Done,
                    Err(error) => failed(error),
                }
            }
            Order::Draft(id) => self.draft(task(id)).await,
            Order::Write(path, text) => {
                let path = VaultPath::new(path).unwrap();
                match self.vault.replace(&path, text.as_bytes(), None) {
                    Ok(()) => Answer::Done,
                    Err(error) => failed(error),
                }
            }
            Order::Arm(fail_points) => {
                fail_points::arm(fail_points);
                Answer::Done
            }
            Order::Hits => Answer::Hits(fail_points::hits()),
        }
    }
}

/// A host's vault and synchronizer, whose git is run with these options.
///
/// # Panics
/// If they cannot be set up.
pub fn open(setup: &Setup, options: ClientOptions) -> (Vault, Synchronizer) {
    let git_dir = setup.state.join("vault.git");
    let vault = Vault::open(&setup.vault).unwrap();
    let remote = GitRemote::with_options(
        Repo::open_or_init(&git_dir).unwrap(),
        Address::parse(&setup.remote).unwrap(),
        options,
    );
    let sync = Synchronizer::new(SyncConfig {
        vault: vault.clone(),
        git_dir,
        remote: Some(Box::new(remote)),
        agent: setup.agent.parse().unwrap(),
        role: role_of(&setup.agent),
        scanner: std::sync::Arc::default(),
        identity: identity(setup),
    })
    .unwrap();
    (vault, sync)
}

/// A mail that answers a task.
fn answer_to(task: TaskId, epoch: u64) -> DraftNote {
    DraftNote {
        id: DraftId::generate(),
        created: Timestamp::now(),
        by: "skill".to_owned(),
        task,
        epoch: Some(epoch),
        action: Action::new(&EmailSend {
            from_account: "owner".to_owned(),
            to: vec!["someone@example.test".to_owned()],
            cc: vec![],
            bcc: vec![],
            subject: "Re: Question".to_owned(),
            body: "Yes.\n".to_owned(),
            in_reply_to: None,
            references: vec![],
            attachments: vec![],
        }),
        summary: "Answers the question".to_owned(),
        reason: "It was asked".to_owned(),
        expires: "2030-01-01T00:00:00Z".parse().unwrap(),
        doubts: vec![],
    }
}

/// The key of a host, made if it has none, and whom it trusts.
pub(super) fn identity(setup: &Setup) -> Identity {
    std::fs::create_dir_all(&setup.state).unwrap();
    let agent = setup.agent.parse().unwrap();
    Identity::open(&setup.state, &agent, role_of(&setup.agent)).unwrap()
}

/// The role in an agent's name.
fn role_of(agent: &str) -> Role {
    if agent.starts_with("local") {
        Role::Local
    } else {
        Role::Cloud
    }
}

fn failed(error: impl std::fmt::Display) -> Answer {
    Answer::Failed(error.to_string())
}

/// What the daemon's loop does, without the skill in between.
async fn keep_in_sync(sync: Synchronizer, mut wake_ups: WakeUps, every: Duration) {
    loop {
        let synced = tokio::select! {
            synced = sync.sync() => synced,
            never = commit_meanwhile(sync.clone(), wake_ups.clone()) => match never {},
        };
        if let Err(error) = synced {
            println!("{error}");
        }
        let here = async {
            if wake_ups.wait(every).await == Wake::Changed {
                let quiet = async { while wake_ups.wait(SETTLE).await == Wake::Changed {} };
                tokio::time::timeout(PATIENCE, quiet).await.ok();
            }
        };
        let there = async {
            match sync.wait_for_remote(every).await {
                RemoteEvent::Moved(_) | RemoteEvent::Reachable | RemoteEvent::Unreachable => {}
                RemoteEvent::Unchanged | RemoteEvent::Unknown => std::future::pending().await,
            }
        };
        tokio::select! {
            () = here => {}
            () = there => {}
        }
    }
}
