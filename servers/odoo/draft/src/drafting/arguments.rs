//! [`DraftArguments`]: what may be asked for of a draft, checked before Odoo is asked. Pure.

use jiff::civil::Date;
use platinum_odoo_client::{Amount, DocumentKind};
use platinum_text::{is_bidi_control, is_hidden, is_joined};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::service::ServiceError;

/// The most lines of a draft.
const MAX_LINES: usize = 200;
/// The most taxes of a line.
const MAX_TAXES: usize = 10;
/// The longest text of a line, in characters.
const MAX_NAME: usize = 2000;
/// The longest reference, in characters.
const MAX_REFERENCE: usize = 128;

/// A draft to save. All of it is given: nothing is taken from what Odoo would suggest.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftArguments {
    /// What the caller calls this draft: 8 to 64 letters, digits, `-` and `_`. It is kept in the document's field
    /// "Source Document"; a second call with the same one saves no second draft.
    pub operation: String,
    /// What it is.
    pub kind: DocumentKind,
    /// The id of the company.
    pub company: i64,
    /// The id of the journal.
    pub journal: i64,
    /// The ISO 4217 code of the currency of all amounts.
    pub currency: String,
    /// The id of the customer or vendor; none of a journal entry.
    #[serde(default)]
    pub partner: Option<i64>,
    /// The day on it, `YYYY-MM-DD`; of an entry, the day it is booked at.
    pub date: String,
    /// The day it is booked at, if that is another one.
    #[serde(default)]
    pub accounting_date: Option<String>,
    /// The day it is due. Of an invoice, either this or `payment_term`.
    #[serde(default)]
    pub due_date: Option<String>,
    /// The id of the payment term, from which Odoo computes the days it is due.
    #[serde(default)]
    pub payment_term: Option<i64>,
    /// The partner's own number for it, or what an entry is about.
    #[serde(default)]
    pub reference: Option<String>,
    /// The id of the fiscal position; none without it.
    #[serde(default)]
    pub fiscal_position: Option<i64>,
    /// The id of the document that a credit note takes back.
    #[serde(default)]
    pub reverses: Option<i64>,
    /// The lines of an invoice, a bill or a credit note.
    #[serde(default)]
    pub lines: Vec<DraftLine>,
    /// The debits and credits of a journal entry.
    #[serde(default)]
    pub items: Vec<DraftItem>,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftLine {
    /// What it is for; may have several lines.
    pub name: String,
    /// How many.
    pub quantity: Amount,
    /// What one costs.
    pub unit_price: Amount,
    /// Per cent off, from 0 to 100.
    #[serde(default)]
    pub discount: Amount,
    /// The ids of its taxes; an empty list for none.
    pub taxes: Vec<i64>,
    /// The id of the account; Odoo's choice by product, partner and journal without it.
    #[serde(default)]
    pub account: Option<i64>,
    /// The id of the product.
    #[serde(default)]
    pub product: Option<i64>,
}

/// A debit or credit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftItem {
    /// What it is for.
    pub name: String,
    /// The id of the account.
    pub account: i64,
    /// How much; one of debit and credit is 0.
    #[serde(default)]
    pub debit: Amount,
    /// How much; one of debit and credit is 0.
    #[serde(default)]
    pub credit: Amount,
    /// The id of the partner.
    #[serde(default)]
    pub partner: Option<i64>,
}

impl DraftArguments {
    /// Whether it can be asked for.
    ///
    /// # Errors
    /// Which argument cannot be used, and what to give.
    pub fn check(&self) -> Result<(), ServiceError> {
        check_operation(&self.operation)?;
        let is_code =
            self.currency.len() == 3 && self.currency.bytes().all(|byte| byte.is_ascii_uppercase());
        require(is_code, "currency", "must be an ISO 4217 code such as EUR")?;
        let days = [
            ("date", Some(&self.date)),
            ("accounting_date", self.accounting_date.as_ref()),
            ("due_date", self.due_date.as_ref()),
        ];
        for (field, day) in days {
            if let Some(day) = day {
                check_day(field, day)?;
            }
        }
        let records = [
            ("company", Some(self.company)),
            ("journal", Some(self.journal)),
            ("partner", self.partner),
            ("payment_term", self.payment_term),
            ("fiscal_position", self.fiscal_position),
            ("reverses", self.reverses),
        ];
        for (field, id) in records {
            require(
                id.is_none_or(|id| id > 0),
                field,
                "must be the id of a record",
            )?;
        }
        if let Some(reference) = &self.reference {
            check_text("reference", reference, MAX_REFERENCE, false)?;
        }
        match self.kind {
            DocumentKind::JournalEntry => self.check_entry(),
            _ => self.check_invoice(),
        }
    }

