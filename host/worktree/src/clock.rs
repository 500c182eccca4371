//! Stamps of versions: when each was made, by the hybrid logical clock of its maker.
//!
//! Every commit made here carries its stamp as a trailer. The stamp of the remote's version of a
//! file is that of the newest commit that changed it; the stamp of our version is when a scan of
//! the work tree first saw it.
//!
//! Lives elsewhere: the clock and what a skew is are `protocol::hlc`'s; which version keeps a path
//! is decided in `protocol::merge`.
//! Invariants: the clock has seen everything this host ever stamped that matters, also after a
//! restart: what was pushed is in the verified tip, what was not is in the outbox; a commit without
//! a stamp, or with one from too far ahead, has no say in what is later.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

use platinum_core::{AgentName, Role, Timestamp, VaultPath};
use platinum_protocol::{
    hlc::{Hlc, Skew, Stamp},
    merge::Version,
};
use platinum_repo::{CommitInfo, CommitMeta, Oid, RefName, Repo, RepoError, TRAILER_AGENT};

/// The trailer with a commit's stamp.
const TRAILER_CLOCK: &str = "Platinum-Clock";
/// How far back the kept edits are searched for the time of a version.
const MAX_KEPT: usize = 1000;
/// More commits than this are not searched for the one that made a version.
const MAX_BACK: usize = 100_000;

/// The clock of this host, and what it knows about those of others.
pub struct VersionClock {
    repo: Repo,
    agent: AgentName,
    role: Role,
    state: Mutex<State>,
    /// What else every commit made here says of itself.
    trailers: OnceLock<Trailers>,
}

/// More trailers of every commit that is made here, asked for anew for each.
pub type Trailers = Box<dyn Fn() -> Vec<(String, String)> + Send + Sync>;

#[derive(Default)]
struct State {
    clock: Hlc,
    /// When a scan of the work tree first saw each version that the remote has not.
    seen: BTreeMap<VaultPath, (Oid, Stamp)>,
    /// Whether there was a scan in this process.
    is_scanned: bool,
    /// By how many seconds the newest stamp of an agent was ahead, where that is worth a word.
    ahead: BTreeMap<AgentName, (i64, bool)>,
}

impl VersionClock {
    /// A clock that has seen nothing yet; see [`VersionClock::restore`].
    pub fn new(repo: Repo, agent: AgentName, role: Role) -> Self {
        Self {
            repo,
            agent,
            role,
            state: Mutex::default(),
            trailers: OnceLock::new(),
        }
    }

