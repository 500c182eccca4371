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
    /// SHA-256, in hex, of the exact bytes of the effect.
    pub fingerprint: String,
    /// The name the other side will know it by, chosen before the attempt: a Message-ID.
    pub reference: String,
    /// Whom it reaches: addresses, blind copies too; a chat, a payee.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// When.
    pub at: Timestamp,
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
    },
    /// It may have happened.
    Unknown {
        /// Why that is not known, one line.
        reason: String,
    },
}

/// Whether the effect may be tried now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begin {
    /// Yes; the intent is on the disk.
    Go {
        /// The reference to use: the first attempt's, if there was one before.
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
    /// It is being tried, or was when the host died.
    Intended(Intent),
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
    },
    /// It may have happened.
    Unknown {
        /// The attempt.
        intent: Intent,
        /// Why that is not known.
        reason: String,
    },
}

/// A receipt with what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskReceipt {
    /// What was carried out.
    pub intent: Intent,
    /// What the other side answered.
    pub receipt: Receipt,
}
