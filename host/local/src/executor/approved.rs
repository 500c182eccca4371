//! What becomes of the drafts that the owner approved: what is not carried out is reported, and put
//! away if it never will be; what they have done themself meanwhile is finished as that.
//!
//! Lives elsewhere: what was carried out is finished by [`carried_out`](super::carried_out).

use platinum_core::layout;
use platinum_effects::approvals::EntryState;
use platinum_protocol::TaskPlace;
use platinum_vault::note::DraftNote;

use super::context::{ApprovalContext, TaskEnd};
use crate::run::TASK_FINISHED;

/// Reports what is not carried out, and puts away what never will be.
pub(super) async fn finish(context: &mut ApprovalContext, is_paused: bool) -> bool {
    let entries = match context.executor.approvals().entries().await {
        Ok(entries) => entries,
        Err(error) => {
            tracing::warn!("Cannot read Approved/: {error}.");
            return false;
        }
    };
    let mut changed = false;
    for entry in entries {
        let draft = entry.outgoing.map(|outgoing| outgoing.note);
        // Held by that alone: while this machine may be a copy, what its tasks say is not its own.
        if let (EntryState::Held(reason), Some(draft)) = (&entry.state, &draft)
            && reason == TASK_FINISHED
            && context.place(draft.task).await == Some(TaskPlace::Finished)
        {
            let text = format!(
                "Put away: {}: {TASK_FINISHED}; its draft is in {}/",
                draft.summary,
                layout::REJECTED
            );
            changed |= set_aside(context, draft, TASK_FINISHED, &text).await;
            continue;
        }
        match (entry.state, draft) {
            // No effect here will ever do it.
            (EntryState::Ready, Some(draft))
                if !context.executor.can_perform(draft.action.kind()) =>
            {
                let kind = draft.action.kind();
                let text = format!(
                    "{}: nothing on this host carries out {kind}; set its zone up under \
                     [zones] in the configuration",
                    entry.path
                );
                changed |= context.notify_once(Some(draft.task), &text).await;
            }
            (EntryState::DoneByOwner(how), Some(draft)) => {
                changed |= finish_as_done_by_owner(context, &draft, &how).await;
            }
            (
                EntryState::Done(_)
                | EntryState::Ready
                | EntryState::Moved
                | EntryState::Scheduled { .. }
                | EntryState::Returning(_),
                _,
            ) => {}
            // The owner was told once that everything is.
            (EntryState::Held(_), _) if is_paused => {}
            // Reported once the other side was asked after it.
            (EntryState::InDoubt(_), Some(draft))
                if context.executor.can_perform(draft.action.kind()) => {}
            (EntryState::Waiting { reason, .. }, draft) => {
                let text = format!("Not sent yet, tried again by itself: {reason}");
                changed |= context
                    .notify_once(draft.map(|draft| draft.task), &text)
                    .await;
            }
            (state, draft) => {
                let text = format!("{}: {state}", entry.path);
                changed |= context
                    .notify_once(draft.map(|draft| draft.task), &text)
                    .await;
            }
        }
    }
    changed
}

/// Finishes the task of a draft that did not leave as the owner has done themself what it is for, and
/// puts the draft away. After a crash in between, the journal still says so.
async fn finish_as_done_by_owner(
    context: &mut ApprovalContext,
    draft: &DraftNote,
    how: &str,
) -> bool {
    // The task first: of a draft in `Rejected/`, the owner is told that they rejected it.
    match context.finish_done(draft.task, draft.id, how, None).await {
        Ok(TaskEnd::Finished) => context.executor.close(draft.task, None).await,
        // The last of its posts finishes it.
        Ok(TaskEnd::HeldOpen) => {}
        Ok(TaskEnd::Unknown) => return false,
        Err(error) => {
            tracing::warn!(task = %draft.task, "Cannot finish the task yet: {error}.");
            return false;
        }
    }
    let text = format!(
        "Nothing sent: {}: {how}; its draft is in {}/",
        draft.summary,
        layout::REJECTED
    );
    set_aside(context, draft, how, &text).await
}

/// Puts an approved draft away whose task is over, and tells the owner.
async fn set_aside(
    context: &mut ApprovalContext,
    draft: &DraftNote,
    reason: &str,
    text: &str,
) -> bool {
    let approvals = context.executor.approvals();
    if let Err(error) = approvals.set_aside(draft.id, reason).await {
        tracing::warn!(draft = %draft.id, "Cannot put the draft away yet: {error}.");
        return false;
    }
    context.notify_once(Some(draft.task), text).await;
    true
}
