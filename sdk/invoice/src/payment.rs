//! [`PaymentNote`]: a note that asks to record that an invoice was paid.

use rust_decimal::Decimal;

use crate::{
    InvoiceTextError, MAX_TEXT_BYTES, MAX_VALUE_CHARS, date,
    keys::Key,
    number::{self, Style, Value},
    parse::key_value,
};
use platinum_text::one_line;

/// What a note says of a payment. Its first key is `Payment`, with the number of the invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentNote {
    /// The number of the invoice or bill that was paid.
    pub invoice: String,
    /// How much.
    pub amount: Decimal,
    /// ISO 4217; none for the one of the invoice.
    pub currency: Option<String>,
    /// When, `YYYY-MM-DD`.
    pub date: String,
    /// The code of the journal of the bank or the cash box, if it is said.
    pub journal: Option<String>,
}

const AMOUNT: &str = "Amount: 119.00 EUR";
const DATE: &str = "Date: 2026-11-30";

impl PaymentNote {
    /// Reads such a note. Lines with other keys, and without one, are passed over.
    ///
    /// # Errors
    /// If its first key is not `Payment`, if something is missing, or may be two.
    pub fn parse(text: &str) -> Result<Self, InvoiceTextError> {
        if text.len() > MAX_TEXT_BYTES {
            return Err(InvoiceTextError::TooLong(text.len()));
        }
        let is_front = text.starts_with("---");
        let mut found = text
            .lines()
            .enumerate()
            .filter_map(|(at, line)| {
                key_value(line, is_front).map(|(key, value)| (at + 1, key, value))
            })
            .filter(|(.., value)| !value.is_empty());
        let Some((_, Key::Payment, invoice)) = found.next() else {
            return Err(InvoiceTextError::NoPayment);
        };
        let (mut amount, mut currency, mut date, mut journal) = (None, None, None, None);
        for (line, key, value) in found {
            let unreadable = |example| InvoiceTextError::Unreadable {
                line,
                value: one_line(value, MAX_VALUE_CHARS),
                example,
            };
            match key {
                Key::Price | Key::Total if amount.is_none() => {
                    let written = number::read(value).ok_or_else(|| unreadable(AMOUNT))?;
                    let code = written.currency();
                    if code.is_none() && !written.unit.is_empty() {
                        return Err(unreadable(AMOUNT));
                    }
                    amount = Some(exact(written.value).ok_or_else(|| unreadable(AMOUNT))?);
                    currency = currency.or(code);
                }
                Key::Currency => {
                    let code = number::currency(value);
                    currency = Some(code.ok_or_else(|| unreadable("Currency: EUR"))?);
                }
                Key::Date if date.is_none() => {
                    date = Some(date::read(value).map_err(|_| unreadable(DATE))?);
                }
                Key::Journal => journal = Some(one_line(value, MAX_VALUE_CHARS)),
                _ => {}
            }
        }
        Ok(Self {
            invoice: one_line(invoice, MAX_VALUE_CHARS),
            amount: amount.ok_or(InvoiceTextError::Incomplete(AMOUNT))?,
            currency,
            date: date.ok_or(InvoiceTextError::Incomplete(DATE))?,
            journal: journal.filter(|journal| !journal.is_empty()),
        })
    }

    /// The note as text, which [`PaymentNote::parse`] reads as the same.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = format!(
            "Payment: {}\nAmount: {}\n",
            self.invoice,
            number::render(self.amount)
        );
        if let Some(currency) = &self.currency {
            text.push_str(&format!("Currency: {currency}\n"));
        }
        text.push_str(&format!("Date: {}\n", self.date));
        if let Some(journal) = &self.journal {
            text.push_str(&format!("Journal: {journal}\n"));
        }
        text
    }
}

/// One number is no text whose style could be known.
fn exact(value: Value) -> Option<Decimal> {
    value.in_style(None::<Style>)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_payment_in_both_languages() {
        let expected = PaymentNote {
            invoice: "R-17".to_owned(),
            amount: "119".parse().unwrap(),
            currency: Some("EUR".to_owned()),
            date: "2026-11-30".to_owned(),
            journal: Some("BNK1".to_owned()),
        };
        for text in [
            "Payment: R-17\nAmount: 119.00 EUR\nDate: 2026-11-30\nJournal: BNK1\n",
            "Please record this:\n\n- **Payment:** R-17\n- **Amount:** € 119\n- **Date:** 30 Nov 2026\n- Journal: BNK1",
            "Zahlung zu: R-17\nBetrag: 119,00 €\nDatum: 30.11.2026\nJournal: BNK1",
            "---\npayment: \"R-17\"\namount: 119\ncurrency: EUR\ndate: 2026-11-30\njournal: BNK1\n---\n",
        ] {
            assert_eq!(PaymentNote::parse(text), Ok(expected.clone()), "{text}");
        }
        assert_eq!(PaymentNote::parse(&expected.render()), Ok(expected));
    }

    #[test]
    fn parse_payment_that_lacks_something_says_what() {
        for (text, expected) in [
            (
                "Invoice: R-17\nPayment: 14 days",
                "this is no payment: its first line is not `Payment: <number of the invoice>`",
            ),
            (
                "Payment: R-17\nDate: 2026-11-30",
                "a payment needs a line such as `Amount: 119.00 EUR`",
            ),
            (
                "Payment: R-17\nAmount: 5",
                "a payment needs a line such as `Date: 2026-11-30`",
            ),
            (
                "Payment: R-17\nAmount: 1.234\nDate: 2026-11-30",
                "line 2: `1.234` is not understood; write it as in `Amount: 119.00 EUR`",
            ),
            (
                "Payment: R-17\nAmount: 5 EUR\nDate: 03/04/2026",
                "line 3: `03/04/2026` is not understood; write it as in `Date: 2026-11-30`",
            ),
        ] {
            assert_eq!(PaymentNote::parse(text).unwrap_err().to_string(), expected);
        }
    }
}
