//! [`OdooServer`]: how documents are posted and payments recorded. [`McpOdooServer`] asks the full server for Odoo to
//! do it.
//!
//! Invariant: an answer to what acts that is not understood, or that is lost, is [`Outcome::Unknown`].

use async_trait::async_trait;
use platinum_core::{OdooPayment, text::one_line};
use platinum_journal::Outcome;
use platinum_mcp::{CallError, Session};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{NotDone, acting::outcome_of};

/// What its owner calls the server.
const SERVER: &str = "the Odoo server";
/// What the words of errors hold that no later try ends: the server's own.
const FINAL: [&str; 2] = ["there is no document ", "it cannot be paid so: "];

/// A document, as Odoo has it now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OdooDocument {
    /// All of it, as the server wants it back.
    pub document: Value,
    /// As a person reads it.
    pub shown: String,
    /// Why it is not posted as it is, each the end of a sentence.
    pub obstacles: Vec<String>,
}

impl OdooDocument {
    /// A field that is text; nothing of another one.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.document
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// The code of its currency.
    pub(super) fn currency(&self) -> &str {
        let code = self.document.pointer("/currency/code");
        code.and_then(Value::as_str).unwrap_or_default()
    }

    /// How a person calls it: `vendor bill BILL/2026/0001`.
    pub(super) fn title(&self) -> String {
        let kind = self.text("kind").replace('_', " ");
        match self.text("number") {
            "" => format!("{kind} {}", self.document.get("id").unwrap_or(&Value::Null)),
            number => format!("{kind} {}", one_line(number, 60)),
        }
    }
}

/// A payment as it would be recorded now.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PaymentPreview {
    /// As a person reads it.
    pub shown: String,
    /// Who pays or is paid.
    pub partner: Record,
    /// The journal that it goes over.
    pub journal: Record,
}

/// A record of Odoo's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Record {
    /// Its number.
    pub id: i64,
}

/// A payment to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRequest {
    /// The name under which Odoo keeps it.
    pub operation: String,
    /// What was approved.
    pub payment: OdooPayment,
    /// Odoo's number of who pays or is paid.
    pub partner: i64,
    /// Odoo's number of the journal.
    pub journal: i64,
}

/// What there is of a draft's payments.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FoundPayment {
    /// The payment, if there is one.
    pub payment: Option<KnownPayment>,
    /// The numbers of further ones.
    pub others: Vec<i64>,
}

/// A payment that Odoo has.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KnownPayment {
    /// Its number in the database.
    pub id: i64,
    /// The number it is known by.
    #[serde(default)]
    pub number: Option<String>,
    /// How much, as decimal text.
    pub amount: String,
    /// The day.
    #[serde(default)]
    pub date: Option<String>,
}

/// Why something was not answered. Nothing was changed by asking.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct OdooError {
    /// In words, one line.
    pub reason: String,
    /// Whether asking again later will not help.
    pub is_final: bool,
}

impl From<OdooError> for NotDone {
    fn from(error: OdooError) -> Self {
        Self::new(error.reason, !error.is_final)
    }
}

/// A way to ask Odoo, and to have it do something.
#[async_trait]
pub trait OdooServer: Send + Sync {
    /// A document as it is now.
    ///
    /// # Errors
    /// If it cannot be asked, or there is none.
    async fn document(&self, id: u64) -> Result<OdooDocument, OdooError>;

    /// Posts a document that is still this, once.
    ///
    /// # Errors
    /// Why it was not posted; nothing happened.
    async fn post(&self, document: &OdooDocument) -> Result<Outcome, NotDone>;

    /// How a payment would look now.
    ///
    /// # Errors
    /// If it cannot be asked, or the document cannot be paid so.
    async fn preview_payment(&self, payment: &OdooPayment) -> Result<PaymentPreview, OdooError>;

    /// Records a payment, once.
    ///
    /// # Errors
    /// Why it was not recorded; nothing happened.
    async fn record_payment(&self, request: &PaymentRequest) -> Result<Outcome, NotDone>;

    /// The payment of an operation, or of a further attempt at it, that was not cancelled.
    ///
    /// # Errors
    /// If it cannot be asked.
    async fn find_payment(&self, operation: &str) -> Result<FoundPayment, OdooError>;
}

/// Asks the tools of the full server for Odoo.
pub struct McpOdooServer {
    session: Session,
}

