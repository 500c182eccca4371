//! How the vault stands to its remote: [`RemoteState`], [`SyncState`] and what is [`WithheldFiles`].
//!
//! Lives elsewhere: what is known was written by the daemon (`RemoteHealth`, `SyncSnapshot`) or stands in
//! the repository. No host is asked here.
//! Invariant: "in sync" needs all of these: the daemon runs, the remote answered a moment ago, its
//! tip passed every rule, the vault holds all of it, and nothing is withheld or unknown. Anything
//! less says as of when it was known.

use std::path::Path;

use platinum_core::{TaskId, Timestamp};
use platinum_daemon::Config;
use platinum_repo::{RefName, Repo, RepoError};
use platinum_sync::{RemoteHealth, SyncSnapshot};
use platinum_worktree::{FIX_NAMES, Withheld};
use serde::Serialize;

use crate::{
    check::{Check, Level},
    overview::is_daemon_running,
    text::{ago, count, plain, short_time},
};

/// A running daemon has heard from the remote so recently, or something is wrong. A quiet remote
/// is recorded every half minute.
const FRESH_SECONDS: i64 = 90;
/// At most so many tasks are named in words.
const NAMED: usize = 5;

/// The remote, and when it last answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RemoteState {
    /// Its address, without a password; or why it is not one.
    pub address: String,
    /// When it last answered.
    pub contact: RemoteContact,
}

/// When the remote last answered, and whether the daemon still asks it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum RemoteContact {
    /// No daemon has asked it yet.
    NotAsked,
    /// The daemon was started with another remote, and asks that one.
    OtherRemote {
        /// The remote that it asks.
        asked: String,
    },
    /// It has never answered.
    NeverAnswered {
        /// Why the last call failed.
        reason: String,
    },
    /// It answered, and the last call failed.
    Failing {
        /// When it answered.
        answered: Timestamp,
        /// Why the last call failed.
        reason: String,
    },
    /// It answered, and the daemon does not run now.
    DaemonOff {
        /// When it answered.
        answered: Timestamp,
    },
    /// It has not answered for longer than a quiet remote takes.
    Late {
        /// When it answered.
        answered: Timestamp,
    },
    /// It answered a moment ago.
    Fresh {
        /// When it answered.
        answered: Timestamp,
    },
}

impl RemoteContact {
    pub(crate) fn of(contact: &RemoteHealth, is_running: bool, now: Timestamp) -> Self {
        let reason = |why: &str| plain(why.trim_end_matches('.'), 300);
        match (contact.answered, &contact.trouble) {
            (None, None) => Self::NotAsked,
            (None, Some(why)) => Self::NeverAnswered {
                reason: reason(why),
            },
            (Some(answered), Some(why)) => Self::Failing {
                answered,
                reason: reason(why),
            },
            (Some(answered), None) if !is_running => Self::DaemonOff { answered },
            (Some(answered), None) => {
                match now.as_second() - answered.as_second() > FRESH_SECONDS {
                    true => Self::Late { answered },
                    false => Self::Fresh { answered },
                }
            }
        }
    }

    /// When it last answered.
    pub fn answered(&self) -> Option<Timestamp> {
        match self {
            Self::NotAsked | Self::OtherRemote { .. } | Self::NeverAnswered { .. } => None,
            Self::Failing { answered, .. }
            | Self::DaemonOff { answered }
            | Self::Late { answered }
            | Self::Fresh { answered } => Some(*answered),
        }
    }

    fn words(&self, now: Timestamp) -> (Level, String) {
        match self {
            Self::NotAsked => (Level::Warn, "not asked yet".to_owned()),
            Self::OtherRemote { asked } => (
                Level::Warn,
                format!("not asked: the daemon was started with {asked}; restart it"),
            ),
            Self::NeverAnswered { reason } => (Level::Error, format!("never answered: {reason}")),
            Self::Failing { answered, reason } => (
                Level::Error,
                format!(
                    "last answered {}, then failed: {reason}",
                    ago(*answered, now)
                ),
            ),
            Self::DaemonOff { answered } => (
                Level::Warn,
                format!(
                    "last answered {}; not asked while the daemon is off",
                    ago(*answered, now)
                ),
            ),
            Self::Late { answered } => (
                Level::Warn,
                format!("last answered {}", ago(*answered, now)),
            ),
            Self::Fresh { answered } => (Level::Ok, format!("answered {}", ago(*answered, now))),
        }
    }
}

