//! E-invoices of both syntaxes and odd ones, written for these tests in the shape of EN 16931.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod cii;
mod odd;
mod pdf;
mod text;
mod ubl;

use platinum_einvoice::read_xml;
use platinum_invoice::{Decimal, Invoice, Line};

/// The invoice of a document that is one, which as invoice text is the same.
fn read(xml: &str) -> Invoice {
    let invoice = read_xml(xml.as_bytes()).unwrap().expect("an e-invoice");
    assert_eq!(Invoice::parse(&invoice.render()), Ok(invoice.clone()));
    invoice
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// `name | quantity | price | discount | tax | total`, as the invoice text has them.
fn lines(invoice: &Invoice) -> Vec<String> {
    let number = |number: Decimal| number.normalize().to_string();
    let row = |line: &Line| {
        [
            line.name.clone(),
            number(line.quantity),
            number(line.unit_price),
            number(line.discount),
            line.tax.map(number).unwrap_or_default(),
            line.total.map(number).unwrap_or_default(),
        ]
        .join(" | ")
    };
    invoice.lines.iter().map(row).collect()
}
