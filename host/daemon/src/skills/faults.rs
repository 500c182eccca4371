//! [`FaultLog`]: which skill broke how often, and when it is not called any more.
//!
//! A fault is the skill's own: it trapped, went over a limit, or answered what its event has no use
//! for. An error that the skill *answers* is no fault. Faults are counted by skill and task, so that
//! one task that breaks its skill does not keep the skill from all others.
//!
//! Invariants: the decisions are pure, time comes in; the owner is notified once a skill.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use platinum_core::TaskId;
use tokio::time::Instant;

use crate::SkillName;

/// After so many faults in a row the skill counts as broken.
pub(super) const MAX_FAULTS: u32 = 3;
/// A broken skill without which the host does not work is tried again after so long: what broke
/// it may have passed. For a task it is not tried again.
const RETRY_BROKEN: Duration = Duration::from_secs(600);

/// How a run ended that came to no answer of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultKind {
    /// The skill's own: it would end the same way again.
    Defect,
    /// It took too long, waiting for others included: it may go well the next time.
    Delay,
}

/// What the fault leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaultVerdict {
    /// It is called again.
    Counted,
    /// It failed too often, and the owner has to hear of it now.
    NotifyOwner,
    /// It failed too often, and the owner knows.
    Known,
}

/// The faults of this run of the daemon.
#[derive(Debug, Default)]
pub(super) struct FaultLog {
    records: BTreeMap<(SkillName, Option<TaskId>), FaultRecord>,
    notified: BTreeSet<SkillName>,
}

#[derive(Debug)]
struct FaultRecord {
    /// Faults in a row, of either kind.
    count: u32,
    /// Those that are the skill's own.
    defects: u32,
    at: Instant,
    reason: String,
}

impl FaultRecord {
    fn is_broken(&self) -> bool {
        self.defects >= MAX_FAULTS
    }
}

impl FaultLog {
    /// Why the skill is not called now; `None` if it may be.
    pub(super) fn broken(
        &self,
        skill: &SkillName,
        task: Option<TaskId>,
        now: Instant,
    ) -> Option<&str> {
        let record = self.records.get(&(skill.clone(), task))?;
        let is_over = task.is_none() && now.duration_since(record.at) >= RETRY_BROKEN;
        (record.is_broken() && !is_over).then_some(record.reason.as_str())
    }

    /// Counts a fault.
    pub(super) fn record_fault(
        &mut self,
        skill: &SkillName,
        task: Option<TaskId>,
        kind: FaultKind,
        reason: &str,
        now: Instant,
    ) -> FaultVerdict {
        let key = (skill.clone(), task);
        let record = self.records.entry(key).or_insert(FaultRecord {
            count: 0,
            defects: 0,
            at: now,
            reason: String::new(),
        });
        record.count = record.count.saturating_add(1);
        record.defects = record
            .defects
            .saturating_add(u32::from(kind == FaultKind::Defect));
        record.at = now;
        reason.clone_into(&mut record.reason);
        match record.count < MAX_FAULTS {
            true => FaultVerdict::Counted,
            false if self.notified.insert(skill.clone()) => FaultVerdict::NotifyOwner,
            false => FaultVerdict::Known,
        }
    }

    /// Forgets the faults of a skill with a task: it ran to its end.
    pub(super) fn record_success(&mut self, skill: &SkillName, task: Option<TaskId>) {
        self.records.remove(&(skill.clone(), task));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skill() -> SkillName {
        "a".parse().unwrap()
    }

    fn task(n: u128) -> Option<TaskId> {
        Some(TaskId::from_parts(1, n))
    }

    #[test]
    fn fault_log_third_fault_breaks_the_skill_for_its_task() {
        let (mut log, now) = (FaultLog::default(), Instant::now());
        let mut fault = |task| log.record_fault(&skill(), task, FaultKind::Defect, "trap", now);
        assert_eq!(fault(task(1)), FaultVerdict::Counted);
        assert_eq!(fault(task(1)), FaultVerdict::Counted);
        assert_eq!(fault(task(1)), FaultVerdict::NotifyOwner);
        // The owner hears once of a skill, not of every task.
        assert_eq!(fault(task(1)), FaultVerdict::Known);
        assert_eq!(fault(task(2)), FaultVerdict::Counted);
        let later = now + RETRY_BROKEN * 10;
        assert_eq!(log.broken(&skill(), task(1), later), Some("trap"));
        assert_eq!(log.broken(&skill(), task(2), now), None);
    }

    #[test]
    fn fault_log_success_forgets() {
        let (mut log, now) = (FaultLog::default(), Instant::now());
        for _ in 0..10 {
            for _ in 1..MAX_FAULTS {
                let verdict = log.record_fault(&skill(), task(1), FaultKind::Defect, "trap", now);
                assert_eq!(verdict, FaultVerdict::Counted);
            }
            log.record_success(&skill(), task(1));
        }
        assert_eq!(log.broken(&skill(), task(1), now), None);
    }

    /// A model or a remote that hangs is not the skill's fault: it is called again, and the owner
    /// hears of it.
    #[test]
    fn fault_log_delay_notifies_but_does_not_break() {
        let (mut log, now) = (FaultLog::default(), Instant::now());
        let verdicts: Vec<FaultVerdict> = (0..4)
            .map(|_| log.record_fault(&skill(), task(1), FaultKind::Delay, "slow", now))
            .collect();
        assert_eq!(
            verdicts,
            [
                FaultVerdict::Counted,
                FaultVerdict::Counted,
                FaultVerdict::NotifyOwner,
                FaultVerdict::Known
            ]
        );
        assert_eq!(log.broken(&skill(), task(1), now), None);
    }

    #[test]
    fn fault_log_without_a_task_is_tried_again_later() {
        let (mut log, now) = (FaultLog::default(), Instant::now());
        for _ in 0..MAX_FAULTS {
            log.record_fault(&skill(), None, FaultKind::Defect, "trap", now);
        }
        assert_eq!(log.broken(&skill(), None, now), Some("trap"));
        assert_eq!(log.broken(&skill(), None, now + RETRY_BROKEN), None);
        // It breaks again at once.
        let later = now + RETRY_BROKEN;
        log.record_fault(&skill(), None, FaultKind::Defect, "trap", later);
        assert_eq!(log.broken(&skill(), None, later), Some("trap"));
    }
}
