//! Owners that are stuck: this machine looks for them, and takes their tasks over; as an owner, it
//! gives signs of life.
//!
//! Lives elsewhere: who counts as stuck is decided by `protocol::Leases`; when this is called is
//! the pipeline's.
//! Invariants: only the owner's machine takes over, by a compare-and-swap with a higher epoch, so
//! that whatever the old owner still does is refused; a task with a draft is left alone, as it
//! waits for a person; a look is a look at the remote, never at what was known before.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use platinum_core::{AgentName, ClaimId, Role, TaskId, VaultPath, ZoneId, layout};
use platinum_protocol::{ClaimMachine, ClaimRecord, Claimed, Leases, TaskPlace};
use platinum_repo::{Oid, RefName};
use platinum_vault::{VaultError, note::Note};

use super::{
    super::{SyncError, Synchronizer, side::Side, stamps::agent_of},
    claiming::{From, MAX_ATTEMPTS},
    drafts::Drafts,
    places::{self, MAX_NOTE},
};

/// How long an owner may be silent, if nothing else was said.
const LEASE: Duration = Duration::from_secs(30 * 60);
/// How far back the newest commit of an owner is looked for when this host starts.
const MAX_BACK: usize = 10_000;
/// How long marks of claims may outlive their tasks.
const PRUNE: Duration = Duration::from_secs(600);

/// What this host has seen of other owners, and when it gave a sign of life itself.
pub(in crate::sync) struct Watch {
    began: Instant,
    lease: Duration,
    leases: Leases,
    looked: Option<Instant>,
    /// Up to which tip `signs` are known.
    walked: Option<Oid>,
    /// The newest commit of each agent.
    signs: BTreeMap<AgentName, String>,
    /// When a commit of this host last landed.
    pushed: Instant,
    pruned: Instant,
}

impl Default for Watch {
    fn default() -> Self {
        Self::new(LEASE)
    }
}

impl Watch {
    fn new(lease: Duration) -> Self {
        let now = Instant::now();
        Self {
            began: now,
            lease,
            leases: Leases::new(ms(lease)),
            looked: None,
            walked: None,
            signs: BTreeMap::new(),
            pushed: now,
            pruned: now,
        }
    }
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A task of somebody else's, with the claim by which it is owned.
#[derive(Debug, Clone)]
struct Held {
    task: TaskId,
    zone: ZoneId,
    record: ClaimRecord,
}

impl Synchronizer {
    /// The same, with another time that an owner may be silent before its tasks are taken over.
    #[must_use]
    pub fn with_lease(self, lease: Duration) -> Self {
        *self.watch() = Watch::new(lease);
        self
    }

    fn watch(&self) -> std::sync::MutexGuard<'_, Watch> {
        // Times and ids: whole after any panic.
        self.watch
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Notes that a commit of this host landed: a sign of life.
    pub(in crate::sync) fn note_pushed(&self) {
        self.watch().pushed = Instant::now();
    }

    /// Looks, now and then, for owners that have been silent for a lease, and takes over their
    /// tasks of these zones that have no draft of their claim. Answers what is this agent's now.
    ///
    /// # Errors
    /// If the remote is away, or the repository cannot be read.
    pub async fn take_over_stuck(
        &self,
        zones: &[ZoneId],
    ) -> Result<Vec<(TaskId, ZoneId)>, SyncError> {
        let may = self.side.role == Role::Local && self.remote.is_some();
        if !may || !self.is_look_due() || self.silence().is_some() {
            return Ok(Vec::new());
        }
        let zones = zones.to_vec();
        self.in_turn(move |sync| async move { sync.take_over_in_turn(&zones).await })
            .await
    }