impl RemoteState {
    /// The remote of a configuration; `None` if this host works alone.
    pub fn read(config: &Config, now: Timestamp) -> Option<Self> {
        let address = match config.sync.remote.as_str() {
            "" => return None,
            address => platinum_repo::Address::parse(address).map_or_else(
                |error| error.to_string(),
                |address| plain(address.as_str(), 200),
            ),
        };
        let state = &config.vault.state;
        let health = RemoteHealth::read(state);
        let contact = match (&health.remote, is_daemon_running(state)) {
            (Some(asked), true) if *asked != config.sync.remote => RemoteContact::OtherRemote {
                asked: plain(asked, 200),
            },
            (Some(asked), false) if *asked != config.sync.remote => RemoteContact::NotAsked,
            (_, is_running) => RemoteContact::of(&health, is_running, now),
        };
        Some(Self { address, contact })
    }

    /// In words.
    pub fn check(&self, now: Timestamp) -> Check {
        let (level, contact) = self.contact.words(now);
        Check::new("remote", level, format!("{}, {contact}", self.address))
    }
}

/// A verified commit, as people compare it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TipInfo {
    /// Its id, in hex.
    pub commit: String,
    /// When its author says it was made, in seconds since 1970.
    pub made_at_second: i64,
}

impl TipInfo {
    fn words(&self, now: Timestamp) -> String {
        format!(
            "{}, made {}",
            short_oid(&self.commit),
            crate::text::span((now.as_second() - self.made_at_second).max(0))
        )
    }
}

/// An id as people compare it.
pub fn short_oid(oid: &str) -> &str {
    oid.get(..10).unwrap_or(oid)
}

/// The verified tip that the vault holds, compared with the remote's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum SyncState {
    /// Nothing came from the remote yet.
    NothingYet {
        /// Why the last sync failed, if it did.
        reason: Option<String>,
    },
    /// The repository cannot be read.
    Unreadable {
        /// Why.
        reason: String,
    },
    /// The last sync failed.
    Stopped {
        /// What the vault holds.
        tip: TipInfo,
        /// Why it failed.
        reason: String,
    },
    /// The vault and the remote are known to differ.
    Differs {
        /// What the vault holds.
        tip: TipInfo,
        /// Whether the remote has changes that were not taken over.
        is_behind: bool,
        /// Files of the tip that the vault does not hold yet.
        not_applied: usize,
        /// Commits whose push was not acknowledged.
        unacknowledged: usize,
        /// Files that stay on this machine.
        withheld: usize,
        /// Files that are being written.
        waiting: usize,
        /// Claims that the remote has not confirmed.
        tentative: usize,
    },
    /// Both hold the same, and the remote has just answered.
    InSync {
        /// What both hold.
        tip: TipInfo,
        /// When the remote answered.
        as_of: Timestamp,
    },
    /// As in sync, and yet it is not certain that it stays so, or that it reaches the other half.
    Doubted {
        /// What both hold.
        tip: TipInfo,
        /// When the remote answered.
        as_of: Timestamp,
        /// What is in doubt, each in a few words.
        doubts: Vec<String>,
    },
    /// Both held the same when the remote last answered.
    UpToDate {
        /// What both held.
        tip: TipInfo,
        /// When the remote answered.
        as_of: Timestamp,
        /// Whether it is still being asked.
        is_asked: bool,
    },
    /// No sync has confirmed what the vault holds.
    Unconfirmed {
        /// What the vault holds.
        tip: TipInfo,
    },
}

