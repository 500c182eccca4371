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

#[cfg(test)]
mod tests {
    use wasmtime::component::{Resource, ResourceTable};

    use super::*;
    use crate::{
        approvals::QueueView,
        bindings::platinum::approvals::queue::{Host as _, HostApprovedAction as _},
        tests::{House, draft, sent},
    };

    #[tokio::test]
    async fn sending_uses_the_handle_up_and_it_cannot_be_made_from_a_number() {
        let house = House::new([sent(), sent()]);
        house.approve(&draft(1));
        let mut table = ResourceTable::new();
        let mut queue = QueueView {
            approvals: &house.approvals,
            table: &mut table,
        };
        let next = queue
            .next(vec!["email-send".into()])
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        let number = next.rep();
        let seen = Resource::new_borrow(number);
        assert_eq!(queue.draft(seen).await.unwrap(), draft(1).id.to_string());
        let mut sending = SendView {
            mail: &house.mail,
            table: &mut table,
        };
        assert!(sending.send(next).await.unwrap().is_ok());
        // The same number, and one that never was: a trap, not a mail.
        for number in [number, number + 1] {
            assert!(sending.send(Resource::new_own(number)).await.is_err());
        }
        assert_eq!(house.asked(), 1);
        assert!(table.is_empty());
    }

    #[tokio::test]
    async fn an_empty_queue_is_no_error() {
        let house = House::new([]);
        let mut table = ResourceTable::new();
        let mut queue = QueueView {
            approvals: &house.approvals,
            table: &mut table,
        };
        assert!(
            queue
                .next(vec!["email-send".into()])
                .await
                .unwrap()
                .unwrap()
                .is_none()
        );
    }
}
