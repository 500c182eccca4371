//! [`Approvals`]: the drafts that wait for the owner, and what became of the approved ones.
//!
//! Lives here: reading `Pending_Approval/` and `Approved/` into [`ApprovalRow`]s.
//! Lives elsewhere: what would leave is read and judged by `platinum_effects::approvals`; deciding
//! is done by the commands.

mod pending;
mod preview;

use std::path::Path;

use platinum_core::{ActionKind, DraftId, Timestamp, VaultPath, layout};
use platinum_effects::approvals::{EntryState, QueueEntry, has_gaps, inspect};
use platinum_journal::Journal;
use platinum_vault::{Vault, note::DraftNote};
use serde::Serialize;

pub use pending::{MAX_DRAFT_BYTES, Pending, is_expired, pending_drafts, short_id};
pub use preview::{Field, preview};

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
}

/// One draft.
#[derive(Debug, Clone, Serialize)]
pub struct ApprovalRow {
    /// Where it is.
    pub path: VaultPath,
    /// What becomes of it.
    pub state: ApprovalState,
    /// What it says; `None` if it cannot be read.
    pub draft: Option<DraftSummary>,
}

/// What a draft would do.
#[derive(Debug, Clone, Serialize)]
pub struct DraftSummary {
    /// Its id.
    pub id: DraftId,
    /// What kind of action it proposes.
    pub kind: ActionKind,
    /// What will happen if the owner says yes.
    pub summary: String,
    /// Why.
    pub reason: String,
    /// When it was made.
    pub since: Timestamp,
    /// Until when an approval counts.
    pub expires: Timestamp,
    /// Whom and what it reaches, in the order in which a person reads it.
    pub fields: Vec<Field>,
    /// The text that will leave, byte for byte.
    pub text: String,
    /// Whether the text still has gaps, marked `[[…]]`.
    pub has_gaps: bool,
}

impl ApprovalRow {
    /// The end of the id in its file's name, which is enough to name one of a few; the name, if it
    /// is not an id.
    pub fn short_id(&self) -> String {
        match self.path.stem().parse() {
            Ok(id) => short_id(id),
            Err(_) => plain(self.path.file_name(), 80),
        }
    }
}

impl DraftSummary {
    /// What this draft would do.
    pub fn of(draft: &DraftNote) -> Self {
        Self {
            id: draft.id,
            kind: draft.action.kind(),
            summary: plain(&draft.summary, 200),
            reason: plain(&draft.reason, 200),
            since: draft.created,
            expires: draft.expires,
            fields: preview(&draft.action),
            text: draft.action.text().to_owned(),
            has_gaps: has_gaps(draft.action.text()),
        }
    }
}

/// What becomes of a draft.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum ApprovalState {
    /// It waits for the owner.
    Pending,
    /// It waits for the owner, and an approval would no longer count.
    PendingExpired,
    /// It is approved, and no daemon has run since.
    Unseen,
    /// It is approved and carried out next.
    Ready,
    /// It did nothing and is tried again.
    Retrying {
        /// Why it did nothing.
        reason: String,
    },
    /// It is approved and cannot be carried out as it is.
    Blocked {
        /// Why, and what to do.
        reason: String,
    },
    /// It cannot be read as a draft.
    Unreadable {
        /// Why.
        reason: String,
    },
    /// It may have happened. Nothing is tried until that is known.
    OutcomeUnknown {
        /// What is known.
        reason: String,
    },
    /// It happened, and its file is put away next.
    Done,
}

impl ApprovalState {
    fn of_approved(state: &EntryState) -> Self {
        let reason = plain(&state.to_string(), 400);
        match state {
            EntryState::Ready => Self::Ready,
            EntryState::Waiting { reason, .. } => Self::Retrying {
                reason: plain(reason, 400),
            },
            EntryState::Done(_) => Self::Done,
            EntryState::InDoubt(_) => Self::OutcomeUnknown { reason },
            _ => Self::Blocked { reason },
        }
    }

    /// In words.
    pub fn words(&self) -> String {
        match self {
            Self::Pending => "waits for you".to_owned(),
            Self::PendingExpired => "expired: an approval no longer counts".to_owned(),
            Self::Unseen => "the local daemon has not run yet; it carries it out".to_owned(),
            Self::Ready => "the local daemon carries it out".to_owned(),
            Self::Retrying { reason } => format!("tried again by itself: {reason}"),
            Self::Unreadable { reason } => format!("cannot be read: {reason}"),
            Self::Blocked { reason } | Self::OutcomeUnknown { reason } => reason.clone(),
            Self::Done => "carried out".to_owned(),
        }
    }
}

impl Approvals {
    /// Reads both folders. The journal in the state folder is read, and not made.
    ///
    /// # Errors
    /// If a folder or the journal cannot be read.
    pub fn read(vault: &Vault, state: &Path, now: Timestamp) -> Result<Self, ReadError> {
        let folder = pending_drafts(vault)?;
        Ok(Self {
            pending: folder
                .drafts
                .iter()
                .map(|pending| pending_row(pending, now))
                .collect(),
            not_drafts: folder.others,
            approved: approved(vault, state, now)?,
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
        draft: draft.map(DraftSummary::of),
    }
}

/// What is in `Approved/` and what becomes of it.
pub(crate) fn approved(
    vault: &Vault,
    state: &Path,
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
    let journal = Journal::open(&path).map_err(|error| failed(error.to_string()))?;
    let entries = inspect(vault, &journal, now).map_err(failed)?;
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
