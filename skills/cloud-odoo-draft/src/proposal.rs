//! The proposal to post a draft, and what the owner sees of it beside the document: its summary, and its doubts.
//!
//! Invariant: what they see is bounded.

use platinum_sdk::actions::types::{Proposal, ProposeError};
use platinum_sdk::host::ProposeOdoo;
use platinum_sdk::odoo::draft::Saved;
use platinum_sdk::odoo::types::{Document, Posting};
use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::one_line;
use platinum_sdk::{Error, Outcome};

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

/// Proposes to post a draft; or a question.
///
/// # Errors
/// If it cannot be proposed now.
pub(crate) fn propose(
    host: &impl ProposeOdoo,
    task: &Task,
    document: &Document,
    reason: String,
    doubts: Vec<String>,
) -> Result<Outcome, Error> {
    let proposal = Proposal {
        task: task.id.clone(),
        summary: summary(document),
        reason,
        expires: None,
    };
    let posting = Posting {
        document: document.id,
        doubts,
    };
    match host.propose_posting(&proposal, &posting) {
        Ok(id) | Err(ProposeError::Duplicate(id)) => Ok(Outcome::Drafted(id)),
        // Another task with the same document was here first, also where both came at the same moment.
        Err(ProposeError::Invalid(why)) => Ok(Outcome::Dismissed(question::drafted_elsewhere(
            document, &why,
        ))),
        Err(error) => Err(error.into()),
    }
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
fn summary(document: &Document) -> String {
    let due = document
        .due
        .as_ref()
        .map_or(String::new(), |due| format!(", due {due}"));
    let text = format!(
        "Post {} of {}: {} {}{due}",
        question::title(document),
        one_line(question::partner(document), 80),
        document.total,
        document.currency,
    );
    one_line(&text, 300)
}
