//! [`SyncOverview`]: the remote, the other hosts, and everything that keeps the vault from being
//! in sync; and whether the daemon runs at all.

use std::{fs::File, path::Path};

use platinum_capabilities::zones::CheckLevel;
use platinum_core::{AgentName, Role, TaskId, Timestamp};
use platinum_daemon::{Config, doctor};
use platinum_sync::SyncSnapshot;
use platinum_vault::{UnsyncedFiles, Vault};
use serde::Serialize;

use crate::{
    AgentSeen, Check, HeldList, Level, RemoteState, SyncState, WithheldFiles, agents,
    sync::tentative_check, text::plain, unsynced,
};

/// The remote, and how the vault compares with it.
#[derive(Debug, Clone, Serialize)]
pub struct SyncOverview {
    /// When it was read.
    #[serde(skip)]
    at: Timestamp,
    /// The remote; `None` if this host works alone.
    pub remote: Option<RemoteState>,
    /// How the vault compares with it; `None` if this host works alone.
    pub sync: Option<SyncState>,
    /// The newest commit of every other host in the verified history.
    pub agents: Vec<AgentSeen>,
    /// Files that are not given to the remote, and why.
    pub withheld: WithheldFiles,
    /// Files that take no part in sync, and what of the vault cannot be read.
    pub unsynced: UnsyncedFiles,
    /// What other devices pushed that is not in the vault, by path.
    #[serde(flatten)]
    pub held: HeldList,
    /// Tasks that are worked on here before the remote has confirmed the claim.
    pub tentative: Vec<TaskId>,
    /// What keeps equal tips from being "in sync".
    #[serde(skip)]
    doubts: Vec<String>,
}

impl SyncOverview {
    /// Reads what the daemon recorded and what the repository holds. No host is asked.
    pub fn read(config: &Config, me: Option<&AgentName>, now: Timestamp) -> Self {
        let git_dir = config.vault.state.join("vault.git");
        let snapshot = SyncSnapshot::read(&config.vault.state);
        let remote = RemoteState::read(config, now);
        let sync = remote
            .as_ref()
            .map(|remote| SyncState::read(&snapshot, &remote.contact, &git_dir));
        let doubts = doubts(config);
        // A vault that cannot be opened is an error in its own row.
        let vault = Vault::open(&config.vault.path).ok();
        let agents = match remote.is_some() && git_dir.exists() {
            // A repository that cannot be read is an error in `sync`.
            true => doctor::last_commits(&git_dir, me).unwrap_or_default(),
            false => Vec::new(),
        };
        Self {
            at: now,
            remote,
            sync: sync.map(|sync| sync.with_doubts(&doubts)),
            agents,
            withheld: WithheldFiles::of(&snapshot),
            unsynced: vault
                .as_ref()
                .map(|vault| UnsyncedFiles::read(vault, &*unsynced::by_choice(config)))
                .unwrap_or_default(),
            held: HeldList::read(&config.vault.state),
            tentative: snapshot.tentative,
            doubts,
        }
    }

    /// Takes in that the remote has just answered with this tip, in hex.
    #[must_use]
    pub fn with_answer(mut self, remote_tip: &str) -> Self {
        let at = self.at;
        self.sync = self.sync.map(|sync| {
            let answered = sync.with_answer(remote_tip, at);
            answered.with_doubts(&self.doubts)
        });
        self
    }

    /// Takes in that the remote has just answered that it is empty.
    #[must_use]
    pub fn with_empty_answer(mut self) -> Self {
        self.sync = self.sync.map(SyncState::with_empty_answer);
        self
    }

    /// How the vault compares, with the number of files that this says nothing of.
    fn sync_check(&self, sync: &SyncState) -> Check {
        let mut check = sync.check(self.at);
        let is_good = matches!(sync, SyncState::InSync { .. } | SyncState::UpToDate { .. });
        if let Some(beside) = unsynced::beside(&self.unsynced).filter(|_| is_good) {
            check.text = format!("{}; {beside}", check.text);
        }
        check
    }

    /// In words.
    pub fn checks(&self) -> Vec<Check> {
        let Some(remote) = &self.remote else {
            let text = "none: this host works alone";
            return vec![Check::new("remote", Level::Dim, text)];
        };
        let mut checks = vec![remote.check(self.at)];
        checks.extend(self.sync.as_ref().map(|sync| self.sync_check(sync)));
        checks.extend(self.withheld.checks());
        checks.extend(self.held.check());
        checks.extend(unsynced::check(&self.unsynced));
        checks.extend(tentative_check(&self.tentative));
        checks.extend(self.agents.iter().map(|seen| agents::check(seen, self.at)));
        checks
    }
}

/// What "in sync" claims beside equal tips: that the other half's keys are known, and that there is
/// room for what comes.
fn doubts(config: &Config) -> Vec<String> {
    let keys = doctor::keys(config, Role::Local).filter(|row| row.check.level != CheckLevel::Ok);
    let full = doctor::disks(config).into_iter();
    let full = full.filter(|row| row.check.level == CheckLevel::Error);
    let keys = keys.map(|_| "keys were not exchanged with a cloud host".to_owned());
    keys.into_iter()
        .chain(full.map(|row| plain(&row.check.text, 200)))
        .collect()
}

/// Whether a daemon holds the lock of the state folder.
pub fn is_daemon_running(state: &Path) -> bool {
    let Ok(lock) = File::open(state.join("lock")) else {
        return false;
    };
    matches!(
        lock.try_lock_shared(),
        Err(std::fs::TryLockError::WouldBlock)
    )
}
