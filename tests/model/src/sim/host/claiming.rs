//! Claims: what the synchronizer does around [`ClaimMachine`].

use platinum_core::{ClaimId, Timestamp, VaultPath};
use platinum_protocol::{
    ClaimMachine, ClaimRecord, Claimed, Step as ClaimStep, TaskPlace, reconcile::Intent,
};

use super::{
    ops::{Claiming, Op, PushAnswer, Step},
    syncing::outcome,
};
use crate::sim::{
    Mistake,
    content::{Content, Files},
    remote::{self, Id},
    world::{Paths, World},
};

/// How often a claim is pushed.
const ATTEMPTS: u32 = 4;

impl World {
    /// Where a tree has a task, and its file.
    fn find(&self, at: Option<Id>, task: usize) -> Option<(VaultPath, Content)> {
        let files = self.remote.files(at);
        let places = std::iter::once(&self.paths.done[task])
            .chain(self.paths.in_progress.iter().map(|of| &of[task]))
            .chain(std::iter::once(&self.paths.waiting[task]));
        for path in places {
            if let Some(&blob) = files.get(path) {
                return Some((path.clone(), self.contents.of(blob).clone()));
            }
        }
        None
    }

    pub(in crate::sim) fn place(&self, at: Option<Id>, task: usize) -> TaskPlace {
        match self.find(at, task) {
            None => TaskPlace::Absent,
            Some((path, _)) if path == self.paths.done[task] => TaskPlace::Finished,
            Some((path, _)) if path == self.paths.waiting[task] => TaskPlace::Waiting,
            Some((
                _,
                Content::Task {
                    claim: Some(record),
                    ..
                },
            )) => TaskPlace::Owned(record),
            Some(_) => TaskPlace::Absent,
        }
    }

    pub(super) fn epoch(&self, at: Option<Id>, task: usize) -> u64 {
        match self.find(at, task) {
            Some((
                _,
                Content::Task {
                    claim, last_epoch, ..
                },
            )) => claim.map_or(last_epoch, |record| record.epoch.max(last_epoch)),
            _ => 0,
        }
    }

    /// The claim in this host's own file of a task.
    pub(in crate::sim) fn held(&self, host: usize, task: usize) -> Option<ClaimRecord> {
        let path = &self.paths.in_progress[host][task];
        match self.contents.of(self.hosts[host].disk.blob(path)?) {
            Content::Task { claim, .. } => claim.clone(),
            Content::Text(_) | Content::Half(_) => None,
        }
    }

    pub(super) fn new_claim(&mut self, host: usize) -> ClaimId {
        match self.is(Mistake::NoNonce) {
            true => ClaimId::from_parts(0, 7),
            false => ClaimId::from_parts(host as u64 + 1, u128::from(self.rng.next())),
        }
    }

    pub(in crate::sim) fn begin_claim(&mut self, host: usize, task: usize, take_over: bool) {
        let wished = match self.hosts[host].intents.get(&task) {
            Some(Intent::Claim { claim, .. }) => Some(*claim),
            Some(_) => return,
            None => None,
        };
        // An earlier claim that may still land is the same claim.
        let marked = self.hosts[host].marks.get(&task).copied();
        let claim = match wished.or(marked) {
            Some(claim) => claim,
            None => self.new_claim(host),
        };
        let agent = self.hosts[host].agent.clone();
        let id = Paths::task_id(task);
        let machine = match (take_over, self.place(self.hosts[host].verified, task)) {
            (true, TaskPlace::Owned(stuck)) => {
                ClaimMachine::take_over(id, agent, claim, ATTEMPTS, stuck)
            }
            (true, _) => return,
            (false, _) => ClaimMachine::new(id, agent, claim, ATTEMPTS),
        };
        self.hosts[host].memory.op = Op::Claim(Box::new(Claiming {
            task,
            machine,
            commit: None,
            record: None,
            from: None,
            sent: false,
            todo: None,
        }));
    }

    pub(in crate::sim) fn step_claim(&mut self, host: usize, mut op: Box<Claiming>) {
        if let Some(todo) = &mut op.todo {
            if todo.is_empty() {
                self.moved(
                    host,
                    op.from.as_ref(),
                    &self.paths.in_progress[host][op.task].clone(),
                );
                return;
            }
            let step = todo.remove(0);
            if self.change(host, &step) {
                self.hosts[host].memory.op = Op::Claim(op);
            }
            return;
        }
        if op.sent {
            op.sent = false;
            let answer = op
                .commit
                .map_or(PushAnswer::Rejected, |commit| self.deliver(host, commit));
            if answer == PushAnswer::Rejected && self.is(Mistake::Rebase) {
                self.rebase(host, &mut op);
            } else if answer == PushAnswer::Nothing && self.is(Mistake::TimeoutIsLost) {
                self.claim_ended(host, op, &Claimed::Lost { owner: None });
                return;
            } else {
                op.machine.pushed(outcome(answer));
            }
            self.hosts[host].memory.op = Op::Claim(op);
            return;
        }
        match op.machine.step().clone() {
            ClaimStep::Fetch | ClaimStep::BackOff { .. } => self.look_for(host, &mut op),
            ClaimStep::Propose { epoch, .. } => self.propose(host, &mut op, epoch),
            ClaimStep::PushAgain => op.sent = true,
            ClaimStep::End(end) => {
                self.claim_ended(host, op, &end);
                return;
            }
        }
        self.hosts[host].memory.op = Op::Claim(op);
    }

