//! Answers that it cannot be done.

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
        world: "guests:answers-failed/answers-failed",
        path: ["../../../wit/skill", "wit"],
        generate_all,
    });
    export!(Guest with_types_in self);

    /// The guest; its one function is below.
    pub(crate) struct Guest;
}

use component::exports::platinum::skill::handler::{self, Error, Invocation, Outcome};

impl handler::Guest for component::Guest {
    fn run(_invocation: Invocation) -> Result<Outcome, Error> {
        Err(Error::Failed("no answer is good enough".to_owned()))
    }
}