    /// Puts these trailers on every commit from now on; the first call counts.
    pub fn set_trailers(&self, trailers: Trailers) {
        // A second one would be a second machine.
        let _ = self.trailers.set(trailers);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Times and ids: whole after any panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a commit made here says of itself, stamped now.
    pub fn meta(&self, message: String, mut trailers: Vec<(String, String)>) -> CommitMeta {
        let stamp = self.state().clock.tick(now_ms());
        trailers.push((TRAILER_CLOCK.to_owned(), stamp.to_string()));
        trailers.extend(self.trailers.get().map(|more| more()).unwrap_or_default());
        CommitMeta {
            trailers,
            ..self.unstamped_meta(message)
        }
    }

    /// As [`VersionClock::meta`], for a commit that is never pushed and has no say in what is later.
    pub(crate) fn unstamped_meta(&self, message: String) -> CommitMeta {
        CommitMeta {
            agent: self.agent.clone(),
            role: self.role,
            message,
            trailers: Vec::new(),
            at: Timestamp::now(),
        }
    }

    /// A sentence for each agent whose clock is not as this machine's.
    pub fn skews(&self) -> Vec<String> {
        let sentence = |(agent, (ahead, trusted)): (&AgentName, &(i64, bool))| {
            let then = match trusted {
                true => "",
                false => "; its edits no longer count as later, but in the order of the remote",
            };
            let ahead = duration(*ahead);
            format!(
                "the clock of {agent} is {ahead} ahead of this machine's; set the one that is wrong{then}"
            )
        };
        self.state().ahead.iter().map(sentence).collect()
    }

    /// Restores the logical clock after a start: not behind anything that this host ever stamped.
    pub fn restore(&self) -> Result<(), RepoError> {
        let mut commits = self.repo.outgoing()?;
        for name in [RefName::Verified, RefName::Applied] {
            commits.extend(self.repo.tip(name)?);
        }
        for commit in commits {
            if let Some(stamp) = stamp_of(&self.repo.commit_info(commit)?) {
                self.state().clock.observe(stamp, now_ms());
            }
        }
        Ok(())
    }

    /// Observes the stamps of commits that came in, and logs the clocks that differ from ours.
    pub fn observe(&self, before: Option<Oid>, tip: Oid) -> Result<(), RepoError> {
        let new = match before {
            Some(before) => self.repo.commits_between(Some(before), tip, usize::MAX)?,
            None => vec![tip],
        };
        // Only the last stamp of each agent counts: it shows its clock as it is now.
        let mut last = BTreeMap::new();
        for commit in new {
            let info = self.repo.commit_info(commit)?;
            if let (Some(stamp), Some(agent)) = (stamp_of(&info), agent_of(&info)) {
                let skew = self.state().clock.observe(stamp, now_ms());
                last.insert(agent, skew);
            }
        }
        let mut is_news = false;
        for (agent, skew) in last {
            let mut state = self.state();
            match skew {
                Skew::Fine => drop(state.ahead.remove(&agent)),
                Skew::Warned(ms) | Skew::Distrusted(ms) => {
                    let ahead = (ms / 1000, skew.is_trusted());
                    let before = state.ahead.insert(agent, ahead);
                    is_news |= before.is_none();
                }
            }
        }
        if is_news {
            for skew in self.skews() {
                tracing::warn!("{skew}.");
            }
        }
        Ok(())
    }

    /// Notes the versions that a scan of the work tree found and the remote has not, once each.
    /// Versions that an earlier process found have their time from the chain of kept edits.
    pub fn note_versions(&self, ours: &BTreeMap<VaultPath, Option<Oid>>) -> Result<(), RepoError> {
        let mut state = self.state();
        let is_first = !std::mem::replace(&mut state.is_scanned, true);
        let mut before = std::mem::take(&mut state.seen);
        let mut now = None;
        for (path, blob) in ours {
            let Some(blob) = *blob else { continue };
            let stamp = match before.remove(path).filter(|(was, _)| *was == blob) {
                Some((_, stamp)) => Some(stamp),
                None if is_first => self.kept_since(path, blob)?,
                None => None,
            };
            let stamp = match stamp {
                Some(stamp) => stamp,
                None => *now.get_or_insert_with(|| state.clock.tick(now_ms())),
            };
            state.seen.insert(path.clone(), (blob, stamp));
        }
        Ok(())
    }

    /// Since when, to the second, the kept edits have had this version without a break.
    fn kept_since(&self, path: &VaultPath, blob: Oid) -> Result<Option<Stamp>, RepoError> {
        let mut since = None;
        let mut at = self.repo.last_snapshot()?;
        for _ in 0..MAX_KEPT {
            let Some(link) = at else { break };
            if self.repo.blob_at(link, path)? != Some(blob) {
                break;
            }
            let info = self.repo.commit_info(link)?;
            since = Some(Stamp {
                wall_ms: info.seconds.saturating_mul(1000),
                count: 0,
            });
            at = info.parents.first().copied();
        }
        Ok(since)
    }

    /// Who made the version that the work tree has, and when.
    pub fn our_version(&self, path: &VaultPath) -> Version {
        let mut state = self.state();
        let stamp = match state.seen.get(path) {
            Some((_, stamp)) => *stamp,
            None => state.clock.tick(now_ms()),
        };
        Version {
            stamp,
            agent: self.agent.clone(),
            trusted: true,
        }
    }

    /// Who made the version that `tip` has of a path, and when: the newest commit since `applied`
    /// that changed it.
    pub fn their_version(
        &self,
        applied: Option<Oid>,
        tip: Option<Oid>,
        path: &VaultPath,
    ) -> Version {
        let unknown = || Version {
            stamp: Stamp::default(),
            agent: self.agent.clone(),
            trusted: false,
        };
        let made = tip.map(|tip| self.find_maker(applied, tip, path));
        match made {
            Some(Ok(Some(version))) => version,
            Some(Ok(None)) | None => unknown(),
            Some(Err(error)) => {
                tracing::warn!(%path, "Cannot determine who made the remote's version: {error}.");
                unknown()
            }
        }
    }

    /// Goes back from a tip to where the version that it has came from.
    fn find_maker(
        &self,
        applied: Option<Oid>,
        tip: Oid,
        path: &VaultPath,
    ) -> Result<Option<Version>, RepoError> {
        let there = self.repo.blob_at(tip, path)?;
        let mut at = tip;
        for _ in 0..MAX_BACK {
            if applied == Some(at) {
                break;
            }
            let info = self.repo.commit_info(at)?;
            let mut from = None;
            for parent in &info.parents {
                if self.repo.blob_at(*parent, path)? == there {
                    from = Some(*parent);
                    break;
                }
            }
            if let Some(from) = from {
                at = from;
                continue;
            }
            let stamp = stamp_of(&info);
            let by_commit = Stamp {
                wall_ms: info.seconds.saturating_mul(1000),
                count: 0,
            };
            return Ok(Some(Version {
                trusted: stamp.is_some_and(|stamp| stamp.skew(now_ms()).is_trusted()),
                stamp: stamp.unwrap_or(by_commit),
                agent: agent_of(&info).unwrap_or_else(|| self.agent.clone()),
            }));
        }
        Ok(None)
    }
}

/// A span as people say it.
fn duration(seconds: i64) -> String {
    match seconds {
        ..120 => format!("{seconds} s"),
        120..7_200 => format!("{} minutes", (seconds + 30) / 60),
        7_200..172_800 => format!("{} hours", (seconds + 1_800) / 3_600),
        _ => format!("{} days", (seconds + 43_200) / 86_400),
    }
}

fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

fn stamp_of(info: &CommitInfo) -> Option<Stamp> {
    info.trailer(TRAILER_CLOCK)?.parse().ok()
}

/// Who made a commit. It was verified before, so that its trailer is true.
pub fn agent_of(info: &CommitInfo) -> Option<AgentName> {
    info.trailer(TRAILER_AGENT)?.parse().ok()
}