impl SyncState {
    /// The state of a vault whose remote has this contact.
    pub(crate) fn read(snapshot: &SyncSnapshot, contact: &RemoteContact, git_dir: &Path) -> Self {
        let trouble = snapshot
            .trouble
            .as_deref()
            .map(|why| plain(why.trim_end_matches('.'), 400));
        let refs = match git_dir.exists().then(|| Refs::read(git_dir)) {
            None => return Self::NothingYet { reason: None },
            Some(Err(error)) => {
                return Self::Unreadable {
                    reason: plain(&error.to_string(), 300),
                };
            }
            Some(Ok(refs)) => refs,
        };
        let Some(tip) = refs.verified else {
            return Self::NothingYet { reason: trouble };
        };
        if let Some(reason) = trouble {
            return Self::Stopped { tip, reason };
        }
        let withheld = snapshot.withheld.len() + snapshot.withheld_more;
        let tentative = snapshot.tentative.len();
        let waiting = snapshot.waiting;
        let differences = refs.not_applied + refs.unacknowledged + withheld + waiting + tentative;
        if refs.is_behind || differences > 0 {
            return Self::Differs {
                tip,
                is_behind: refs.is_behind,
                not_applied: refs.not_applied,
                unacknowledged: refs.unacknowledged,
                withheld,
                waiting,
                tentative,
            };
        }
        match (contact.answered(), contact) {
            (Some(as_of), RemoteContact::Fresh { .. }) if snapshot.is_in_sync() => {
                Self::InSync { tip, as_of }
            }
            (Some(as_of), _) if snapshot.is_in_sync() => Self::UpToDate {
                tip,
                as_of,
                is_asked: !matches!(contact, RemoteContact::DaemonOff { .. }),
            },
            _ => Self::Unconfirmed { tip },
        }
    }

    /// The same, now that the remote has answered with this tip.
    pub(crate) fn with_answer(self, remote_tip: &str, now: Timestamp) -> Self {
        match self {
            Self::UpToDate { tip, .. } if tip.commit == remote_tip => {
                Self::InSync { tip, as_of: now }
            }
            Self::UpToDate { tip, .. } => Self::Differs {
                tip,
                is_behind: true,
                not_applied: 0,
                unacknowledged: 0,
                withheld: 0,
                waiting: 0,
                tentative: 0,
            },
            other => other.after_answer(),
        }
    }

    /// The same, now that the remote has answered that it has no branch.
    pub(crate) fn with_empty_answer(self) -> Self {
        self.after_answer()
    }

    /// The same, held against what else "in sync" claims.
    #[must_use]
    pub(crate) fn with_doubts(self, doubts: &[String]) -> Self {
        match self {
            Self::InSync { tip, as_of } if !doubts.is_empty() => Self::Doubted {
                tip,
                as_of,
                doubts: doubts.to_vec(),
            },
            other => other,
        }
    }

    /// Why an earlier sync failed for want of an answer is no news once there is one.
    fn after_answer(self) -> Self {
        match self {
            Self::NothingYet {
                reason: Some(reason),
            } if is_want_of_answer(&reason) => Self::NothingYet { reason: None },
            Self::Stopped { tip, reason } if is_want_of_answer(&reason) => {
                Self::Unconfirmed { tip }
            }
            other => other,
        }
    }

    /// In words.
    pub fn check(&self, now: Timestamp) -> Check {
        let (level, text) = match self {
            Self::NothingYet { reason: None } => {
                (Level::Warn, "nothing came from the remote yet".to_owned())
            }
            Self::NothingYet {
                reason: Some(reason),
            } => (Level::Error, format!("nothing came yet: {reason}")),
            Self::Unreadable { reason } => (Level::Error, reason.clone()),
            Self::Stopped { tip, reason } => (
                Level::Error,
                format!("stopped at {}: {reason}", tip.words(now)),
            ),
            Self::Differs {
                tip,
                is_behind,
                not_applied,
                unacknowledged,
                withheld,
                waiting,
                tentative,
            } => {
                let mut differences = Vec::new();
                if *is_behind {
                    differences
                        .push("the remote has newer changes that are not taken over".to_owned());
                }
                for (n, one, many) in [
                    (
                        *not_applied,
                        "file of it is not in the vault yet",
                        "files of it are not in the vault yet",
                    ),
                    (
                        *unacknowledged,
                        "commit is not known to have landed",
                        "commits are not known to have landed",
                    ),
                    (*withheld, "file is withheld", "files are withheld"),
                    (*waiting, "file is being written", "files are being written"),
                    (*tentative, "claim is tentative", "claims are tentative"),
                ] {
                    if n > 0 {
                        differences.push(count(n, one, many));
                    }
                }
                let text = format!(
                    "not in sync, at {}: {}",
                    tip.words(now),
                    differences.join("; ")
                );
                (Level::Warn, text)
            }
            Self::InSync { tip, .. } => {
                (Level::Ok, format!("in sync: both hold {}", tip.words(now)))
            }
            Self::Doubted { tip, doubts, .. } => (
                Level::Warn,
                format!(
                    "the vault and the remote hold {}; not in sync all the same: {}",
                    tip.words(now),
                    doubts.join("; ")
                ),
            ),
            Self::UpToDate {
                tip,
                as_of,
                is_asked,
            } => (
                Level::Warn,
                format!(
                    "up to date as of {} at {}; the remote has not {} since",
                    short_time(*as_of),
                    tip.words(now),
                    if *is_asked { "answered" } else { "been asked" }
                ),
            ),
            Self::Unconfirmed { tip } => (
                Level::Warn,
                format!("at {}; not yet confirmed by a sync", tip.words(now)),
            ),
        };
        Check::new("sync", level, text)
    }
}

