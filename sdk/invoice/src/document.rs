//! A document as its seller printed it, which is read more freely than a text that was written to be read.
//!
//! A letter surrounds the invoice and goes on between its lines, so what is not understood is no doubt. The VAT number
//! that is nobody's is that of the seller, who has to print it. Where the lines are not told, the sum may stand for them:
//! [`with_line_of_sum`].
//! Invariant: what is read so says so; nothing is taken that a text would not give.

use rust_decimal::Decimal;

use crate::{
    Invoice, Line, add_note, date,
    keys::{self, Field, Key},
    number,
};

/// The most words of a key with a space before its value.
const MAX_KEY_WORDS: usize = 5;

/// Whether these are the headings of a table of lines.
#[must_use]
pub fn is_header(cells: &[&str]) -> bool {
    use keys::Column;
    let columns: Vec<Option<Column>> = cells.iter().map(|cell| keys::column(cell)).collect();
    let has = |column| columns.contains(&Some(column));
    (has(Column::Item) || has(Column::Quantity)) && (has(Column::Price) || has(Column::Total))
}

/// Whether this is a key, with or without a colon behind it.
#[must_use]
pub fn is_key(text: &str) -> bool {
    let text = text.trim().trim_end_matches(':');
    !text.contains(':') && keys::key(text).is_some()
}

/// Whether this is the key of a sum below the lines.
#[must_use]
pub fn is_sum_key(text: &str) -> bool {
    keys::key(text).is_some_and(Key::is_sum)
}

/// The keys of a line that have a space and no colon before their values, as in `Invoice 17  Date 30.11.2026`, where
/// what follows can be such a value.
pub(crate) fn spaced(line: &str) -> impl Iterator<Item = (Key, &str)> {
    line.split("  ").filter_map(|part| {
        let part = part.trim();
        let spaces = part.match_indices(' ').map(|(at, _)| at);
        let found = spaces.take(MAX_KEY_WORDS).filter_map(|at| {
            let (name, value) = (&part[..at], part[at..].trim_start());
            let key = keys::key(name)?;
            is_value(key, value).then_some((key, value))
        });
        // `Invoice no 17`: the longest name.
        found.last()
    })
}

/// Whether a text can be nothing but the value of a key.
fn is_value(key: Key, value: &str) -> bool {
    let has_digit = value.contains(|c: char| c.is_ascii_digit());
    match key {
        // `Invoice of 30 November` is none.
        Key::Number | Key::CreditNote => {
            has_digit && !value.contains(' ') && date::read(value).is_err()
        }
        Key::Date | Key::Due => date::read(value).is_ok(),
        Key::Party(_, Field::Vat | Field::Iban) => {
            has_digit && value.bytes().take(2).all(|byte| byte.is_ascii_uppercase())
        }
        key => key.is_sum() && number::read_first(value).is_some(),
    }
}

/// The invoice with a line of its sum, where it has none and the sum is known; and what is to be said of it. The
/// sums stay as they are.
#[must_use]
pub fn with_line_of_sum(mut invoice: Invoice) -> Invoice {
    if !invoice.lines.is_empty() {
        return invoice;
    }
    let total = invoice.total.or(invoice.payable);
    let net = invoice.net.or_else(|| total?.checked_sub(invoice.tax?));
    let tax = invoice.tax.or_else(|| total?.checked_sub(net?));
    let Some(unit_price) = net.or(total) else {
        return invoice;
    };
    invoice.prices_include_tax = net.is_none();
    let digits = number::minor_digits(invoice.currency.as_deref());
    let rate = net.zip(tax).and_then(|(net, tax)| rate(net, tax, digits));
    let name = match &invoice.number {
        Some(number) => format!("Sum of {number}"),
        None => "Sum".to_owned(),
    };
    invoice.lines.push(Line {
        name,
        quantity: Decimal::ONE,
        unit_price,
        tax: rate,
        ..Line::default()
    });
    let of = if net.is_some() { "net sum" } else { "total" };
    add_note(
        &mut invoice.notes,
        &format!("Its lines were not read: one line of the {of} stands for all of them."),
    );
    invoice.cleaned()
}

