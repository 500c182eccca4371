//! The actions of the zone `accounting`, in Odoo.
//!
//! Their text is what their owner approves: the document, or the payment, as the server for Odoo renders it. It is
//! rendered once more before anything is done, and has to be the same. Here is also what a draft document is called in
//! Odoo, by which it is told from those that somebody else saved.

use serde::{Deserialize, Serialize};

use super::{Action, ActionKind, TypedAction};
use crate::{
    Money, TaskId, sha256_hex,
    text::{one_line, unescape_markdown},
};

/// Longest heading, in characters.
const MAX_HEADING: usize = 200;
/// What begins the operation of a bill.
const BILL: &str = "bill-";
/// The digits behind it.
const BILL_DIGITS: usize = 32;

/// What the draft of a bill is called in Odoo, by what makes it that bill: the same for every agent.
pub fn bill_operation(bill: &str) -> String {
    format!("{BILL}{}", &sha256_hex(bill)[..BILL_DIGITS])
}

/// What the draft that a task is about is called in Odoo: its id, written small.
pub fn task_operation(task: TaskId) -> String {
    task.to_string().to_lowercase()
}

/// Whether a text is what a draft that Platinum saved is called.
pub fn is_draft_operation(text: &str) -> bool {
    let is_bill = text.strip_prefix(BILL).is_some_and(|digest| {
        digest.len() == BILL_DIGITS && digest.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let is_task = || {
        let (prefix, ulid) = text.split_once('_')?;
        format!("{}_{}", prefix.to_lowercase(), ulid.to_uppercase())
            .parse::<TaskId>()
            .ok()
    };
    is_bill || is_task().is_some()
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draft_operations_are_those_of_bills_and_tasks() {
        let task = TaskId::from_parts(7, 7);
        for (text, expected) in [
            ("bill-0123456789abcdef0123456789abcdef", true),
            (bill_operation("any bill").as_str(), true),
            ("bill-0123", false),
            ("bill-of-lading", false),
            (task_operation(task).as_str(), true),
            (task.to_string().as_str(), true),
            ("SO042", false),
            ("", false),
        ] {
            assert_eq!(is_draft_operation(text), expected, "{text}");
        }
    }
}
