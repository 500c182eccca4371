//! The oracle: what must hold at each landing, at each answer, at each effect, and in the end.

use std::collections::BTreeSet;

use platinum_core::ClaimId;
use platinum_protocol::{ClaimRecord, TaskPlace, reconcile::Intent};

use super::{
    content::Content,
    remote::Id,
    world::{LOCAL, World},
};

impl World {
    /// The remote has moved to a commit.
    pub(super) fn judge_landing(&mut self, commit: Id) {
        self.seen.landed += 1;
        let files = self.remote.files(Some(commit));
        let before = self.remote.files(self.remote.commits[commit].parent);
        let host = self.remote.commits[commit].host;
        let mut places = vec![0_u32; self.paths.done.len()];
        let mut was = vec![0_u32; self.paths.done.len()];
        for path in before.keys() {
            if let Some(&task) = self.paths.tasks.get(path) {
                was[task] += 1;
            }
        }
        for (path, blob) in files.iter() {
            let Some(&task) = self.paths.tasks.get(path) else {
                continue;
            };
            places[task] += 1;
            if before.get(path) == Some(blob) {
                continue;
            }
            if let Content::Task {
                claim: Some(record),
                ..
            } = self.contents.of(*blob).clone()
            {
                self.judge_claim(host, task, &record);
            }
        }
        for (task, (&places, &was)) in places.iter().zip(&was).enumerate() {
            if places > 1 || places < was.min(1) {
                self.fail(format!(
                    "task {task} is in {places} places of the remote's tree"
                ));
            }
        }
    }

    fn judge_claim(&mut self, host: usize, task: usize, record: &ClaimRecord) {
        let before = self.truth.highest.get(&task).copied();
        if before.is_some_and(|(epoch, id)| record.epoch <= epoch && record.id != id) {
            self.fail(format!(
                "task {task} is claimed with epoch {} again",
                record.epoch
            ));
        }
        self.truth.highest.insert(task, (record.epoch, record.id));
        if self.truth.told_lost.contains(&(host, record.id)) {
            self.fail(format!(
                "a claim of task {task} landed whose maker learned that it is lost"
            ));
        }
    }

    /// A host learned that a task is its own.
    pub(super) fn confirm(&mut self, host: usize, task: usize, record: &ClaimRecord) {
        let key = (task, record.epoch);
        let winner = (host, record.id);
        if *self.truth.winners.entry(key).or_insert(winner) != winner {
            self.fail(format!(
                "task {task} has two owners in epoch {}",
                record.epoch
            ));
        }
        if self
            .truth
            .highest
            .get(&task)
            .is_none_or(|(epoch, _)| *epoch < record.epoch)
        {
            self.fail(format!("a claim of task {task} was won that never landed"));
        }
    }

    /// A host learned that a task is not its own.
    pub(super) fn told_lost(&mut self, host: usize, task: usize, claim: ClaimId) {
        if let TaskPlace::Owned(record) = self.place(self.remote.tip, task)
            && record.id == claim
            && record.agent == self.hosts[host].agent
        {
            self.fail(format!("the owner of task {task} learned that it is lost"));
        }
        self.truth.told_lost.insert((host, claim));
    }

    /// The effect of a task happens.
    pub(super) fn effect(&mut self, host: usize, task: usize) {
        self.seen.effects += 1;
        let times = self.truth.effects.entry(task).or_default();
        *times += 1;
        if *times > 1 {
            self.fail(format!("the effect of task {task} happened twice"));
        }
        let is_own_zone = host == LOCAL && self.is_local_only(task);
        let held = self.held(host, task);
        let owned = match self.place(self.remote.tip, task) {
            TaskPlace::Owned(record) => Some(record),
            _ => None,
        };
        let is_owner = held.is_some() && held == owned;
        let is_decided = matches!(
            self.hosts[host].intents.get(&task),
            Some(Intent::Own { .. })
        );
        let is_allowed = is_owner || is_own_zone && is_decided;
        if !is_allowed {
            self.fail(format!(
                "the effect of task {task} happened without its confirmed claim"
            ));
        }
    }

    pub(super) fn is_local_only(&self, task: usize) -> bool {
        task + 1 == self.paths.done.len()
    }

    /// Whether all hosts have what the remote has, but for what no tree may have.
    pub(super) fn has_converged(&self) -> bool {
        let tip = self.remote.files(self.remote.tip);
        self.hosts.iter().all(|host| {
            let held = &host.memory.withheld;
            let mut here = host.disk.tree();
            here.retain(|path, _| !held.contains(path));
            host.verified == self.remote.tip && here == *tip
        })
    }

    /// After the calm.
    pub(super) fn judge_end(&mut self) {
        if self.failure.is_some() {
            return;
        }
        if !self.has_converged() {
            let lines: Vec<_> = self
                .hosts
                .iter()
                .map(|host| {
                    format!(
                        "{}: {:?} but for {:?}",
                        host.agent,
                        host.disk.tree(),
                        host.memory.withheld
                    )
                })
                .collect();
            let tip = self.remote.files(self.remote.tip);
            self.fail(format!(
                "the trees did not become one: {}; remote: {tip:?}",
                lines.join("; ")
            ));
        }
        let tip = self.remote.files(self.remote.tip);
        for task in 0..self.paths.done.len() {
            let at: Vec<_> = tip
                .keys()
                .filter(|path| self.paths.tasks.get(*path) == Some(&task))
                .cloned()
                .collect();
            if at != [self.paths.done[task].clone()] {
                self.fail(format!("task {task} is at {at:?} in the end"));
            }
        }
        let mut there: BTreeSet<u32> = tip.values().copied().collect();
        for host in &self.hosts {
            there.extend(host.disk.files().map(|file| file.blob));
        }
        let lost: Vec<_> = self.truth.owed.difference(&there).copied().collect();
        for blob in lost {
            self.fail(format!("{:?} is lost", self.contents.of(blob)));
        }
    }
}
