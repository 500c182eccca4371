//! Runs an admitted skill once: a fresh store, a fresh instance, one call, everything dropped.
//!
//! Lives here: the words of a call ([`Invocation`], [`Outcome`]) and the limits as they are set on
//! the store.
//! Lives elsewhere: counting against the limits is in [`limits`](crate::limits).
//! Invariants: the skill's own code gives way to other tasks at each tick of the clock, so the
//! time-out around the call always gets its turn; nothing of one call is seen by the next.

use std::{
    future::Future as _,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
    thread::{self, Thread},
    time::{Duration, Instant},
};

use platinum_core::{TaskId, Timestamp, ZoneId};
use wasmtime::{CallHook, PoolConcurrencyLimitError, Store, Trap, UpdateDeadline};
use wasmtime_wasi::I32Exit;

use crate::{
    Call, InvokeError, Limits, LoadError, Skill, SkillError, SkillHost, SkillState,
    bindings::{BasePre, exports::platinum::skill::handler, platinum::skill::types},
    error::{MAX_FOREIGN_BYTES, one_line},
    host::mismatch,
    limits::{Denied, LimitError, Meter},
    state::CalledTooEarly,
};

/// One run of a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// Why it runs: the name of an event.
    pub event: String,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// What went before, in one line. Text for people.
    pub message: Option<String>,
}

/// What came of a run that did not fail. Each text is the skill's own, cut and on one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// There was nothing to do.
    Nothing,
    /// Done; a line for the log.
    Done(String),
    /// A draft waits for the owner: its id, as the skill says it.
    Drafted(String),
    /// No action is needed, and why: the host finishes the task.
    Dismissed(String),
    /// The task belongs to this agent.
    Claimed(String),
    /// The task belongs to this agent until the remote says otherwise.
    Tentative(String),
}

impl SkillHost {
    /// Runs a skill once, under `limits`.
    ///
    /// # Errors
    /// If the skill was stopped by a limit, broke, or ended with an error of its own.
    pub async fn invoke(
        &self,
        skill: &Skill,
        invocation: Invocation,
        zones: Vec<ZoneId>,
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Outcome, InvokeError> {
        if !std::sync::Arc::ptr_eq(&self.inner, &skill.host) {
            return Err(InvokeError::OtherHost {
                skill: skill.name.clone(),
                role: skill.host.role,
            });
        }
        let call = Call {
            skill: skill.name.clone(),
            instructions: skill.instructions.clone(),
            agent: self.inner.agent.clone(),
            role: self.inner.role,
            zones,
            now,
            task: invocation.task,
        };
        // Waiting for a place is part of the run: a queue never waits for longer than its limit.
        tokio::time::timeout(limits.wall_clock, self.run(skill, call, invocation, limits))
            .await
            .unwrap_or_else(|_| {
                Err(InvokeError::TimedOut {
                    skill: skill.name.clone(),
                    limit: limits.wall_clock,
                })
            })
    }

    async fn run(
        &self,
        skill: &Skill,
        call: Call,
        invocation: Invocation,
        limits: &Limits,
    ) -> Result<Outcome, InvokeError> {
        let engine = &self.inner.engine;
        let _place = engine
            .permits()
            .acquire()
            .await
            .map_err(|_| InvokeError::Busy {
                skill: skill.name.clone(),
            })?;
        let _running = engine.running();
        let mut store = new_store(engine, limits);
        store.data_mut().folders = std::sync::Arc::clone(&skill.folders);
        store.data_mut().used = std::sync::Arc::clone(&skill.used);
        for interface in &skill.interfaces {
            interface.prepare(store.data_mut(), &call);
        }
        let invocation = handler::Invocation::from(invocation);
        let answer = match skill.pre.instantiate_async(&mut store).await {
            Ok(base) => {
                base.platinum_skill_handler()
                    .call_run(&mut store, &invocation)
                    .await
            }
            Err(error) => Err(error),
        };
        match answer {
            Ok(Ok(outcome)) => Ok(Outcome::new(outcome, limits.outcome_bytes)),
            Ok(Err(error)) => Err(InvokeError::Skill {
                skill: skill.name.clone(),
                error: SkillError::new(error, limits.outcome_bytes),
            }),
            Err(error) => Err(why(
                &skill.name,
                limits,
                &error,
                store.data().meter.denied(),
            )),
        }
    }
}

/// What one instance may use while its skill is admitted. What calls the host then is WASI.
const TRIAL: Limits = Limits {
    memory_bytes: 256 << 20,
    table_elements: 100_000,
    instances: 64,
    memories: 16,
    tables: 64,
    handles: 100,
    cpu: Duration::from_secs(1),
    wall_clock: Duration::from_secs(5), // Longer than the computing: a busy machine gives it late.
    host_calls: 1_000,
    boundary_bytes: 1 << 20,
    outcome_bytes: 0,
};

/// Starts one instance and drops it. Whether the types of its imports and exports are the host's
/// shows only here: the linker compares names first, and all types where an instance is made.
pub(crate) fn try_start(
    engine: &crate::Engine,
    skill: &str,
    pre: &BasePre<SkillState>,
) -> Result<(), LoadError> {
    let stopped = |reason: String| LoadError::Start {
        skill: skill.to_owned(),
        reason,
    };
    let _running = engine.running();
    let mut store = new_store(engine, &TRIAL);
    store.data_mut().is_trial = true;
    let started = catch_unwind(AssertUnwindSafe(|| start(pre, &mut store)));
    let error = match started {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error,
        Err(panic) if panic.is::<CalledTooEarly>() => {
            return Err(stopped("it calls the host before it is run".to_owned()));
        }
        Err(panic) => resume_unwind(panic),
    };
    let denied = store.data().meter.denied();
    let is_limit =
        error.is::<LimitError>() || error.is::<Trap>() || error.is::<PoolConcurrencyLimitError>();
    if !is_limit && denied.is_none() {
        return Err(mismatch(skill, &error));
    }
    Err(stopped(match why(skill, &TRIAL, &error, denied) {
        InvokeError::Trapped { reason, .. } => reason,
        other => other.to_string(),
    }))
}

/// Wakes the thread that waits for an instance.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Makes an instance. It gives way at each tick of the clock; and it may wait for the host, for a
/// timer of WASI's, which no tick counts.
fn start(pre: &BasePre<SkillState>, store: &mut Store<SkillState>) -> wasmtime::Result<()> {
    let ends = Instant::now() + TRIAL.wall_clock;
    let waker: Waker = Arc::new(Unpark(thread::current())).into();
    let mut context = Context::from_waker(&waker);
    // What WASI waits with needs a runtime.
    wasmtime_wasi::runtime::with_ambient_tokio_runtime(|| {
        let mut start = pin!(pre.instantiate_async(store));
        loop {
            match start.as_mut().poll(&mut context) {
                Poll::Ready(started) => return started.map(drop),
                Poll::Pending => match ends.saturating_duration_since(Instant::now()) {
                    Duration::ZERO => return Err(LimitError::TimedOut.into()),
                    left => thread::park_timeout(left),
                },
            }
        }
    })
}

/// A store in which every limit is set.
fn new_store(engine: &crate::Engine, limits: &Limits) -> Store<SkillState> {
    let mut state = SkillState::new(Meter::new(limits, engine.clock().clone()));
    state.table.set_max_capacity(limits.handles);
    let mut store = Store::new(engine.wasmtime(), state);
    store.limiter(|state| &mut state.meter);
    store.set_hostcall_fuel(limits.boundary_bytes);
    store.set_max_component_handles(limits.handles);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut store| {
        store.data_mut().meter.tick()?;
        Ok(UpdateDeadline::Yield(1))
    });
    store.call_hook(|mut store, hook| {
        match hook {
            CallHook::CallingHost => store.data_mut().meter.enter_host()?,
            // Waiting for the host is not the skill's own time: the tick it waited over is forgiven.
            CallHook::ReturningFromHost if store.data().meter.leave_host() => {
                store.set_epoch_deadline(1);
            }
            _ => {}
        }
        Ok(())
    });
    store
}

