//! Our own synchronizer on a vault, as the daemon runs it: woken by file events, with the gates,
//! the signatures and the stamps that it always has.

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use platinum_core::Role;
use platinum_repo::{Address, ClientOptions, GitRemote, Oid, RefName, Remote, Repo};
use platinum_secrets::{Allowances, KnownSecrets, Scanner};
use platinum_sync::{SyncConfig, Synchronizer};
use platinum_vault::Vault;
use platinum_verify::Identity;
use platinum_watch::{DirtyPaths, Wake, WakeUps, Watch};

/// How long a change may take to be taken at all.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long the first sync of all notes may take.
const BEGINNING: Duration = Duration::from_secs(1800);

/// A vault with its synchronizer and its watch.
pub(crate) struct Ours {
    sync: Synchronizer,
    wake_ups: WakeUps,
    _watch: Watch,
    repo: Repo,
    runtime: tokio::runtime::Runtime,
}

impl Ours {
    /// Opens the vault; the state folder is made if need be. Without a remote it works alone.
    pub(crate) fn open(vault: &Path, state: &Path, remote: Option<&str>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let _inside = runtime.enter();
        let git_dir = state.join("vault.git");
        fs::create_dir_all(state)?;
        let repo = Repo::open_or_init(&git_dir)?;
        let remote = match remote {
            Some(address) => {
                let options = ClientOptions {
                    user_config: false,
                    ..ClientOptions::default()
                };
                let address = Address::parse(address)?;
                let remote = GitRemote::with_options(repo.clone(), address, options);
                Some(Box::new(remote) as Box<dyn Remote>)
            }
            None => None,
        };
        let agent = "local".parse().context("a name")?;
        let identity = Identity::open(state, &agent, Role::Local)?;
        let opened = Vault::open(vault)?;
        let sync = Synchronizer::new(SyncConfig {
            vault: opened,
            git_dir,
            remote,
            agent,
            role: Role::Local,
            identity,
            scanner: Arc::new(Scanner::new(
                KnownSecrets::new([7; 32]),
                Allowances::default(),
            )),
        })?;
        let dirty = DirtyPaths::new();
        let (watch, wake_ups) = Watch::gather(vault, &dirty)?;
        sync.watched_by(dirty);
        Ok(Self {
            sync,
            wake_ups,
            _watch: watch,
            repo,
            runtime,
        })
    }

    /// Takes everything there is, and gathers what it made.
    pub(crate) fn begin(&mut self, notes: usize) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut files = 0;
        while files < notes {
            let report = self.runtime.block_on(self.sync.sync())?;
            ensure!(report.withheld.is_empty(), "{:?}", report.withheld.first());
            if let Some(tip) = self.repo.tip(RefName::Verified)? {
                files = self.repo.changes(None, tip)?.len();
            }
            ensure!(
                began.elapsed() < BEGINNING,
                "{files} of {notes} notes, {report:?}"
            );
        }
        self.runtime.block_on(self.repo.maintain())?;
        self.drain_events();
        Ok(())
    }

    /// Waits until no event comes any more, and drops the events.
    pub(crate) fn drain_events(&mut self) {
        let quiet = Duration::from_millis(400);
        while self.runtime.block_on(self.wake_ups.wait(quiet)) == Wake::Changed {}
    }

    /// Syncs once, whatever there is.
    pub(crate) fn sync(&self) -> anyhow::Result<Option<Oid>> {
        self.runtime.block_on(self.sync.sync())?;
        Ok(self.repo.tip(RefName::Verified)?)
    }

    /// From a change that was just made to its commit, and to the remote if there is one: the
    /// event, and the sync. The pause in which the daemon waits for a quiet vault is not in it.
    pub(crate) fn take_change(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        let before = self.repo.tip(RefName::Verified)?;
        let wake = self.runtime.block_on(self.wake_ups.wait(PATIENCE));
        ensure!(wake == Wake::Changed, "no event came");
        while self.sync()? == before {
            ensure!(began.elapsed() < PATIENCE, "the change was never taken");
        }
        Ok(())
    }
}
