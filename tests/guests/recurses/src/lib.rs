//! Calls itself until its stack is gone.

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
        world: "guests:recurses/recurses",
        path: ["../../../wit/skill", "wit"],
        generate_all,
    });
    export!(Guest with_types_in self);

    /// The guest; its one function is below.
    pub(crate) struct Guest;
}

use component::exports::platinum::skill::handler::{self, Error, Invocation, Outcome};

#[expect(unconditional_recursion, reason = "the point of this guest")]
#[inline(never)]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(deeper(std::hint::black_box(depth + 1))) + depth
}

impl handler::Guest for component::Guest {
    fn run(_invocation: Invocation) -> Result<Outcome, Error> {
        Ok(Outcome::Done(deeper(1).to_string()))
    }
}
