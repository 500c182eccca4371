//! The end of a task, and its claim in a zone of local's own: what may be done without the remote.

use platinum_core::Timestamp;
use platinum_protocol::{ClaimRecord, TaskPlace, reconcile::Intent};

use super::ops::{Ending, Op, PushAnswer, Step};
use crate::sim::{
    content::Content,
    world::{LOCAL, World},
};

/// How often an end is built.
const ATTEMPTS: u32 = 4;

impl World {
    pub(in crate::sim) fn begin_end(&mut self, host: usize, task: usize, release: bool) {
        let from = self.paths.in_progress[host][task].clone();
        let to = match release {
            true => self.paths.waiting[task].clone(),
            false => self.paths.done[task].clone(),
        };
        self.hosts[host].memory.op = Op::End(Box::new(Ending {
            task,
            release,
            commit: None,
            attempts: 0,
            in_doubt: false,
            sent: false,
            from,
            to,
            blob: 0,
            todo: None,
            is_offline: false,
        }));
    }

    pub(in crate::sim) fn step_end(&mut self, host: usize, mut op: Box<Ending>) {
        if let Some(todo) = &mut op.todo {
            if todo.is_empty() {
                if !op.is_offline {
                    self.moved(host, Some(&op.from), &op.to);
                    self.hosts[host].marks.remove(&op.task);
                }
                return;
            }
            let step = todo.remove(0);
            if self.change(host, &step) {
                self.hosts[host].memory.op = Op::End(op);
            }
            return;
        }
        if op.sent {
            op.sent = false;
            let answer = op
                .commit
                .map_or(PushAnswer::Rejected, |commit| self.deliver(host, commit));
            match answer {
                PushAnswer::Landed => {
                    self.begin_taking_in(host, op.commit);
                    op.todo = Some(self.steps_of(&op, host));
                }
                PushAnswer::Rejected => {}
                PushAnswer::Nothing => op.in_doubt = true,
            }
            self.hosts[host].memory.op = Op::End(op);
            return;
        }
        if self.look_for_end(host, &mut op) {
            self.hosts[host].memory.op = Op::End(op);
        }
    }

    fn steps_of(&self, op: &Ending, host: usize) -> Vec<Step> {
        let expected = self.hosts[host].disk.blob(&op.from);
        vec![
            Step::Put {
                path: op.to.clone(),
                expected: None,
                new: op.blob,
            },
            Step::Take {
                path: op.from.clone(),
                expected,
            },
        ]
    }

    /// Fetches, and builds the end on the tip. False if that is all there is to do.
    fn look_for_end(&mut self, host: usize, op: &mut Ending) -> bool {
        op.attempts += 1;
        if op.attempts > ATTEMPTS {
            return false;
        }
        if !self.fetch(host) {
            return !op.in_doubt && !op.release && self.end_here(host, op);
        }
        let tip = self.hosts[host].verified;
        if op.in_doubt
            && op
                .commit
                .is_some_and(|commit| self.remote.commits[commit].parent == tip)
        {
            op.sent = true;
            return true;
        }
        let TaskPlace::Owned(record) = self.place(tip, op.task) else {
            return false;
        };
        if self
            .held(host, op.task)
            .is_none_or(|held| held.id != record.id)
        {
            return false;
        }
        // The remote has what was decided here. It is removed before the task's end is published: after
        // it, it would look like something that was never published.
        self.hosts[host].intents.remove(&op.task);
        op.blob = self.ended(op, record.epoch);
        let mut files = (*self.remote.files(tip)).clone();
        files.remove(&op.from);
        files.insert(op.to.clone(), op.blob);
        op.commit = Some(self.commit(host, tip, files));
        op.in_doubt = false;
        op.sent = true;
        true
    }

    fn ended(&mut self, op: &Ending, epoch: u64) -> u32 {
        let last_epoch = if op.release { epoch } else { 0 };
        self.contents.blob(Content::Task {
            task: op.task,
            claim: None,
            last_epoch,
        })
    }

    /// The remote is away: an own task is filed here, and the remote learns of it later.
    fn end_here(&mut self, host: usize, op: &mut Ending) -> bool {
        let Some(held) = self.held(host, op.task) else {
            return false;
        };
        let published = match (
            self.hosts[host].intents.get(&op.task),
            self.place(self.hosts[host].verified, op.task),
        ) {
            (Some(Intent::Own { .. }), _) => false,
            (None, TaskPlace::Owned(record)) if record.id == held.id => true,
            _ => return false,
        };
        self.hosts[host].intents.insert(
            op.task,
            Intent::Finish {
                record: held.clone(),
                published,
            },
        );
        self.seen.offline += 1;
        op.blob = self.ended(op, held.epoch);
        op.is_offline = true;
        op.todo = Some(self.steps_of(op, host));
        true
    }

    /// Local claims a task of a zone that it works in alone: on its disk, at once.
    pub(in crate::sim) fn claim_here(&mut self, task: usize) {
        let (from, to) = (
            self.paths.waiting[task].clone(),
            self.paths.in_progress[LOCAL][task].clone(),
        );
        let earlier = match self.hosts[LOCAL].intents.get(&task) {
            Some(Intent::Own { record }) => Some(record.clone()),
            Some(_) => return,
            None => None,
        };
        if self.hosts[LOCAL].disk.blob(&from).is_none() {
            return;
        }
        let tip = self.hosts[LOCAL].verified;
        if !matches!(
            self.place(tip, task),
            TaskPlace::Waiting | TaskPlace::Absent
        ) {
            return;
        }
        let id = self.new_claim(LOCAL);
        let record = earlier.unwrap_or_else(|| ClaimRecord {
            id,
            agent: self.hosts[LOCAL].agent.clone(),
            epoch: self.epoch(tip, task) + 1,
            at: Timestamp::UNIX_EPOCH,
            base: String::new(),
            heartbeats: 0,
        });
        let blob = self.contents.blob(Content::Task {
            task,
            claim: Some(record.clone()),
            last_epoch: 0,
        });
        self.hosts[LOCAL]
            .intents
            .insert(task, Intent::Own { record });
        self.seen.offline += 1;
        let wall = self.wall(LOCAL);
        let disk = &mut self.hosts[LOCAL].disk;
        disk.put(&to, blob, wall);
        disk.remove(&from);
    }
}
