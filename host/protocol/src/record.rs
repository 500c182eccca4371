//! [`ClaimRecord`], what a claim writes into a task, and [`TaskPlace`], where a tree has a task.

use platinum_core::{AgentName, ClaimId, Timestamp};
use serde::{Deserialize, Serialize};

/// One claim, as a task's frontmatter keeps it under the key `claim`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ClaimRecord {
    /// Random: two agents never make the same claim. A host that begins anew goes on with the one
    /// it has pushed, as that may still land.
    pub id: ClaimId,
    /// Who owns the task by it.
    pub agent: AgentName,
    /// Grows with every claim of the task; an effect is refused under an older one.
    pub epoch: u64,
    /// When it was made, by the agent's clock. For people: nothing is decided by it.
    pub at: Timestamp,
    /// The tip it was built on, in hex; empty for the first commit, and for a claim that was made
    /// while the remote was away.
    pub base: String,
    /// How many heartbeats the owner has pushed since, having nothing else to push.
    #[serde(rename = "beat", default, skip_serializing_if = "is_zero")]
    pub heartbeats: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// What the tree at a tip says of a task.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TaskPlace {
    /// In `Needs_Action/`: it has no owner.
    Waiting,
    /// In `In_Progress/<agent>/`, by this claim.
    Owned(ClaimRecord),
    /// In `Done/`.
    Finished,
    /// Nowhere.
    Absent,
}
