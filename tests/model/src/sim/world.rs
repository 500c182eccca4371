//! Everything in one run: hosts, remote, people, chance, and what an observer who sees all knows.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use platinum_core::{AgentName, ClaimId, TaskId, VaultPath};
use platinum_protocol::{
    Leases,
    hlc::{Hlc, Stamp},
    reconcile::Intent,
};

use super::{
    Coverage, Mistake,
    content::{Blob, Content, Contents, Files},
    disk::Disk,
    host::Op,
    remote::{Commit, Id, Remote},
    rng::Rng,
};

/// The host of the owner: it acts, takes over, and works alone in some zones.
pub(super) const LOCAL: usize = 0;
/// How long a file that is being written, or is gone, must stay so before that is taken: longer
/// than an editor pauses.
const SETTLE_MS: i64 = 500;
/// How old a file must be before its time tells one state from another.
const RACY_MS: i64 = 2_000;

/// One host.
pub(super) struct Host {
    pub(super) agent: AgentName,
    // What a crash leaves.
    pub(super) disk: Disk,
    pub(super) applied: Rc<Files>,
    pub(super) applied_at: Option<Id>,
    /// The commit whose files were last begun to be brought to the disk.
    pub(super) applying: Option<Id>,
    pub(super) verified: Option<Id>,
    pub(super) outgoing: Vec<Id>,
    pub(super) marks: BTreeMap<usize, ClaimId>,
    pub(super) intents: BTreeMap<usize, Intent>,
    pub(super) journal: BTreeSet<usize>,
    // What it does not.
    pub(super) memory: Memory,
    // Its surroundings.
    pub(super) offset_ms: i64,
    pub(super) is_cut: bool,
    pub(super) may_overwrite: bool,
    /// A file that is being written: its inode, what it will hold, and since when.
    pub(super) writing: Option<(u32, Blob, i64)>,
}

/// What a crash takes.
pub(super) struct Memory {
    pub(super) hlc: Hlc,
    pub(super) leases: Leases,
    pub(super) op: Op,
    /// When each version that the remote has not was first seen.
    pub(super) seen: BTreeMap<VaultPath, (Blob, Stamp)>,
    /// States that are not stable yet, and since when they are so; none for a file that is gone.
    unsettled: BTreeMap<VaultPath, (Option<Blob>, i64)>,
    /// What files held at their last look, by their time.
    cache: BTreeMap<VaultPath, (i64, usize, Blob)>,
    /// Edits that are not sent: the tree has no place for them.
    pub(super) withheld: BTreeSet<VaultPath>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            hlc: Hlc::new(),
            leases: Leases::new(4_000),
            op: Op::Idle,
            seen: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            cache: BTreeMap::new(),
            withheld: BTreeSet::new(),
        }
    }

    /// Since when a path is in this state.
    fn since(&self, path: &VaultPath, state: Option<Blob>, now: i64) -> i64 {
        match self.unsettled.get(path) {
            Some((was, since)) if *was == state => *since,
            _ => now,
        }
    }
}

/// What an observer who sees everything knows.
#[derive(Default)]
pub(super) struct Truth {
    /// What was written and never knowingly overwritten or deleted: it must be there in the end.
    pub(super) owed: BTreeSet<Blob>,
    /// Which claim was confirmed of a task and epoch, and to whom.
    pub(super) winners: BTreeMap<(usize, u64), (usize, ClaimId)>,
    /// The highest epoch of a task that landed, and by which claim.
    pub(super) highest: BTreeMap<usize, (u64, ClaimId)>,
    /// Claims whose makers learned that the task is not theirs.
    pub(super) told_lost: BTreeSet<(usize, ClaimId)>,
    pub(super) effects: BTreeMap<usize, u32>,
}

