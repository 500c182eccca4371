//! Writes one log line of 8 MiB.

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
        world: "guests:huge-line/huge-line",
        path: ["../../../wit/skill", "wit"],
        generate_all,
    });
    export!(Guest with_types_in self);

    /// The guest; its one function is below.
    pub(crate) struct Guest;
}

use component::exports::platinum::skill::handler::{self, Error, Invocation, Outcome};
use component::platinum::skill::log;

impl handler::Guest for component::Guest {
    fn run(_invocation: Invocation) -> Result<Outcome, Error> {
        log::line(log::Level::Info, &"a".repeat(8 << 20));
        Ok(Outcome::Done("wrote it".to_owned()))
    }
}
