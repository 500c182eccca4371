//! What a [`Document`] is, as tools take and answer it. Pure data.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::value::Named;

/// What a document is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DocumentKind {
    /// To a customer.
    CustomerInvoice,
    /// To a customer, who gets money back or pays less.
    CustomerCreditNote,
    /// From a vendor.
    VendorBill,
    /// From a vendor, who owes.
    VendorCreditNote,
    /// Debits and credits.
    JournalEntry,
}

impl DocumentKind {
    /// All, with the word of Odoo's `move_type`.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::CustomerInvoice, "out_invoice"),
        (Self::CustomerCreditNote, "out_refund"),
        (Self::VendorBill, "in_invoice"),
        (Self::VendorCreditNote, "in_refund"),
        (Self::JournalEntry, "entry"),
    ];

    /// Odoo's `move_type`.
    #[must_use]
    pub fn move_type(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(kind, _)| *kind == self)
            .map_or("entry", |(_, name)| name)
    }

    /// The kind of this `move_type`; receipts are none.
    #[must_use]
    pub fn parse(move_type: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|(_, name)| *name == move_type)
            .map(|(kind, _)| *kind)
    }

    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::CustomerInvoice => "customer invoice",
            Self::CustomerCreditNote => "customer credit note",
            Self::VendorBill => "vendor bill",
            Self::VendorCreditNote => "vendor credit note",
            Self::JournalEntry => "journal entry",
        }
    }

    /// Whether it has lines with prices, a partner, and a total that somebody pays.
    #[must_use]
    pub fn is_invoice(self) -> bool {
        self != Self::JournalEntry
    }

    /// Whether its priced lines are debits: what one buys, or takes back.
    #[must_use]
    pub fn books_lines_as_debits(self) -> bool {
        matches!(self, Self::VendorBill | Self::CustomerCreditNote)
    }
}

/// A document of Odoo's as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Its number in the database.
    pub id: i64,
    /// What it is.
    pub kind: DocumentKind,
    /// `draft`, `posted` or `cancel`.
    pub state: String,
    /// The number it is known by outside, once it has one.
    pub number: Option<String>,
    /// The operation that drafted it.
    pub operation: Option<String>,
    /// Whose books it is in.
    pub company: Named,
    /// The journal.
    pub journal: Named,
    /// The customer or vendor.
    pub partner: Option<Named>,
    /// The company of that partner, if they are a contact of one.
    pub commercial_partner: Option<Named>,
    /// The partner's own number for it, or what an entry is about.
    pub reference: Option<String>,
    /// What the customer is asked to name when paying.
    pub payment_reference: Option<String>,
    /// The day it is booked at, `YYYY-MM-DD`.
    pub date: Option<String>,
    /// The day on it.
    pub invoice_date: Option<String>,
    /// The day it is due.
    pub due_date: Option<String>,
    /// How it is to be paid.
    pub payment_term: Option<Named>,
    /// The account that gets the money.
    pub bank_account: Option<Named>,
    /// How its taxes are mapped.
    pub fiscal_position: Option<Named>,
    /// The document that it takes back.
    pub reverses: Option<Named>,
    /// The currency of its amounts.
    pub currency: Currency,
    /// How its company rounds taxes.
    pub rounding: Rounding,
    /// Its priced lines, sections and notes, in their order; none of an entry.
    pub lines: Vec<Line>,
    /// All that it books.
    pub items: Vec<Item>,
    /// The sum without taxes, as Odoo shows it.
    pub untaxed: Amount,
    /// The taxes, as Odoo shows them.
    pub tax: Amount,
    /// The sum, as Odoo shows it.
    pub total: Amount,
    /// What is not paid yet.
    pub residual: Amount,
    /// `not_paid`, `partial`, `in_payment`, `paid`, `reversed` and others.
    pub payment_state: Option<String>,
    /// What it says below its lines.
    pub narration: Option<String>,
    /// What Odoo does with it by itself.
    pub consequences: Consequences,
}

/// What Odoo does with a document by itself, now or when it is posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Consequences {
    /// When it is posted without anybody doing it: `no`, `at_date`, `monthly` and others.
    pub auto_post: String,
    /// Whether it waits to be sent.
    pub will_be_sent: bool,
    /// Whether it is marked as sent.
    pub is_sent: bool,
    /// Whether it was posted before.
    pub was_posted: bool,
    /// Who gets a mail of what happens to it; none if this user is not shown that.
    pub followers: Option<Vec<Named>>,
}

/// A currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Currency {
    /// Its number in the database.
    pub id: i64,
    /// Its ISO 4217 code.
    pub code: String,
    /// Digits after the point.
    pub digits: u32,
}

/// How a company rounds taxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Each line for itself.
    PerLine,
    /// The sum.
    Global,
}

/// A line of an invoice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// `product`, or `line_section`, `line_subsection`, `line_note`: text alone.
    pub kind: String,
    /// What it is for.
    pub name: String,
    /// The product.
    pub product: Option<Named>,
    /// How many.
    pub quantity: Amount,
    /// What one costs.
    pub unit_price: Amount,
    /// Per cent off.
    pub discount: Amount,
    /// The taxes on it.
    pub taxes: Vec<Tax>,
    /// Where it is booked.
    pub account: Option<Named>,
    /// Its sum without taxes, as Odoo shows it.
    pub subtotal: Amount,
    /// Its sum with taxes, as Odoo shows it.
    pub total: Amount,
    /// What it books, in the document's currency: positive is a debit.
    pub booked: Amount,
}

/// A tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// Its number in the database.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// `percent`, `fixed`, `division`, `group` and others.
    pub kind: String,
    /// Per cent, or what it is.
    pub amount: Amount,
    /// Whether prices hold it already.
    pub is_included: bool,
}

/// What an [`Item`] is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ItemRole {
    /// A priced line, or a line of an entry.
    Line,
    /// A tax.
    Tax,
    /// What the partner owes or is owed.
    Counterpart,
    /// Roundings, discounts and what else Odoo books by itself.
    Other,
}

/// A debit or credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// What it is there for.
    pub role: ItemRole,
    /// The account.
    pub account: Option<Named>,
    /// The partner.
    pub partner: Option<Named>,
    /// What it is for; of a line alone, since Odoo names the others anew when it posts.
    pub name: Option<String>,
    /// The tax; of a tax alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<Named>,
    /// In the company's currency.
    pub debit: Amount,
    /// In the company's currency.
    pub credit: Amount,
    /// In its own currency: positive is a debit.
    pub amount: Amount,
    /// The ISO 4217 code of its own currency.
    pub currency: String,
    /// When it is due.
    pub due_date: Option<String>,
    /// The state that reports go by: that of the document, if nobody changed it.
    pub state: String,
}

impl Document {
    /// Whether it is a draft.
    #[must_use]
    pub fn is_draft(&self) -> bool {
        self.state == "draft"
    }

    /// Whether it is posted.
    #[must_use]
    pub fn is_posted(&self) -> bool {
        self.state == "posted"
    }

    /// How a person calls it: `draft vendor bill 12`, `vendor bill BILL/2026/0001`.
    #[must_use]
    pub fn title(&self) -> String {
        match (&self.number, self.is_draft()) {
            (Some(number), false) => format!("{} {number}", self.kind.words()),
            (_, true) => format!("draft {} {}", self.kind.words(), self.id),
            (None, false) => format!("{} {}", self.kind.words(), self.id),
        }
    }
}
