//! A sync of content: what the synchronizer does around [`SyncMachine`].

use platinum_core::VaultPath;
use platinum_protocol::{
    PushOutcome, SyncMachine, SyncStep, TaskPlace,
    reconcile::{Intent, Replay, replay},
};

use super::ops::{Op, PushAnswer, Syncing};
use crate::sim::{
    Mistake,
    content::{Content, hex},
    remote::{self, Id},
    world::World,
};

/// How often a sync is built anew, and each commit pushed.
const ROUNDS: u32 = 4;
const PUSHES: u32 = 2;

impl World {
    pub(in crate::sim) fn begin_sync(&mut self, host: usize) {
        let verified = self.hosts[host].verified;
        let first =
            verified.is_some() && self.hosts[host].intents.is_empty() && self.rng.percent(30);
        let machine = match first {
            true => SyncMachine::push_first(ROUNDS, PUSHES, verified.map(remote::hex)),
            false => SyncMachine::new(ROUNDS, PUSHES),
        };
        self.hosts[host].memory.op = Op::Sync(Box::new(Syncing {
            machine,
            commit: None,
            sent: false,
            todo: Vec::new(),
            is_taking_in: false,
        }));
    }

    pub(in crate::sim) fn step_sync(&mut self, host: usize, mut op: Box<Syncing>) {
        if op.sent {
            op.sent = false;
            let answer = op
                .commit
                .map_or(PushAnswer::Rejected, |commit| self.deliver(host, commit));
            op.machine.pushed(outcome(answer));
            self.hosts[host].memory.op = Op::Sync(op);
            return;
        }
        match op.machine.step().clone() {
            SyncStep::Fetch => {
                if self.fetch(host) {
                    self.reconcile_offline(host);
                    op.machine
                        .fetched(self.hosts[host].verified.map(remote::hex));
                } else {
                    op.machine.fetch_failed("away");
                }
            }
            SyncStep::Prepare { on_tip } => {
                let tip = on_tip.as_deref().map(remote::unhex);
                (op.commit, op.todo) = self.prepare(host, tip);
                op.machine.prepared(op.commit.map(remote::hex));
            }
            SyncStep::Push { .. } => op.sent = true,
            SyncStep::Pause { .. } => {
                op.machine.paused();
            }
            SyncStep::TakeIn { tip } => {
                if !self.take_in(host, &mut op, tip.as_deref().map(remote::unhex)) {
                    return;
                }
            }
            SyncStep::End(_) => return,
        }
        self.hosts[host].memory.op = Op::Sync(op);
    }

    /// One more change of the disk. False if that failed: the sync ends, and nothing counts as
    /// applied.
    fn take_in(&mut self, host: usize, op: &mut Syncing, tip: Option<Id>) -> bool {
        let is_early = self.is(Mistake::AppliedFirst);
        if !op.is_taking_in {
            self.begin_taking_in(host, tip);
        }
        if is_early && !op.is_taking_in {
            self.now_holds(host, tip);
        }
        op.is_taking_in = true;
        if !op.todo.is_empty() {
            let step = op.todo.remove(0);
            let is_done = self.change(host, &step);
            if !is_done {
                self.stop_taking_in(host);
            }
            return is_done;
        }
        if !is_early {
            self.now_holds(host, tip);
        }
        op.machine.taken_in();
        true
    }

    /// Notes what is about to come to the disk; what came there before is kept as the base.
    pub(in crate::sim) fn begin_taking_in(&mut self, host: usize, tip: Option<Id>) {
        self.stop_taking_in(host);
        self.hosts[host].applying = tip;
    }

    /// What came to the disk so far is the base from here on: also at a start, before anything is
    /// moved on.
    pub(in crate::sim) fn stop_taking_in(&mut self, host: usize) {
        self.hosts[host].applied = self.base(host);
        self.hosts[host].applying = None;
    }

    fn now_holds(&mut self, host: usize, tip: Option<Id>) {
        self.hosts[host].applied = self.remote.files(tip);
        self.hosts[host].applied_at = tip;
        self.hosts[host].applying = None;
    }

    /// Holds what was decided offline against the verified tip.
    fn reconcile_offline(&mut self, host: usize) {
        if self.is(Mistake::CommitsReplayed) {
            self.hosts[host].intents.clear();
            return;
        }
        let intents = self.hosts[host].intents.clone();
        for (task, intent) in intents {
            let place = self.place(self.hosts[host].verified, task);
            let answer = replay(&intent, &place);
            self.note(|w| {
                format!(
                    "{} was at {intent:?} of task {task}: {answer:?}",
                    w.hosts[host].agent
                )
            });
            match answer {
                Replay::Publish if matches!(intent, Intent::Finish { .. }) => {
                    self.file_again(host, task);
                }
                Replay::ClaimNow | Replay::Publish => {}
                Replay::UpToDate => {
                    if let (Intent::Claim { .. }, TaskPlace::Owned(record)) = (&intent, &place) {
                        self.confirm(host, task, record);
                    }
                    self.hosts[host].intents.remove(&task);
                }
                Replay::Lost { .. } | Replay::Gone => {
                    self.seen.lost_offline += 1;
                    self.keep_aside(host, task, &intent);
                    self.hosts[host].intents.remove(&task);
                }
            }
        }
    }

    /// A task was filed offline, and the daemon died before both its files were moved.
    fn file_again(&mut self, host: usize, task: usize) {
        let (from, to) = (
            self.paths.in_progress[host][task].clone(),
            self.paths.done[task].clone(),
        );
        if self.hosts[host].disk.blob(&from).is_none() {
            return;
        }
        let blob = self.contents.blob(Content::Task {
            task,
            claim: None,
            last_epoch: 0,
        });
        let wall = self.wall(host);
        let disk = &mut self.hosts[host].disk;
        disk.put(&to, blob, wall);
        disk.remove(&from);
    }

    /// What was made here on a task that is another's is kept under a name of its own.
    fn keep_aside(&mut self, host: usize, task: usize, intent: &Intent) {
        let from = match intent {
            Intent::Claim { .. } => return,
            Intent::Own { .. } => self.paths.in_progress[host][task].clone(),
            Intent::Finish { .. } => self.paths.done[task].clone(),
        };
        let Some(blob) = self.hosts[host].disk.blob(&from) else {
            return;
        };
        let agent = &self.hosts[host].agent;
        let text = format!(
            "Updates/{agent}/task-{task}.conflict-{agent}-{}.md",
            hex(blob)
        );
        if let Ok(to) = VaultPath::new(text) {
            self.hosts[host].disk.rename(&from, &to);
        }
    }
}

pub(in crate::sim) fn outcome(answer: PushAnswer) -> PushOutcome {
    match answer {
        PushAnswer::Landed => PushOutcome::Landed,
        PushAnswer::Rejected => PushOutcome::Rejected("the tip is another".to_owned()),
        PushAnswer::Nothing => PushOutcome::Indeterminate("no answer".to_owned()),
    }
}
