//! [`Approvals`]: the drafts that wait for the owner, and what became of the approved ones.
//!
//! Lives here: reading `Pending_Approval/` and `Approved/` into [`ApprovalRow`]s.
//! Lives elsewhere: what would leave is read and judged by `platinum_effects::approvals`; deciding
//! is done by the commands.

mod pending;
mod policy;
mod preview;
mod row;

use std::path::Path;

use platinum_core::{Timestamp, VaultPath, layout};
use platinum_effects::approvals::{ApprovalPolicy, QueueEntry, inspect};
use platinum_journal::Journal;
use platinum_vault::{Unreadable, Vault, Walk};
use serde::Serialize;

pub use pending::{MAX_DRAFT_BYTES, Pending, is_expired, pending_drafts, short_id};
pub use policy::approval_policy;
pub use preview::{Field, preview};
pub use row::{ApprovalRow, ApprovalState, DraftSummary};

use crate::{ReadError, text::plain};

/// What waits for the owner, and what the owner approved.
#[derive(Debug, Clone, Serialize)]
pub struct Approvals {
    /// The drafts in `Pending_Approval/`, oldest first.
    pub pending: Vec<ApprovalRow>,
    /// Files in `Pending_Approval/` that are not drafts: conflict copies, or notes of the owner.
    pub not_drafts: Vec<VaultPath>,
    /// The notes in `Approved/`, oldest first. They stay there until they are carried out.
    pub approved: Vec<ApprovalRow>,
    /// What of both folders cannot be read.
    pub unreadable: Vec<Unreadable>,
}

impl Approvals {
    /// Reads both folders. The journal in the state folder is read, and not made.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn read(
        vault: &Vault,
        state: &Path,
        policy: &ApprovalPolicy,
        now: Timestamp,
    ) -> Result<Self, ReadError> {
        let folder = pending_drafts(vault)?;
        let mut unreadable = folder.unreadable;
        let in_approved = Walk::read(vault, &[layout::APPROVED])?.unreadable;
        let is_readable = in_approved.iter().all(|one| one.path != layout::APPROVED);
        unreadable.extend(in_approved);
        Ok(Self {
            pending: folder
                .drafts
                .iter()
                .map(|pending| pending_row(pending, now))
                .collect(),
            not_drafts: folder.others,
            approved: match is_readable {
                true => approved(vault, state, policy, now)?,
                false => Vec::new(),
            },
            unreadable,
        })
    }
}

fn pending_row(pending: &Pending, now: Timestamp) -> ApprovalRow {
    let (state, draft) = match &pending.draft {
        Ok(draft) if is_expired(draft, now) => (ApprovalState::PendingExpired, Some(draft)),
        Ok(draft) => (ApprovalState::Pending, Some(draft)),
        Err(reason) => {
            let reason = plain(reason, 300);
            (ApprovalState::Unreadable { reason }, None)
        }
    };
    ApprovalRow {
        path: pending.path.clone(),
        state,
        draft: draft.map(|draft| DraftSummary::of(draft).with_file(&pending.file)),
    }
}

/// What is in `Approved/` and what becomes of it.
pub(crate) fn approved(
    vault: &Vault,
    state: &Path,
    policy: &ApprovalPolicy,
    now: Timestamp,
) -> Result<Vec<ApprovalRow>, ReadError> {
    let path = state.join("journal.db");
    if !path.exists() {
        let unseen = vault.list(layout::APPROVED)?.into_iter();
        let notes = unseen.filter(|entry| entry.path.extension() == Some("md"));
        return Ok(notes
            .map(|entry| ApprovalRow {
                path: entry.path,
                state: ApprovalState::Unseen,
                draft: None,
            })
            .collect());
    }
    let failed = |why: String| ReadError::Approvals(plain(&why, 300));
    let journal = Journal::open_copy(&path).map_err(|error| failed(error.to_string()))?;
    let entries = inspect(vault, &journal, policy, now).map_err(failed)?;
    Ok(entries.iter().map(approved_row).collect())
}

fn approved_row(entry: &QueueEntry) -> ApprovalRow {
    ApprovalRow {
        path: entry.path.clone(),
        state: ApprovalState::of_approved(&entry.state),
        draft: entry
            .outgoing
            .as_ref()
            .map(|outgoing| DraftSummary::of(&outgoing.note)),
    }
}
