//! [`Status`]: how everything stands at one moment.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use platinum_capabilities::zones::CheckLevel;
use platinum_core::{AgentName, Role, Timestamp, VaultPath};
use platinum_daemon::{Config, ServersDown, ZoneServers, doctor};
use platinum_effects::approvals::ApprovalPolicy;
use platinum_vault::{Vault, VaultCounts};
use serde::Serialize;

use crate::{
    Check, JournalState, Level, Paused, ReadError, SyncOverview,
    approvals::{ApprovalState, approval_policy},
    conflicts::{conflict_copies, conflicts_check},
    overview::is_daemon_running,
    text::{count, plain},
    unreadable_checks,
};

/// At most so many files are named in words.
const NAMED: usize = 3;

/// How everything stands.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// When it was read.
    pub at: Timestamp,
    /// This host.
    pub agent: AgentName,
    /// Its role.
    pub role: Role,
    /// Whether its daemon runs.
    pub is_daemon_running: bool,
    /// The vault's folder.
    pub vault: PathBuf,
    /// Tasks, by where they are.
    pub tasks: TaskCounts,
    /// Drafts, by where they are.
    pub drafts: DraftCounts,
    /// The remote, and how the vault compares with it.
    #[serde(flatten)]
    pub sync: SyncOverview,
    /// Conflict copies that the owner has not put away yet.
    pub conflicts: Vec<VaultPath>,
    /// The journal of effects.
    pub journal: JournalState,
    /// Whether the owner has stopped everything.
    pub paused: Option<Paused>,
    /// The zones that this host can set up, by id.
    pub zones: Vec<ZoneSummary>,
    /// Of keys and disks, what is not well.
    pub host: Vec<Check>,
}

/// What is set up for a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ZoneSummary {
    /// Its id.
    pub zone: String,
    /// What is set up, in a few words; `None` if nothing is.
    pub summary: Option<String>,
    /// Why its server does not run, as the daemon found it last; `None` if it runs, or no daemon does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_down: Option<String>,
}

/// Tasks, by where they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TaskCounts {
    /// Waiting for an agent, by zone.
    pub waiting: BTreeMap<String, u64>,
    /// Owned, by agent.
    pub in_progress: BTreeMap<String, u64>,
    /// Finished in this month, in UTC.
    pub done_this_month: u64,
    /// Files in `Needs_Action/` that are not tasks.
    pub not_tasks: Vec<VaultPath>,
}

/// Drafts, by where they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DraftCounts {
    /// Waiting for the owner.
    pub pending: u64,
    /// Of those, how many cannot be read.
    pub unreadable: u64,
    /// Approved and still in `Approved/`.
    pub approved: u64,
    /// Of those, how many have an unknown outcome; `None` if the journal cannot be read.
    pub outcome_unknown: Option<u64>,
}

impl Status {
    /// Reads it all. Only the state folder and the vault are read; no host is asked.
    ///
    /// # Errors
    /// If the vault cannot be listed. A folder in it, a repository or a journal that cannot be read is part of the
    /// answer.
    pub fn read(
        config: &Config,
        vault: &Vault,
        agent: AgentName,
        role: Role,
        now: Timestamp,
    ) -> Result<Self, ReadError> {
        let state = &config.vault.state;
        let counts = VaultCounts::read(vault, now)?;
        let is_daemon_running = is_daemon_running(state);
        let down = match is_daemon_running {
            true => ZoneServers::read(state).map_err(|error| error.to_string()),
            false => Ok(ServersDown::new()),
        };
        let server_down = |zone: &str| match &down {
            Ok(down) => down.get(zone).map(|reason| plain(reason, 300)),
            Err(error) => Some(format!("whether it runs cannot be read: {error}")),
        };
        let zones = config
            .zones
            .configured()
            .map(|(zone, configured)| ZoneSummary {
                zone: zone.to_owned(),
                summary: configured.summary().map(|summary| plain(&summary, 120)),
                server_down: server_down(zone),
            });
        Ok(Self {
            at: now,
            role,
            is_daemon_running,
            vault: vault.root().to_owned(),
            drafts: DraftCounts::read(
                &counts,
                vault,
                state,
                &approval_policy(config, &agent),
                now,
            )?,
            tasks: TaskCounts {
                waiting: counts.waiting,
                in_progress: counts.in_progress,
                done_this_month: counts.done_this_month,
                not_tasks: counts.not_tasks,
            },
            sync: SyncOverview::read(config, Some(&agent), now),
            conflicts: conflict_copies(vault)?,
            journal: JournalState::read(state, Some(vault), &agent),
            paused: Paused::read(state),
            zones: zones.collect(),
            host: host_checks(config, role),
            agent,
        })
    }