/// The rate of at most one decimal that makes this tax of this net sum.
fn rate(net: Decimal, tax: Decimal, digits: u32) -> Option<Decimal> {
    let rate = tax.checked_mul(Decimal::ONE_HUNDRED)?.checked_div(net)?;
    let rate = rate.round_dp(1);
    let again = net.checked_mul(rate)?.checked_div(Decimal::ONE_HUNDRED)?;
    let is_near = again.checked_sub(tax)?.abs() <= Decimal::new(1, digits);
    (is_near && !rate.is_sign_negative()).then(|| rate.normalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Kind;

    #[test]
    fn with_line_of_sum_keeps_the_sums() {
        for (text, expected) in [
            (
                "Net: 100.00\nTax: 19.00\nTotal: 119.00",
                Some(("100.00", Some("19"), false)),
            ),
            (
                "Net: 100.00\nTotal: 107.70",
                Some(("100.00", Some("7.7"), false)),
            ),
            (
                "Net: 100.00\nTax: 5.50\nTotal: 105.50",
                Some(("100.00", Some("5.5"), false)),
            ),
            (
                "Tax: 19.00\nTotal: 119.00",
                Some(("100.00", Some("19"), false)),
            ),
            ("Total: 119.00", Some(("119.00", None, true))),
            ("Amount due: 119.00", Some(("119.00", None, true))),
            (
                "Net: 100.00\nTax: 12.34\nTotal: 112.34",
                Some(("100.00", None, false)),
            ),
            (
                "Net: 0.00\nTax: 0.00\nTotal: 0.00",
                Some(("0.00", None, false)),
            ),
            ("Tax: 19.00", None),
        ] {
            let before = Invoice::parse(text).unwrap();
            let after = with_line_of_sum(before.clone());
            let line = after.lines.first();
            let found = line.map(|line| {
                let rate = line.tax.map(|rate| rate.to_string());
                (line.unit_price.to_string(), rate, after.prices_include_tax)
            });
            let expected = expected.map(|(price, rate, is_gross): (&str, Option<&str>, bool)| {
                (price.to_owned(), rate.map(str::to_owned), is_gross)
            });
            assert_eq!(found, expected, "{text}");
            assert_eq!(
                (after.net, after.tax, after.total),
                (before.net, before.tax, before.total)
            );
            assert_eq!(
                after.notes.len(),
                before.notes.len() + usize::from(line.is_some())
            );
        }
    }

    /// The letter around is no doubt, and the VAT number that is nobody's is the seller's.
    #[test]
    fn parse_document_reads_a_printed_bill() {
        let text = "Example Supplies Ltd  Sample Road 5\nExample Trading Ltd\nInvoice no: R-17\nDate: 30.11.2026\n\
            Dear customer, thank you.\nYour contact: Ann\n\n| Item | Qty | Price | Total |\n|---|---|---|---|\n\
            | Paper | 2 | 10,00 | 20,00 |\n\nSubtotal: 20,00 €\nplus 19% VAT: 3,80 €\nTotal: 23,80 €\n\
            Please pay soon.\nIBAN: DE89 3704 0044 0532 0130 00\nVAT ID: DE123456789\n";
        let invoice = Invoice::parse_document(text).unwrap();
        assert_eq!(invoice.seller.vat.as_deref(), Some("DE123456789"));
        assert_eq!(
            invoice.seller.iban.as_deref(),
            Some("DE89370400440532013000")
        );
        assert_eq!(
            (invoice.lines.len(), invoice.tax),
            (1, Some(Decimal::new(380, 2)))
        );
        assert_eq!(
            invoice.notes,
            ["The VAT number DE123456789 stands by itself, and is taken for the seller's."]
        );
        let titled =
            "Gutschrift Nr. G-5  Datum 30.11.2026\nKontakt 0170 1234567\nSumme 1.190,00 €\n";
        let titled = Invoice::parse_document(titled).unwrap();
        assert_eq!(
            (titled.kind, titled.number.as_deref()),
            (Kind::CreditNote, Some("G-5"))
        );
        assert_eq!(titled.date.as_deref(), Some("2026-11-30"));
        assert_eq!(titled.total, Some(Decimal::new(119_000, 2)));
        let buyer =
            Invoice::parse_document("Bill to: Example Ltd\nVAT ID: GB123\nTotal: 5.00 EUR\n")
                .unwrap();
        assert_eq!(buyer.buyer.vat.as_deref(), Some("GB123"));
    }
}
