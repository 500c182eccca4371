//! [`RecordPayment`]: the effect that records a payment.

use std::sync::Arc;

use async_trait::async_trait;
use platinum_core::{Action, ActionKind, OdooPayment, Timestamp, text::one_line};
use platinum_journal::Outcome;
use platinum_vault::note::DraftNote;

use super::{
    difference,
    server::{FoundPayment, OdooServer, PaymentPreview, PaymentRequest},
};
use crate::{Attempt, Effect, NotDone, Recovery, acting::if_there, done, executor::first_attempt};

/// Records payments this way.
pub struct RecordPayment {
    server: Arc<dyn OdooServer>,
}

impl RecordPayment {
    /// The effect over a way to ask Odoo.
    pub fn new(server: Arc<dyn OdooServer>) -> Self {
        Self { server }
    }

    /// The payment as it would be recorded now, if it is the one that was approved.
    async fn read(&self, attempt: &Attempt) -> Result<(OdooPayment, PaymentPreview), NotDone> {
        let approved: OdooPayment = attempt.outgoing.note.action.read()?;
        let now = self.server.preview_payment(&approved).await?;
        if difference::is_same(&approved.shown, &now.shown) {
            return Ok((approved, now));
        }
        let words = difference::in_words(&approved.shown, &now.shown);
        let reason = format!(
            "the payment is not what you approved: {words}; read it as it is now, then approve it again"
        );
        let renewed = OdooPayment {
            shown: now.shown,
            ..approved
        };
        Err(NotDone::differs(reason, Some(Action::new(&renewed))))
    }
}

#[async_trait]
impl Effect for RecordPayment {
    fn kind(&self) -> ActionKind {
        ActionKind::ODOO_PAYMENT
    }

    async fn prepare(&self, attempt: &Attempt) -> Result<(), NotDone> {
        self.read(attempt).await.map(drop)
    }

    async fn perform(&self, attempt: Attempt) -> Result<Outcome, NotDone> {
        let (payment, now) = self.read(&attempt).await?;
        fail::fail_point!("odoo-payment-read");
        let request = PaymentRequest {
            operation: operation(&attempt.reference),
            payment,
            partner: now.partner.id,
            journal: now.journal.id,
        };
        let outcome = self.server.record_payment(&request).await;
        fail::fail_point!("odoo-payment-answered");
        match outcome {
            Ok(Outcome::Unknown { reason }) => {
                let found = self.server.find_payment(&request.operation).await;
                match found.ok().and_then(|found| recorded(&found)) {
                    Some(answer) => Ok(done(answer)),
                    None => Ok(Outcome::Unknown { reason }),
                }
            }
            // Between the two readings: what it would be now is read, for its owner.
            Err(why) if why.recovery == Recovery::Approval => {
                Err(self.read(&attempt).await.err().unwrap_or(why))
            }
            outcome => outcome,
        }
    }

    async fn reconcile(
        &self,
        reference: &str,
        _: Option<&DraftNote>,
    ) -> Result<Option<String>, String> {
        let found = self.server.find_payment(first_attempt(reference)).await;
        let found = found.map_err(|error| error.reason)?;
        Ok(recorded(&found))
    }

    /// Whether nothing is left to pay.
    async fn done_by_owner(
        &self,
        draft: &DraftNote,
        _: Option<Timestamp>,
    ) -> Result<Option<String>, String> {
        let Ok(payment) = draft.action.read::<OdooPayment>() else {
            return Ok(None);
        };
        // What becomes of it without its document is said when it is prepared.
        let Some(now) = if_there(self.server.document(payment.invoice).await)? else {
            return Ok(None);
        };
        let is_zero = |amount: &str| amount.bytes().all(|byte| matches!(byte, b'0' | b'.'));
        let open = now.text("residual");
        let is_paid = now.text("state") == "posted" && !open.is_empty() && is_zero(open);
        Ok(is_paid.then(|| {
            format!(
                "{} is paid in Odoo already: nothing of it is open",
                now.title()
            )
        }))
    }

    fn advice(&self) -> &'static str {
        "No payment of it is in Odoo: if it stays so, none was recorded."
    }
}

/// The name of an attempt as it stands in the payment's memo: without a point.
fn operation(reference: &str) -> String {
    reference.replace('.', "-")
}

/// That a payment is there, in words.
fn recorded(found: &FoundPayment) -> Option<String> {
    let payment = found.payment.as_ref()?;
    let name = match &payment.number {
        Some(number) => one_line(number, 60),
        None => format!("payment {}", payment.id),
    };
    let day = payment.date.as_deref().unwrap_or("no day");
    let mut answer = format!("{name} is recorded in Odoo: {}, {day}", payment.amount);
    if !found.others.is_empty() {
        let others: Vec<String> = found.others.iter().map(ToString::to_string).collect();
        answer.push_str(&format!(
            "; there are more payments of it: {}; cancel them in Odoo",
            others.join(", ")
        ));
    }
    Some(answer)
}
