//! [`WakeUps`]: what a loop waits on, and [`Signal`], which ends its waits.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{sync::watch, time::timeout_at};

/// The longest wait; longer ones end early.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Delayed wake-ups this close together are one.
const SLOT: Duration = Duration::from_millis(250);

/// What waiters see.
#[derive(Debug, Clone, Default)]
struct WakeState {
    /// How many events mattered.
    events: u64,
    /// When to wake once more, in order, a slot apart.
    delayed: Vec<Instant>,
}

impl WakeState {
    /// Adds a delayed wake-up, unless one is due soon after it.
    fn add_delayed(&mut self, at: Instant) {
        let now = Instant::now();
        self.delayed.retain(|due| *due + SLOT > now);
        let behind = self.delayed.partition_point(|due| *due < at);
        let near = self.delayed.get(behind);
        if near.is_none_or(|next| next.duration_since(at) > SLOT) {
            self.delayed.insert(behind, at);
        }
    }
}

/// Wakes all waiters. Dropped, it ends their waits.
#[derive(Debug)]
pub(crate) struct Signal(watch::Sender<WakeState>);

/// A signal and its wake-ups.
pub(crate) fn wake_ups() -> (Arc<Signal>, WakeUps) {
    let (sender, receiver) = watch::channel(WakeState::default());
    let wake_ups = WakeUps {
        state: receiver,
        events: 0,
        last_delayed: None,
    };
    (Arc::new(Signal(sender)), wake_ups)
}

impl Signal {
    /// Wakes the waiters now, and again at a later time if one is given.
    pub(crate) fn wake(&self, again: Option<Instant>) {
        self.0.send_modify(|state| {
            state.events = state.events.wrapping_add(1);
            if let Some(at) = again {
                state.add_delayed(at);
            }
        });
    }

    /// Wakes the waiters at this time.
    pub(crate) fn wake_at(&self, at: Instant) {
        self.0.send_modify(|state| state.add_delayed(at));
    }
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something changed, perhaps: read the state again.
    Changed,
    /// Nothing was reported for so long: read the state again all the same, events do get lost.
    TimedOut,
    /// The watch ended.
    Closed,
}

/// Wake-ups of one watched folder. A clone waits for itself: each sees every change.
#[derive(Debug, Clone)]
pub struct WakeUps {
    state: watch::Receiver<WakeState>,
    /// How many events it knows of.
    events: u64,
    /// The last delayed wake-up that ended a wait.
    last_delayed: Option<Instant>,
}

impl WakeUps {
    /// Waits for a change, at most so long. Changes since the last wait end it at once, however
    /// many they are. Dropping the future loses no change.
    pub async fn wait(&mut self, at_most: Duration) -> Wake {
        let deadline = Instant::now() + at_most.min(LONGEST);
        loop {
            let delayed = self.next_delayed().filter(|due| *due <= deadline);
            match timeout_at(delayed.unwrap_or(deadline).into(), self.state.changed()).await {
                Ok(Ok(())) => {
                    let events = self.state.borrow_and_update().events;
                    if std::mem::replace(&mut self.events, events) != events {
                        return Wake::Changed;
                    }
                    // Only a delayed wake-up was set: the next wait ends earlier.
                }
                Ok(Err(_)) => return Wake::Closed,
                Err(_) if delayed.is_some() => {
                    self.last_delayed = delayed;
                    return Wake::Changed;
                }
                Err(_) => return Wake::TimedOut,
            }
        }
    }

    fn next_delayed(&self) -> Option<Instant> {
        let state = self.state.borrow();
        let is_new = |due: &&Instant| self.last_delayed.is_none_or(|last| **due > last);
        state.delayed.iter().find(is_new).copied()
    }
}