    fn look_for(&mut self, host: usize, op: &mut Claiming) {
        if !self.fetch(host) {
            op.machine.fetch_failed("away");
            return;
        }
        let tip = self.hosts[host].verified;
        if let Some(&claim) = self.hosts[host].marks.get(&op.task) {
            op.machine.made_before(claim);
        }
        op.machine.saw_epoch(self.epoch(tip, op.task));
        let landed = op.commit.map(|commit| self.remote.commits[commit].landed);
        let place = self.place(tip, op.task);
        op.machine.fetched(tip.map(remote::hex), place, landed);
    }

    fn propose(&mut self, host: usize, op: &mut Claiming, epoch: u64) {
        let tip = self.hosts[host].verified;
        let Some((from, _)) = self.find(tip, op.task) else {
            return;
        };
        let record = ClaimRecord {
            id: op.machine.claim(),
            agent: self.hosts[host].agent.clone(),
            epoch,
            at: Timestamp::UNIX_EPOCH,
            base: String::new(),
            heartbeats: 0,
        };
        let blob = self.contents.blob(Content::Task {
            task: op.task,
            claim: Some(record.clone()),
            last_epoch: 0,
        });
        let mut files = (*self.remote.files(tip)).clone();
        files.remove(&from);
        files.insert(self.paths.in_progress[host][op.task].clone(), blob);
        let commit = self.commit(host, tip, files);
        self.hosts[host].marks.insert(op.task, record.id);
        self.truth.told_lost.remove(&(host, record.id));
        op.commit = Some(commit);
        op.record = Some(record);
        op.from = Some(from);
        op.sent = true;
    }

    /// The mistake: the same edit on the new tip, without a look at what is there.
    fn rebase(&mut self, host: usize, op: &mut Claiming) {
        self.accept(host);
        let tip = self.hosts[host].verified;
        let (Some(from), Some(commit)) = (&op.from, op.commit) else {
            return;
        };
        let path = self.paths.in_progress[host][op.task].clone();
        let blob = self.remote.commits[commit].files.get(&path).copied();
        let mut files = (*self.remote.files(tip)).clone();
        files.remove(from);
        files.extend(blob.map(|blob| (path, blob)));
        op.commit = Some(self.commit(host, tip, files));
        op.sent = true;
    }

    fn claim_ended(&mut self, host: usize, mut op: Box<Claiming>, end: &Claimed) {
        let task = op.task;
        self.note(|w| format!("{} learns of task {task}: {end:?}", w.hosts[host].agent));
        match end {
            Claimed::Won { epoch } => {
                let place = self.place(self.hosts[host].verified, task);
                // An earlier claim of this host was found, or this one was.
                let record = match (&op.record, &place) {
                    (_, TaskPlace::Owned(record)) if record.epoch == *epoch => record.clone(),
                    (Some(record), _) => record.clone(),
                    (None, _) => return self.fail("a claim was won that was never made"),
                };
                self.seen.claims += 1;
                self.confirm(host, task, &record);
                self.hosts[host].intents.remove(&task);
                if let (Some(commit), Some(from)) = (op.commit, &op.from) {
                    let path = self.paths.in_progress[host][task].clone();
                    let files = self.remote.files(Some(commit));
                    let before = self.remote.files(self.remote.commits[commit].parent);
                    op.todo = files.get(&path).map(|&new| {
                        vec![
                            Step::Put {
                                path,
                                expected: None,
                                new,
                            },
                            Step::Take {
                                path: from.clone(),
                                expected: before.get(from).copied(),
                            },
                        ]
                    });
                    if op.todo.is_some() {
                        self.begin_taking_in(host, Some(commit));
                        self.hosts[host].memory.op = Op::Claim(op);
                    }
                }
            }
            Claimed::Lost { .. } => {
                self.hosts[host].intents.remove(&task);
                // Without a proposal nothing is known of an earlier one, which may still land.
                if op.commit.is_some() {
                    self.hosts[host].marks.remove(&task);
                    self.told_lost(host, task, op.machine.claim());
                }
            }
            Claimed::Tentative => {
                let known = match self.place(self.hosts[host].verified, task) {
                    TaskPlace::Waiting => true,
                    TaskPlace::Absent => false,
                    TaskPlace::Owned(_) | TaskPlace::Finished => return,
                };
                let claim = op.machine.claim();
                self.seen.tentative += 1;
                self.hosts[host]
                    .intents
                    .insert(task, Intent::Claim { claim, known });
            }
            Claimed::GaveUp => {}
        }
    }

    /// The disk has moved one file ahead of the next sync.
    pub(super) fn moved(&mut self, host: usize, from: Option<&VaultPath>, to: &VaultPath) {
        let here = &mut self.hosts[host];
        let mut files: Files = (*here.applied).clone();
        if let Some(from) = from {
            files.remove(from);
        }
        // As it was in the commit: what was written since is an edit of it.
        let tip = self.remote.files(self.hosts[host].verified);
        if let Some(&blob) = tip.get(to) {
            files.insert(to.clone(), blob);
        }
        self.hosts[host].applied = std::rc::Rc::new(files);
        self.hosts[host].applying = None;
    }
}
