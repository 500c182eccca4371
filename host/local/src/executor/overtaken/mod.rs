//! What overtakes a draft or what became of it: its owner deletes it (`deleted`), a newer mail of its thread
//! or a newer message of its chat comes (`replaced`), what was sent comes back (`returned`).
//!
//! Lives elsewhere: what the owner decides by a move is [`rejected`](super::rejected)'s and
//! [`approved`](super::approved)'s.

mod deleted;
mod replaced;
mod returned;

use platinum_sync::ReadDrafts;

use super::context::ApprovalContext;

/// What was read of the vault already.
#[derive(Default)]
pub(super) struct Known {
    live: replaced::LiveDrafts,
    drafts: ReadDrafts,
    tasks: returned::OtherTasks,
}

/// Does what follows from all of it; whether anything changed.
pub(super) async fn finish(context: &mut ApprovalContext, known: &mut Known) -> bool {
    let mut changed = replaced::finish(context, &mut known.live).await;
    changed |= deleted::finish(context, &mut known.drafts).await;
    changed | returned::finish(context, &mut known.tasks).await
}