/// One run.
pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) now: i64,
    pub(super) hosts: Vec<Host>,
    pub(super) remote: Remote,
    pub(super) contents: Contents,
    pub(super) paths: Paths,
    pub(super) truth: Truth,
    pub(super) mistake: Option<Mistake>,
    /// No faults any more.
    pub(super) is_calm: bool,
    pub(super) seen: Coverage,
    pub(super) failure: Option<String>,
    pub(super) trace: Option<Vec<String>>,
}

/// Paths that are used all the time.
pub(super) struct Paths {
    pub(super) notes: Vec<VaultPath>,
    pub(super) waiting: Vec<VaultPath>,
    pub(super) in_progress: Vec<Vec<VaultPath>>,
    pub(super) done: Vec<VaultPath>,
    /// Of every place of a task, which task it is.
    pub(super) tasks: BTreeMap<VaultPath, usize>,
}

impl World {
    pub(super) fn is(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }

    /// Notes a step; the text is made only if it will be read.
    pub(super) fn note(&mut self, text: impl FnOnce(&Self) -> String) {
        if self.trace.is_some() {
            let line = format!("{:>6} {}", self.now, text(self));
            if let Some(trace) = &mut self.trace {
                trace.push(line);
            }
        }
    }

    /// A promise was broken; the first counts.
    pub(super) fn fail(&mut self, what: impl Into<String>) {
        let what = what.into();
        self.note(|_| format!("BROKEN: {what}"));
        self.failure.get_or_insert(what);
    }

    pub(super) fn wall(&self, host: usize) -> i64 {
        self.now + self.hosts[host].offset_ms
    }

    /// A fault strikes so many times in a hundred, unless all is calm.
    pub(super) fn strikes(&mut self, chance: usize) -> bool {
        !self.is_calm && self.rng.percent(chance)
    }

    /// A new commit, noted on its maker's disk before it goes anywhere.
    pub(super) fn commit(&mut self, host: usize, parent: Option<Id>, files: Files) -> Id {
        let wall = self.wall(host);
        let stamp = self.hosts[host].memory.hlc.tick(wall);
        if self.is(Mistake::NoNonce) {
            let agent = &self.hosts[host].agent;
            let is_same = |c: &Commit| {
                c.parent == parent && *c.files == files && self.hosts[c.host].agent == *agent
            };
            if let Some(id) = self.remote.commits.iter().rposition(is_same) {
                self.hosts[host].outgoing.push(id);
                return id;
            }
        }
        let id = self.remote.add(Commit {
            parent,
            files: Rc::new(files),
            host,
            stamp,
            landed: false,
            is_of_disk: false,
        });
        self.hosts[host].outgoing.push(id);
        id
    }

    /// Every file of a host, stable and as it was read; what is not stable counts as unchanged.
    pub(super) fn scan(&mut self, host: usize, base: &Rc<Files>) -> Files {
        let (now, wall) = (self.now, self.wall(host));
        let is_whole = self.is_calm;
        let contents = &self.contents;
        let here = &mut self.hosts[host];
        let base = Rc::clone(base);
        let mut found = Files::new();
        let mut unsettled = BTreeMap::new();
        let mut cache = BTreeMap::new();
        for file in here.disk.files() {
            let len = match contents.of(file.blob) {
                Content::Text(_) => 0,
                Content::Half(_) => 1,
                Content::Task { .. } => 2 + file.blob as usize,
            };
            let known = here.memory.cache.get(&file.path);
            let blob = match known {
                Some((modified, was, blob))
                    if *modified == file.modified && *was == len && !is_whole =>
                {
                    *blob
                }
                _ => file.blob,
            };
            if wall - file.modified * 1000 > RACY_MS {
                cache.insert(file.path.clone(), (file.modified, len, blob));
            }
            if base.get(&file.path) == Some(&blob) {
                found.insert(file.path.clone(), blob);
                continue;
            }
            if !matches!(contents.of(blob), Content::Half(_)) {
                found.insert(file.path.clone(), blob);
                continue;
            }
            let since = here.memory.since(&file.path, Some(blob), now);
            unsettled.insert(file.path.clone(), (Some(blob), since));
            if now - since >= SETTLE_MS {
                found.insert(file.path.clone(), blob);
            } else if let Some(before) = base.get(&file.path) {
                found.insert(file.path.clone(), *before);
            }
        }
        for (path, blob) in base.iter() {
            let is_there = here.disk.get(path).is_some_and(|file| file.path == *path);
            if is_there {
                continue;
            }
            let since = here.memory.since(path, None, now);
            unsettled.insert(path.clone(), (None, since));
            if now - since < SETTLE_MS {
                found.insert(path.clone(), *blob);
            }
        }
        here.memory.unsettled = unsettled;
        here.memory.cache = cache;
        found
    }

