//! An invoice as text that people and programs write and read: `Key: value` lines and a Markdown table.
//!
//! # Layout
//! - [`Invoice`] and what it is made of; [`PaymentNote`]: a note that asks to record a payment;
//! - [`mod@number`], [`mod@date`]: numbers and days as people write them; [`mod@document`]: a document as it was printed;
//! - `keys`, `table`, `parse`, `render`: the text; [`mod@block`]: where in a note it is; [`find_faults`]: what is wrong.
//!
//! Lives elsewhere: e-invoices are read by `platinum-einvoice`; what Odoo is asked is the skill's, and intake's.
//!
//! # Invariants
//! - What is rendered is parsed as the same invoice, for every invoice that is [clean](Invoice::cleaned).
//! - A value that can be read in two ways is none, and a note says so. Nothing is mended. Everything is bounded,
//!   and the work is linear in the text but for the number of its keys.

pub mod block;
mod check;
pub mod date;
pub mod document;
mod keys;
mod notes;
pub mod number;
mod parse;
mod payment;
mod render;
mod table;

use platinum_text::{comparable, one_line};
pub use rust_decimal::Decimal;

pub use check::find_faults;
pub(crate) use notes::{add_note, note_left_out};
pub use parse::InvoiceTextError;
pub use payment::PaymentNote;

/// The longest text that is read, in bytes.
pub const MAX_TEXT_BYTES: usize = 1024 * 1024;
/// The longest value, in characters.
pub const MAX_VALUE_CHARS: usize = 300;
/// The longest note, in characters.
pub const MAX_NOTE_CHARS: usize = 500;
/// Notes beyond this are counted and not kept.
pub const MAX_NOTES: usize = 60;
/// The last note, where some were not kept.
pub const MORE_NOTES: &str = "There is more to look at than is listed here.";
/// Lines of an invoice beyond this are counted and not kept.
pub const MAX_LINES: usize = 500;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Something is owed to the seller.
    #[default]
    Invoice,
    /// Something is given back to the buyer. Its amounts are written without a sign.
    CreditNote,
}

/// An invoice as a document says it, whoever it is from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invoice {
    /// What it is.
    pub kind: Kind,
    /// The seller's number of it.
    pub number: Option<String>,
    /// The day of it, `YYYY-MM-DD`: a day that exists.
    pub date: Option<String>,
    /// The day by which it is to be paid, as `date`.
    pub due: Option<String>,
    /// ISO 4217.
    pub currency: Option<String>,
    /// Who is paid.
    pub seller: Party,
    /// Who pays.
    pub buyer: Party,
    /// What is sold.
    pub lines: Vec<Line>,
    /// Whether the prices and sums of the lines include tax.
    pub prices_include_tax: bool,
    /// The sum without tax.
    pub net: Option<Decimal>,
    /// All taxes.
    pub tax: Option<Decimal>,
    /// The sum with tax.
    pub total: Option<Decimal>,
    /// What is left to pay, where that is said apart from the total.
    pub payable: Option<Decimal>,
    /// What a person has to look at, each a sentence: what was not understood, exemptions, prepaid amounts.
    pub notes: Vec<String>,
    /// What the document says besides, each a line: nothing of it has to be looked at.
    pub details: Vec<String>,
}

/// The seller or the buyer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// The name.
    pub name: Option<String>,
    /// The VAT identification number: upper case, without spaces and dots.
    pub vat: Option<String>,
    /// The account to pay into: upper case, without spaces.
    pub iban: Option<String>,
    /// A mail address, as it is written.
    pub email: Option<String>,
    /// The country, as it is written: mostly two letters.
    pub country: Option<String>,
}

/// One line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// What is sold; may be empty.
    pub name: String,
    /// How many.
    pub quantity: Decimal,
    /// The price of one, before `discount`.
    pub unit_price: Decimal,
    /// Per cent off the price; zero for none.
    pub discount: Decimal,
    /// The rate of the tax in per cent; none if it is not said.
    pub tax: Option<Decimal>,
    /// The sum of the line, if it is said.
    pub total: Option<Decimal>,
}

impl Party {
    /// Whether nothing is known of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    fn cleaned(self) -> Self {
        Self {
            name: clean(self.name),
            vat: clean(self.vat.map(|text| identifier(&text))),
            iban: clean(self.iban.map(|text| identifier(&text))),
            email: clean(self.email),
            country: clean(self.country),
        }
    }
}

impl Invoice {
    /// The invoice with every text as one bounded line without hidden characters, and days and currency that are
    /// such; what is none of those any more is none. What comes from outside goes through here.
    #[must_use]
    pub fn cleaned(mut self) -> Self {
        let lines_left_out = self.lines.len().saturating_sub(MAX_LINES);
        self.lines.truncate(MAX_LINES);
        for line in &mut self.lines {
            line.name = one_line(&line.name, MAX_VALUE_CHARS);
        }
        let mut notes = notes::cleaned(&self.notes);
        let details = notes::cleaned(&self.details);
        note_left_out(&mut notes, lines_left_out);
        Self {
            number: clean(self.number),
            date: self.date.filter(|day| date::is_day(day)),
            due: self.due.filter(|day| date::is_day(day)),
            currency: self.currency.filter(|code| number::is_currency(code)),
            seller: self.seller.cleaned(),
            buyer: self.buyer.cleaned(),
            notes,
            details,
            ..self
        }
    }
}

/// One bounded line; none if nothing is left.
fn clean(text: Option<String>) -> Option<String> {
    let line = one_line(&text?, MAX_VALUE_CHARS);
    (!line.is_empty()).then_some(line)
}

/// A VAT number or an IBAN as it is compared: without spaces, dots and dashes, in upper case.
fn identifier(text: &str) -> String {
    let upper = comparable(text);
    // A letter may become several characters, of which not all are letters.
    let kept = upper.chars().filter(|c| c.is_alphanumeric());
    kept.take(MAX_VALUE_CHARS).collect()
}
