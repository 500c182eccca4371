//! The merge of a disk with a tip: what the synchronizer does around [`merge::plan`].

use std::{collections::BTreeSet, rc::Rc};

use platinum_core::VaultPath;
use platinum_protocol::{
    hlc::Stamp,
    merge::{self, Keeper, Sides, Version},
};

use super::ops::Step;
use crate::sim::{
    Mistake,
    content::{Blob, Files, hex, unhex},
    remote::Id,
    world::World,
};

impl World {
    /// Merges the disk with a tip: a commit of what only we have, and what the disk needs.
    pub(in crate::sim) fn prepare(
        &mut self,
        host: usize,
        tip: Option<Id>,
    ) -> (Option<Id>, Vec<Step>) {
        let base = self.base(host);
        let ours = self.scan(host, &base);
        let theirs = self.remote.files(tip);
        self.first_seen(host, &base, &ours);
        let mut plan = {
            let sides = self.sides(host, tip, &base, &ours, &theirs);
            merge::plan(&Sides {
                base: &sides[0],
                ours: &sides[1],
                theirs: &sides[2],
                our_version: &|path| self.our_version(host, path),
                their_version: &|path| self.their_version(host, tip, path),
                may_overwrite: &|_| self.hosts[host].may_overwrite,
                unchanged: &|path| base.get(path).map(|&blob| hex(blob)),
            })
        };
        if self.is(Mistake::DeleteWins) {
            let is_edit = |path: &VaultPath, blob: &Option<String>| {
                blob.is_some() && base.contains_key(path) && !theirs.contains_key(path)
            };
            let gone: Vec<_> = plan
                .keep_ours
                .iter()
                .filter(|(p, b)| is_edit(p, b))
                .map(|(p, _)| p.clone())
                .collect();
            for path in gone {
                plan.keep_ours.remove(&path);
                plan.take_theirs.insert(path, None);
            }
        }
        let mut edits: Vec<(VaultPath, Option<Blob>)> = Vec::new();
        let mut todo = Vec::new();
        for (path, blob) in &plan.keep_ours {
            edits.push((path.clone(), blob.as_deref().map(unhex)));
        }
        for conflict in &plan.conflicts {
            self.seen.conflicts += 1;
            let aside = unhex(conflict.set_aside());
            if !self.is(Mistake::CopyDropped) {
                if theirs.get(&conflict.copy) != Some(&aside) {
                    edits.push((conflict.copy.clone(), Some(aside)));
                }
                todo.push(Step::Copy(conflict.copy.clone(), aside));
            }
            let our = unhex(&conflict.ours);
            match conflict.keeper {
                Keeper::Ours => edits.push((conflict.path.clone(), Some(our))),
                Keeper::Theirs => todo.push(Step::Put {
                    path: conflict.path.clone(),
                    expected: Some(our),
                    new: unhex(&conflict.theirs),
                }),
            }
        }
        for displaced in &plan.displaced {
            let aside = unhex(&displaced.blob);
            if theirs.get(&displaced.copy) != Some(&aside) {
                edits.push((displaced.copy.clone(), Some(aside)));
            }
            todo.push(Step::Copy(displaced.copy.clone(), aside));
            match displaced.owner {
                Keeper::Ours => todo.push(Step::Take {
                    path: displaced.path.clone(),
                    expected: Some(aside),
                }),
                Keeper::Theirs => edits.push((displaced.path.clone(), None)),
            }
        }
        // What goes goes first: the name may come again in another spelling.
        for (path, blob) in &plan.take_theirs {
            let expected = ours.get(path).copied();
            match blob {
                None => todo.insert(
                    0,
                    Step::Take {
                        path: path.clone(),
                        expected,
                    },
                ),
                Some(blob) => todo.push(Step::Put {
                    path: path.clone(),
                    expected,
                    new: unhex(blob),
                }),
            }
        }
        self.hold_back(host, &theirs, &mut edits);
        if edits.is_empty() {
            return (None, todo);
        }
        let mut files = (*theirs).clone();
        for (path, blob) in edits {
            match blob {
                Some(blob) => files.insert(path, blob),
                None => files.remove(&path),
            };
        }
        let commit = self.commit(host, tip, files);
        self.remote.commits[commit].is_of_disk = true;
        (Some(commit), todo)
    }

    /// What this host and the remote last had in common. Where the disk has what a take-in brought
    /// that was not ended, that is it: else the remote's own version would look like an edit made
    /// here, and win over what the remote has by now.
    pub(in crate::sim) fn base(&self, host: usize) -> Rc<Files> {
        let here = &self.hosts[host];
        let Some(begun) = here.applying.filter(|_| !self.is(Mistake::TakeInForgotten)) else {
            return Rc::clone(&here.applied);
        };
        if Some(begun) == here.applied_at {
            return Rc::clone(&here.applied);
        }
        let begun = &self.remote.commits[begun].files;
        let mut base = (*here.applied).clone();
        let paths: BTreeSet<&VaultPath> = begun.keys().chain(here.applied.keys()).collect();
        for path in paths {
            let brought = begun.get(path);
            let there = here.disk.get(path).filter(|file| file.path == *path);
            if there.map(|file| &file.blob) == brought {
                match brought {
                    Some(&blob) => base.insert(path.clone(), blob),
                    None => base.remove(path),
                };
            }
        }
        Rc::new(base)
    }

