//! The host side of `email/send`.

use platinum_core::{ActionKind, Capability};
use wasmtime::component::Resource;

use crate::{
    approvals::Approved,
    bindings::platinum::{
        actions::types::{EffectError, Receipt},
        email::send::Host,
    },
    interface::EffectView,
};

impl Host for EffectView<'_> {
    async fn send(
        &mut self,
        approved: Resource<Approved>,
    ) -> wasmtime::Result<Result<Receipt, EffectError>> {
        self.execute(approved, ActionKind::EMAIL_SEND, Capability::EmailSend)
            .await
    }
}

#[cfg(test)]
mod tests {
    use platinum_journal::AuditEvent;
    use wasmtime::component::{Resource, ResourceTable};

    use super::*;
    use crate::{
        approvals::QueueView,
        bindings::platinum::approvals::queue::{Host as _, HostApprovedAction as _},
        tests::{Fixture, draft, sent},
    };

    #[tokio::test]
    async fn send_uses_the_handle_up_and_takes_no_number() {
        let fixture = Fixture::new([sent(), sent()]);
        fixture.approve(&draft(1));
        let mut table = ResourceTable::new();
        let mut queue = QueueView {
            approvals: &fixture.approvals,
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
        let mut sending = EffectView {
            executor: &fixture.executor,
            skill: "local-execute-approved",
            table: &mut table,
        };
        assert!(sending.send(next).await.unwrap().is_ok());
        // In the log before the intent.
        let log = fixture.approvals.journal().newest(4).unwrap();
        let used: AuditEvent = serde_json::from_str(&log[0].data).unwrap();
        assert_eq!(
            used,
            AuditEvent::Used {
                subject: "local-execute-approved".to_owned(),
                interface: "email/send".to_owned(),
                draft: draft(1).id,
            }
        );
        let events: Vec<&str> = log.iter().map(|entry| entry.event.as_str()).collect();
        // The hand-over, then the receipt.
        assert_eq!(events, ["audit", "intent", "outcome", "outcome"]);
        // The same number, and one that never was: a trap, not a mail.
        for number in [number, number + 1] {
            assert!(sending.send(Resource::new_own(number)).await.is_err());
        }
        assert_eq!(fixture.asked(), 1);
        assert!(table.is_empty());
    }

    #[tokio::test]
    async fn next_on_an_empty_queue_is_none() {
        let fixture = Fixture::new([]);
        let mut table = ResourceTable::new();
        let mut queue = QueueView {
            approvals: &fixture.approvals,
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

    #[tokio::test]
    async fn queue_malformed_kind_is_invalid() {
        let fixture = Fixture::new([]);
        let mut table = ResourceTable::new();
        let mut queue = QueueView {
            approvals: &fixture.approvals,
            table: &mut table,
        };
        let answer = queue.next(vec!["Email Send".into()]).await.unwrap();
        assert!(matches!(
            answer,
            Err(crate::bindings::platinum::approvals::queue::Error::Invalid(reason))
                if reason
                    == "invalid kind of action `Email Send`: an id begins with a letter from a to z"
        ));
    }
}
