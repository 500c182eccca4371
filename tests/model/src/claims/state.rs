//! One state of the whole model: register, agents, pushes under way, and what went wrong.

use std::sync::Arc;

use platinum_protocol::ClaimMachine;

use super::{
    LOCAL, MAX_TASKS,
    register::{Claim, Commit, CommitId, File, Record, Task},
};

/// A state of [`super::Claims`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct State {
    pub(super) tip: CommitId,
    pub(super) tasks: Vec<Task>,
    pub(super) agents: [Agent; 2],
    /// Pushes whose sender waits no more, and which can still land.
    pub(super) late: Vec<Commit>,
    /// How many more faults there may be.
    pub(super) faults: u8,
    /// How many claims landed of tasks that had been claimed before.
    pub(super) again: u8,
    /// The first promise that was broken.
    pub(super) broken: Option<Broken>,
}

/// A promise that does not hold in a state by itself, but in how it was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Broken {
    /// Two agents learned that a task is theirs by claims of one epoch, or one learned so of a
    /// claim that never landed.
    Owner,
    /// A claim landed whose epoch is not above all earlier ones.
    Epoch,
    /// An effect without the confirmed claim of the current epoch.
    Effect,
}

/// One host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Agent {
    /// Nothing goes out or comes in. What is under way already may still arrive.
    pub(super) cut: bool,
    /// What it is at. Lost in a crash, like all that is in memory.
    pub(super) doing: Doing,
    /// Per task what is on its disk.
    pub(super) disk: [Disk; MAX_TASKS],
}

/// What a host knows of one task after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(super) struct Disk {
    /// The claim that it pushed last: written before the push, and used again by the next attempt.
    pub(super) mark: Option<Claim>,
    /// The file in its own `In_Progress/` folder: the claim and its epoch.
    pub(super) held: Option<(Claim, u8)>,
    /// The journal has an intent for the task's action.
    pub(super) intent: bool,
}

/// What an agent is at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Doing {
    Nothing,
    Claim(Claiming),
    End(Ending),
    /// The fence let it act; the effect comes next.
    Act {
        task: u8,
    },
}

/// A claim under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Claiming {
    pub(super) task: u8,
    pub(super) claim: Claim,
    /// The real thing.
    pub(super) machine: Arc<ClaimMachine>,
    /// What it proposed last, and whether the register ever had that as its tip.
    pub(super) commit: Option<(Commit, bool)>,
    /// Whether its push is under way.
    pub(super) sent: bool,
}

/// A finish or a release under way.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Ending {
    pub(super) task: u8,
    pub(super) release: bool,
    pub(super) commit: Option<Commit>,
    /// How often it was built.
    pub(super) attempts: u32,
    /// A push of this commit may have landed without our knowing.
    pub(super) in_doubt: bool,
    /// Whether its push is under way.
    pub(super) sent: bool,
}

impl Doing {
    pub(super) fn task(&self) -> Option<u8> {
        match self {
            Doing::Nothing => None,
            Doing::Claim(claiming) => Some(claiming.task),
            Doing::End(ending) => Some(ending.task),
            Doing::Act { task } => Some(*task),
        }
    }

    pub(super) fn commit(&self) -> Option<Commit> {
        match self {
            Doing::Claim(claiming) => claiming.commit.map(|(commit, _)| commit),
            Doing::End(ending) => ending.commit,
            Doing::Nothing | Doing::Act { .. } => None,
        }
    }

    /// Whether it is at something that needs the remote.
    pub(super) fn needs_line(&self) -> bool {
        matches!(self, Doing::Claim(_) | Doing::End(_))
    }

    /// Whether it waits for the answer to a push.
    pub(super) fn waits(&self) -> bool {
        match self {
            Doing::Claim(claiming) => claiming.sent,
            Doing::End(ending) => ending.sent,
            Doing::Nothing | Doing::Act { .. } => false,
        }
    }
}

impl State {
    pub(super) fn new(tasks: usize, faults: u8) -> Self {
        let agent = Agent {
            cut: false,
            doing: Doing::Nothing,
            disk: [Disk::default(); MAX_TASKS],
        };
        Self {
            tip: 0,
            tasks: vec![Task::new(); tasks],
            agents: [agent.clone(), agent],
            late: Vec::new(),
            faults,
            again: 0,
            broken: None,
        }
    }

