//! The engine's clock: one thread that ticks every 10 ms while a skill runs, and sleeps otherwise.
//!
//! Invariants: as long as a [`Running`] lives, it ticks; the thread never keeps the engine alive,
//! and ends at once when it is dropped; a host in which no skill runs is not woken by it.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use crate::limits::TICK;

/// So many ticks after the last call it goes to sleep: calls that follow each other find it awake.
const LINGER: u32 = 50;

/// Holding it keeps the clock's thread.
pub(super) struct Ticker {
    /// How often it has ticked.
    pub(super) count: Arc<AtomicU64>,
    shared: Arc<Shared>,
}

/// A call that is under way: it keeps the clock going.
pub(crate) struct Running(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Default)]
struct State {
    running: usize,
    asleep: bool,
    ended: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the next tick is due; `false` at the end.
    fn wait(&self, idle: &mut u32) -> bool {
        let state = self.state();
        let (mut state, _) = self
            .wake
            .wait_timeout_while(state, TICK, |state| !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        *idle = match state.running {
            0 => idle.saturating_add(1),
            _ => 0,
        };
        if *idle > LINGER && !state.ended {
            *idle = 0;
            state.asleep = true;
            state = self
                .wake
                .wait_while(state, |state| state.asleep && !state.ended)
                .unwrap_or_else(PoisonError::into_inner);
        }
        !state.ended
    }
}

impl Ticker {
    pub(super) fn start(engine: &wasmtime::Engine) -> io::Result<Self> {
        let count = Arc::new(AtomicU64::new(0));
        let shared = Arc::<Shared>::default();
        let (engine, ticks) = (engine.weak(), Arc::clone(&count));
        let waits = Arc::clone(&shared);
        thread::Builder::new()
            .name("platinum-epoch".into())
            .spawn(move || {
                let mut idle = 0;
                while waits.wait(&mut idle) {
                    let Some(engine) = engine.upgrade() else {
                        break;
                    };
                    ticks.fetch_add(1, Ordering::Relaxed);
                    engine.increment_epoch();
                }
            })?;
        Ok(Self { count, shared })
    }

    /// Keeps it ticking for as long as the value lives.
    pub(super) fn run(&self) -> Running {
        let mut state = self.shared.state();
        state.running = state.running.saturating_add(1);
        if std::mem::take(&mut state.asleep) {
            self.shared.wake.notify_one();
        }
        drop(state);
        Running(Arc::clone(&self.shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.wake.notify_one();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.running = state.running.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    fn until(what: &str, mut done: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !done() {
            assert!(Instant::now() < deadline, "{what}");
            thread::yield_now();
        }
    }

    /// The clock ticks while a call runs sleeps otherwise and stops with its engine.
    #[test]
    fn ticker_ticks_only_while_a_call_runs() {
        let engine = wasmtime::Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        let count = Arc::clone(&ticker.count);
        let shared = Arc::clone(&ticker.shared);
        let ticks = || count.load(Ordering::Relaxed);
        for _ in 0..2 {
            until("it goes to sleep", || shared.state().asleep);
            let (one, other) = (ticker.run(), ticker.run());
            drop(one);
            // Far longer than it lingers: the other call still runs.
            let before = ticks();
            until("it ticks", || ticks() > before + 2 * u64::from(LINGER));
            assert!(!shared.state().asleep);
            drop(other);
        }
        until("it goes to sleep", || shared.state().asleep);
        drop(ticker);
        // The thread holds the other half of the count until it ends.
        until("it stops", || Arc::strong_count(&count) == 1);
    }
}
