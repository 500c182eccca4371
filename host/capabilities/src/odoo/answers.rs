//! What the server answers, read strictly, and as the contract has it: bounded, its amounts plain decimals.
//!
//! Invariants: what is missing that a record cannot be without makes the whole answer one that is not of the agreed
//! form; text is one bounded line, but for the name of a line.

use platinum_core::text::{bounded, one_line};
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::bindings::platinum::odoo::types as wit;

/// Longest name, in characters.
const MAX_NAME: usize = 200;
/// Longest name of a line, in bytes.
const MAX_LINE_NAME: usize = 4000;
/// Most lines of a document that are shown to a skill.
const MAX_LINES: usize = 200;
/// Most sentences of one list.
const MAX_SENTENCES: usize = 30;

/// Rows.
#[derive(Debug, Deserialize)]
pub(super) struct Records<T> {
    pub(super) records: Vec<T>,
    #[serde(default)]
    pub(super) has_more: bool,
}

/// A record and its name.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Named {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: String,
}

/// A decimal number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal(pub(super) String);

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match is_decimal(&text) {
            true => Ok(Self(text)),
            false => Err(D::Error::custom("not a decimal number")),
        }
    }
}

/// Whether a text is a plain decimal number of at most 15 digits, 9 of them after the point.
pub(super) fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(whole) && is_number(part) && whole.len() + part.len() <= 16 && part.len() <= 9
}

/// A company.
#[derive(Debug, Deserialize)]
pub(super) struct CompanyRow {
    pub(super) id: u64,
    pub(super) name: String,
    #[serde(default)]
    vat: Option<String>,
    currency_id: Named,
    #[serde(default)]
    tax_calculation_rounding_method: Option<String>,
    #[serde(default)]
    account_sale_tax_id: Option<Named>,
    #[serde(default)]
    account_purchase_tax_id: Option<Named>,
}

/// A partner.
#[derive(Debug, Deserialize)]
pub(super) struct PartnerRow {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) name: Option<String>,
    #[serde(default)]
    display_name: Option<String>,
    #[serde(default)]
    pub(super) commercial_partner_id: Option<Named>,
    #[serde(default)]
    pub(super) vat: Option<String>,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default)]
    property_account_position_id: Option<Named>,
    #[serde(default)]
    property_payment_term_id: Option<Named>,
    #[serde(default)]
    property_supplier_payment_term_id: Option<Named>,
}

/// A bank account.
#[derive(Debug, Deserialize)]
pub(super) struct BankRow {
    #[serde(default)]
    pub(super) sanitized_acc_number: Option<String>,
    #[serde(default)]
    pub(super) partner_id: Option<Named>,
}

/// A journal.
#[derive(Debug, Deserialize)]
pub(super) struct JournalRow {
    id: u64,
    name: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default)]
    currency_id: Option<Named>,
}

/// A tax.
#[derive(Debug, Deserialize)]
pub(super) struct TaxRow {
    pub(super) id: u64,
    name: String,
    amount: Decimal,
    #[serde(default)]
    type_tax_use: Option<String>,
    #[serde(default)]
    price_include: bool,
    #[serde(default)]
    fiscal_position_ids: Vec<u64>,
}

/// A document in a list.
#[derive(Debug, Deserialize)]
pub(super) struct DocumentRow {
    pub(super) id: u64,
    move_type: String,
    state: String,
    #[serde(default)]
    name: Option<String>,
    #[serde(default, rename = "ref")]
    pub(super) reference: Option<String>,
    #[serde(default)]
    invoice_origin: Option<String>,
    company_id: Named,
    #[serde(default)]
    partner_id: Option<Named>,
    #[serde(default)]
    invoice_date: Option<String>,
    amount_total: Decimal,
}

/// `get_document`.
#[derive(Debug, Deserialize)]
pub(super) struct DocumentAnswer {
    pub(super) document: Document,
    link: String,
    #[serde(default)]
    inconsistencies: Vec<String>,
    /// Why it is not posted as it is, each the end of a sentence about it.
    #[serde(default)]
    pub(super) obstacles: Vec<String>,
    /// The document as an invoice looks, in Markdown.
    #[serde(default)]
    pub(super) shown: String,
}

