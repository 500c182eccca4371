//! What may be read: models, and fields of each. A field that a version of Odoo lacks is left out of "all".
//!
//! Not here, and why: mails, attachments, users, settings, and anything of a partner beside what a document needs.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::service::ServiceError;

/// A kind of record that may be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Customers, vendors and their contacts.
    Partner,
    /// Bank accounts of partners.
    BankAccount,
    /// The companies whose books these are.
    Company,
    /// Currencies.
    Currency,
    /// Journals.
    Journal,
    /// Accounts.
    Account,
    /// Taxes.
    Tax,
    /// Fiscal positions.
    FiscalPosition,
    /// Payment terms.
    PaymentTerm,
    /// Products.
    Product,
    /// Invoices, bills, credit notes and journal entries.
    Document,
    /// Their lines.
    DocumentLine,
}

/// What may be read of a model.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    /// Its name in Odoo.
    pub model: &'static str,
    /// Its fields.
    pub fields: &'static [&'static str],
}

impl Table {
    /// The field of this name; `argument` names what it was given for.
    pub(super) fn field(self, argument: &str, name: &str) -> Result<&'static str, ServiceError> {
        if name == "id" {
            return Ok("id");
        }
        let mut fields = self.fields.iter().copied();
        fields.find(|field| *field == name).ok_or_else(|| {
            let name = platinum_text::one_line(name, 64);
            let known = self.fields.join(", ");
            ServiceError::argument(
                argument,
                format!("cannot be {name}; fields of {}: id, {known}", self.model),
            )
        })
    }
}

impl Model {
    /// What may be read of it.
    #[must_use]
    pub fn table(self) -> Table {
        let (model, fields): (_, &[&str]) = match self {
            Self::Partner => ("res.partner", &PARTNER),
            Self::BankAccount => ("res.partner.bank", &BANK_ACCOUNT),
            Self::Company => ("res.company", &COMPANY),
            Self::Currency => ("res.currency", &CURRENCY),
            Self::Journal => ("account.journal", &JOURNAL),
            Self::Account => ("account.account", &ACCOUNT),
            Self::Tax => ("account.tax", &TAX),
            Self::FiscalPosition => ("account.fiscal.position", &FISCAL_POSITION),
            Self::PaymentTerm => ("account.payment.term", &PAYMENT_TERM),
            Self::Product => ("product.product", &PRODUCT),
            Self::Document => ("account.move", &DOCUMENT),
            Self::DocumentLine => ("account.move.line", &DOCUMENT_LINE),
        };
        Table { model, fields }
    }
}

const PARTNER: [&str; 19] = [
    "name",
    "display_name",
    "is_company",
    "parent_id",
    "commercial_partner_id",
    "company_id",
    "vat",
    "company_registry",
    "ref",
    "email",
    "street",
    "zip",
    "city",
    "country_id",
    "lang",
    "property_account_position_id",
    "property_payment_term_id",
    "property_supplier_payment_term_id",
    "active",
];
const BANK_ACCOUNT: [&str; 7] = [
    "acc_number",
    "sanitized_acc_number",
    "acc_holder_name",
    "partner_id",
    "currency_id",
    "company_id",
    "active",
];
const COMPANY: [&str; 9] = [
    "name",
    "partner_id",
    "parent_id",
    "currency_id",
    "vat",
    "country_id",
    "tax_calculation_rounding_method",
    "account_sale_tax_id",
    "account_purchase_tax_id",
];
const CURRENCY: [&str; 5] = ["name", "symbol", "rounding", "decimal_places", "active"];
const JOURNAL: [&str; 7] = [
    "name",
    "code",
    "type",
    "company_id",
    "currency_id",
    "default_account_id",
    "active",
];
const ACCOUNT: [&str; 8] = [
    "name",
    "code",
    "account_type",
    "internal_type",
    "company_id",
    "company_ids",
    "tax_ids",
    "reconcile",
];
const TAX: [&str; 10] = [
    "name",
    "amount_type",
    "amount",
    "type_tax_use",
    "price_include",
    "include_base_amount",
    "fiscal_position_ids",
    "company_id",
    "country_id",
    "active",
];
const FISCAL_POSITION: [&str; 6] = [
    "name",
    "company_id",
    "country_id",
    "vat_required",
    "auto_apply",
    "active",
];
const PAYMENT_TERM: [&str; 3] = ["name", "company_id", "active"];
const PRODUCT: [&str; 10] = [
    "name",
    "display_name",
    "default_code",
    "barcode",
    "list_price",
    "taxes_id",
    "supplier_taxes_id",
    "uom_id",
    "company_id",
    "active",
];
const DOCUMENT: [&str; 23] = [
    "name",
    "move_type",
    "state",
    "payment_state",
    "partner_id",
    "commercial_partner_id",
    "company_id",
    "journal_id",
    "currency_id",
    "date",
    "invoice_date",
    "invoice_date_due",
    "ref",
    "payment_reference",
    "invoice_origin",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
    "amount_residual",
    "reversed_entry_id",
    "create_uid",
    "create_date",
    "write_date",
];
const DOCUMENT_LINE: [&str; 17] = [
    "move_id",
    "parent_state",
    "display_type",
    "name",
    "partner_id",
    "product_id",
    "account_id",
    "tax_ids",
    "quantity",
    "price_unit",
    "discount",
    "price_subtotal",
    "price_total",
    "debit",
    "credit",
    "date",
    "company_id",
];
