//! [`SyncOverview`]: the remote, the other hosts, and everything that keeps the vault from being
//! in sync; and whether the daemon runs at all.

use std::{fs::File, path::Path};

use platinum_core::{AgentName, TaskId, Timestamp};
use platinum_daemon::{Config, doctor};
use platinum_sync::SyncSnapshot;
use serde::Serialize;

use crate::{
    AgentSeen, Check, Level, RemoteState, SyncState, WithheldFiles, agents, sync::tentative_check,
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
    /// Tasks that are worked on here before the remote has confirmed the claim.
    pub tentative: Vec<TaskId>,
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
        let agents = match remote.is_some() && git_dir.exists() {
            // A repository that cannot be read is an error in `sync`.
            true => doctor::last_commits(&git_dir, me).unwrap_or_default(),
            false => Vec::new(),
        };
        Self {
            at: now,
            remote,
            sync,
            agents,
            withheld: WithheldFiles::of(&snapshot),
            tentative: snapshot.tentative,
        }
    }

    /// Takes in that the remote has just answered with this tip, in hex.
    #[must_use]
    pub fn with_answer(mut self, remote_tip: &str) -> Self {
        let at = self.at;
        self.sync = self.sync.map(|sync| sync.with_answer(remote_tip, at));
        self
    }

    /// Takes in that the remote has just answered that it is empty.
    #[must_use]
    pub fn with_empty_answer(mut self) -> Self {
        self.sync = self.sync.map(SyncState::with_empty_answer);
        self
    }

    /// In words.
    pub fn checks(&self) -> Vec<Check> {
        let Some(remote) = &self.remote else {
            let text = "none: this host works alone";
            return vec![Check::new("remote", Level::Dim, text)];
        };
        let mut checks = vec![remote.check(self.at)];
        checks.extend(self.sync.as_ref().map(|sync| sync.check(self.at)));
        checks.extend(self.withheld.checks());
        checks.extend(tentative_check(&self.tentative));
        checks.extend(self.agents.iter().map(|seen| agents::check(seen, self.at)));
        checks
    }
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
