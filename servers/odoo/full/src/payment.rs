//! `record_payment`: one payment for one posted document, once an operation. `find_payment`: the payment of an
//! operation.
//!
//! The operation stands at the end of the payment's memo, and is searched for before any attempt and after it. Odoo's
//! own form for payments is used (`account.payment.register`): it is filled in, read back, compared, and confirmed.

use platinum_odoo_client::document::read::MOVE;
use platinum_odoo_client::value::{Named, amount, created_id, text};
use platinum_odoo_client::{Amount, Call, Document, OdooError};
use platinum_odoo_draft::ServiceError;
use platinum_odoo_draft::drafting::arguments::check_operation;
use platinum_odoo_draft::payment::{check_payable, check_terms};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::acting::{ActingService, NotDone, Outcome};

const PAYMENT: &str = "account.payment";
const REGISTER: &str = "account.payment.register";

/// A payment to record.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PaymentArguments {
    /// What the caller calls this payment: 8 to 64 letters, digits, `-` and `_`.
    pub operation: String,
    /// The id of the document that is paid.
    pub document: i64,
    /// The id of the partner that was approved.
    pub partner: i64,
    /// How much, above 0 and at most what is not paid yet.
    pub amount: Amount,
    /// The ISO 4217 code of its currency, which is that of the document.
    pub currency: String,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// The id of the journal of the bank or cash that it went over.
    pub journal: i64,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Payment {
    /// Its number in the database.
    pub id: i64,
    /// The number it is known by.
    pub number: Option<String>,
    /// Its state.
    pub state: String,
    /// How much.
    pub amount: Amount,
    /// In which currency.
    pub currency: Option<Named>,
    /// The day.
    pub date: Option<String>,
    /// The journal.
    pub journal: Option<Named>,
    /// Who paid or was paid.
    pub partner: Option<Named>,
    /// What is written on it; the operation is at its end.
    pub memo: String,
}

/// Whose payment to look for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindArguments {
    /// The operation. Its further attempts, `…-2` and so on, are looked for, too.
    pub operation: String,
    /// The id of the document that was to be paid, to have it in the answer.
    #[serde(default)]
    pub document: Option<i64>,
}

/// What there is of an operation's payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindAnswer {
    /// The payment, the first one of several; none that was cancelled.
    pub payment: Option<Payment>,
    /// The ids of its other payments that were not cancelled.
    pub others: Vec<i64>,
    /// The document as it is now, if it was asked for.
    pub document: Option<Document>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PaymentAnswer {
    /// What became of it.
    pub outcome: Outcome,
    /// With `not_done`: whether the same call may succeed later.
    pub retry: bool,
    /// With `not_done`: whether that is because something is not what was approved.
    pub differs: bool,
    /// What happened, or went wrong.
    pub answer: String,
    /// The payment, if there is one.
    pub payment: Option<Payment>,
    /// The document as it is now, where it could be read.
    pub document: Option<Document>,
}

impl Payment {
    /// Whether it does not count.
    fn is_cancelled(&self) -> bool {
        matches!(
            self.state.as_str(),
            "canceled" | "cancelled" | "cancel" | "rejected"
        )
    }
}

impl ActingService {
    /// Records a payment: at most one attempt.
    ///
    /// # Errors
    /// If the operation, the amount or the day cannot be used, or Odoo cannot be asked at first: nothing was tried, and
    /// what an earlier call did is not known.
    pub async fn record_payment(
        &self,
        arguments: &PaymentArguments,
    ) -> Result<PaymentAnswer, ServiceError> {
        check(arguments)?;
        let _turn = self.turn.lock().await;
        let found = self.find_payments(arguments).await?;
        let document = match self.odoo.read_document(arguments.document).await {
            Ok(document) => document,
            Err(error @ ServiceError::NoDocument(_)) if found.is_empty() => {
                return Ok(not_done(NotDone::failed(&error)));
            }
            Err(error) => return Err(error),
        };
        if !found.is_empty() {
            return Ok(recorded(arguments, &found, document, "was recorded before"));
        }
        match self.attempt(arguments, document).await {
            Ok(answer) => {
                tracing::info!(operation = arguments.operation, answer.answer, "payment");
                Ok(answer)
            }
            Err(why) => {
                tracing::warn!(
                    operation = arguments.operation,
                    why.answer,
                    "payment not recorded"
                );
                Ok(not_done(why))
            }
        }
    }

