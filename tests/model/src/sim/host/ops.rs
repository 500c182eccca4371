//! What a daemon is at, one step at a time: between two steps anything can happen, also its end.

use platinum_core::VaultPath;
use platinum_protocol::{ClaimMachine, ClaimRecord, SyncMachine, conflict_name};

use crate::sim::{
    Mistake,
    content::{Blob, hex},
    remote::{Id, Swap},
    world::World,
};

/// What it is at.
#[derive(Debug, Clone)]
pub(in crate::sim) enum Op {
    Idle,
    Sync(Box<Syncing>),
    Claim(Box<Claiming>),
    End(Box<Ending>),
    Act(Acting),
}

/// A sync of content.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Syncing {
    pub(in crate::sim) machine: SyncMachine,
    pub(in crate::sim) commit: Option<Id>,
    pub(in crate::sim) sent: bool,
    /// What is still to be done on the disk.
    pub(in crate::sim) todo: Vec<Step>,
    pub(in crate::sim) is_taking_in: bool,
}

/// A claim or take-over.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Claiming {
    pub(in crate::sim) task: usize,
    pub(in crate::sim) machine: ClaimMachine,
    pub(in crate::sim) commit: Option<Id>,
    pub(in crate::sim) record: Option<ClaimRecord>,
    pub(in crate::sim) from: Option<VaultPath>,
    pub(in crate::sim) sent: bool,
    /// Once won: the disk follows.
    pub(in crate::sim) todo: Option<Vec<Step>>,
}

/// A finish or a release.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Ending {
    pub(in crate::sim) task: usize,
    pub(in crate::sim) release: bool,
    pub(in crate::sim) commit: Option<Id>,
    pub(in crate::sim) attempts: u32,
    pub(in crate::sim) in_doubt: bool,
    pub(in crate::sim) sent: bool,
    pub(in crate::sim) from: VaultPath,
    pub(in crate::sim) to: VaultPath,
    pub(in crate::sim) blob: Blob,
    pub(in crate::sim) todo: Option<Vec<Step>>,
    /// The remote is away: it is done here alone.
    pub(in crate::sim) is_offline: bool,
}

/// An effect.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Acting {
    pub(in crate::sim) task: usize,
    pub(in crate::sim) stage: Stage,
    /// An own push in doubt that is resolved first.
    pub(in crate::sim) settling: Option<Id>,
}

/// How far an effect is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Stage {
    /// The fence is asked.
    Ask,
    /// The intent is written.
    Intend,
    /// It happens.
    Act,
    /// The receipt is written.
    Receipt,
}

/// One change of the disk.
#[derive(Debug, Clone)]
pub(in crate::sim) enum Step {
    /// A conflict copy.
    Copy(VaultPath, Blob),
    /// A file that is replaced or made.
    Put {
        path: VaultPath,
        expected: Option<Blob>,
        new: Blob,
    },
    /// A file that goes.
    Take {
        path: VaultPath,
        expected: Option<Blob>,
    },
}

/// The answer to the sender of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum PushAnswer {
    Landed,
    Rejected,
    Nothing,
}

impl World {
    /// One step of what the host is at.
    pub(in crate::sim) fn step(&mut self, host: usize) {
        match std::mem::replace(&mut self.hosts[host].memory.op, Op::Idle) {
            Op::Idle => {}
            Op::Sync(op) => self.step_sync(host, op),
            Op::Claim(op) => self.step_claim(host, op),
            Op::End(op) => self.step_end(host, op),
            Op::Act(op) => self.step_act(host, op),
        }
    }

    /// A fetch: whether the remote answered. It judges and notes the tip.
    pub(in crate::sim) fn fetch(&mut self, host: usize) -> bool {
        if self.hosts[host].is_cut || self.strikes(4) {
            self.note(|w| format!("{} cannot fetch", w.hosts[host].agent));
            return false;
        }
        self.accept(host);
        true
    }

