//! What can happen in a state, and what comes of it.

use super::{
    Action, CLOUD, Claims, LOCAL, Mutation,
    register::{Commit, File, Slot},
    state::{Doing, Ending, State},
};

impl Claims {
    /// Everything that may be next.
    pub(super) fn possible(&self, state: &State, actions: &mut Vec<Action>) {
        let tasks = 0..u8::try_from(self.tasks).unwrap_or(0);
        for agent in [LOCAL, CLOUD] {
            self.possible_for(state, agent, tasks.clone(), actions);
        }
        actions.extend((0..state.late.len()).map(Action::ArriveLate));
        if self.others {
            actions.push(Action::Other);
        }
    }

    fn possible_for(
        &self,
        state: &State,
        agent: usize,
        tasks: std::ops::Range<u8>,
        actions: &mut Vec<Action>,
    ) {
        let host = &state.agents[agent];
        let has_faults = state.faults > 0;
        match (&host.doing, host.doing.waits()) {
            (Doing::Nothing, _) => {
                for task in tasks {
                    let held = host.disk[usize::from(task)].held;
                    if held.is_none() {
                        actions.push(Action::Claim(agent, task));
                        continue;
                    }
                    actions.push(Action::Finish(agent, task));
                    if !host.disk[usize::from(task)].intent {
                        actions.push(Action::Release(agent, task));
                    }
                    if agent == LOCAL {
                        actions.push(Action::Ask(task));
                    }
                }
                if agent == LOCAL {
                    self.possible_take_overs(state, actions);
                }
            }
            (Doing::Act { .. }, _) => {
                actions.push(Action::Act);
                if has_faults {
                    actions.extend([Action::DieActing(false), Action::DieActing(true)]);
                }
            }
            (Doing::Claim(_) | Doing::End(_), false) => {
                actions.push(Action::Look(agent));
                if matches!(&host.doing, Doing::End(ending) if ending.in_doubt) {
                    actions.push(Action::GiveUp(agent));
                }
            }
            (_, true) => {
                if !host.cut {
                    actions.push(Action::Arrive(agent));
                }
                if has_faults {
                    actions.push(Action::ArriveTwice(agent));
                }
                if has_faults || host.cut {
                    actions.push(Action::TimeOut(agent));
                }
            }
        }
        if has_faults && host.doing != Doing::Nothing {
            actions.push(Action::Crash(agent));
        }
        if host.cut {
            actions.push(Action::Heal(agent));
        } else if has_faults && host.doing.needs_line() {
            actions.push(Action::Cut(agent));
        }
    }

    fn possible_take_overs(&self, state: &State, actions: &mut Vec<Action>) {
        for (n, task) in state.tasks.iter().enumerate() {
            let others = |folder| folder != self.folder(LOCAL);
            if task.record().is_some_and(|record| others(record.folder)) {
                actions.push(Action::TakeOver(u8::try_from(n).unwrap_or(0)));
            }
        }
    }

    /// Does it. False if it does not count: beyond the bounds.
    pub(super) fn step(&self, state: &mut State, action: Action) -> bool {
        match action {
            Action::Claim(agent, task) => self.begin_claim(state, agent, task, false),
            Action::TakeOver(task) => self.begin_claim(state, LOCAL, task, true),
            Action::Finish(agent, task) => self.begin_end(state, agent, task, false),
            Action::Release(agent, task) => self.begin_end(state, agent, task, true),
            Action::Look(agent) => match &state.agents[agent].doing {
                Doing::Claim(_) => self.look_for_claim(state, agent),
                _ => self.look_for_end(state, agent),
            },
            Action::Arrive(agent) => self.arrive(state, agent),
            Action::ArriveTwice(agent) => {
                state.faults -= 1;
                if let Some(commit) = state.agents[agent].doing.commit() {
                    state.arrive(commit);
                }
            }
            Action::TimeOut(agent) => self.time_out(state, agent),
            Action::GiveUp(agent) => state.agents[agent].doing = Doing::Nothing,
            Action::ArriveLate(n) => {
                let commit = state.late.remove(n);
                state.arrive(commit);
            }
            Action::Ask(task) => self.ask(state, task),
            Action::Act => act(state, true, true),
            Action::DieActing(after) => {
                state.faults -= 1;
                act(state, !self.is(Mutation::NoIntent), after);
            }
            Action::Crash(agent) => {
                state.faults -= 1;
                leave_behind(state, agent);
                state.agents[agent].doing = Doing::Nothing;
            }
            Action::Cut(agent) => {
                state.faults -= 1;
                state.agents[agent].cut = true;
            }
            Action::Heal(agent) => state.agents[agent].cut = false,
            Action::Other => state.tip = state.foreign_tip(),
        }
        self.reject_all(state);
        for agent in &mut state.agents {
            // An agent that asks for nothing does not notice that it is cut off: it is the same as an
            // agent that is not next for a while.
            agent.cut &= agent.doing.needs_line();
        }
        state.again <= self.again
    }

    /// A push built on a tip that is gone can only be rejected. It is rejected at once: if it were
    /// later, or never, it could do no more in between than wait.
    fn reject_all(&self, state: &mut State) {
        for agent in [LOCAL, CLOUD] {
            let doing = &state.agents[agent].doing;
            let is_dead = |commit: Commit| commit.base != state.tip && commit.id != state.tip;
            if !state.agents[agent].cut && doing.waits() && doing.commit().is_some_and(is_dead) {
                self.answered(state, agent, Some(false));
            }
        }
    }

