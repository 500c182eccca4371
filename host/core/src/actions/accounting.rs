//! The actions of the zone `accounting`, in Odoo.

use serde::{Deserialize, Serialize};

use super::{ActionKind, TypedAction};
use crate::Money;

/// A document to post in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OdooPost {
    /// Odoo's id of the draft document.
    pub document: u64,
    /// How many lines it had when it was drafted.
    pub lines: u32,
    /// Its total when it was drafted.
    pub total: Money,
    /// When it falls due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<jiff::civil::Date>,
}

impl TypedAction for OdooPost {
    const KIND: ActionKind = ActionKind::ODOO_POST;
    const FIELDS: &'static [&'static str] = &["document", "lines", "total", "due"];
}

/// A payment to register in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OdooPayment {
    /// Odoo's id of the invoice paid.
    pub invoice: u64,
    /// How much.
    pub amount: Money,
    /// On which day.
    pub date: jiff::civil::Date,
    /// Into or from which journal, by its code.
    pub journal: String,
}

impl TypedAction for OdooPayment {
    const KIND: ActionKind = ActionKind::ODOO_PAYMENT;
    const FIELDS: &'static [&'static str] = &["invoice", "amount", "date", "journal"];
}