/// `create_draft`.
#[derive(Debug, Deserialize)]
pub(super) struct SavedDraft {
    outcome: DraftOutcome,
    pub(super) document: Document,
    link: String,
    #[serde(default)]
    differences: Vec<String>,
    #[serde(default)]
    duplicates: Vec<u64>,
}

#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DraftOutcome {
    Created,
    Existing,
}

/// `preview_payment`.
#[derive(Debug, Deserialize)]
pub(super) struct PaymentAnswer {
    /// The payment as the owner sees it, in Markdown.
    pub(super) shown: String,
}

/// A document, as far as it is read here.
#[derive(Debug, Deserialize)]
pub(super) struct Document {
    pub(super) id: u64,
    kind: String,
    pub(super) state: String,
    #[serde(default)]
    pub(super) number: Option<String>,
    #[serde(default)]
    operation: Option<String>,
    pub(super) company: Named,
    journal: Named,
    #[serde(default)]
    partner: Option<Named>,
    #[serde(default)]
    reference: Option<String>,
    #[serde(default)]
    invoice_date: Option<String>,
    #[serde(default)]
    pub(super) due_date: Option<String>,
    #[serde(default)]
    fiscal_position: Option<Named>,
    pub(super) currency: Currency,
    rounding: String,
    #[serde(default)]
    lines: Vec<Line>,
    untaxed: Decimal,
    tax: Decimal,
    pub(super) total: Decimal,
    residual: Decimal,
}

#[derive(Debug, Deserialize)]
pub(super) struct Currency {
    pub(super) code: String,
    digits: u32,
}

#[derive(Debug, Deserialize)]
struct Line {
    name: String,
    quantity: Decimal,
    unit_price: Decimal,
    discount: Decimal,
    #[serde(default)]
    taxes: Vec<Named>,
    subtotal: Decimal,
    total: Decimal,
}

/// One bounded line.
fn line(text: &str) -> String {
    one_line(text, MAX_NAME)
}

/// One bounded line; none of nothing.
fn option(text: Option<String>) -> Option<String> {
    text.map(|text| line(&text)).filter(|line| !line.is_empty())
}

fn sentences(list: &[String]) -> Vec<String> {
    let kept = list.iter().take(MAX_SENTENCES);
    kept.map(|text| one_line(text, 300)).collect()
}

impl Named {
    fn into_wit(self) -> wit::Named {
        wit::Named {
            id: self.id,
            name: line(&self.name),
        }
    }
}

impl CompanyRow {
    pub(super) fn into_wit(self) -> wit::Company {
        let id_of = |tax: Option<Named>| tax.map(|tax| tax.id);
        wit::Company {
            id: self.id,
            name: line(&self.name),
            vat: option(self.vat),
            currency: line(&self.currency_id.name),
            rounds_per_line: rounds_per_line(self.tax_calculation_rounding_method.as_deref()),
            sale_tax: id_of(self.account_sale_tax_id),
            purchase_tax: id_of(self.account_purchase_tax_id),
        }
    }
}

fn rounds_per_line(method: Option<&str>) -> bool {
    !matches!(method, Some("round_globally" | "global"))
}

impl PartnerRow {
    /// The contact itself and the company that it belongs to.
    pub(super) fn ids(&self) -> [u64; 2] {
        let commercial = self.commercial_partner_id.as_ref();
        [self.id, commercial.map_or(self.id, |named| named.id)]
    }

    pub(super) fn into_wit(self, accounts: Vec<String>) -> wit::Partner {
        let name = self.name.or(self.display_name).unwrap_or_default();
        let own = Named {
            id: self.id,
            name: name.clone(),
        };
        wit::Partner {
            id: self.id,
            name: line(&name),
            commercial: self.commercial_partner_id.unwrap_or(own).into_wit(),
            vat: option(self.vat),
            email: option(self.email),
            accounts,
            fiscal_position: self.property_account_position_id.map(Named::into_wit),
            customer_term: self.property_payment_term_id.map(Named::into_wit),
            vendor_term: self.property_supplier_payment_term_id.map(Named::into_wit),
        }
    }
}

