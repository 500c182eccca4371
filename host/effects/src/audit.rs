//! What effects write into the log besides intents and outcomes: which skill used which interface that
//! acts, and what was refused.

use std::sync::Arc;

use platinum_core::{Capability, DraftId, text::one_line};
use platinum_journal::AuditEvent;

use crate::{approvals::Approvals, writing::blocking};

/// Longest reason that is kept.
const MAX_REASON: usize = 500;

/// Writes that a skill is about to use an interface that acts.
///
/// # Errors
/// If it cannot be written: then it may not use it.
pub(crate) async fn note_use(
    approvals: &Approvals,
    skill: &str,
    interface: Capability,
    draft: DraftId,
) -> Result<(), String> {
    let event = AuditEvent::Used {
        subject: skill.to_owned(),
        interface: interface.to_string(),
        draft,
    };
    let noted = note(approvals, event).await;
    noted.map_err(|error| format!("nothing is done without the journal: {error}"))
}

/// Writes that a draft was refused, unless that is the last that is known of it. Nothing depends on it:
/// the draft was not carried out.
pub(crate) async fn note_refusal(approvals: &Approvals, draft: DraftId, reason: &str) {
    let event = AuditEvent::Refused {
        subject: draft.to_string(),
        reason: one_line(reason, MAX_REASON),
    };
    if let Err(error) = note(approvals, event).await {
        tracing::warn!(%draft, "Cannot write its refusal into the journal: {error}.");
    }
}

async fn note(approvals: &Approvals, event: AuditEvent) -> Result<(), String> {
    let (journal, at) = (Arc::clone(approvals.journal()), approvals.clock().now());
    let note = move || match event {
        AuditEvent::Refused { .. } => journal.note_change(&event, at),
        _ => journal.note(&event, at),
    };
    blocking(move || note().map_err(|error| error.to_string())).await?
}
