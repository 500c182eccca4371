//! [`Limits`] of one call, and the [`Meter`] in the store that keeps them.
//!
//! Lives elsewhere: the wall-clock time-out and the caps on what crosses the boundary are set where
//! the store is made, in `invoke`.
//! Invariants: memory and table elements are counted over everything in the store, not per memory;
//! time spent inside a host function is not the skill's own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use wasmtime::ResourceLimiter;

/// How often the engine's clock ticks.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// What one call may use. There is no default: the caller states every one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all linear memories together.
    pub memory_bytes: usize,
    /// Elements of all tables together.
    pub table_elements: usize,
    /// Core instances in the component.
    pub instances: usize,
    /// Linear memories in the component.
    pub memories: usize,
    /// Tables in the component.
    pub tables: usize,
    /// Handles and host resources alive at a time.
    pub handles: usize,
    /// Time in the skill's own code, counted in ticks of 10 ms.
    pub cpu: Duration,
    /// Time from start to end, host functions included.
    pub wall_clock: Duration,
    /// How often the skill may leave its own code: calls of host functions, growth of memory, drops
    /// of handles.
    pub host_calls: u64,
    /// Bytes of the strings and lists that cross to the host in one call, the outcome's included.
    pub boundary_bytes: usize,
    /// Bytes of an outcome's or error's text; what is longer is cut.
    pub outcome_bytes: usize,
}

/// Why the engine stopped a skill. It travels through wasmtime as an error of its own type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LimitError {
    #[error("out of time")]
    OutOfTime,
    #[error("timed out")]
    TimedOut,
    #[error("too many host calls")]
    TooManyHostCalls,
}

/// What is left of the limits while a call runs.
pub(crate) struct Meter {
    memory_left: usize,
    table_left: usize,
    instances: usize,
    memories: usize,
    tables: usize,
    ticks_left: u64,
    calls_left: u64,
    granted_memory: usize,
    granted_table: usize,
    entered_host_at: u64,
    clock: Arc<AtomicU64>,
    denied: Option<Denied>,
}

/// What was asked for beyond the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Denied {
    Memory,
    Table,
}

impl Meter {
    pub(crate) fn new(limits: &Limits, clock: Arc<AtomicU64>) -> Self {
        let ticks = limits.cpu.as_nanos().div_ceil(TICK.as_nanos());
        Self {
            memory_left: limits.memory_bytes,
            table_left: limits.table_elements,
            instances: limits.instances,
            memories: limits.memories,
            tables: limits.tables,
            ticks_left: u64::try_from(ticks).unwrap_or(u64::MAX),
            calls_left: limits.host_calls,
            granted_memory: 0,
            granted_table: 0,
            entered_host_at: 0,
            clock,
            denied: None,
        }
    }

    pub(crate) fn unlimited() -> Self {
        Self {
            memory_left: usize::MAX,
            table_left: usize::MAX,
            instances: usize::MAX,
            memories: usize::MAX,
            tables: usize::MAX,
            ticks_left: u64::MAX,
            calls_left: u64::MAX,
            granted_memory: 0,
            granted_table: 0,
            entered_host_at: 0,
            clock: Arc::default(),
            denied: None,
        }
    }

    /// The clock ticked while the skill's own code ran.
    pub(crate) fn tick(&mut self) -> Result<(), LimitError> {
        // Asking about the tick left the skill's code too; that crossing is not its own.
        self.calls_left = self.calls_left.saturating_add(1);
        self.ticks_left = self
            .ticks_left
            .checked_sub(1)
            .ok_or(LimitError::OutOfTime)?;
        Ok(())
    }

    /// The skill left its own code.
    pub(crate) fn enter_host(&mut self) -> Result<(), LimitError> {
        self.calls_left = self
            .calls_left
            .checked_sub(1)
            .ok_or(LimitError::TooManyHostCalls)?;
        self.entered_host_at = self.clock.load(Ordering::Relaxed);
        Ok(())
    }

    /// The skill comes back to its own code: whether the clock ticked meanwhile.
    pub(crate) fn leave_host(&self) -> bool {
        self.clock.load(Ordering::Relaxed) != self.entered_host_at
    }

    /// What the skill was denied, if anything.
    pub(crate) fn denied(&self) -> Option<Denied> {
        self.denied
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let fits = more <= self.memory_left;
        if fits {
            self.memory_left -= more;
            self.granted_memory = more;
        } else {
            self.granted_memory = 0;
            self.denied = Some(Denied::Memory);
        }
        Ok(fits)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        // Also called after a refusal here, when there is nothing to give back.
        self.memory_left = self.memory_left.saturating_add(self.granted_memory);
        self.granted_memory = 0;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let more = desired.saturating_sub(current);
        let fits = more <= self.table_left;
        if fits {
            self.table_left -= more;
            self.granted_table = more;
        } else {
            self.granted_table = 0;
            self.denied = Some(Denied::Table);
        }
        Ok(fits)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.table_left = self.table_left.saturating_add(self.granted_table);
        self.granted_table = 0;
        Ok(())
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.tables
    }

    fn memories(&self) -> usize {
        self.memories
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> Meter {
        Meter {
            memory_left: 100,
            table_left: 10,
            ticks_left: 1,
            calls_left: 2,
            ..Meter::unlimited()
        }
    }

    /// Memory is counted over all memories together.
    #[test]
    fn meter_memory_is_counted_over_all_memories() {
        let mut meter = meter();
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(!meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(60, 100, None).unwrap());
        assert_eq!(meter.denied(), Some(Denied::Memory));
    }

    /// Growth that the system could not give is given back once.
    #[test]
    fn meter_failed_growth_is_given_back_once() {
        let mut meter = meter();
        assert!(meter.memory_growing(0, 100, None).unwrap());
        meter
            .memory_grow_failed(wasmtime::Error::msg("no"))
            .unwrap();
        meter
            .memory_grow_failed(wasmtime::Error::msg("no"))
            .unwrap();
        assert!(!meter.memory_growing(0, 101, None).unwrap());
        assert!(meter.memory_growing(0, 100, None).unwrap());
    }

    /// A refusal gives nothing back.
    #[test]
    fn meter_refused_growth_gives_nothing_back() {
        let mut meter = meter();
        assert!(meter.memory_growing(0, 90, None).unwrap());
        assert!(!meter.memory_growing(90, 190, None).unwrap());
        meter
            .memory_grow_failed(wasmtime::Error::msg("refused"))
            .unwrap();
        assert!(!meter.memory_growing(90, 101, None).unwrap());
    }

    /// Ticks and calls run out.
    #[test]
    fn meter_ticks_and_calls_run_out() {
        let mut meter = meter();
        assert_eq!(meter.tick(), Ok(()));
        assert_eq!(meter.tick(), Err(LimitError::OutOfTime));
        for _ in 0..4 {
            assert_eq!(meter.enter_host(), Ok(()));
        }
        assert_eq!(meter.enter_host(), Err(LimitError::TooManyHostCalls));
    }
}
