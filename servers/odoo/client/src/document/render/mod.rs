//! A [`Document`] as a person reads an invoice, in Markdown: the text that its owner approves, and that is rendered
//! once more and compared before it is posted.
//!
//! Invariants: pure, and the same for the same document, whoever reads it; every text of Odoo's is one line that is no
//! markup, and what of it is not seen is written out; no line resembles the one that divides a draft's note; two
//! documents that book or bring about different things have different texts, so records are named with their numbers.

mod page;
mod table;

use super::{Document, DocumentKind};
use crate::amount::Amount;
use crate::value::Named;
use page::{Page, name_of, named};
use table::{Table, text};

/// What else a person wants to know of a document's partner.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartnerDetails {
    /// The number by which tax authorities know them.
    pub vat: Option<String>,
    /// Street, town and country, on one line.
    pub address: Option<String>,
}

/// A payment that is to be recorded.
#[derive(Debug, Clone, Copy)]
pub struct PlannedPayment<'a> {
    /// How much.
    pub amount: Amount,
    /// The day, `YYYY-MM-DD`.
    pub date: &'a str,
    /// The journal that it goes over.
    pub journal: &'a Named,
    /// The code of that journal.
    pub journal_code: &'a str,
}

/// The document as Markdown. `link` is where a person sees it.
#[must_use]
pub fn render(document: &Document, partner: &PartnerDetails, link: &str) -> String {
    let mut page = Page::default();
    page.title(document);
    page.obstacles(document);
    page.head(document, partner);
    if document.kind.is_invoice() {
        page.lines(document);
        page.sums(document);
    }
    page.booked(document);
    page.consequences(document);
    page.fact("In Odoo", &format!("<{link}>"));
    page.finish()
}

/// A payment as Markdown, of a document that is posted.
#[must_use]
pub fn render_payment(
    payment: &PlannedPayment<'_>,
    document: &Document,
    partner: &PartnerDetails,
    link: &str,
) -> String {
    let code = &document.currency.code;
    let digits = document.currency.digits;
    let open = document.residual.abs();
    let left = (open - payment.amount).with_digits(digits);
    let amount = payment.amount.with_digits(digits);
    let mut page = Page::default();
    page.line(&format!(
        "# Payment of {} · {} · {amount} {}",
        text(&document.title()),
        name_of(document),
        text(code)
    ));
    page.line("");
    let (is_received, other) = match document.kind {
        DocumentKind::CustomerInvoice | DocumentKind::VendorCreditNote => (true, "From"),
        _ => (false, "To"),
    };
    page.fact("Amount", &format!("{amount} {}", text(code)));
    page.fact("Day", &text(payment.date));
    page.fact(
        if is_received { "Into" } else { "Out of" },
        &format!(
            "{}, code {}",
            named(payment.journal),
            text(payment.journal_code)
        ),
    );
    page.partner(other, document, partner);
    page.optional_name("Bank account", document.bank_account.as_ref());
    page.fact("Company", &named(&document.company));
    page.optional("Reference", document.reference.as_deref());
    page.optional("Date of the document", document.invoice_date.as_deref());
    page.optional("Due", document.due_date.as_deref());
    page.line("");
    let mut sums = Table::new(["Sum", code], 1);
    sums.row(["Total".into(), document.total.into()]);
    sums.row(["Open".into(), open.into()]);
    sums.row(["This payment".into(), amount.into()]);
    sums.row(["Open after it".into(), left.into()]);
    page.table(&sums);
    page.fact("No money is moved", "it is recorded as paid");
    page.fact("In Odoo", &format!("<{link}>"));
    page.finish()
}
