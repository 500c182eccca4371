//! The model of claims, for `stateright` to search whole: see [`Claims`].
//!
//! Lives here: what can happen ([`Action`]), the bounds, and what must hold.
//! Lives elsewhere: how an agent drives its machine is in `driver`, what it does otherwise in
//! `moves`, the remote in `register`, a moment of all of it in `state`.

mod driver;
mod healing;
mod moves;
mod register;
mod state;

use platinum_core::AgentName;
use stateright::{Model, Property};

pub use state::{Broken, State};

/// The host that acts, and that may take over.
const LOCAL: usize = 0;
/// The other one.
const CLOUD: usize = 1;
/// The most tasks that a model can have.
pub const MAX_TASKS: usize = 3;

/// Two agents, up to three tasks, one register, and a number of faults.
#[derive(Debug, Clone)]
pub struct Claims {
    /// How many tasks there are.
    pub tasks: usize,
    /// How many faults there may be in one run, of whatever kinds.
    pub faults: u8,
    /// How many claims there may be of tasks that had been claimed before: it bounds releases and
    /// take-overs.
    pub again: u8,
    /// How often one claim is pushed at most.
    pub attempts: u32,
    /// Whether both hosts have one name by mistake.
    pub one_name: bool,
    /// Whether others push too, at any moment: any number of further tasks, edits and agents.
    pub others: bool,
    /// Whether it is tried in every state that everything gets done once no further fault happens.
    pub healing: bool,
    /// What is done wrongly on purpose.
    pub mutation: Option<Mutation>,
    names: [AgentName; 2],
}

/// A known mistake, made in the driver around the real machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// Claims have no random id.
    NoNonce,
    /// A rejected claim is put on the new tip as it is, and pushed again.
    Rebase,
    /// A push that was not answered in time is taken for a lost claim.
    TimeoutIsLost,
    /// An effect goes by what is on this disk.
    NoEpochCheck,
    /// A take-over keeps the epoch of the claim that it ends.
    SameEpoch,
    /// An effect does not wait for the fate of this host's earlier pushes.
    DoubtIgnored,
    /// No intent is written before an effect.
    NoIntent,
    /// Only the last claim is remembered, not the one before that may still land.
    ForgetsClaims,
}

/// What can happen next. Agents are numbered: 0 is local, which acts and takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// An agent begins to claim a task: it fetches, and pushes if the task can be had.
    Claim(usize, u8),
    /// Local finds the owner of a task stuck, and begins to take it over.
    TakeOver(u8),
    /// An agent begins to file a task that it holds.
    Finish(usize, u8),
    /// An agent begins to give a task back.
    Release(usize, u8),
    /// An agent fetches again, after a rejection or in doubt.
    Look(usize),
    /// Its push arrives, and so does the answer.
    Arrive(usize),
    /// Its push arrives, and will arrive again: the answer it gets is that of the last.
    ArriveTwice(usize),
    /// The agent does not wait for the answer any longer.
    TimeOut(usize),
    /// It stops trying to end a task while the last push is in doubt.
    GiveUp(usize),
    /// A push arrives whose sender does not wait any more.
    ArriveLate(usize),
    /// Local asks the fence whether it may act on a task.
    Ask(u8),
    /// It acts.
    Act,
    /// It dies while it acts: after the effect, or before.
    DieActing(bool),
    /// An agent dies and starts again, with what is on its disk.
    Crash(usize),
    /// An agent is cut off.
    Cut(usize),
    /// The line is back.
    Heal(usize),
    /// Another program pushes something else.
    Other,
}

impl Claims {
    /// Two agents and no mistake; a claim is pushed twice at most.
    pub fn new(tasks: usize, faults: u8, again: u8) -> Self {
        Self {
            tasks: tasks.clamp(1, MAX_TASKS),
            faults,
            again,
            attempts: 2,
            one_name: false,
            others: false,
            healing: false,
            mutation: None,
            names: ["local", "cloud"].map(name),
        }
    }

    /// The same with both hosts named alike.
    pub fn with_one_name(self) -> Self {
        Self {
            one_name: true,
            names: ["cloud", "cloud"].map(name),
            ..self
        }
    }

    /// The same with so many pushes a claim.
    pub fn with_attempts(self, attempts: u32) -> Self {
        Self { attempts, ..self }
    }

    /// The same with others that push too.
    pub fn with_others(self) -> Self {
        Self {
            others: true,
            ..self
        }
    }

    /// The same, trying from every state whether all gets done.
    pub fn with_healing(self) -> Self {
        Self {
            healing: true,
            ..self
        }
    }

    /// The same with a mistake.
    pub fn with(self, mutation: Mutation) -> Self {
        Self {
            mutation: Some(mutation),
            ..self
        }
    }

    fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// The number of an agent's name, which is that of its folder.
    fn folder(&self, agent: usize) -> u8 {
        if self.one_name {
            0
        } else {
            u8::try_from(agent).unwrap_or(0)
        }
    }
}

#[expect(clippy::expect_used, reason = "constants that are valid names")]
fn name(text: &str) -> AgentName {
    text.parse().expect("the name of an agent")
}

impl Model for Claims {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State::new(self.tasks, self.faults)]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        // What is broken stays broken: there is nothing more to learn.
        if state.broken.is_none() {
            self.possible(state, actions);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        if !self.step(&mut next, action) {
            return None;
        }
        next.normalize();
        let next = next.in_order();
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(
                "one confirmed owner a task and epoch",
                |_, state: &State| state.broken != Some(Broken::Owner) && !state.is_held_twice(),
            ),
            Property::always("epochs only grow", |_, state: &State| {
                state.broken != Some(Broken::Epoch)
            }),
            Property::always(
                "no effect without the confirmed claim",
                |_, state: &State| state.broken != Some(Broken::Effect),
            ),
            Property::always("an effect happens at most once", |_, state: &State| {
                state.tasks.iter().all(|task| task.effects <= 1)
            }),
            Property::always("a task is in exactly one place", |_, state: &State| {
                state.tasks.iter().all(|task| task.files.len() == 1)
            }),
            Property::always(
                "an owner knows what is its own",
                |model: &Self, state: &State| state.every_owner_knows(model),
            ),
            Property::always(
                "without further faults all gets done",
                |model: &Self, state: &State| {
                    !model.healing || state.broken.is_some() || model.gets_done(state)
                },
            ),
            Property::sometimes(
                "all tasks are done, each acted on once",
                |_, state: &State| {
                    state
                        .tasks
                        .iter()
                        .all(|task| task.effects == 1 && task.files == [register::File::Done])
                },
            ),
        ]
    }
}
