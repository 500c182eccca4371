//! The actions of the zone `payments`.

use serde::{Deserialize, Serialize};

use super::{ActionKind, TypedAction};
use crate::Money;

/// A payment to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Payment {
    /// Who is paid, by name of an entry on the owner's list.
    pub payee: String,
    /// How much.
    pub amount: Money,
    /// What the payee sees.
    pub reference: String,
    /// When it falls due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<jiff::civil::Date>,
    /// Which way it goes: an account's or a browser recipe's name.
    pub method: String,
}

impl TypedAction for Payment {
    const KIND: ActionKind = ActionKind::PAYMENT;
    const FIELDS: &'static [&'static str] = &["payee", "amount", "reference", "due", "method"];
}