    /// The push arrives, and so does its answer.
    fn arrive(&self, state: &mut State, agent: usize) {
        let Some(commit) = state.agents[agent].doing.commit() else {
            return;
        };
        let landed = state.arrive(commit);
        self.answered(state, agent, Some(landed));
    }

    fn answered(&self, state: &mut State, agent: usize, answer: Option<bool>) {
        match &state.agents[agent].doing {
            Doing::Claim(_) => self.claim_answered(state, agent, answer),
            _ => self.end_answered(state, agent, answer),
        }
    }

    fn time_out(&self, state: &mut State, agent: usize) {
        if !state.agents[agent].cut {
            state.faults -= 1;
        }
        leave_behind(state, agent);
        self.answered(state, agent, None);
    }

    /// The fence: with a fresh look at the remote, and nothing of its own still under way, the
    /// task is still owned by the very claim that is held here. What it answers is acted on later.
    fn ask(&self, state: &mut State, task: u8) {
        let n = usize::from(task);
        let disk = state.agents[LOCAL].disk[n];
        if disk.intent {
            return;
        }
        if self.is(Mutation::NoEpochCheck) {
            state.agents[LOCAL].doing = Doing::Act { task };
            return;
        }
        if state.agents[LOCAL].cut {
            return;
        }
        let record = state.tasks[n].record();
        let is_ours = record.is_some_and(|r| disk.held == Some((r.claim, r.epoch)));
        if !is_ours {
            state.agents[LOCAL].disk[n].held = None;
            return;
        }
        if !self.is(Mutation::DoubtIgnored) && state.has_doubt(self.folder(LOCAL)) {
            return;
        }
        state.agents[LOCAL].doing = Doing::Act { task };
    }

    fn begin_end(&self, state: &mut State, agent: usize, task: u8, release: bool) {
        state.agents[agent].doing = Doing::End(Ending {
            task,
            release,
            commit: None,
            attempts: 0,
            in_doubt: false,
            sent: false,
        });
        self.look_for_end(state, agent);
    }

    /// Fetches, and builds the end of the task on the tip, as the driver does.
    fn look_for_end(&self, state: &mut State, agent: usize) {
        let Doing::End(mut ending) = state.agents[agent].doing.clone() else {
            return;
        };
        if state.agents[agent].cut {
            // Not known, or not now: it is tried again some time.
            state.agents[agent].doing = Doing::Nothing;
            return;
        }
        let n = usize::from(ending.task);
        if ending.in_doubt && ending.commit.is_some_and(|c| c.base == state.tip) {
            // It may still be under way: only the same commit can be pushed beside it.
            ending.sent = true;
            state.agents[agent].doing = Doing::End(ending);
            return;
        }
        if ending.attempts >= self.attempts {
            state.agents[agent].doing = Doing::Nothing;
            return;
        }
        let folder = self.folder(agent);
        let held = state.agents[agent].disk[n].held;
        let owned = state.tasks[n].record();
        let is_own = owned.is_some_and(|r| r.folder == folder && held == Some((r.claim, r.epoch)));
        if !is_own {
            // Done already, or not its own any more.
            state.agents[agent].disk[n].held = None;
            state.agents[agent].doing = Doing::Nothing;
            return;
        }
        let to = match ending.release {
            true => File::Waiting(owned.map_or(0, |record| record.epoch)),
            false => File::Done,
        };
        ending.commit = Some(state.named(Commit {
            id: 0,
            base: state.tip,
            task: ending.task,
            author: folder,
            from: Slot::Owned(folder),
            to,
        }));
        ending.attempts += 1;
        ending.in_doubt = false;
        ending.sent = true;
        state.agents[agent].doing = Doing::End(ending);
    }

    fn end_answered(&self, state: &mut State, agent: usize, answer: Option<bool>) {
        let Doing::End(ending) = &mut state.agents[agent].doing else {
            return;
        };
        ending.sent = false;
        match answer {
            Some(true) => {
                let n = usize::from(ending.task);
                let host = &mut state.agents[agent];
                host.doing = Doing::Nothing;
                host.disk[n].held = None;
                host.disk[n].mark = None;
            }
            // A rejection of a push that is in doubt says nothing about the one before it.
            Some(false) if ending.in_doubt || ending.attempts < self.attempts => {}
            Some(false) => state.agents[agent].doing = Doing::Nothing,
            None => ending.in_doubt = true,
        }
    }
}

/// What this agent has sent is not waited for any longer.
fn leave_behind(state: &mut State, agent: usize) {
    let doing = &state.agents[agent].doing;
    if doing.waits()
        && let Some(commit) = doing.commit()
    {
        state.late.push(commit);
    }
}

/// Acts, as far as it comes, and leaves an intent in the journal unless that is forgotten.
fn act(state: &mut State, with_intent: bool, is_done: bool) {
    let Doing::Act { task } = state.agents[LOCAL].doing else {
        return;
    };
    if is_done {
        state.act(task);
    }
    let host = &mut state.agents[LOCAL];
    host.disk[usize::from(task)].intent = with_intent;
    host.doing = Doing::Nothing;
}
