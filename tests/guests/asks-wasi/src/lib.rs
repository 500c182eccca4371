//! Looks for environment, arguments and folders in WASI and counts what it finds.

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
        world: "guests:asks-wasi/asks-wasi",
        path: ["../../../wit/skill", "wit"],
        generate_all,
    });
    export!(Guest with_types_in self);

    /// The guest; its one function is below.
    pub(crate) struct Guest;
}

use component::exports::platinum::skill::handler::{self, Error, Invocation, Outcome};
use component::wasi::cli::environment;
use component::wasi::filesystem::preopens;

impl handler::Guest for component::Guest {
    fn run(_invocation: Invocation) -> Result<Outcome, Error> {
        Ok(Outcome::Done(format!(
            "{} variables, {} arguments, {} folders, home {:?}",
            environment::get_environment().len(),
            environment::get_arguments().len(),
            preopens::get_directories().len(),
            environment::initial_cwd(),
        )))
    }
}