    /// The payment of an operation, or of a further attempt at it.
    ///
    /// # Errors
    /// If the operation cannot be used, or Odoo cannot be asked.
    pub async fn find_payment(
        &self,
        arguments: &FindArguments,
    ) -> Result<FindAnswer, ServiceError> {
        check_operation(&arguments.operation)?;
        let _turn = self.turn.lock().await;
        let memo_field = self.memo_field().await?;
        let operation = &arguments.operation;
        let own = self.search_payments(memo_field, operation, "").await?;
        let further = self.search_payments(memo_field, operation, "-%").await?;
        let is_attempt = |payment: &Payment| {
            let last = payment.memo.rsplit(' ').next().unwrap_or_default();
            let number = last.strip_prefix(operation.as_str()).unwrap_or("x");
            let number = number.strip_prefix('-').unwrap_or(number);
            number.bytes().all(|byte| byte.is_ascii_digit())
        };
        let all = own.into_iter().chain(further);
        let mut found = all.filter(|payment| is_attempt(payment) && !payment.is_cancelled());
        let payment = found.next();
        let others = found.map(|other| other.id).collect();
        let document = match arguments.document {
            Some(document) => Some(self.odoo.read_document(document).await?),
            None => None,
        };
        Ok(FindAnswer {
            payment,
            others,
            document,
        })
    }

    async fn attempt(
        &self,
        arguments: &PaymentArguments,
        document: Document,
    ) -> Result<PaymentAnswer, NotDone> {
        decide(arguments, &document)?;
        let form = self.fill_form(arguments, &document).await?;
        let confirm = Call::new(REGISTER, "action_create_payments").on(&[form]);
        let confirm = of_document(confirm, &document);
        let failure = self.odoo.odoo.call(&confirm).await.err();
        let found = self.find_payments(arguments).await;
        let now = self
            .odoo
            .read_document(arguments.document)
            .await
            .unwrap_or(document);
        match (found, failure) {
            (Ok(found), _) if !found.is_empty() => {
                Ok(recorded(arguments, &found, now, "is recorded"))
            }
            (_, Some(failure)) if failure.is_certain() => Err(NotDone::failed(&failure.into())),
            (found, failure) => {
                let why = match (failure, found) {
                    (Some(failure), _) => failure.to_string(),
                    (None, Err(error)) => format!("looking for it afterwards failed: {error}"),
                    (None, Ok(_)) => "Odoo took the call, and the payment is not found".to_owned(),
                };
                Ok(PaymentAnswer {
                    outcome: Outcome::Unknown,
                    retry: false,
                    differs: false,
                    answer: format!("it is not known whether the payment was recorded: {why}"),
                    payment: None,
                    document: Some(now),
                })
            }
        }
    }

    /// The payments of an operation, the oldest first.
    async fn find_payments(&self, arguments: &PaymentArguments) -> Result<Vec<Payment>, OdooError> {
        let memo_field = self.memo_field().await?;
        self.search_payments(memo_field, &arguments.operation, "")
            .await
    }

