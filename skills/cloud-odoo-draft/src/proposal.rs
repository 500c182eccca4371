//! What the owner sees of a proposal beside the document: its summary, and its doubts.
//!
//! Invariants: pure; bounded.

use platinum_sdk::odoo::draft::Saved;
use platinum_sdk::odoo::types::Document;
use platinum_sdk::text::one_line;

use crate::question;

/// The most doubts of a note, and the longest, in characters.
const MAX_DOUBTS: usize = 30;
const MAX_DOUBT: usize = 300;

/// What is wrong with a draft itself.
pub(crate) fn of_saved(saved: &Saved) -> Vec<String> {
    let mut doubts: Vec<String> = Vec::new();
    for difference in &saved.differences {
        doubts.push(format!(
            "The draft in Odoo is not what the document says: {difference}."
        ));
    }
    if !saved.duplicates.is_empty() {
        let ids: Vec<String> = saved
            .duplicates
            .iter()
            .take(5)
            .map(u64::to_string)
            .collect();
        doubts.push(format!(
            "Odoo has further drafts of the same, saved at the same moment: {}. Delete them there.",
            ids.join(", ")
        ));
    }
    doubts.extend(saved.document.inconsistencies.iter().cloned());
    doubts
}

/// Each doubt once, on one line; the last one says that there are more.
pub(crate) fn bounded(doubts: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for doubt in doubts {
        let doubt = one_line(&doubt, MAX_DOUBT);
        if !doubt.is_empty() && !all.contains(&doubt) {
            all.push(doubt);
        }
    }
    if all.len() > MAX_DOUBTS {
        let more = all.len() - (MAX_DOUBTS - 1);
        all.truncate(MAX_DOUBTS - 1);
        all.push(format!("And {more} more: read the document."));
    }
    all
}

/// `Post vendor bill R-1 of Acme: 119.00 EUR, due 2026-12-14`.
pub(crate) fn summary(document: &Document) -> String {
    let partner = document
        .partner
        .as_ref()
        .map_or("nobody", |it| it.name.as_str());
    let due = document
        .due
        .as_ref()
        .map_or(String::new(), |due| format!(", due {due}"));
    let text = format!(
        "Post {} of {}: {} {}{due}",
        question::title(document),
        one_line(partner, 80),
        document.total,
        document.currency,
    );
    one_line(&text, 300)
}
