//! The host side of `odoo/propose`: what is proposed is read from Odoo here, and so is what the owner is shown of it.
//!
//! Invariants: of a document, a skill gives its number and its doubts; all else in the note is Odoo's. One document is
//! proposed once, whichever tasks it is for.

use platinum_core::{Money, OdooPayment, OdooPost, text::one_line};
use serde_json::json;

use super::{
    OdooProposeCtx,
    answers::{DocumentAnswer, PaymentAnswer, is_decimal},
};
use crate::{
    bindings::platinum::{
        actions::types::{Money as WitMoney, Proposal, ProposeError},
        odoo::{
            propose,
            types::{Error, Payment, Posting},
        },
    },
    text::checked_line,
};

/// Most doubts of a note.
const MAX_DOUBTS: usize = 30;
/// Longest doubt, in characters.
const MAX_DOUBT: usize = 300;
/// Most of what keeps a document from being posted.
const MAX_OBSTACLES: usize = 10;

impl From<Error> for ProposeError {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(what) | Error::Refused(what) => Self::Invalid(what),
            Error::NotFound => Self::Invalid("Odoo has no such record".to_owned()),
            Error::Unavailable(what) => Self::Unavailable(what),
        }
    }
}

impl OdooProposeCtx {
    /// The document that may be proposed for posting, as the owner sees it, and what keeps it from being posted.
    async fn posting(&self, id: u64) -> Result<(OdooPost, Vec<String>), ProposeError> {
        let DocumentAnswer {
            document,
            shown,
            obstacles,
            ..
        } = self.books.document(id).await?;
        if document.state != "draft" {
            let what = format!(
                "document {id} is not a draft in Odoo: its state is {}",
                document.state
            );
            return Err(ProposeError::Invalid(what));
        }
        let record = OdooPost {
            document: id,
            total: money(&document.total.0, &document.currency.code)
                .map_err(ProposeError::Invalid)?,
            due: day(document.due_date.as_deref()).map_err(ProposeError::Unavailable)?,
            shown: shown_text(shown)?,
        };
        let obstacles = obstacles.iter().take(MAX_OBSTACLES);
        let obstacles = obstacles.map(|obstacle| {
            one_line(
                &format!("Odoo does not post it as it is: {obstacle}."),
                MAX_DOUBT,
            )
        });
        Ok((record, obstacles.collect()))
    }

    /// The payment that may be proposed, as the owner sees it.
    async fn payment(&self, payment: &Payment) -> Result<OdooPayment, ProposeError> {
        let amount = checked_money(&payment.amount)?;
        let day = day(Some(&payment.date)).map_err(ProposeError::Invalid)?;
        let date = day.ok_or_else(|| ProposeError::Invalid("`date` is missing".to_owned()))?;
        let journal =
            checked_line("journal", &payment.journal, 20).map_err(ProposeError::Invalid)?;
        // In a company that is drafted in; whether it can be paid so is the server's word.
        self.books.document(payment.invoice).await?;
        let preview = json!({
            "document": payment.invoice,
            "amount": amount.to_decimal(),
            "currency": amount.currency.to_string(),
            "date": date.to_string(),
            "journal": journal,
        });
        let preview: PaymentAnswer = self.books.call("preview_payment", preview).await?;
        Ok(OdooPayment {
            invoice: payment.invoice,
            amount,
            date,
            journal,
            shown: shown_text(preview.shown)?,
        })
    }
}

/// What the owner is shown: never nothing.
fn shown_text(shown: String) -> Result<String, ProposeError> {
    match shown.trim().is_empty() {
        false => Ok(shown),
        true => Err(ProposeError::Unavailable(
            "the server for Odoo does not show what is proposed; run the one of this version of Platinum".to_owned(),
        )),
    }
}

fn day(text: Option<&str>) -> Result<Option<jiff::civil::Date>, String> {
    let parse = |text: &str| {
        text.parse()
            .map_err(|_| format!("`{text}` is no day such as 2026-11-30"))
    };
    text.map(parse).transpose()
}

/// An amount of Odoo's in minor units.
///
/// # Errors
/// If it has more digits than its currency, or is too large.
fn money(text: &str, currency: &str) -> Result<Money, String> {
    let wrong = || format!("{text} {currency} is no amount in whole minor units of that currency");
    if !is_decimal(text) {
        return Err(wrong());
    }
    let currency = currency.parse().map_err(|_| wrong())?;
    Money::from_decimal(text, currency).ok_or_else(wrong)
}

fn checked_money(money: &WitMoney) -> Result<Money, ProposeError> {
    let currency = money.currency.parse();
    let currency =
        currency.map_err(|error| ProposeError::Invalid(format!("`currency`: {error}")))?;
    match money.minor > 0 {
        true => Ok(Money {
            minor: money.minor,
            currency,
        }),
        false => Err(ProposeError::Invalid("`amount` must be above 0".to_owned())),
    }
}

/// The doubts of a note, each one line.
fn doubts(doubts: &[String]) -> Result<Vec<String>, ProposeError> {
    if doubts.len() > MAX_DOUBTS {
        let what = format!("`doubts` has {}; {MAX_DOUBTS} is the most", doubts.len());
        return Err(ProposeError::Invalid(what));
    }
    let lines = doubts
        .iter()
        .map(|doubt| checked_line("doubts", doubt, MAX_DOUBT));
    lines
        .collect::<Result<_, _>>()
        .map_err(ProposeError::Invalid)
}

impl propose::Host for OdooProposeCtx {
    async fn propose_posting(
        &mut self,
        proposal: Proposal,
        posting: Posting,
    ) -> wasmtime::Result<Result<String, ProposeError>> {
        let proposed = async {
            let mut doubts = doubts(&posting.doubts)?;
            self.proposals.check_ready(&proposal.task, None).await?;
            let (record, obstacles) = self.posting(posting.document).await?;
            doubts.extend(obstacles);
            self.proposals
                .propose_action(proposal, Ok(record), doubts)
                .await
        };
        Ok(proposed.await)
    }

    async fn propose_payment(
        &mut self,
        proposal: Proposal,
        payment: Payment,
    ) -> wasmtime::Result<Result<String, ProposeError>> {
        let proposed = async {
            let doubts = doubts(&payment.doubts)?;
            self.proposals.check_ready(&proposal.task, None).await?;
            let record = self.payment(&payment).await?;
            self.proposals
                .propose_action(proposal, Ok(record), doubts)
                .await
        };
        Ok(proposed.await)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_read_in_whole_minor_units_alone() {
        for (text, currency, minor) in [
            ("119.00", "EUR", Some(11900)),
            ("119", "EUR", Some(11900)),
            ("119.5", "EUR", Some(11950)),
            ("-0.01", "EUR", Some(-1)),
            ("0.00", "EUR", Some(0)),
            ("1234", "JPY", Some(1234)),
            ("1234.00", "JPY", Some(1234)),
            ("1234.50", "JPY", None),
            ("1.234", "KWD", Some(1234)),
            ("1.005", "EUR", None),
            ("1.0050", "eur", None),
            ("99999999999999999999", "EUR", None),
            ("", "EUR", None),
        ] {
            let read = money(text, currency).ok().map(|money| money.minor);
            assert_eq!(read, minor, "{text} {currency}");
        }
        let amount = money("-1.50", "EUR").unwrap();
        assert_eq!(amount.to_decimal(), "-1.50");
        assert_eq!(money("300", "JPY").unwrap().to_decimal(), "300");
    }
}