    fn check_invoice(&self) -> Result<(), ServiceError> {
        require(
            self.items.is_empty(),
            "items",
            "are of journal entries; give `lines`",
        )?;
        require(
            self.partner.is_some(),
            "partner",
            "is missing: the id of a customer or vendor",
        )?;
        require(
            self.due_date.is_some() != self.payment_term.is_some(),
            "due_date",
            "or `payment_term` must be given, and not both",
        )?;
        let is_credit_note = matches!(
            self.kind,
            DocumentKind::CustomerCreditNote | DocumentKind::VendorCreditNote
        );
        require(
            is_credit_note || self.reverses.is_none(),
            "reverses",
            "is of credit notes",
        )?;
        check_count("lines", self.lines.len())?;
        for (at, line) in self.lines.iter().enumerate() {
            let field = |name: &str| format!("lines {} {name}", at + 1);
            check_text(&field("name"), &line.name, MAX_NAME, true)?;
            let is_share = !line.discount.is_negative() && line.discount <= Amount::HUNDRED;
            require(is_share, &field("discount"), "must be from 0 to 100")?;
            require(
                line.taxes.len() <= MAX_TAXES,
                &field("taxes"),
                "must be at most 10",
            )?;
            let ids = line
                .taxes
                .iter()
                .copied()
                .chain(line.account)
                .chain(line.product);
            require(
                ids.into_iter().all(|id| id > 0),
                &field("taxes, account and product"),
                "must be ids of records",
            )?;
        }
        Ok(())
    }

    fn check_entry(&self) -> Result<(), ServiceError> {
        require(
            self.lines.is_empty(),
            "lines",
            "are of invoices; give `items`",
        )?;
        let others = [
            ("partner", self.partner.is_some()),
            ("accounting_date", self.accounting_date.is_some()),
            ("due_date", self.due_date.is_some()),
            ("payment_term", self.payment_term.is_some()),
            ("fiscal_position", self.fiscal_position.is_some()),
            ("reverses", self.reverses.is_some()),
        ];
        for (field, is_given) in others {
            require(!is_given, field, "is not of a journal entry")?;
        }
        check_count("items", self.items.len())?;
        for (at, item) in self.items.iter().enumerate() {
            let field = |name: &str| format!("items {} {name}", at + 1);
            check_text(&field("name"), &item.name, MAX_NAME, true)?;
            require(
                item.account > 0,
                &field("account"),
                "must be the id of a record",
            )?;
            require(
                item.partner.is_none_or(|id| id > 0),
                &field("partner"),
                "must be the id of a record",
            )?;
            let is_one = !item.debit.is_negative()
                && !item.credit.is_negative()
                && item.debit.is_zero() != item.credit.is_zero();
            require(
                is_one,
                &field("debit"),
                "or `credit` must be above 0, and the other 0",
            )?;
        }
        let debits: Amount = self.items.iter().map(|item| item.debit).sum();
        let credits: Amount = self.items.iter().map(|item| item.credit).sum();
        require(
            debits == credits,
            "items",
            &format!("do not balance: {debits} debit, {credits} credit"),
        )
    }
}

/// Whether a text can be the name of an operation: it is searched for, and shown.
///
/// # Errors
/// What to give.
pub fn check_operation(operation: &str) -> Result<(), ServiceError> {
    let is_name = (8..=64).contains(&operation.len())
        && operation
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    require(
        is_name,
        "operation",
        "must be 8 to 64 letters, digits, - and _",
    )
}

/// Whether a text is a day.
///
/// # Errors
/// What to give in this field.
pub fn check_day(field: &str, day: &str) -> Result<(), ServiceError> {
    let is_day = day.len() == 10 && day.parse::<Date>().is_ok();
    require(is_day, field, "must be a day such as 2026-11-30")
}

fn require(is_right: bool, field: &str, problem: &str) -> Result<(), ServiceError> {
    match is_right {
        true => Ok(()),
        false => Err(ServiceError::argument(field, problem)),
    }
}

fn check_count(field: &str, count: usize) -> Result<(), ServiceError> {
    let is_right = (1..=MAX_LINES).contains(&count);
    require(is_right, field, &format!("must be from 1 to {MAX_LINES}"))
}

