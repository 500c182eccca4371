//! The engine's clock: one thread that ticks every 10 ms for as long as the engine lives.
//!
//! Invariants: the thread never keeps the engine alive, and ends at once when it is dropped.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
};

use crate::limits::TICK;

/// Holding it keeps the clock going.
pub(super) struct Ticker {
    /// How often it has ticked.
    pub(super) count: Arc<AtomicU64>,
    // The thread waits on the other end, which hears that this one is gone.
    _alive: Sender<()>,
}

impl Ticker {
    pub(super) fn start(engine: &wasmtime::Engine) -> io::Result<Self> {
        let count = Arc::new(AtomicU64::new(0));
        let (alive, gone) = mpsc::channel::<()>();
        let (engine, ticks) = (engine.weak(), Arc::clone(&count));
        thread::Builder::new()
            .name("platinum-epoch".into())
            .spawn(move || {
                while gone.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    let Some(engine) = engine.upgrade() else {
                        break;
                    };
                    ticks.fetch_add(1, Ordering::Relaxed);
                    engine.increment_epoch();
                }
            })?;
        Ok(Self {
            count,
            _alive: alive,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn the_clock_ticks_and_stops_with_its_engine() {
        let engine = wasmtime::Engine::default();
        let ticker = Ticker::start(&engine).unwrap();
        let count = Arc::clone(&ticker.count);
        let deadline = Instant::now() + Duration::from_secs(30);
        while count.load(Ordering::Relaxed) < 2 {
            assert!(Instant::now() < deadline, "the clock does not tick");
            thread::yield_now();
        }
        drop(ticker);
        // The thread holds the other half of the count until it ends.
        while Arc::strong_count(&count) > 1 {
            assert!(Instant::now() < deadline, "the clock does not stop");
            thread::yield_now();
        }
    }
}
