//! WASI as ordinary toolchains import it unasked: linked, and empty.
//!
//! Invariants: no environment, no arguments, no open folder, no address or name may be used; standard
//! input is at its end and standard output goes nowhere. What is left is clocks and random numbers.

use wasmtime::component::Linker;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::SkillState;

/// The most random bytes a skill gets in one call.
const MAX_RANDOM_BYTES: u64 = 64 * 1024;

/// Adds WASI 0.2 to a linker.
pub(crate) fn link(linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)
}

fn empty() -> WasiCtx {
    // A new builder has no environment, arguments, streams or folders, and denies every address.
    WasiCtxBuilder::new()
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .allow_blocking_current_thread(false)
        .max_random_size(MAX_RANDOM_BYTES)
        .build()
}

impl WasiView for SkillState {
    /// The context is made when it is first used: most skills import no WASI at all.
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: self.wasi.get_or_insert_with(empty),
            table: &mut self.table,
        }
    }
}