/// A text that a person sees whole: with nothing that is invisible or turns its order round.
fn check_text(field: &str, text: &str, most: usize, has_lines: bool) -> Result<(), ServiceError> {
    let is_blank = text.trim().is_empty();
    require(!is_blank, field, "is empty")?;
    let is_right = text.chars().count() <= most;
    require(is_right, field, &format!("has more than {most} characters"))?;
    let mut before = ' ';
    for c in text.chars() {
        let is_allowed_control = c == '\n' && has_lines;
        let is_invisible = is_hidden(c) && !is_joined(before, c);
        if c.is_control() && !is_allowed_control || is_invisible || is_bidi_control(c) {
            let problem = format!(
                "holds a character that cannot be seen: U+{:04X}",
                u32::from(c)
            );
            return require(false, field, &problem);
        }
        before = c;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refusal(change: &[(&str, Value)], base: &Value) -> String {
        let mut arguments = base.clone();
        for (path, value) in change {
            match arguments.pointer_mut(path) {
                Some(place) => *place = value.clone(),
                None => arguments[path.trim_start_matches('/')] = value.clone(),
            }
        }
        let read: Result<DraftArguments, _> = serde_json::from_value(arguments);
        match read {
            Err(error) => error.to_string(),
            Ok(read) => read
                .check()
                .map_or_else(|error| error.to_string(), |()| String::new()),
        }
    }

    fn bill() -> Value {
        json!({"operation": "op_12345678", "kind": "vendor_bill", "company": 1, "journal": 2, "currency": "EUR",
            "partner": 3, "date": "2026-11-30", "due_date": "2026-12-14", "reference": "R-1",
            "lines": [{"name": "Paper", "quantity": "2", "unit_price": "10.50", "discount": "0", "taxes": [1]}]})
    }

    fn entry() -> Value {
        json!({"operation": "op_12345678", "kind": "journal_entry", "company": 1, "journal": 2, "currency": "EUR",
            "date": "2026-11-30", "items": [{"name": "a", "account": 1, "debit": "5", "credit": "0"}, {"name": "b", "account": 2, "debit": "0", "credit": "5.00"}]})
    }

    #[test]
    fn draft_arguments_that_fit_are_taken() {
        assert_eq!(refusal(&[], &bill()), "");
        assert_eq!(refusal(&[], &entry()), "");
        let family = json!("Für die 👩‍👩‍👧\n(zweite Zeile)");
        assert_eq!(refusal(&[("/lines/0/name", family)], &bill()), "");
    }

    #[test]
    fn draft_arguments_that_do_not_fit_are_named() {
        for (path, value, problem) in [
            (
                "/operation",
                json!("x"),
                "`operation` must be 8 to 64 letters, digits, - and _",
            ),
            (
                "/operation",
                json!("op 12345678"),
                "`operation` must be 8 to 64 letters, digits, - and _",
            ),
            ("/kind", json!("receipt"), "unknown variant `receipt`"),
            (
                "/currency",
                json!("eur"),
                "`currency` must be an ISO 4217 code such as EUR",
            ),
            (
                "/date",
                json!("2026-02-30"),
                "`date` must be a day such as 2026-11-30",
            ),
            (
                "/date",
                json!("2026-11-30T00:00"),
                "`date` must be a day such as 2026-11-30",
            ),
            ("/company", json!(0), "`company` must be the id of a record"),
            (
                "/partner",
                json!(null),
                "`partner` is missing: the id of a customer or vendor",
            ),
            (
                "/due_date",
                json!(null),
                "`due_date` or `payment_term` must be given, and not both",
            ),
            (
                "/payment_term",
                json!(1),
                "`due_date` or `payment_term` must be given, and not both",
            ),
            ("/reverses", json!(1), "`reverses` is of credit notes"),
            (
                "/reference",
                json!("R\u{202e}1"),
                "`reference` holds a character that cannot be seen: U+202E",
            ),
            (
                "/reference",
                json!("R\n1"),
                "`reference` holds a character that cannot be seen: U+000A",
            ),
            ("/lines", json!([]), "`lines` must be from 1 to 200"),
            ("/lines/0/name", json!(" "), "`lines 1 name` is empty"),
            (
                "/lines/0/name",
                json!("a\u{200b}b"),
                "`lines 1 name` holds a character that cannot be seen: U+200B",
            ),
            (
                "/lines/0/quantity",
                json!(2),
                "invalid type: integer `2`, expected a string",
            ),
            ("/lines/0/unit_price", json!("NaN"), "not a decimal number"),
            (
                "/lines/0/unit_price",
                json!("1e309"),
                "not a decimal number",
            ),
            (
                "/lines/0/discount",
                json!("101"),
                "`lines 1 discount` must be from 0 to 100",
            ),
            (
                "/lines/0/taxes",
                json!([-1]),
                "`lines 1 taxes, account and product` must be ids of records",
            ),
            ("/state", json!("posted"), "unknown field `state`"),
            ("/auto_post", json!("at_date"), "unknown field `auto_post`"),
            ("/context", json!({}), "unknown field `context`"),
        ] {
            let refused = refusal(&[(path, value)], &bill());
            assert!(refused.starts_with(problem), "{path}: {refused}");
        }
        for (path, value, problem) in [
            (
                "/items/1/credit",
                json!("4.99"),
                "`items` do not balance: 5 debit, 4.99 credit",
            ),
            (
                "/items/1/debit",
                json!("1"),
                "`items 2 debit` or `credit` must be above 0, and the other 0",
            ),
            (
                "/items/0/debit",
                json!("-5"),
                "`items 1 debit` or `credit` must be above 0, and the other 0",
            ),
            ("/partner", json!(3), "`partner` is not of a journal entry"),
            (
                "/lines",
                json!([{"name": "x", "quantity": "1", "unit_price": "1", "taxes": []}]),
                "`lines` are of invoices; give `items`",
            ),
        ] {
            let refused = refusal(&[(path, value)], &entry());
            assert!(refused.starts_with(problem), "{path}: {refused}");
        }
    }
}
