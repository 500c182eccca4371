//! The actions of the zone `accounting`, in Odoo.
//!
//! Their text is what their owner approves: the document, or the payment, as the server for Odoo renders it. It is
//! rendered once more before anything is done, and has to be the same.

use serde::{Deserialize, Serialize};

use super::{Action, ActionKind, TypedAction};
use crate::{
    Money,
    text::{one_line, unescape_markdown},
};

/// Longest heading, in characters.
const MAX_HEADING: usize = 200;

impl Action {
    /// What an action of this zone is about, by the heading of the text that its owner approves: which document, whose,
    /// how much. None of other zones, and of a text without one.
    pub fn heading(&self) -> Option<String> {
        let kinds = [ActionKind::ODOO_POST, ActionKind::ODOO_PAYMENT];
        let first = self
            .text()
            .lines()
            .next()
            .filter(|_| kinds.contains(&self.kind()))?;
        let heading = first
            .strip_prefix("# ")
            .filter(|heading| heading.contains(" · "))?;
        Some(one_line(&unescape_markdown(heading), MAX_HEADING))
    }
}

/// A document to post in Odoo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OdooPost {
    /// Odoo's id of the draft document.
    pub document: u64,
    /// Its total.
    pub total: Money,
    /// When it falls due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<jiff::civil::Date>,
    /// The document as a person reads it, in Markdown.
    #[serde(skip)]
    pub shown: String,
}

impl TypedAction for OdooPost {
    const KIND: ActionKind = ActionKind::ODOO_POST;
    const FIELDS: &'static [&'static str] = &["document", "total", "due"];

    fn text(&self) -> &str {
        &self.shown
    }

    fn set_text(&mut self, text: String) {
        self.shown = text;
    }
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
    /// The payment as a person reads it, in Markdown.
    #[serde(skip)]
    pub shown: String,
}

impl TypedAction for OdooPayment {
    const KIND: ActionKind = ActionKind::ODOO_PAYMENT;
    const FIELDS: &'static [&'static str] = &["invoice", "amount", "date", "journal"];

    fn text(&self) -> &str {
        &self.shown
    }

    fn set_text(&mut self, text: String) {
        self.shown = text;
    }
}