    /// The payments whose memo ends with an operation and this pattern, the oldest first.
    async fn search_payments(
        &self,
        memo_field: &'static str,
        operation: &str,
        rest: &str,
    ) -> Result<Vec<Payment>, OdooError> {
        let pattern = format!("% {}{rest}", operation.replace('_', "\\_"));
        let domain = json!([[memo_field, "=like", pattern]]);
        let wanted = [
            "name",
            "state",
            "amount",
            "currency_id",
            "date",
            "journal_id",
            "partner_id",
            memo_field,
        ];
        let fields = self.odoo.odoo.existing(PAYMENT, &wanted).await?;
        let rows = self
            .odoo
            .odoo
            .search_read(PAYMENT, domain, &fields, "id asc", 20)
            .await?;
        Ok(rows
            .iter()
            .filter_map(|row| payment(row, memo_field))
            .collect())
    }

    /// The field of a payment's memo: `ref` up to Odoo 17.
    async fn memo_field(&self) -> Result<&'static str, OdooError> {
        let fields = self.odoo.odoo.fields(PAYMENT).await?;
        Ok(match fields.contains_key("memo") {
            true => "memo",
            false => "ref",
        })
    }

    /// Fills in Odoo's form and compares what it made of it: nothing is booked by that.
    async fn fill_form(
        &self,
        arguments: &PaymentArguments,
        document: &Document,
    ) -> Result<i64, NotDone> {
        // The form books nothing: even a lost answer is certain.
        let failed = |error: OdooError| NotDone::failed(&error.into());
        let memo = memo(arguments, document);
        let values = json!({
            "payment_date": arguments.date,
            "journal_id": arguments.journal,
            "amount": arguments.amount.to_json(),
            "currency_id": document.currency.id,
            "communication": memo,
            "payment_difference_handling": "open",
        });
        let create = Call::new(REGISTER, "create").with("vals_list", json!([values]));
        let answer = self
            .odoo
            .odoo
            .call(&of_document(create, document))
            .await
            .map_err(failed)?;
        let form = created_id(&answer)
            .ok_or_else(|| NotDone::refused("Odoo's form for payments was not opened"))?;
        let fields = [
            "payment_date",
            "journal_id",
            "amount",
            "currency_id",
            "communication",
            "partner_id",
            "payment_difference_handling",
        ];
        let read = Call::new(REGISTER, "read")
            .on(&[form])
            .with("fields", json!(fields));
        let read = self
            .odoo
            .odoo
            .call(&of_document(read, document))
            .await
            .map_err(failed)?;
        let row = read.get(0).unwrap_or(&Value::Null);
        let id = |field: &str| Named::from_json(&row[field]).map(|named| named.id);
        let wrong = [
            (
                "date",
                text(&row["payment_date"]).as_deref() != Some(&arguments.date),
            ),
            ("journal", id("journal_id") != Some(arguments.journal)),
            ("amount", amount(&row["amount"]) != arguments.amount),
            ("currency", id("currency_id") != Some(document.currency.id)),
            ("partner", !is_of(document, id("partner_id"))),
            (
                "memo",
                text(&row["communication"]).as_deref() != Some(&memo),
            ),
            (
                "what stays open",
                row["payment_difference_handling"] != "open",
            ),
        ];
        let wrong: Vec<&str> = wrong
            .iter()
            .filter(|(_, is_wrong)| *is_wrong)
            .map(|(what, _)| *what)
            .collect();
        match wrong.is_empty() {
            true => Ok(form),
            false => Err(NotDone::drift(format!(
                "Odoo's form for the payment does not take what was approved: {}",
                wrong.join(", ")
            ))),
        }
    }
}

/// A call of Odoo's form for the payment of this document.
fn of_document(call: Call, document: &Document) -> Call {
    call.in_context("active_model", MOVE)
        .in_context("active_ids", vec![document.id])
        .of_company(document.company.id)
}

/// Whether a partner is the document's, or the company that they are a contact of.
fn is_of(document: &Document, partner: Option<i64>) -> bool {
    let own = [&document.partner, &document.commercial_partner];
    let mut own = own.into_iter().flatten();
    partner.is_some_and(|partner| own.any(|named| named.id == partner))
}