/// Whether a sync failed because the remote could not be asked, as `RemoteError` says it.
fn is_want_of_answer(reason: &str) -> bool {
    [
        "did not answer",
        "took longer than",
        "ssh does not trust",
        "cannot be started",
    ]
    .iter()
    .any(|words| reason.contains(words))
}

/// Files that changed here and are not given to the remote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct WithheldFiles {
    /// Each, with the reason.
    pub files: Vec<Withheld>,
    /// How many more there are than are named.
    pub more: usize,
}

impl WithheldFiles {
    pub(crate) fn of(snapshot: &SyncSnapshot) -> Self {
        let files = snapshot.withheld.iter().map(|file| Withheld {
            path: file.path.clone(),
            reason: plain(&file.reason, 400),
        });
        Self {
            files: files.collect(),
            more: snapshot.withheld_more,
        }
    }

    /// In words: each that was recorded, and how many more. Names that one command mends are one.
    pub fn checks(&self) -> Vec<Check> {
        let mut forms = 0;
        let named = self.files.iter().filter_map(|file| {
            let is_form = file.reason.contains(FIX_NAMES);
            forms += usize::from(is_form);
            let path = plain(file.path.as_str(), 120);
            (!is_form || forms == 1)
                .then(|| Check::warn("withheld", format!("{path}: {}", file.reason)))
        });
        let mut checks: Vec<Check> = named.collect();
        if forms > 1 {
            let like = count(forms - 1, "more name", "more names");
            checks.push(Check::warn("withheld", format!("{like} of that kind")));
        }
        if self.more > 0 {
            checks.push(Check::warn(
                "withheld",
                format!("and {}", count(self.more, "more file", "more files")),
            ));
        }
        checks
    }
}

/// Tasks that are worked on here before the remote has confirmed the claim, in words.
pub(crate) fn tentative_check(tasks: &[TaskId]) -> Option<Check> {
    if tasks.is_empty() {
        return None;
    }
    let named: Vec<String> = tasks.iter().take(NAMED).map(ToString::to_string).collect();
    Some(Check::warn(
        "tentative",
        format!(
            "{} not confirmed by the remote yet, nothing is sent for them: {}",
            count(tasks.len(), "claim is", "claims are"),
            named.join(", ")
        ),
    ))
}

/// What the repository says at this moment, which may be newer than what the daemon recorded.
struct Refs {
    verified: Option<TipInfo>,
    is_behind: bool,
    not_applied: usize,
    unacknowledged: usize,
}

impl Refs {
    fn read(git_dir: &Path) -> Result<Self, RepoError> {
        let repo = Repo::open_or_init(git_dir)?;
        let verified = repo.tip(RefName::Verified)?;
        let seen = repo.tip(RefName::Remote)?;
        let applied = repo.tip(RefName::Applied)?;
        let info = verified.map(|oid| repo.commit_info(oid)).transpose()?;
        // Our own pushes are verified before the next fetch sees them.
        let is_behind = match (seen, verified) {
            (Some(seen), Some(verified)) if seen != verified => {
                !repo.is_ancestor(seen, verified)?
            }
            (Some(_), None) => true,
            _ => false,
        };
        let not_applied = match verified {
            Some(verified) if applied != Some(verified) => repo.changes(applied, verified)?.len(),
            _ => 0,
        };
        Ok(Self {
            verified: info.map(|info| TipInfo {
                commit: info.oid.to_string(),
                made_at_second: info.seconds,
            }),
            is_behind,
            not_applied,
            unacknowledged: repo.outgoing()?.len(),
        })
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
