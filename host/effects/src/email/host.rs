//! The host side of `email/send`.

use std::sync::Arc;

use wasmtime::component::Resource;

use super::{SendError, SendView};
use crate::{
    approvals::Approved,
    bindings::platinum::{
        actions::types::{EffectError, Receipt},
        email::send::Host,
    },
};

impl Host for SendView<'_> {
    async fn send(
        &mut self,
        approved: Resource<Approved>,
    ) -> wasmtime::Result<Result<Receipt, EffectError>> {
        // Used up first: whatever comes of it, this handle is gone.
        let approved = self.table.delete(approved)?;
        let mail = Arc::clone(self.mail);
        // A task of its own: if the skill is cut off, the attempt still ends with an outcome.
        let sent = tokio::spawn(async move { mail.send(approved).await }).await;
        Ok(match sent {
            Ok(Ok(receipt)) => Ok(to_wit(receipt)),
            Ok(Err(SendError::Postponed(reason))) => Err(EffectError::Postponed(reason)),
            Ok(Err(SendError::Refused(reason))) => Err(EffectError::Refused(reason)),
            Ok(Err(SendError::OutcomeUnknown(reason))) => Err(EffectError::OutcomeUnknown(reason)),
            Ok(Err(SendError::AlreadyDone(receipt))) => {
                Err(EffectError::AlreadyDone(to_wit(receipt)))
            }
            Err(error) => Err(EffectError::OutcomeUnknown(format!(
                "sending was cut off: {error}"
            ))),
        })
    }
}

fn to_wit(receipt: platinum_journal::Receipt) -> Receipt {
    Receipt {
        at: receipt.at.to_string(),
        reference: receipt.reference,
        answer: receipt.answer,
    }
}