    /// The three trees, restricted to what changed on either side.
    fn sides(
        &self,
        _: usize,
        _: Option<Id>,
        base: &Files,
        ours: &Files,
        theirs: &Files,
    ) -> [merge::Tree; 3] {
        let mut trees = [merge::Tree::new(), merge::Tree::new(), merge::Tree::new()];
        let paths: BTreeSet<&VaultPath> = base
            .keys()
            .chain(ours.keys())
            .chain(theirs.keys())
            .collect();
        for path in paths {
            let blobs = [base.get(path), ours.get(path), theirs.get(path)];
            if blobs[0] == blobs[1] && blobs[0] == blobs[2] {
                continue;
            }
            for (tree, blob) in trees.iter_mut().zip(blobs) {
                if let Some(&blob) = blob {
                    tree.insert(path.clone(), hex(blob));
                }
            }
        }
        trees
    }

    /// Takes out the edits that no tree may have: a task in a second place, and a name that is
    /// another's but for its case. They stay on the disk.
    fn hold_back(
        &mut self,
        host: usize,
        theirs: &Files,
        edits: &mut Vec<(VaultPath, Option<Blob>)>,
    ) {
        let mut held = BTreeSet::new();
        let tasks_are_held = !self.is(Mistake::CommitsReplayed);
        loop {
            let gone: BTreeSet<&VaultPath> = edits
                .iter()
                .filter(|(_, blob)| blob.is_none())
                .map(|(path, _)| path)
                .collect();
            let stays = |path: &&VaultPath| !gone.contains(path);
            let fold = |path: &VaultPath| path.as_str().to_ascii_lowercase();
            let mut names: BTreeSet<String> = theirs.keys().filter(stays).map(fold).collect();
            let mut bad = None;
            let mut made = BTreeSet::new();
            for (path, blob) in edits.iter() {
                if blob.is_none() || theirs.contains_key(path) && !gone.contains(path) {
                    continue;
                }
                let is_elsewhere = self.paths.tasks.get(path).is_some_and(|task| {
                    let there = |at: &&VaultPath| self.paths.tasks.get(*at) == Some(task);
                    theirs
                        .keys()
                        .filter(stays)
                        .any(|at| there(&at) && at != path)
                });
                let is_second = self
                    .paths
                    .tasks
                    .get(path)
                    .is_some_and(|task| !made.insert(task));
                if tasks_are_held && (is_elsewhere || is_second) || !names.insert(fold(path)) {
                    bad = Some(path.clone());
                    break;
                }
            }
            let Some(bad) = bad else {
                break;
            };
            edits.retain(|(path, _)| *path != bad);
            held.insert(bad);
        }
        self.hosts[host].memory.withheld = held;
    }

    fn first_seen(&mut self, host: usize, base: &Files, ours: &Files) {
        let wall = self.wall(host);
        let memory = &mut self.hosts[host].memory;
        let mut before = std::mem::take(&mut memory.seen);
        let mut now = None;
        for (path, blob) in ours {
            if base.get(path) == Some(blob) {
                continue;
            }
            let known = before.remove(path).filter(|(was, _)| was == blob);
            let hlc = &mut memory.hlc;
            let known =
                known.unwrap_or_else(|| (*blob, *now.get_or_insert_with(|| hlc.tick(wall))));
            memory.seen.insert(path.clone(), known);
        }
    }

    fn our_version(&self, host: usize, path: &VaultPath) -> Version {
        let here = &self.hosts[host];
        Version {
            stamp: here
                .memory
                .seen
                .get(path)
                .map_or(here.memory.hlc.last(), |(_, stamp)| *stamp),
            agent: here.agent.clone(),
            trusted: true,
        }
    }

    /// The newest commit since the last common one that changed the path.
    fn their_version(&self, host: usize, tip: Option<Id>, path: &VaultPath) -> Version {
        for id in self.remote.between(self.hosts[host].applied_at, tip) {
            let commit = &self.remote.commits[id];
            let before = commit
                .parent
                .and_then(|parent| self.remote.commits[parent].files.get(path));
            if before != commit.files.get(path) {
                return Version {
                    stamp: commit.stamp,
                    agent: self.hosts[commit.host].agent.clone(),
                    trusted: commit.stamp.skew(self.wall(host)).is_trusted(),
                };
            }
        }
        Version {
            stamp: Stamp::default(),
            agent: self.hosts[host].agent.clone(),
            trusted: false,
        }
    }
}
