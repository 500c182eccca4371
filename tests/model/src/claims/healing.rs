//! What must be true of every state beyond what can be read off it: owners that know what they
//! own, and a way to the end once the faults stop.

use super::{
    Action, CLOUD, Claims, LOCAL,
    register::File,
    state::{Doing, State},
};

/// More steps than are needed from any state.
const ENOUGH: usize = 200;

impl State {
    /// Every claim in the register is remembered by the host that made it, so that it finds it
    /// again however it was interrupted: no task is owned by an agent that will never know.
    pub(super) fn every_owner_knows(&self, model: &Claims) -> bool {
        self.tasks.iter().enumerate().all(|(n, task)| {
            let Some(record) = task.record() else {
                return true;
            };
            [LOCAL, CLOUD]
                .into_iter()
                .filter(|&agent| model.folder(agent) == record.folder)
                .any(|agent| {
                    let disk = &self.agents[agent].disk[n];
                    disk.mark == Some(record.claim)
                        || disk.held == Some((record.claim, record.epoch))
                })
        })
    }
}

impl Claims {
    /// Whether every task gets done from here once nothing goes wrong any more: the
    /// lines are back, what is under way arrives, each agent ends what it is at, and local takes
    /// over what is not its own, acts where it has not yet, and files.
    pub(super) fn gets_done(&self, state: &State) -> bool {
        let free = Self {
            again: u8::MAX,
            ..self.clone()
        };
        let mut state = state.clone();
        for agent in &mut state.agents {
            agent.cut = false;
        }
        for _ in 0..ENOUGH {
            if state.tasks.iter().all(|task| task.files == [File::Done]) {
                return state.broken.is_none();
            }
            let Some(action) = next(&free, &state) else {
                return false;
            };
            free.step(&mut state, action);
            state.normalize();
        }
        false
    }
}

/// What happens next without faults.
fn next(model: &Claims, state: &State) -> Option<Action> {
    if !state.late.is_empty() {
        return Some(Action::ArriveLate(0));
    }
    for agent in [CLOUD, LOCAL] {
        match (
            &state.agents[agent].doing,
            state.agents[agent].doing.waits(),
        ) {
            (Doing::Nothing, _) => {}
            (Doing::Act { .. }, _) => return Some(Action::Act),
            (_, false) => return Some(Action::Look(agent)),
            (_, true) => return Some(Action::Arrive(agent)),
        }
    }
    let local = &state.agents[LOCAL];
    for (n, task) in state.tasks.iter().enumerate() {
        let number = u8::try_from(n).unwrap_or(0);
        let disk = local.disk[n];
        if task.files == [File::Done] {
            continue;
        }
        let is_anothers = task
            .record()
            .is_some_and(|record| record.folder != model.folder(LOCAL));
        return Some(match disk.held {
            None if is_anothers => Action::TakeOver(number),
            None => Action::Claim(LOCAL, number),
            Some(_) if !disk.intent => Action::Ask(number),
            Some(_) => Action::Finish(LOCAL, number),
        });
    }
    None
}
