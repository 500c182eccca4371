//! The journal's records: what is meant to happen, what came of it, and what to do now.

use platinum_core::{ActionKind, DraftId, TaskId, Timestamp};
use serde::{Deserialize, Serialize};

/// An effect that is about to be tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The approved draft.
    pub draft: DraftId,
    /// The task it belongs to.
    pub task: TaskId,
    /// What kind of effect.
    pub kind: ActionKind,
    /// SHA-256, in hex, of all that decides what leaves.
    pub fingerprint: String,
    /// SHA-256, in hex, of the message that leaves, without its `Date` header; none for what is no
    /// message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The name the other side will know it by, chosen before the attempt: a Message-ID.
    pub reference: String,
    /// Whom it reaches: addresses, blind copies too; a chat, a payee.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// When.
    pub at: Timestamp,
    /// Whether the journal is told when the effect is handed over: without that word, nothing left. An
    /// intent that does not promise it counts as handed over.
    #[serde(default)]
    pub notes_hand_over: bool,
}

impl Intent {
    /// SHA-256, in hex, of what leaves: of the message, for what is one.
    pub fn sha256(&self) -> &str {
        self.message.as_deref().unwrap_or(&self.fingerprint)
    }
}

/// What the other side answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// When.
    pub at: Timestamp,
    /// The other side's name for it.
    pub reference: String,
    /// Its answer, one line.
    pub answer: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// It happened.
    Receipt(Receipt),
    /// It certainly did not happen.
    NotSent {
        /// Why, one line.
        reason: String,
        /// Whether trying again later may help.
        retry: bool,
        /// Whether that is as it is not what was approved, and so goes back to its owner.
        #[serde(default)]
        differs: bool,
    },
    /// It did not happen, and need not: the owner has done themself what it was for.
    DoneByOwner {
        /// How, one line for them.
        reason: String,
    },
    /// It may have happened.
    Unknown {
        /// Why that is not known, one line.
        reason: String,
    },
}

/// An entry that follows an intent, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub(crate) enum Stored {
    /// [`Outcome::Receipt`].
    Receipt(Receipt),
    /// [`Outcome::NotSent`].
    NotSent {
        reason: String,
        retry: bool,
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        differs: bool,
    },
    /// [`Outcome::DoneByOwner`].
    DoneByOwner { reason: String },
    /// [`Outcome::Unknown`].
    Unknown { reason: String },
    /// From here on it may have happened.
    HandedOver,
    /// The owner does not wait for its outcome any more.
    LetGo,
}

impl From<&Outcome> for Stored {
    fn from(outcome: &Outcome) -> Self {
        match outcome.clone() {
            Outcome::Receipt(receipt) => Self::Receipt(receipt),
            Outcome::NotSent {
                reason,
                retry,
                differs,
            } => Self::NotSent {
                reason,
                retry,
                differs,
            },
            Outcome::DoneByOwner { reason } => Self::DoneByOwner { reason },
            Outcome::Unknown { reason } => Self::Unknown { reason },
        }
    }
}

/// Whether the effect may be tried now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Yes; the intent is on the disk.
    Go {
        /// The reference to use: that of the attempt before, if these are its bytes and its outcome is
        /// certain; else one that was never used.
        reference: String,
    },
    /// No: it has happened.
    AlreadyDone(Receipt),
    /// No: an attempt was made and its outcome is unknown. Ask the other side for the
    /// intent's reference, then the owner, and record what they say.
    InDoubt(Intent),
}

/// What the journal knows of a draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Absent,
    /// It is being tried, or was when the host died. It was not handed over: it certainly did not happen
    /// yet.
    Intended(Intent),
    /// It was handed over, and no outcome was written: it may have happened.
    HandedOver(Intent),
    /// It may have happened, and the owner does not wait for its outcome any more. Another attempt
    /// gets another reference.
    LetGo(Intent),
    /// It happened.
    Done(Intent, Receipt),
    /// It certainly did not happen.
    NotSent {
        /// The last attempt.
        intent: Intent,
        /// Why not.
        reason: String,
        /// Whether trying again later may help.
        retry: bool,
        /// Whether it was not what was approved.
        differs: bool,
    },
    /// It did not happen: the owner has done themself what it was for.
    DoneByOwner {
        /// The last attempt.
        intent: Intent,
        /// How, one line for them.
        reason: String,
    },
    /// It may have happened.
    Unknown {
        /// The attempt.
        intent: Intent,
        /// Why that is not known.
        reason: String,
    },
}

impl State {
    /// Whether it may be tried, for the first time or again: it did not happen, and nobody waits for an
    /// outcome.
    pub fn may_be_tried(&self) -> bool {
        match self {
            Self::Absent | Self::NotSent { .. } | Self::DoneByOwner { .. } | Self::LetGo(_) => true,
            Self::Done(..) | Self::Intended(_) | Self::HandedOver(_) | Self::Unknown { .. } => {
                false
            }
        }
    }
}

/// A receipt with what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskReceipt {
    /// What was carried out.
    pub intent: Intent,
    /// What the other side answered.
    pub receipt: Receipt,
}