    /// All of it in words, in the order in which a person reads it.
    pub fn checks(&self) -> Vec<Check> {
        let mut checks = vec![match self.is_daemon_running {
            true => Check::ok("daemon", "running"),
            false => Check::warn("daemon", "not running").remedy("`platinum run` starts it"),
        }];
        checks.extend(self.paused.as_ref().map(Paused::check));
        checks.push(Check::new(
            "vault",
            Level::Dim,
            self.vault.display().to_string(),
        ));
        checks.push(self.tasks.check(&self.agent));
        checks.extend(self.tasks.not_tasks_check());
        checks.push(self.drafts.check());
        checks.extend(self.sync.checks());
        checks.extend(self.host.iter().cloned());
        checks.extend(unreadable_checks(&self.sync.unsynced.unreadable));
        checks.extend(conflicts_check(&self.conflicts));
        checks.push(self.journal.check());
        checks.extend(self.zones.iter().filter_map(ZoneSummary::server_check));
        checks
    }
}

/// What `doctor` says of keys and disks, as far as it is not well.
fn host_checks(config: &Config, role: Role) -> Vec<Check> {
    let rows = doctor::keys(config, role).into_iter();
    let rows = rows.chain(doctor::disks(config));
    rows.filter_map(|row| {
        let level = match row.check.level {
            CheckLevel::Ok => return None,
            CheckLevel::Warning => Level::Warn,
            CheckLevel::Error => Level::Error,
        };
        Some(Check::new(row.name, level, plain(&row.check.text, 500)))
    })
    .collect()
}

impl ZoneSummary {
    fn server_check(&self) -> Option<Check> {
        let reason = self.server_down.as_ref()?;
        let text = format!("its server does not run: {reason}");
        Some(Check::error(&self.zone, text).remedy("`platinum doctor` tries it anew"))
    }
}

impl TaskCounts {
    fn check(&self, me: &AgentName) -> Check {
        let waiting: u64 = self.waiting.values().sum();
        let owned: u64 = self.in_progress.values().sum();
        let mine = self.in_progress.get(me.as_str()).copied().unwrap_or(0);
        let text = format!(
            "{waiting} waiting, {owned} in progress ({mine} here), {} done this month",
            self.done_this_month
        );
        Check::new("tasks", Level::Dim, text)
    }

    fn not_tasks_check(&self) -> Option<Check> {
        let (first, files) = (self.not_tasks.first()?, self.not_tasks.len());
        let mut named: Vec<String> = self
            .not_tasks
            .iter()
            .take(NAMED)
            .map(|path| plain(path.as_str(), 120))
            .collect();
        if files > named.len() {
            named.push(format!("and {} more", files - named.len()));
        }
        let what = count(files, "file", "files");
        let is = if files == 1 {
            "is not a task"
        } else {
            "are not tasks"
        };
        let text = format!("{what} in {}/ {is}: {}", first.top(), named.join(", "));
        Some(Check::warn("not tasks", text))
    }
}

impl DraftCounts {
    fn read(
        counts: &VaultCounts,
        vault: &Vault,
        state: &Path,
        policy: &ApprovalPolicy,
        now: Timestamp,
    ) -> Result<Self, ReadError> {
        let pending = crate::approvals::pending_drafts(vault)?;
        let is_unknown =
            |state: &ApprovalState| matches!(state, ApprovalState::OutcomeUnknown { .. });
        let approved = crate::approvals::approved(vault, state, policy, now).ok();
        let tally = |n: usize| n as u64;
        Ok(Self {
            pending: counts.pending,
            unreadable: tally(
                pending
                    .drafts
                    .iter()
                    .filter(|draft| draft.draft.is_err())
                    .count(),
            ),
            approved: counts.approved,
            outcome_unknown: approved
                .map(|rows| tally(rows.iter().filter(|row| is_unknown(&row.state)).count())),
        })
    }

    fn check(&self) -> Check {
        let mut text = match self.pending {
            0 => "none waits for you".to_owned(),
            n => format!(
                "{} for you (`platinum approvals`)",
                count(n, "waits", "wait")
            ),
        };
        if self.approved > 0 {
            text.push_str(&format!(
                ", {} approved and not yet carried out",
                self.approved
            ));
        }
        let unknown = self.outcome_unknown.unwrap_or(0);
        if unknown > 0 {
            text.push_str(&format!(" ({unknown} in doubt: `platinum approvals`)"));
        }
        if self.approved > 0 && self.outcome_unknown.is_none() {
            text.push_str(" (outcomes not checked: the journal cannot be read)");
        }
        if self.unreadable > 0 {
            text.push_str(&format!(
                ", {} cannot be read (`platinum approvals` says why)",
                self.unreadable
            ));
        }
        let level = if self.unreadable > 0 || unknown > 0 {
            Level::Error
        } else if self.pending > 0 {
            Level::Warn
        } else {
            Level::Dim
        };
        Check::new("drafts", level, text)
    }
}
