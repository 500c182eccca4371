//! [`OdooServer`]: how documents are posted and payments recorded. [`McpOdooServer`] asks the full server for Odoo to
//! do it.

use async_trait::async_trait;
use platinum_core::{OdooPayment, text::one_line};
use platinum_journal::Outcome;
use platinum_mcp::Session;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{AskError, NotDone, acting::ActingServer};

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

/// A way to ask Odoo, and to have it do something.
#[async_trait]
pub trait OdooServer: Send + Sync {
    /// A document as it is now.
    ///
    /// # Errors
    /// If it cannot be asked, or there is none.
    async fn document(&self, id: u64) -> Result<OdooDocument, AskError>;

    /// Posts a document that is still this, once.
    ///
    /// # Errors
    /// Why it was not posted; nothing happened.
    async fn post(&self, document: &OdooDocument) -> Result<Outcome, NotDone>;

    /// How a payment would look now.
    ///
    /// # Errors
    /// If it cannot be asked, or the document cannot be paid so.
    async fn preview_payment(&self, payment: &OdooPayment) -> Result<PaymentPreview, AskError>;

    /// Records a payment, once.
    ///
    /// # Errors
    /// Why it was not recorded; nothing happened.
    async fn record_payment(&self, request: &PaymentRequest) -> Result<Outcome, NotDone>;

    /// The payment of an operation, or of a further attempt at it, that was not cancelled.
    ///
    /// # Errors
    /// If it cannot be asked.
    async fn find_payment(&self, operation: &str) -> Result<FoundPayment, AskError>;
}

/// Asks the tools of the full server for Odoo.
pub struct McpOdooServer(ActingServer);

impl McpOdooServer {
    /// Asks over this session.
    pub fn new(session: Session) -> Self {
        Self(ActingServer::new(session, "the Odoo server", is_final))
    }
}

fn is_final(words: &str) -> bool {
    FINAL.iter().any(|part| words.contains(part))
}

#[async_trait]
impl OdooServer for McpOdooServer {
    async fn document(&self, id: u64) -> Result<OdooDocument, AskError> {
        self.0.read("get_document", json!({ "id": id })).await
    }

    async fn post(&self, document: &OdooDocument) -> Result<Outcome, NotDone> {
        let approved = json!({ "approved": document.document });
        self.0.act("post_invoice", approved).await
    }

    async fn preview_payment(&self, payment: &OdooPayment) -> Result<PaymentPreview, AskError> {
        let question = json!({
            "document": payment.invoice,
            "amount": payment.amount.to_decimal(),
            "currency": payment.amount.currency,
            "date": payment.date,
            "journal": payment.journal,
        });
        self.0.read("preview_payment", question).await
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
        self.0.act("record_payment", arguments).await
    }

    async fn find_payment(&self, operation: &str) -> Result<FoundPayment, AskError> {
        self.0
            .read("find_payment", json!({ "operation": operation }))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_reading_is_final_by_the_servers_words_alone() {
        for (words, expected) in [
            ("there is no document 7 in Odoo that", true),
            ("it cannot be paid so: nothing is open", true),
            ("cannot reach Odoo at 127.0.0.1: refused", false),
            ("the Odoo user lacks a right: x", false),
        ] {
            assert_eq!(is_final(words), expected, "{words}");
        }
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
