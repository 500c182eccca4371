//! The sums of the document, and those that Odoo computes: what differs is said, and never mended by a line.
//!
//! Invariants: pure; decimals alone.

use platinum_invoice::{Decimal, Invoice};
use platinum_sdk::odoo::types::Document;

/// What differs, a sentence each.
#[must_use]
pub fn differences(invoice: &Invoice, document: &Document) -> Vec<String> {
    let rounding = match document.rounds_per_line {
        true => "which rounds the tax of each line",
        false => "which rounds the tax of the whole document",
    };
    let sums = [
        ("total", invoice.total, &document.total),
        ("tax", invoice.tax, &document.tax),
        ("net sum", invoice.net, &document.untaxed),
    ];
    let mut all = Vec::new();
    for (name, said, computed) in sums {
        let (Some(said), Ok(computed)) = (said, computed.parse::<Decimal>()) else {
            continue;
        };
        if let Some(off) = computed.checked_sub(said).filter(|off| !off.is_zero()) {
            all.push(format!(
                "The document says a {name} of {} {}, and Odoo, {rounding}, computes {} ({}{}).",
                written(said, document.digits),
                document.currency,
                written(computed, document.digits),
                if off.is_sign_positive() { "+" } else { "" },
                written(off, document.digits),
            ));
        }
    }
    if sums.iter().all(|(_, said, _)| said.is_none()) && document.kind.starts_with("vendor-") {
        all.push("The document names no sum to compare with Odoo's.".to_owned());
    }
    if let (Some(payable), Some(total)) = (invoice.payable, invoice.total)
        && payable != total
    {
        all.push(format!(
            "The document asks for {} {} of its total of {}: something was paid before, or is held back.",
            written(payable, document.digits),
            document.currency,
            written(total, document.digits)
        ));
    }
    all
}

/// A number with at least so many digits after the point.
pub(crate) fn written(number: Decimal, digits: u32) -> String {
    let mut number = number.normalize();
    if number.scale() < digits {
        number.rescale(digits);
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use platinum_sdk::odoo::draft::NewDocument;
    use platinum_sdk::testing::TestHost;

    use super::*;

    fn document(kind: &str, currency: &str, totals: [&str; 3], rounds_per_line: bool) -> Document {
        let mut host = TestHost::default();
        host.odoo.totals = totals.map(Into::into);
        let asked = NewDocument {
            kind: kind.into(),
            company: 1,
            journal: 1,
            currency: currency.into(),
            partner: 1,
            date: "2026-11-20".into(),
            due: None,
            payment_term: Some(1),
            reference: None,
            fiscal_position: None,
            lines: Vec::new(),
        };
        Document {
            rounds_per_line,
            ..host.odoo.draft_of(&asked, "task")
        }
    }

    #[test]
    fn differences_name_each_sum_and_how_odoo_rounds() {
        for (text, kind, currency, totals, per_line, expected) in [
            (
                "Seller: A\nNet: 100.00\nTax: 19.00\nTotal: 119.00",
                "vendor-bill",
                "EUR",
                ["100.00", "19.00", "119.00"],
                true,
                vec![],
            ),
            (
                "Seller: A\nTotal: 119",
                "vendor-bill",
                "EUR",
                ["100", "19", "119.0"],
                true,
                vec![],
            ),
            (
                "Seller: A\nNet: 5486.39\nTax: 1041.41\nTotal: 6527.80",
                "vendor-bill",
                "EUR",
                ["5486.39", "1041.42", "6527.81"],
                true,
                vec![
                    "The document says a total of 6527.80 EUR, and Odoo, which rounds the tax of each line, computes 6527.81 (+0.01).",
                    "The document says a tax of 1041.41 EUR, and Odoo, which rounds the tax of each line, computes 1041.42 (+0.01).",
                ],
            ),
            (
                "Seller: A\nCurrency: JPY\nTotal: 1000",
                "vendor-bill",
                "JPY",
                ["910", "89", "999"],
                false,
                vec![
                    "The document says a total of 1000 JPY, and Odoo, which rounds the tax of the whole document, computes 999 (-1).",
                ],
            ),
            (
                "Seller: A",
                "vendor-bill",
                "EUR",
                ["1", "0", "1"],
                true,
                vec!["The document names no sum to compare with Odoo's."],
            ),
            (
                "Buyer: A",
                "customer-invoice",
                "EUR",
                ["1", "0", "1"],
                true,
                vec![],
            ),
            (
                "Seller: A\nTotal: 119.00\nPayable: 19.00",
                "vendor-bill",
                "EUR",
                ["100", "19", "119"],
                true,
                vec![
                    "The document asks for 19.00 EUR of its total of 119.00: something was paid before, or is held back.",
                ],
            ),
        ] {
            let invoice = Invoice::parse(text).unwrap();
            let document = document(kind, currency, totals, per_line);
            assert_eq!(differences(&invoice, &document), expected, "{text}");
        }
    }
}
