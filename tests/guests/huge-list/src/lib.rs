//! Hands the host a list of 500 000 action kinds.

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
        world: "guests:huge-list/huge-list",
        path: ["../../../wit/skill", "../../../wit/actions", "../../../wit/approvals", "wit"],
        generate_all,
    });
    export!(Guest with_types_in self);

    /// The guest; its one function is below.
    pub(crate) struct Guest;
}

use component::exports::platinum::skill::handler::{self, Error, Invocation, Outcome};
use component::platinum::approvals::queue;

impl handler::Guest for component::Guest {
    fn run(_invocation: Invocation) -> Result<Outcome, Error> {
        match queue::next(&vec![String::new(); 500_000]) {
            Ok(_) => Ok(Outcome::Done("handed it over".to_owned())),
            Err(queue::Error::Invalid(why)) => Err(Error::Failed(why)),
            Err(queue::Error::Unavailable(why)) => Err(Error::Unavailable(why)),
        }
    }
}
