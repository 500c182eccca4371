//! The records of approvals: what was approved, how, and what that binds.

use platinum_core::{DraftId, FileIdentity, TaskId, Timestamp};
use serde::{Deserialize, Serialize};

/// By which act the owner approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The very file that waited in `Pending_Approval/` on this machine was moved to `Approved/`.
    Moved,
    /// `platinum approve` on a draft that waited.
    Command,
    /// `platinum approve` on something that was held, with what was found in it shown.
    Confirmed,
}

/// What an approval is for, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// SHA-256, in hex, of all that decides what leaves: every field, the account, the text, the
    /// attachments.
    pub fingerprint: String,
    /// After this it no longer counts.
    pub expires: Timestamp,
    /// The epoch of the claim under which the draft was made, if it says.
    pub epoch: Option<u64>,
    /// Not before this, if the draft says.
    pub send_at: Option<Timestamp>,
    /// The skills that may carry it out: SHA-256, in hex, of their components and grants. None if
    /// that was not known when it was approved.
    #[serde(default)]
    pub skills: Option<String>,
    /// The message as it leaves, for what is a message. None in the records of versions that did not
    /// compose it: those have to be approved again.
    #[serde(default)]
    pub message: Option<MessageDigest>,
}

/// A composed message, as far as it is the same at every composing: all but its `Date` header, so the
/// reference of the attempt is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageDigest {
    /// SHA-256, in hex, of its bytes without the `Date` header.
    pub sha256: String,
    /// The address it leaves from.
    pub from: String,
    /// The address of everybody it goes to, blind copies too, in the order of the envelope.
    pub recipients: Vec<String>,
}

/// One approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The draft.
    pub draft: DraftId,
    /// The task it belongs to.
    pub task: TaskId,
    /// By which act.
    pub how: How,
    /// What it is for.
    pub binds: Binding,
    /// The name of the machine on which it was given.
    pub machine: String,
    /// When.
    pub at: Timestamp,
    /// Which file it was, if it was a file's move.
    #[serde(default)]
    pub file: Option<FileIdentity>,
    /// What was found in it and shown to the owner, who confirmed it all the same.
    #[serde(default)]
    pub confirmed: Vec<String>,
}

/// A file that waits for the owner in `Pending_Approval/`, as it was seen last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingFile {
    /// Which file it is.
    pub identity: FileIdentity,
    /// SHA-256, in hex, of its content.
    pub sha256: String,
    /// Whether it was seen there; if not, it was about to be put there.
    pub is_placed: bool,
}

/// Everything is paused: no effect begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// Since when.
    pub since: Timestamp,
    /// Why, one line; empty if nobody said.
    pub reason: String,
}
