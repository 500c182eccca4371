//! What becomes of the drafts that the owner approved: what was carried out is put away, what never
//! will be is reported.

use platinum_capabilities::in_background;
use platinum_core::{Timestamp, VaultPath, layout};
use platinum_effects::approvals::EntryState;

use super::context::ApprovalContext;

/// Puts away what happened and reports what never will.
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
        match (entry.state, draft) {
            (EntryState::Done(receipt), Some(draft)) => {
                match context.finish_done(draft.task, &draft.summary, None).await {
                    Ok(true) => {}
                    // Put away now, its task would stay open for ever.
                    Ok(false) => continue,
                    Err(error) => {
                        tracing::warn!(task = %draft.task, "Cannot finish the task yet: {error}.");
                        continue;
                    }
                }
                changed |= put_away(context, &entry.path, receipt.at).await;
                let text = format!("Done: {}; {}", draft.summary, receipt.answer);
                context.notify_once(Some(draft.task), &text).await;
            }
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

/// Moves a draft that was carried out from `Approved/` to the month's folder in `Done/`.
async fn put_away(context: &ApprovalContext, path: &VaultPath, at: Timestamp) -> bool {
    let (vault, from) = (context.vault.clone(), path.clone());
    let moved = in_background(move || {
        let to = VaultPath::new(format!("{}/{}", layout::done_month(at), from.file_name()))
            .map_err(|error| error.to_string())?;
        vault.rename(&from, &to).map_err(|error| error.to_string())
    })
    .await;
    match moved {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!("Cannot move {path} to Done/: {error}.");
            false
        }
    }
}