    /// Every commit that anybody can still name.
    fn commits(&self) -> impl Iterator<Item = Commit> + '_ {
        let agents = self.agents.iter().filter_map(|agent| agent.doing.commit());
        agents.chain(self.late.iter().copied())
    }

    /// The commit with its id: that of the equal commit if there is one, else the lowest that
    /// nothing names.
    pub(super) fn named(&self, commit: Commit) -> Commit {
        let same = |other: &Commit| Commit { id: 0, ..*other } == Commit { id: 0, ..commit };
        if let Some(other) = self.commits().find(same) {
            return other;
        }
        let mut ids: u32 = 1 << self.tip | 1 << commit.base;
        for live in self.commits() {
            ids |= 1 << live.id | 1 << live.base;
        }
        let id = (0..=u8::MAX).find(|id| ids & (1 << id) == 0);
        Commit {
            id: id.unwrap_or(u8::MAX),
            ..commit
        }
    }

    /// A tip that no commit has or was built on: what another program pushed.
    pub(super) fn foreign_tip(&self) -> CommitId {
        let mut ids: u32 = 1 << self.tip;
        for live in self.commits() {
            ids |= 1 << live.id | 1 << live.base;
        }
        (0..=u8::MAX)
            .find(|id| ids & (1 << id) == 0)
            .unwrap_or(u8::MAX)
    }

    /// The lowest number of a claim that is not named anywhere. Those of the two agents differ.
    pub(super) fn new_claim(&self, agent: usize) -> Claim {
        let step = 2;
        let first = u8::try_from(agent).unwrap_or(0) + 2;
        let mut claims = 0_u64;
        for task in &self.tasks {
            if let Some(record) = task.record() {
                claims |= 1 << record.claim;
            }
        }
        for agent in &self.agents {
            if let Doing::Claim(claiming) = &agent.doing {
                claims |= 1 << claiming.claim;
            }
            for disk in &agent.disk {
                let held = disk.held.map(|(claim, _)| claim);
                for claim in disk.mark.into_iter().chain(held) {
                    claims |= 1 << claim;
                }
            }
        }
        for commit in self.commits() {
            if let File::Owned(record) = commit.to {
                claims |= 1 << record.claim;
            }
        }
        (first..60)
            .step_by(step)
            .find(|claim| claims & (1 << claim) == 0)
            .unwrap_or(63)
    }

    /// The compare-and-swap.
    pub(super) fn arrive(&mut self, commit: Commit) -> bool {
        if self.tip == commit.id {
            return true;
        }
        if self.tip != commit.base {
            return false;
        }
        self.tip = commit.id;
        let task = &mut self.tasks[usize::from(commit.task)];
        if let File::Owned(record) = commit.to {
            if record.epoch <= task.highest {
                self.broken.get_or_insert(Broken::Epoch);
            } else {
                self.again += u8::from(task.highest > 0);
                task.highest = record.epoch;
                task.winner = None;
            }
        }
        task.edit(commit.from, commit.to);
        for agent in &mut self.agents {
            if let Doing::Claim(claiming) = &mut agent.doing
                && let Some((proposed, landed)) = &mut claiming.commit
                && proposed.id == commit.id
            {
                *landed = true;
            }
        }
        true
    }

    /// Forgets what cannot make a difference any more, so that states that differ in nothing are
    /// one: pushes built on a tip that is gone for good; marks of claims that neither are in the
    /// register nor can get there; and of a finished task, from which nothing leads away, its
    /// epochs.
    pub(super) fn normalize(&mut self) {
        let tip = self.tip;
        self.late.retain(|commit| commit.base == tip);
        self.late.sort_unstable();
        self.late.dedup();
        for (n, task) in self.tasks.iter_mut().enumerate() {
            if task.files == [File::Done] {
                task.highest = 0;
                task.winner = None;
            }
            for agent in &mut self.agents {
                let Some(mark) = agent.disk[n].mark else {
                    continue;
                };
                let has = |file: &File| matches!(file, File::Owned(record) if record.claim == mark);
                let is_alive = task.files.iter().any(has)
                    || self.late.iter().any(|commit| has(&commit.to))
                    || matches!(&agent.doing, Doing::Claim(claiming) if claiming.claim == mark);
                if !is_alive {
                    agent.disk[n].mark = None;
                }
            }
        }
    }

    /// Whether a push of this agent may still land that it does not wait for any more. It knows:
    /// what it sent is noted on its disk until the tip has moved past it.
    pub(super) fn has_doubt(&self, author: u8) -> bool {
        self.late.iter().any(|commit| commit.author == author)
    }

    /// Whether two agents hold a task by claims of its current epoch.
    pub(super) fn is_held_twice(&self) -> bool {
        self.tasks.iter().enumerate().any(|(n, task)| {
            let holds = |agent: &Agent| {
                let held = agent.disk[n].held;
                held.is_some_and(|(_, epoch)| epoch == task.highest)
            };
            self.agents.iter().all(holds)
        })
    }

    /// An agent learns that a task is its own. As it learns it in the moment in which the register
    /// moves or is read, the register must have exactly that claim.
    pub(super) fn confirm(&mut self, agent: usize, task: u8, confirmed: Record) {
        let known = &mut self.tasks[usize::from(task)];
        let who = u8::try_from(agent).unwrap_or(u8::MAX);
        let is_others = known.winner.is_some_and(|winner| winner != who);
        if !known.files.contains(&File::Owned(confirmed)) || is_others {
            self.broken.get_or_insert(Broken::Owner);
        }
        known.winner = Some(who);
        self.agents[agent].disk[usize::from(task)].held = Some((confirmed.claim, confirmed.epoch));
    }

    /// The effect happens now.
    pub(super) fn act(&mut self, task: u8) {
        let known = &mut self.tasks[usize::from(task)];
        let held = self.agents[LOCAL].disk[usize::from(task)].held;
        let is_owner = known
            .record()
            .is_some_and(|record| held == Some((record.claim, record.epoch)));
        if !is_owner {
            self.broken.get_or_insert(Broken::Effect);
        }
        known.effects = known.effects.saturating_add(1);
    }

    /// The same state with the tasks in an order of their own: tasks differ in nothing.
    pub(super) fn in_order(mut self) -> Self {
        let count = self.tasks.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| self.look_of(a).cmp(&self.look_of(b)));
        if order.iter().enumerate().all(|(new, &old)| new == old) {
            return self;
        }
        let mut place = [0_u8; MAX_TASKS];
        for (new, &old) in order.iter().enumerate() {
            place[old] = u8::try_from(new).unwrap_or(0);
        }
        self.tasks = order.iter().map(|&old| self.tasks[old].clone()).collect();
        for agent in &mut self.agents {
            let mut disk = agent.disk;
            for (new, &old) in order.iter().enumerate() {
                disk[new] = agent.disk[old];
            }
            agent.disk = disk;
            match &mut agent.doing {
                Doing::Nothing => {}
                Doing::Claim(claiming) => {
                    claiming.task = place[usize::from(claiming.task)];
                    if let Some((commit, _)) = &mut claiming.commit {
                        commit.task = place[usize::from(commit.task)];
                    }
                }
                Doing::End(ending) => {
                    ending.task = place[usize::from(ending.task)];
                    if let Some(commit) = &mut ending.commit {
                        commit.task = place[usize::from(commit.task)];
                    }
                }
                Doing::Act { task } => *task = place[usize::from(*task)],
            }
        }
        for commit in &mut self.late {
            commit.task = place[usize::from(commit.task)];
        }
        self.late.sort_unstable();
        self
    }

    /// All that tells one task from another.
    fn look_of(&self, task: usize) -> (&Task, [Disk; 2], [bool; 2], usize) {
        let number = u8::try_from(task).unwrap_or(0);
        let at_it = |agent: &Agent| agent.doing.task() == Some(number);
        let late = self.late.iter().filter(|c| c.task == number).count();
        (
            &self.tasks[task],
            [self.agents[0].disk[task], self.agents[1].disk[task]],
            [at_it(&self.agents[0]), at_it(&self.agents[1])],
            late,
        )
    }
}