/// Which limit or break an error of wasmtime stands for.
fn why(
    skill: &str,
    limits: &Limits,
    error: &wasmtime::Error,
    denied: Option<Denied>,
) -> InvokeError {
    let skill = skill.to_owned();
    match error.downcast_ref::<LimitError>() {
        Some(LimitError::OutOfTime) => {
            return InvokeError::OutOfTime {
                skill,
                limit: limits.cpu,
            };
        }
        Some(LimitError::TimedOut) => {
            return InvokeError::TimedOut {
                skill,
                limit: limits.wall_clock,
            };
        }
        Some(LimitError::TooManyHostCalls) => {
            return InvokeError::TooManyHostCalls {
                skill,
                limit: limits.host_calls,
            };
        }
        None => {}
    }
    if error.is::<PoolConcurrencyLimitError>() {
        return InvokeError::Busy { skill };
    }
    // Refused growth is an answer the skill may live with; if it broke instead, that is why.
    let reason = match denied {
        Some(Denied::Memory) => {
            let (what, limit) = ("bytes of memory", limits.memory_bytes);
            return InvokeError::OutOfMemory { skill, what, limit };
        }
        Some(Denied::Table) => {
            let (what, limit) = ("table elements", limits.table_elements);
            return InvokeError::OutOfMemory { skill, what, limit };
        }
        None => match (
            error.downcast_ref::<Trap>(),
            error.downcast_ref::<I32Exit>(),
        ) {
            (Some(trap), _) => trap.to_string(),
            (_, Some(I32Exit(code))) => format!("it left with exit code {code}"),
            _ => error.root_cause().to_string(),
        },
    };
    InvokeError::Trapped {
        skill,
        reason: one_line(&reason, MAX_FOREIGN_BYTES),
    }
}

impl From<Invocation> for handler::Invocation {
    fn from(invocation: Invocation) -> Self {
        Self {
            event: invocation.event,
            task: invocation.task.map(|task| task.to_string()),
            message: invocation.message,
        }
    }
}

impl Outcome {
    fn new(outcome: types::Outcome, max_bytes: usize) -> Self {
        let line = |text: String| one_line(&text, max_bytes);
        match outcome {
            types::Outcome::Nothing => Outcome::Nothing,
            types::Outcome::Done(text) => Outcome::Done(line(text)),
            types::Outcome::Drafted(text) => Outcome::Drafted(line(text)),
            types::Outcome::Dismissed(text) => Outcome::Dismissed(line(text)),
            types::Outcome::Claimed(text) => Outcome::Claimed(line(text)),
            types::Outcome::Tentative(text) => Outcome::Tentative(line(text)),
        }
    }
}

impl SkillError {
    fn new(error: types::Error, max_bytes: usize) -> Self {
        let line = |text: String| one_line(&text, max_bytes);
        match error {
            types::Error::Invalid(text) => SkillError::Invalid(line(text)),
            types::Error::Denied(text) => SkillError::Denied(line(text)),
            types::Error::Unavailable(text) => SkillError::Unavailable(line(text)),
            types::Error::Failed(text) => SkillError::Failed(line(text)),
        }
    }
}
