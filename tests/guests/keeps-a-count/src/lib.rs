//! Counts its runs in a static: a fresh instance always answers 1.

#![cfg(target_family = "wasm")]

#[allow(
    missing_docs,
    unsafe_code,
    unreachable_pub,
    dead_code,
    clippy::all,
    clippy::allow_attributes_without_reason,
    reason = "generated code"
)]
mod component {
    wit_bindgen::generate!({
        world: "guests:keeps-a-count/keeps-a-count",
        path: ["../../../wit/skill", "wit"],
        generate_all,
    });
    export!(Guest with_types_in self);

    /// The guest; its one function is below.
    pub(crate) struct Guest;
}

use component::exports::platinum::skill::handler::{self, Error, Invocation, Outcome};
use std::sync::atomic::{AtomicU32, Ordering};

static RUNS: AtomicU32 = AtomicU32::new(0);

impl handler::Guest for component::Guest {
    fn run(_invocation: Invocation) -> Result<Outcome, Error> {
        let runs = RUNS.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Outcome::Done(runs.to_string()))
    }
}