    async fn take_over_in_turn(
        &self,
        zones: &[ZoneId],
    ) -> Result<Vec<(TaskId, ZoneId)>, SyncError> {
        let Some(tip) = self.fetch_and_verify().await? else {
            return Ok(Vec::new());
        };
        let mut held = self.look(tip).await?;
        held.retain(|owner, _| self.watch().leases.has_expired(owner));
        let mut taken = Vec::new();
        if held.is_empty() {
            return Ok(taken);
        }
        // What comes in does so in a turn: till the end of this one there are no others here.
        let drafts = self.blocking(|side| Ok(Drafts::of(&side.vault))).await?;
        for (owner, held) in held {
            for Held { task, zone, record } in held {
                let epoch = record.epoch;
                if !zones.contains(&zone) || drafts.has(task, epoch) {
                    continue;
                }
                let has_draft = self
                    .blocking(move |side| side.has_draft(tip, task, epoch))
                    .await?;
                if has_draft {
                    continue;
                }
                let agent = self.side.agent.clone();
                let id = ClaimId::generate();
                let machine = ClaimMachine::take_over(task, agent, id, MAX_ATTEMPTS, record);
                match self.drive(machine, From::Stuck, false).await {
                    Ok(Claimed::Won { epoch }) => {
                        tracing::warn!(%task, %owner, epoch, "The owner shows no sign of life; its task is taken over.");
                        taken.push((task, zone));
                    }
                    // It has done something since the look, and the next one measures anew.
                    Ok(Claimed::Lost { .. }) => break,
                    Ok(Claimed::Tentative | Claimed::GaveUp) => {}
                    // The others can be taken over all the same.
                    Err(error) if error.is_about_one_task() => {
                        tracing::warn!(%task, %owner, "The owner shows no sign of life; its task cannot be taken over: {error}.");
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(taken)
    }

    /// Whether a tip still speaks for taking a task over: since the last look its owner has
    /// committed nothing, and there is no draft of its claim.
    pub(super) async fn is_still_stuck(
        &self,
        task: TaskId,
        tip: Option<Oid>,
    ) -> Result<bool, SyncError> {
        let looked = self.watch().walked;
        self.blocking(move |side| {
            let (Some(tip), TaskPlace::Owned(record)) = (tip, side.place_at(tip, task)?) else {
                return Ok(false);
            };
            let new = side.signs(looked, tip, BTreeMap::new(), BTreeSet::new())?;
            Ok(!new.contains_key(&record.agent) && !side.has_draft(tip, task, record.epoch)?)
        })
        .await
    }

    /// Whether the last look is so long ago that the next one is due.
    fn is_look_due(&self) -> bool {
        let watch = self.watch();
        let every = Duration::from_millis(watch.leases.longest_gap_ms() / 2);
        watch.looked.is_none_or(|at| at.elapsed() >= every)
    }

    /// One look at all owners, at a tip that the remote has just given.
    async fn look(&self, tip: Oid) -> Result<BTreeMap<AgentName, Vec<Held>>, SyncError> {
        let (walked, signs) = {
            let watch = self.watch();
            (watch.walked, watch.signs.clone())
        };
        let (held, signs) = self
            .blocking(move |side| {
                let held = side.held_by_others(tip)?;
                let signs = side.signs(walked, tip, signs, held.keys().cloned().collect())?;
                Ok((held, signs))
            })
            .await?;
        let mut watch = self.watch();
        let now = Instant::now();
        let now_ms = ms(now.duration_since(watch.began));
        let owners = held
            .keys()
            .map(|owner| (owner, signs.get(owner).map(String::as_str)));
        watch.leases.observe(owners, now_ms);
        watch.looked = Some(now);
        watch.walked = Some(tip);
        watch.signs = signs;
        Ok(held)
    }

    /// A sign of life, if this agent owns tasks and has had nothing to push for a third of the
    /// lease: a count in the record of one of its claims. Answers whether one was given.
    ///
    /// # Errors
    /// If the note cannot be edited, or the remote is away.
    pub async fn beat(&self) -> Result<bool, SyncError> {
        if self.remote.is_none() || self.silence().is_some() {
            return Ok(false);
        }
        let is_due = {
            let watch = self.watch();
            let now = ms(watch.began.elapsed());
            let pushed = now.saturating_sub(ms(watch.pushed.elapsed()));
            Leases::is_heartbeat_due(ms(watch.lease), pushed, now)
        };
        if !is_due {
            return Ok(false);
        }
        self.in_turn(|sync| async move { sync.beat_in_turn().await })
            .await
    }

    async fn beat_in_turn(&self) -> Result<bool, SyncError> {
        // Cut off, a sign of life reaches nobody: after a take-over it would be an edit of a task
        // that is another's.
        self.fetch_and_verify().await?;
        if !self.blocking(Side::beat_here).await? {
            return Ok(false);
        }
        self.sync_in_turn().await?;
        Ok(true)
    }

    /// Forgets marks of claims whose tasks are finished or another's, now and then.
    pub(in crate::sync) async fn prune_marks(&self) -> Result<(), SyncError> {
        {
            let mut watch = self.watch();
            if watch.pruned.elapsed() < PRUNE.min(watch.lease) {
                return Ok(());
            }
            watch.pruned = Instant::now();
        }
        self.blocking(Side::prune_marks).await.map(drop)
    }
}

impl Side {
    /// The tasks that a tip has in the folders of other agents.
    fn held_by_others(&self, tip: Oid) -> Result<BTreeMap<AgentName, Vec<Held>>, SyncError> {
        let mut held: BTreeMap<AgentName, Vec<Held>> = BTreeMap::new();
        for folder in self.repo.items(tip, layout::IN_PROGRESS)? {
            let Ok(owner) = folder.name.parse::<AgentName>() else {
                continue;
            };
            if owner == self.agent {
                continue;
            }
            let path = format!("{}/{owner}", layout::IN_PROGRESS);
            for file in self.repo.items(tip, &path)? {
                let name = file.name.strip_suffix(".md");
                let Some(task) = name.and_then(|name| name.parse().ok()) else {
                    continue;
                };
                let found = places::find(&self.repo, tip, task)?;
                let (TaskPlace::Owned(record), Some(file)) = (found.place, found.file) else {
                    continue;
                };
                let zone = self.note_in(&file).ok().and_then(|note| zone_of(&note));
                if let Some(zone) = zone
                    && record.agent == owner
                {
                    let one = Held { task, zone, record };
                    held.entry(owner.clone()).or_default().push(one);
                }
            }
        }
        Ok(held)
    }

    /// The newest commit of each owner: what is new since the last look, or, at the first, from
    /// the tip back.
    fn signs(
        &self,
        walked: Option<Oid>,
        tip: Oid,
        mut signs: BTreeMap<AgentName, String>,
        owners: BTreeSet<AgentName>,
    ) -> Result<BTreeMap<AgentName, String>, SyncError> {
        if let Some(walked) = walked
            && self.repo.is_ancestor(walked, tip)?
        {
            for commit in self.repo.commits_between(Some(walked), tip, usize::MAX)? {
                if let Some(agent) = agent_of(&self.repo.commit_info(commit)?) {
                    signs.insert(agent, commit.to_string());
                }
            }
        }
        let mut missing = owners;
        missing.retain(|owner| !signs.contains_key(owner));
        let mut at = Some(tip);
        for _ in 0..MAX_BACK {
            let Some(commit) = at.filter(|_| !missing.is_empty()) else {
                break;
            };
            let info = self.repo.commit_info(commit)?;
            if let Some(agent) = agent_of(&info)
                && missing.remove(&agent)
            {
                signs.insert(agent, commit.to_string());
            }
            at = info.parents.first().copied();
        }
        Ok(signs)
    }

    /// Counts one up in the record of a claim of this agent; whether it has one.
    fn beat_here(&self) -> Result<bool, SyncError> {
        let Some(tip) = self.repo.tip(RefName::Verified)? else {
            return Ok(false);
        };
        let _hands = self.hands();
        self.catch_up()?;
        for entry in self
            .vault
            .list(&format!("{}/{}", layout::IN_PROGRESS, self.agent))?
        {
            let Ok(task) = entry.path.stem().parse::<TaskId>() else {
                continue;
            };
            let found = places::find(&self.repo, tip, task)?;
            let TaskPlace::Owned(record) = found.place else {
                continue;
            };
            if record.agent == self.agent && record.epoch > 0 {
                return self.beat_in(&entry.path, record);
            }
        }
        Ok(false)
    }

    fn beat_in(&self, path: &VaultPath, record: ClaimRecord) -> Result<bool, SyncError> {
        let text = match self.vault.read_text(path, MAX_NOTE as u64) {
            Ok(text) => text,
            Err(VaultError::NotFound(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let unreadable = |source| SyncError::Note {
            path: path.clone(),
            source,
        };
        let mut note = Note::parse(&text).map_err(unreadable)?;
        let beat = record.beat.saturating_add(1);
        places::write_claim(&mut note, path, &ClaimRecord { beat, ..record })?;
        self.touch([path].into_iter());
        match self
            .vault
            .replace(path, note.to_text().as_bytes(), Some(text.as_bytes()))
        {
            Ok(()) => Ok(true),
            // Somebody edits it: that is a sign of life soon enough.
            Err(VaultError::Changed(_) | VaultError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets the marks of claims that no longer say anything; answers how many.
    pub(in crate::sync) fn prune_marks(&self) -> Result<usize, SyncError> {
        let Some(tip) = self.repo.tip(RefName::Verified)? else {
            return Ok(0);
        };
        let mut pruned = 0;
        for name in self.repo.marks("claims")? {
            let task = name.rsplit('/').next().and_then(|id| id.parse().ok());
            let keep = match task {
                Some(task) => match self.place_at(Some(tip), task)? {
                    // A push may still be under way, or this is what tells our claim.
                    TaskPlace::Waiting => true,
                    TaskPlace::Owned(record) => record.agent == self.agent,
                    TaskPlace::Finished | TaskPlace::Absent => false,
                },
                None => false,
            };
            if !keep {
                self.repo.set_mark(&name, None)?;
                pruned += 1;
            }
        }
        Ok(pruned)
    }
}

/// The zone that a task's note names.
fn zone_of(note: &Note) -> Option<ZoneId> {
    note.get_text("zone")?.parse().ok()
}