    /// A push that was sent comes to its end, one way or another.
    pub(in crate::sim) fn deliver(&mut self, host: usize, commit: Id) -> PushAnswer {
        let answer = self.transport(host, commit);
        if answer == PushAnswer::Landed {
            self.own_edits_landed(host, commit);
            let here = &mut self.hosts[host];
            here.verified = Some(commit);
            here.outgoing.retain(|&id| id != commit);
        }
        self.note(|w| format!("{} pushes {commit:x}: {answer:?}", w.hosts[host].agent));
        answer
    }

    fn transport(&mut self, host: usize, commit: Id) -> PushAnswer {
        if self.hosts[host].is_cut {
            // It may have got out before the line was cut.
            if self.strikes(40) {
                self.remote.late.push(commit);
            }
            return PushAnswer::Nothing;
        }
        if self.strikes(82) || self.is_calm {
            return self.swap(commit);
        }
        match self.rng.below(5) {
            0 => PushAnswer::Nothing,
            1 => {
                self.swap(commit);
                PushAnswer::Nothing
            }
            2 => {
                self.remote.late.push(commit);
                PushAnswer::Nothing
            }
            3 => {
                // It arrives twice, and another push may come in between.
                self.swap(commit);
                if self.rng.percent(50) {
                    self.land_late();
                }
                self.swap(commit)
            }
            _ => PushAnswer::Rejected,
        }
    }

    fn swap(&mut self, commit: Id) -> PushAnswer {
        match self.remote.swap(commit) {
            Swap::Moved => {
                self.judge_landing(commit);
                PushAnswer::Landed
            }
            Swap::Already => PushAnswer::Landed,
            Swap::Refused => PushAnswer::Rejected,
        }
    }

    /// A push arrives whose sender does not wait any more.
    pub(in crate::sim) fn land_late(&mut self) {
        if self.remote.late.is_empty() {
            return;
        }
        let which = self.rng.below(self.remote.late.len());
        let commit = self.remote.late.swap_remove(which);
        let answer = self.swap(commit);
        if answer == PushAnswer::Landed {
            self.seen.late += 1;
        }
        self.note(|_| format!("the push of {commit:x} arrives late: {answer:?}"));
    }

    /// Does one change of the disk. False if it cannot be done now.
    pub(in crate::sim) fn change(&mut self, host: usize, step: &Step) -> bool {
        self.note(|w| format!("{} on disk: {step:?}", w.hosts[host].agent));
        let wall = self.wall(host);
        let is_blind = self.is(Mistake::ApplyBlind);
        match step {
            Step::Copy(path, blob) => match self.hosts[host].disk.blob(path) {
                None => self.hosts[host].disk.put(path, *blob, wall),
                there => return there == Some(*blob),
            },
            Step::Put {
                path,
                expected,
                new,
            } => {
                let there = self.hosts[host].disk.blob(path);
                if there == Some(*new) {
                    // It may be there in another spelling.
                    let disk = &mut self.hosts[host].disk;
                    if let Some(spelled) = disk.get(path).map(|file| file.path.clone()) {
                        disk.rename(&spelled, path);
                    }
                    return true;
                }
                if there.is_some() && there != *expected && !is_blind {
                    self.set_aside(host, path);
                }
                self.hosts[host].disk.put(path, *new, wall);
            }
            Step::Take { path, expected } => {
                // In another spelling it is another file of the tree.
                let file = self.hosts[host].disk.get(path);
                let there = file.filter(|file| file.path == *path).map(|file| file.blob);
                if there.is_none() {
                    return true;
                }
                if there != *expected && !is_blind {
                    self.set_aside(host, path);
                } else {
                    self.hosts[host].disk.remove(path);
                }
            }
        }
        true
    }

    /// Moves an unexpected file out of the way.
    pub(in crate::sim) fn set_aside(&mut self, host: usize, path: &VaultPath) {
        let mut wall = self.wall(host);
        self.seen.aside += 1;
        let here = &mut self.hosts[host];
        let Some(file) = here.disk.get(path).cloned() else {
            return;
        };
        loop {
            let copy = conflict_name(&file.path, &here.agent, wall, &hex(file.blob));
            if here.disk.rename(&file.path, &copy) {
                return;
            }
            wall += 1;
        }
    }
}
