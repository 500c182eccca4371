//! Calls a host function, which the test never lets return.

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
        world: "guests:waits-in-host/waits-in-host",
        path: ["../../../wit/skill", "../../../wit/sync", "wit"],
        generate_all,
    });
    export!(Guest with_types_in self);

    /// The guest; its one function is below.
    pub(crate) struct Guest;
}

use component::exports::platinum::skill::handler::{self, Error, Invocation, Outcome};
use component::platinum::sync::run;

impl handler::Guest for component::Guest {
    fn run(_invocation: Invocation) -> Result<Outcome, Error> {
        match run::run() {
            Ok(report) => Ok(Outcome::Done(report.tip)),
            Err(_) => Err(Error::Failed("it returned".to_owned())),
        }
    }
}
