//! Effects: the fence, the intent, the effect, the receipt.

use platinum_protocol::{TaskPlace, reconcile::Intent};

use super::ops::{Acting, Op, Stage};
use crate::sim::{
    Mistake,
    world::{LOCAL, World},
};

impl World {
    pub(in crate::sim) fn begin_act(&mut self, task: usize) {
        let stage = match self.is(Mistake::NoEpochCheck) {
            true => Stage::Intend,
            false => Stage::Ask,
        };
        self.hosts[LOCAL].memory.op = Op::Act(Acting {
            task,
            stage,
            settling: None,
        });
    }

    pub(in crate::sim) fn step_act(&mut self, host: usize, mut op: Acting) {
        if let Some(commit) = op.settling.take() {
            self.deliver(host, commit);
            return;
        }
        let task = op.task;
        match op.stage {
            Stage::Ask => {
                if !self.may_act(host, &mut op) && op.settling.is_none() {
                    return;
                }
            }
            Stage::Intend => {
                if !self.is(Mistake::NoIntent) {
                    self.hosts[host].journal.insert(task);
                }
                op.stage = Stage::Act;
            }
            Stage::Act => {
                self.effect(host, task);
                op.stage = Stage::Receipt;
            }
            Stage::Receipt => {
                self.hosts[host].journal.insert(task);
                return;
            }
        }
        self.hosts[host].memory.op = Op::Act(op);
    }

    /// The fence: with a fresh look, the task is owned by the very claim that is held here, and no
    /// push of this host is in doubt that could change that.
    fn may_act(&mut self, host: usize, op: &mut Acting) -> bool {
        let Some(held) = self.held(host, op.task) else {
            return false;
        };
        if let Some(Intent::Own { record }) = self.hosts[host].intents.get(&op.task) {
            // No other agent works in this zone.
            op.stage = Stage::Intend;
            return record.id == held.id;
        }
        if !self.fetch(host) {
            return false;
        }
        let tip = self.hosts[host].verified;
        let doubt = self.hosts[host].outgoing.first().copied();
        if doubt.is_some() {
            op.settling = doubt;
            return false;
        }
        op.stage = Stage::Intend;
        matches!(self.place(tip, op.task), TaskPlace::Owned(record) if record.id == held.id && record.epoch == held.epoch)
    }
}
