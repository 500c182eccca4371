//! [`replay`]: what becomes of things that were decided while the remote was away, once it is back.
//!
//! What is kept while cut off is the *intent* ("this task shall be mine", "this task is done"),
//! never a commit: a commit says how a tree looked that is long gone. Once the incoming tip is
//! verified, each intent is held against what that tip says of its task, before any content goes
//! out.
//!
//! Lives elsewhere: keeping intents over restarts, and doing what is answered, is the
//! synchronizer's; who wins a claim that is made now is [`crate::ClaimMachine`]'s.
//! Invariants: the answer follows from the intent and the tip alone; asked again after it was
//! done, it says [`Replay::UpToDate`], or that it was lost since; work on a task that is not this
//! agent's is never answered with anything but keeping it aside.

use platinum_core::{AgentName, ClaimId};
use serde::{Deserialize, Serialize};

use crate::{ClaimRecord, TaskPlace};

/// Something that was decided without the remote.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "intent")]
pub enum Intent {
    /// A tentative claim of a shared task. Drafts may have been made on it, effects not.
    Claim {
        /// The id that the claim shall have.
        claim: ClaimId,
        /// Whether the remote has ever had the task: one that was made here meanwhile has to be
        /// published first.
        known: bool,
    },
    /// A claim in a zone that only this machine works in: it counted at once.
    Own {
        /// As it stands in the note.
        record: ClaimRecord,
    },
    /// The end of a task that was this agent's when the remote was last seen, or by an `Own`.
    Finish {
        /// Under which claim.
        record: ClaimRecord,
        /// Whether the remote has this claim; a local-only claim may still be unpushed.
        #[serde(alias = "told")]
        published: bool,
    },
}

/// What to do about an intent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Replay {
    /// Claim it now, by compare-and-swap; until that is won it stays tentative.
    ClaimNow,
    /// Nothing stands against it: the files go out with the next sync.
    Publish,
    /// The remote has it already.
    UpToDate,
    /// The task is another's by now, or its end came from elsewhere: keep what was made here
    /// beside, as a conflict note, and do nothing else on it.
    Lost {
        /// Its owner, if it has one.
        owner: Option<AgentName>,
    },
    /// The task is not in the vault any more. Keep what was made here.
    Gone,
}

/// Holds an intent against what the verified tip says of its task.
pub fn replay(intent: &Intent, place: &TaskPlace) -> Replay {
    let lost = |owner: Option<&AgentName>| Replay::Lost {
        owner: owner.cloned(),
    };
    match (intent, place) {
        (Intent::Claim { claim, .. }, TaskPlace::Owned(now)) if now.id == *claim => {
            Replay::UpToDate
        }
        (Intent::Claim { .. }, TaskPlace::Waiting) => Replay::ClaimNow,
        (Intent::Claim { known: false, .. }, TaskPlace::Absent) => Replay::ClaimNow,

        // It is this agent's, if by another claim: one that was made after a crash, say.
        (Intent::Own { record }, TaskPlace::Owned(now)) if now.agent == record.agent => {
            Replay::UpToDate
        }
        // The zone is this machine's alone, so that no other agent can have been faster.
        (Intent::Own { .. }, TaskPlace::Waiting | TaskPlace::Absent) => Replay::Publish,

        (Intent::Finish { record, .. }, TaskPlace::Owned(now)) if same(record, now) => {
            Replay::Publish
        }
        (
            Intent::Finish {
                published: false, ..
            },
            TaskPlace::Waiting | TaskPlace::Absent,
        ) => Replay::Publish,
        // It is finished, by this agent or another; what was written here about it is merged as content.
        (Intent::Finish { .. }, TaskPlace::Finished) => Replay::UpToDate,

        (_, TaskPlace::Owned(now)) => lost(Some(&now.agent)),
        (_, TaskPlace::Finished | TaskPlace::Waiting) => lost(None),
        (_, TaskPlace::Absent) => Replay::Gone,
    }
}

/// The same claim, whatever heartbeats it had since.
fn same(one: &ClaimRecord, other: &ClaimRecord) -> bool {
    one.id == other.id && one.epoch == other.epoch && one.agent == other.agent
}