    /// The host notes the remote's tip: clocks, what can no longer land, signs of life.
    pub(super) fn accept(&mut self, host: usize) {
        let (tip, wall, now) = (self.remote.tip, self.wall(host), self.now);
        let new = self.remote.between(self.hosts[host].verified, tip);
        for id in new {
            let stamp = self.remote.commits[id].stamp;
            let skew = self.hosts[host].memory.hlc.observe(stamp, wall);
            self.seen.distrusted += u32::from(!skew.is_trusted());
        }
        for id in self.hosts[host].outgoing.clone() {
            if self.remote.commits[id].landed {
                self.own_edits_landed(host, id);
            }
        }
        let commits = &self.remote.commits;
        let here = &mut self.hosts[host];
        here.verified = tip;
        here.outgoing
            .retain(|&id| commits[id].parent == tip && !commits[id].landed);
        if host == LOCAL {
            let owners = self.newest_of_owners(tip);
            let named = owners.iter().map(|(agent, id)| (agent, Some(id.as_str())));
            let now = u64::try_from(now).unwrap_or(0);
            self.hosts[host].memory.leases.observe(named, now);
        }
    }

    /// What the remote took from this disk is in common from now on, whatever the disk has by then:
    /// else a file that was put back meanwhile would look as if it had not been touched. What the
    /// commit made anew may be a conflict copy that is not on the disk yet.
    pub(super) fn own_edits_landed(&mut self, host: usize, commit: Id) {
        let commit = &self.remote.commits[commit];
        if !commit.is_of_disk {
            return;
        }
        let before = self.remote.files(commit.parent);
        let mut applied = (*self.hosts[host].applied).clone();
        for (path, was) in before.iter() {
            match commit.files.get(path) {
                None => {
                    applied.remove(path);
                }
                Some(now) if now != was => {
                    applied.insert(path.clone(), *now);
                }
                Some(_) => {}
            }
        }
        self.hosts[host].applied = Rc::new(applied);
    }

    fn newest_of_owners(&self, tip: Option<Id>) -> Vec<(AgentName, String)> {
        let mut newest: BTreeMap<usize, Id> = BTreeMap::new();
        for id in self.remote.between(None, tip) {
            newest.entry(self.remote.commits[id].host).or_insert(id);
        }
        newest
            .into_iter()
            .map(|(host, id)| (self.hosts[host].agent.clone(), super::remote::hex(id)))
            .collect()
    }

    /// Dies and starts again: what is in memory is gone.
    pub(super) fn crash(&mut self, host: usize) {
        self.note(|w| {
            format!(
                "{} dies at {:?} and starts again",
                w.hosts[host].agent, w.hosts[host].memory.op
            )
        });
        self.seen.crashes += 1;
        let wall = self.wall(host);
        let here = &mut self.hosts[host];
        here.memory = Memory::new();
        let known = here
            .outgoing
            .iter()
            .chain(&here.verified)
            .chain(&here.applied_at);
        for &id in known {
            here.memory.hlc.observe(self.remote.commits[id].stamp, wall);
        }
        self.stop_taking_in(host);
    }
}

impl Paths {
    pub(super) fn task_id(task: usize) -> TaskId {
        TaskId::from_parts(1, task as u128 + 1)
    }
}