impl McpOdooServer {
    /// Asks over this session.
    pub fn new(session: Session) -> Self {
        Self { session }
    }

    async fn read<T: DeserializeOwned>(&self, tool: &str, question: Value) -> Result<T, OdooError> {
        let answer = self.session.call(tool, question).await;
        read(answer)
    }
}

#[async_trait]
impl OdooServer for McpOdooServer {
    async fn document(&self, id: u64) -> Result<OdooDocument, OdooError> {
        self.read("get_document", json!({ "id": id })).await
    }

    async fn post(&self, document: &OdooDocument) -> Result<Outcome, NotDone> {
        let approved = json!({ "approved": document.document });
        outcome_of(SERVER, self.session.call("post_invoice", approved).await)
    }

    async fn preview_payment(&self, payment: &OdooPayment) -> Result<PaymentPreview, OdooError> {
        let question = json!({
            "document": payment.invoice,
            "amount": payment.amount.to_decimal(),
            "currency": payment.amount.currency,
            "date": payment.date,
            "journal": payment.journal,
        });
        self.read("preview_payment", question).await
    }

    async fn record_payment(&self, request: &PaymentRequest) -> Result<Outcome, NotDone> {
        let payment = &request.payment;
        let arguments = json!({
            "operation": request.operation,
            "document": payment.invoice,
            "partner": request.partner,
            "amount": payment.amount.to_decimal(),
            "currency": payment.amount.currency,
            "date": payment.date,
            "journal": request.journal,
        });
        outcome_of(SERVER, self.session.call("record_payment", arguments).await)
    }

    async fn find_payment(&self, operation: &str) -> Result<FoundPayment, OdooError> {
        self.read("find_payment", json!({ "operation": operation }))
            .await
    }
}

/// The answer of a tool that reads.
fn read<T: DeserializeOwned>(answer: Result<Value, CallError>) -> Result<T, OdooError> {
    let failed = |reason: String, is_final| OdooError {
        reason: one_line(&reason, 500),
        is_final,
    };
    match answer {
        Ok(answer) => serde_json::from_value(answer).map_err(|error| {
            let reason = format!("{SERVER}'s answer is not of the agreed form: {error}");
            failed(reason, false)
        }),
        Err(CallError::Tool(reason)) => {
            let is_final = FINAL.iter().any(|words| reason.contains(words));
            Err(failed(reason, is_final))
        }
        Err(error) => Err(failed(error.to_string(), false)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_reading_is_final_by_the_servers_words_alone() {
        let read = |error| read::<FoundPayment>(Err(error)).unwrap_err();
        for (error, is_final) in [
            (
                CallError::Tool("there is no document 7 in Odoo that".into()),
                true,
            ),
            (
                CallError::Tool("it cannot be paid so: nothing is open".into()),
                true,
            ),
            (
                CallError::Tool("cannot reach Odoo at 127.0.0.1: refused".into()),
                false,
            ),
            (
                CallError::Tool("the Odoo user lacks a right: x".into()),
                false,
            ),
            (CallError::Lost("there is no document ".into()), false),
            (CallError::NotStarted("x".into()), false),
        ] {
            assert_eq!(read(error.clone()).is_final, is_final, "{error:?}");
        }
        let odd = super::read::<FoundPayment>(Ok(json!({"payment": 1}))).unwrap_err();
        assert!(
            odd.reason
                .starts_with("the Odoo server's answer is not of the agreed form: ")
        );
        let found = json!({"payment": {"id": 5, "number": null, "amount": "1.00", "date": "2026-12-01"},
            "others": [], "document": null});
        assert_eq!(
            super::read::<FoundPayment>(Ok(found))
                .unwrap()
                .payment
                .unwrap()
                .id,
            5
        );
    }

    #[test]
    fn document_is_called_as_a_person_calls_it() {
        let document = |document: Value| OdooDocument {
            document,
            shown: String::new(),
            obstacles: vec![],
        };
        let posted = document(json!({"id": 12, "kind": "vendor_bill", "number": "BILL/1"}));
        assert_eq!(posted.title(), "vendor bill BILL/1");
        let draft = document(json!({"id": 12, "kind": "vendor_bill", "number": null}));
        assert_eq!(draft.title(), "vendor bill 12");
    }
}
