//! Takes an approval, of the kind that the message names, and sends it as a mail.

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
        world: "guests:asks-email-send/asks-email-send",
        path: ["../../../wit/skill", "../../../wit/actions", "../../../wit/approvals", "../../../wit/email", "wit"],
        generate_all,
    });
    export!(Guest with_types_in self);

    /// The guest; its one function is below.
    pub(crate) struct Guest;
}

use component::exports::platinum::skill::handler::{self, Error, Invocation, Outcome};
use component::platinum::approvals::queue;
use component::platinum::email::send;

impl handler::Guest for component::Guest {
    fn run(invocation: Invocation) -> Result<Outcome, Error> {
        let kind = invocation.message.filter(|kind| !kind.is_empty());
        let kind = kind.unwrap_or_else(|| "email-send".to_owned());
        let next = queue::next(&[kind]).map_err(|error| match error {
            queue::Error::Invalid(why) => Error::Failed(why),
            queue::Error::Unavailable(why) => Error::Unavailable(why),
        })?;
        let Some(approved) = next else {
            return Ok(Outcome::Nothing);
        };
        match send::send(approved) {
            Ok(receipt) => Ok(Outcome::Done(receipt.reference)),
            Err(error) => Err(Error::Failed(format!("{error:?}"))),
        }
    }
}