fn memo(arguments: &PaymentArguments, document: &Document) -> String {
    let number = document.number.as_deref().unwrap_or("payment");
    format!("{number} {}", arguments.operation)
}

fn check(arguments: &PaymentArguments) -> Result<(), ServiceError> {
    check_operation(&arguments.operation)?;
    check_terms(arguments.amount, &arguments.date)
}

/// Whether a document can be paid like this.
fn decide(arguments: &PaymentArguments, document: &Document) -> Result<(), NotDone> {
    let is_paid = document.kind.is_invoice() && document.is_posted();
    if is_paid && document.partner.as_ref().map(|named| named.id) != Some(arguments.partner) {
        let title = document.title();
        let partner = document
            .partner
            .as_ref()
            .map_or_else(|| "nobody".to_owned(), Named::to_string);
        let approved = arguments.partner;
        return Err(NotDone::drift(format!(
            "{title} is of {partner}, and {approved} was approved"
        )));
    }
    check_payable(document, arguments.amount, &arguments.currency).map_err(|why| NotDone {
        retry: false,
        differs: why.differs,
        answer: why.reason,
    })
}

fn payment(row: &Value, memo_field: &str) -> Option<Payment> {
    Some(Payment {
        id: row["id"].as_i64()?,
        number: text(&row["name"]).filter(|name| name != "/"),
        state: text(&row["state"]).unwrap_or_default(),
        amount: amount(&row["amount"]),
        currency: Named::from_json(&row["currency_id"]),
        date: text(&row["date"]),
        journal: Named::from_json(&row["journal_id"]),
        partner: Named::from_json(&row["partner_id"]),
        memo: text(&row[memo_field]).unwrap_or_default(),
    })
}

fn not_done(why: NotDone) -> PaymentAnswer {
    PaymentAnswer {
        outcome: Outcome::NotDone,
        retry: why.retry,
        differs: why.differs,
        answer: why.answer,
        payment: None,
        document: None,
    }
}

/// The answer about payments that were found; one is right.
fn recorded(
    arguments: &PaymentArguments,
    found: &[Payment],
    document: Document,
    how: &str,
) -> PaymentAnswer {
    let first = found.first();
    let number = first
        .and_then(|payment| payment.number.as_deref())
        .unwrap_or("the payment");
    let operation = &arguments.operation;
    let wrong = first.and_then(|payment| difference(arguments, &document, payment));
    let answer = match &wrong {
        Some(wrong) => {
            format!("{number} is the payment of {operation}, and is not what was approved: {wrong}")
        }
        None if found.len() > 1 => {
            let others: Vec<String> = found.iter().skip(1).map(|one| one.id.to_string()).collect();
            format!(
                "{number} {how}, and there are more payments of {operation}: {}; cancel them in Odoo",
                others.join(", ")
            )
        }
        None => format!("{number} {how}"),
    };
    PaymentAnswer {
        outcome: Outcome::Done,
        retry: false,
        differs: wrong.is_some(),
        answer,
        payment: first.cloned(),
        document: Some(document),
    }
}

fn difference(
    arguments: &PaymentArguments,
    document: &Document,
    payment: &Payment,
) -> Option<String> {
    let id = |named: &Option<Named>| named.as_ref().map(|named| named.id);
    if payment.amount != arguments.amount {
        return Some(format!("its amount is {}", payment.amount));
    }
    if id(&payment.currency) != Some(document.currency.id) {
        return Some(format!("its currency is not {}", document.currency.code));
    }
    if payment.date.as_deref() != Some(&arguments.date) {
        return Some(format!(
            "its day is {}",
            payment.date.as_deref().unwrap_or("none")
        ));
    }
    if id(&payment.journal) != Some(arguments.journal) {
        return Some("it is in another journal".to_owned());
    }
    if payment.is_cancelled() {
        return Some(format!("its state is {}", payment.state));
    }
    None
}
