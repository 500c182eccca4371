//! Answers with what it was called with, as an outcome or as an error.

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
        world: "guests:echo/echo",
        path: ["../../../wit/skill", "wit"],
        generate_all,
    });
    export!(Guest with_types_in self);

    /// The guest; its one function is below.
    pub(crate) struct Guest;
}

use component::exports::platinum::skill::handler::{self, Error, Invocation, Outcome};

impl handler::Guest for component::Guest {
    fn run(invocation: Invocation) -> Result<Outcome, Error> {
        let message = invocation.message.unwrap_or_default();
        match message.split_once(' ') {
            Some(("drafted", rest)) => Ok(Outcome::Drafted(rest.to_owned())),
            Some(("dismissed", rest)) => Ok(Outcome::Dismissed(rest.to_owned())),
            Some(("claimed", rest)) => Ok(Outcome::Claimed(rest.to_owned())),
            Some(("tentative", rest)) => Ok(Outcome::Tentative(rest.to_owned())),
            Some(("invalid", rest)) => Err(Error::Invalid(rest.to_owned())),
            Some(("denied", rest)) => Err(Error::Denied(rest.to_owned())),
            Some(("unavailable", rest)) => Err(Error::Unavailable(rest.to_owned())),
            Some(("failed", rest)) => Err(Error::Failed(rest.to_owned())),
            Some(("event", _)) => Ok(Outcome::Done(invocation.event)),
            Some(("task", _)) => Ok(Outcome::Done(invocation.task.unwrap_or_default())),
            _ => Ok(Outcome::Nothing),
        }
    }
}