impl JournalRow {
    pub(super) fn into_wit(self) -> wit::Journal {
        wit::Journal {
            id: self.id,
            name: line(&self.name),
            code: line(&self.code.unwrap_or_default()),
            purpose: line(&self.r#type.unwrap_or_default()),
            currency: self.currency_id.map(|currency| line(&currency.name)),
        }
    }
}

impl TaxRow {
    /// None of a tax that is neither of sales nor of purchases.
    pub(super) fn into_wit(self) -> Option<wit::Tax> {
        let is_of_sales = match self.type_tax_use.as_deref() {
            Some("sale") => true,
            Some("purchase") => false,
            _ => return None,
        };
        Some(wit::Tax {
            id: self.id,
            name: line(&self.name),
            rate: self.amount.0,
            is_of_sales,
            is_included: self.price_include,
            positions: self.fiscal_position_ids,
        })
    }
}

impl DocumentRow {
    pub(super) fn into_wit(self) -> wit::DocumentRow {
        wit::DocumentRow {
            id: self.id,
            kind: kind_of(&self.move_type),
            state: line(&self.state),
            number: option(self.name).filter(|name| name != "/"),
            reference: option(self.reference),
            operation: option(self.invoice_origin),
            company: self.company_id.into_wit(),
            partner: self.partner_id.map_or_else(
                || wit::Named {
                    id: 0,
                    name: String::new(),
                },
                Named::into_wit,
            ),
            date: option(self.invoice_date),
            total: self.amount_total.0,
        }
    }
}

impl DocumentAnswer {
    pub(super) fn into_wit(self) -> wit::Document {
        self.document.into_wit(&self.link, &self.inconsistencies)
    }
}

impl SavedDraft {
    pub(super) fn into_wit(self) -> crate::bindings::platinum::odoo::draft::Saved {
        crate::bindings::platinum::odoo::draft::Saved {
            document: self.document.into_wit(&self.link, &[]),
            is_new: self.outcome == DraftOutcome::Created,
            differences: sentences(&self.differences),
            duplicates: self.duplicates.into_iter().take(MAX_SENTENCES).collect(),
        }
    }
}

impl Document {
    fn into_wit(self, link: &str, inconsistencies: &[String]) -> wit::Document {
        let lines = self.lines.into_iter().take(MAX_LINES);
        wit::Document {
            id: self.id,
            kind: line(&self.kind).replace('_', "-"),
            state: line(&self.state),
            number: option(self.number),
            operation: option(self.operation),
            link: one_line(link, 500),
            company: self.company.into_wit(),
            journal: self.journal.into_wit(),
            partner: self.partner.map(Named::into_wit),
            reference: option(self.reference),
            date: option(self.invoice_date),
            due: option(self.due_date),
            fiscal_position: self.fiscal_position.map(Named::into_wit),
            currency: line(&self.currency.code),
            digits: self.currency.digits.min(9),
            rounds_per_line: rounds_per_line(Some(&self.rounding)),
            lines: lines
                .map(|line| wit::Line {
                    name: bounded(&line.name, MAX_LINE_NAME).to_owned(),
                    quantity: line.quantity.0,
                    unit_price: line.unit_price.0,
                    discount: line.discount.0,
                    taxes: line
                        .taxes
                        .into_iter()
                        .take(10)
                        .map(Named::into_wit)
                        .collect(),
                    untaxed: line.subtotal.0,
                    total: line.total.0,
                })
                .collect(),
            untaxed: self.untaxed.0,
            tax: self.tax.0,
            total: self.total.0,
            open: self.residual.0,
            inconsistencies: sentences(inconsistencies),
        }
    }
}

/// The kinds of documents of the contract, and what Odoo calls them.
pub(super) const KINDS: [(&str, &str); 4] = [
    ("customer-invoice", "out_invoice"),
    ("customer-credit-note", "out_refund"),
    ("vendor-bill", "in_invoice"),
    ("vendor-credit-note", "in_refund"),
];

/// What the contract calls a kind of Odoo's; one that it does not have, as Odoo does.
fn kind_of(move_type: &str) -> String {
    let known = KINDS.iter().find(|(_, odoo)| *odoo == move_type);
    known.map_or_else(|| line(move_type), |(kind, _)| (*kind).to_owned())
}
