//! [`ApprovalRow`]: one draft, what it would do and what becomes of it.

use platinum_core::{ActionKind, DraftId, Timestamp, VaultPath, text::has_gaps};
use platinum_effects::{
    approvals::{EntryState, RETURNED},
    review::escape_hidden,
};
use platinum_vault::note::{DraftBody, DraftNote, Note};
use serde::Serialize;

use super::{Field, pending::short_id, preview};
use crate::text::plain;

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
    /// What its owner has to look at first.
    pub doubts: Vec<String>,
    /// Why it is before its owner again, if it was approved and came back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub returned: Option<String>,
    /// Whether the text is one that a server rendered: an invoice, with tables.
    pub is_rendered: bool,
    /// The text that will leave, its characters that are not seen written out.
    pub text: String,
    /// The message that is answered, as the draft's file shows it above that text.
    pub answers: Option<String>,
    /// How a post will look, as its network's server showed it when it was drafted; that is in `answers`, too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Whether the text still has gaps, marked `[✎ …]`, or a field is one.
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
            summary: plain(&escape_hidden(&draft.summary), 200),
            reason: plain(&escape_hidden(&draft.reason), 200),
            since: draft.created,
            expires: draft.expires,
            fields: preview(&draft.action),
            doubts: draft
                .doubts
                .iter()
                .map(|doubt| plain(&escape_hidden(doubt), 500))
                .collect(),
            returned: None,
            is_rendered: draft.action.heading().is_some(),
            text: escape_hidden(draft.action.text()),
            answers: None,
            card: None,
            has_gaps: draft.action.has_field_gap() || has_gaps(draft.action.text()),
        }
    }

    /// With what its file says beside the action: the message that it shows above the text that leaves, and why it
    /// came back.
    #[must_use]
    pub fn with_file(mut self, file: &str) -> Self {
        let note = Note::parse(file).ok();
        let returned = note.as_ref().and_then(|note| note.get_text(RETURNED[0]));
        self.returned = returned.map(|why| plain(&escape_hidden(why), 500));
        let body = note.as_ref().and_then(|note| DraftBody::of(note).ok());
        let card = body.as_ref().and_then(DraftBody::card);
        self.card = card.as_deref().map(escape_hidden);
        let above = body.map(|body| body.above.trim());
        let above = above.filter(|above| !above.is_empty());
        self.answers = above.map(escape_hidden);
        self
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
    /// It is approved and leaves later: until then it can be taken back.
    Scheduled {
        /// Not before this.
        until: Timestamp,
        /// In words.
        text: String,
    },
    /// It is no approval until its owner confirms what was found in it.
    Unconfirmed {
        /// What was found, and what to do.
        reason: String,
    },
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
    pub(super) fn of_approved(state: &EntryState) -> Self {
        let reason = plain(&state.to_string(), 400);
        match state {
            EntryState::Ready | EntryState::Moved => Self::Ready,
            EntryState::Scheduled { until, .. } => Self::Scheduled {
                until: *until,
                text: reason,
            },
            EntryState::Unconfirmed(_) => Self::Unconfirmed { reason },
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
            Self::Blocked { reason }
            | Self::OutcomeUnknown { reason }
            | Self::Unconfirmed { reason } => reason.clone(),
            Self::Scheduled { text, .. } => text.clone(),
            Self::Done => "carried out".to_owned(),
        }
    }
}
