//! The host side of `odoo/draft`: a document checked, its operation, and the call that saves it.
//!
//! Invariant: what a draft is called is decided here: by the bill that it is, or by the run's task. So a bill that two
//! agents have at once is one draft, and nobody can ask for a second one of the same.

use platinum_core::{bill_operation, task_operation, text::comparable};
use serde_json::{Value, json};

use super::{
    OdooCtx,
    answers::{SavedDraft, is_decimal},
    read::{filter, is_day, move_type},
};
use crate::{
    bindings::platinum::odoo::{
        draft::{self, NewDocument, NewLine, Saved},
        types::Error,
    },
    text::{block, checked_line},
};

/// Most lines of a document.
const MAX_LINES: usize = 200;
/// Most taxes of a line.
const MAX_TAXES: usize = 10;
/// Longest name of a line, in bytes.
const MAX_NAME_BYTES: usize = 8000;
/// Longest reference, in characters.
const MAX_REFERENCE: usize = 128;

impl OdooCtx {
    /// What the draft of a document is called, in a company that is drafted in.
    async fn operation_of(&self, document: &NewDocument) -> Result<String, Error> {
        self.books.check_company(document.company).await?;
        let kind = move_type(&document.kind)?;
        let number = document
            .reference
            .as_deref()
            .map(comparable)
            .unwrap_or_default();
        if kind.starts_with("in_") && !number.is_empty() {
            let partner = self.commercial_partner(document).await?;
            let name = format!("{}\0{partner}\0{kind}\0{number}", document.company);
            return Ok(bill_operation(&name));
        }
        let task = self.task.ok_or_else(|| {
            let what = "a document without the vendor's number is drafted for a task, and this run is for none";
            Error::Refused(what.to_owned())
        })?;
        Ok(task_operation(task))
    }

    /// In whose books a partner is.
    async fn commercial_partner(&self, document: &NewDocument) -> Result<u64, Error> {
        let by_id = filter("id", "equals", document.partner);
        let rows = self
            .books
            .partner_rows(document.company, vec![by_id])
            .await?;
        let [_, commercial] = rows.first().ok_or(Error::NotFound)?.ids();
        Ok(commercial)
    }
}

/// What `create_draft` takes, of a document whose kind is one of the contract.
fn arguments(document: &NewDocument, operation: &str) -> Result<Value, String> {
    if document.due.is_some() == document.payment_term.is_some() {
        return Err("one of `due` and `payment-term` must be given".to_owned());
    }
    for (field, day) in [
        ("date", Some(&document.date)),
        ("due", document.due.as_ref()),
    ] {
        if day.is_some_and(|day| !is_day(day)) {
            return Err(format!("`{field}` is no day such as 2026-11-30"));
        }
    }
    if !(1..=MAX_LINES).contains(&document.lines.len()) {
        return Err(format!(
            "`lines` has {}; 1 to {MAX_LINES}",
            document.lines.len()
        ));
    }
    let lines = document.lines.iter().enumerate();
    let lines = lines.map(|(at, new)| line(at + 1, new));
    let reference = document.reference.as_deref();
    let reference = reference.map(|text| checked_line("reference", text, MAX_REFERENCE));
    Ok(json!({
        "operation": operation,
        "kind": document.kind.replace('-', "_"),
        "company": document.company,
        "journal": document.journal,
        "currency": checked_line("currency", &document.currency, 3)?,
        "partner": document.partner,
        "date": document.date,
        "due_date": document.due,
        "payment_term": document.payment_term,
        "reference": reference.transpose()?,
        "fiscal_position": document.fiscal_position,
        "lines": lines.collect::<Result<Vec<_>, _>>()?,
    }))
}

fn line(nth: usize, line: &NewLine) -> Result<Value, String> {
    for (field, text) in [
        ("quantity", &line.quantity),
        ("unit-price", &line.unit_price),
        ("discount", &line.discount),
    ] {
        if !is_decimal(text) {
            return Err(format!(
                "`{field}` of line {nth} is no decimal number such as 12.50"
            ));
        }
    }
    if line.taxes.len() > MAX_TAXES {
        return Err(format!("line {nth} has more than {MAX_TAXES} taxes"));
    }
    Ok(json!({
        "name": block(&format!("name of line {nth}"), &line.name, MAX_NAME_BYTES)?,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "discount": line.discount,
        "taxes": line.taxes,
    }))
}

impl draft::Host for OdooCtx {
    async fn operation(
        &mut self,
        document: NewDocument,
    ) -> wasmtime::Result<Result<String, Error>> {
        Ok(self.operation_of(&document).await)
    }

    async fn create(&mut self, document: NewDocument) -> wasmtime::Result<Result<Saved, Error>> {
        let saved = async {
            let operation = self.operation_of(&document).await?;
            let company = document.company;
            let arguments = arguments(&document, &operation).map_err(Error::Invalid)?;
            let answer: SavedDraft = self.books.call("create_draft", arguments).await?;
            if answer.document.company.id != company {
                let what = format!(
                    "it answered a document of company {}",
                    answer.document.company.id
                );
                return Err(Error::Unavailable(what));
            }
            Ok(answer.into_wit())
        };
        Ok(saved.await)
    }
}
