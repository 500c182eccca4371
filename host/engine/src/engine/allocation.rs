//! How wasmtime is set up: what skills run under, and where their memory comes from.

use wasmtime::{Config, InstanceAllocationStrategy, PoolingAllocationConfig};

use super::EngineError;
use crate::error::{MAX_FOREIGN_BYTES, one_line};

/// The stack of a skill's own code.
const WASM_STACK: usize = 512 << 10;
/// The stack of one call: a skill's own and that of the host functions it calls.
const CALL_STACK: usize = 4 << 20;
/// The largest linear memory the pool has room for; a call's own limit is usually far smaller.
const POOL_MEMORY: usize = 1 << 30;
/// The largest table the pool has room for.
const POOL_TABLE_ELEMENTS: usize = 100_000;

/// Where instances get their memory from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// From address space reserved at the start: quick.
    Pooled,
    /// From the system, call by call: slower, for machines that do not give the address space.
    OnDemand,
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(CALL_STACK);
    config
}

fn pooled(calls: u32) -> Config {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(calls)
        .total_stacks(calls)
        // A component of Rust is about three core instances with one memory; one of Python a dozen.
        .total_core_instances(calls.saturating_mul(16))
        .total_memories(calls.saturating_mul(2))
        .total_tables(calls.saturating_mul(4))
        .max_memory_size(POOL_MEMORY)
        .table_elements(POOL_TABLE_ELEMENTS);
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    config
}

/// Where address space is short, a memory must not reserve 4 GiB of it either.
fn on_demand() -> Config {
    let mut config = config();
    config.memory_reservation(0).memory_guard_size(1 << 16);
    config
}

/// Reserves the pool, or goes without one.
pub(super) fn allocate(calls: u32) -> Result<(wasmtime::Engine, Allocation), EngineError> {
    match wasmtime::Engine::new(&pooled(calls)) {
        Ok(engine) => Ok((engine, Allocation::Pooled)),
        Err(error) => {
            tracing::warn!(
                "no address space for a pool of {calls} skills ({}); each call asks the system for \
                 its memory, which is slower",
                one_line(&format!("{error:#}"), MAX_FOREIGN_BYTES)
            );
            wasmtime::Engine::new(&on_demand())
                .map(|engine| (engine, Allocation::OnDemand))
                .map_err(|error| EngineError::Wasmtime(format!("{error:#}")))
        }
    }
}

/// An engine that only compiles, for one with this allocation: what it makes fits that one.
pub(super) fn compiling(for_allocation: Allocation) -> Result<wasmtime::Engine, EngineError> {
    let config = match for_allocation {
        Allocation::Pooled => pooled(1),
        Allocation::OnDemand => on_demand(),
    };
    wasmtime::Engine::new(&config).map_err(|error| EngineError::Wasmtime(format!("{error:#}")))
}
