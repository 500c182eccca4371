//! A draft whose file its owner deleted or emptied is a no: its task is filed, and the owner is told
//! once how to take that back.
//!
//! Lives elsewhere: that such a task is not drafted again meanwhile is the pipeline's; what is in
//! `Rejected/` is [`rejected`](crate::executor::rejected)'s.
//! Invariants: nothing is concluded from a file that is missing alone: it waited on this machine, and
//! the sync, with its guard against mass deletions, has taken its end over. A draft that was renamed
//! is not deleted.

use std::collections::{BTreeMap, BTreeSet};

use platinum_capabilities::in_background;
use platinum_core::{DraftId, TaskId, VaultPath, layout};
use platinum_sync::{PastDraft, ReadDrafts};
use platinum_vault::{
    Entry, Vault, VaultError,
    note::{DraftNote, Note, TaskNote},
};

use crate::executor::context::ApprovalContext;

/// Largest task that is read, in bytes.
const MAX_TASK_BYTES: u64 = 1024 * 1024;
/// Larger than this, a file is not empty, in bytes.
const MAX_BLANK_BYTES: u64 = 64;

/// Files the tasks of drafts that were deleted or emptied. `read` saves reading again what is as it was.
pub(super) async fn finish(context: &mut ApprovalContext, read: &mut ReadDrafts) -> bool {
    match deleted(context, read).await {
        Ok(drafts) => {
            let mut changed = false;
            for draft in drafts {
                changed |= finish_one(context, &draft).await;
            }
            changed
        }
        Err(error) => {
            tracing::warn!("Cannot look for deleted drafts: {error}.");
            false
        }
    }
}

async fn finish_one(context: &mut ApprovalContext, draft: &PastDraft) -> bool {
    match context.state_of(draft.id).await {
        Some(known) if known.may_be_tried() => {}
        _ => return false,
    }
    let summary = &draft.summary;
    let reason = format!("You deleted the draft “{summary}”.");
    if !context.file(draft.task, &reason).await {
        return false;
    }
    let (vault, id) = (context.vault.clone(), draft.id);
    if let Err(error) = in_background(move || remove_blank(&vault, id)).await {
        tracing::warn!(draft = %draft.id, "Cannot remove the emptied file: {error}.");
    }
    let text = format!(
        "Not sent: you deleted “{summary}”, which is a no. For another draft move its task from \
         {}/ to {}/",
        layout::DONE,
        layout::NEEDS_ACTION
    );
    context.notify_once(Some(draft.task), &text).await;
    true
}

/// The drafts of open tasks that waited here and are gone.
async fn deleted(
    context: &ApprovalContext,
    read: &mut ReadDrafts,
) -> Result<Vec<PastDraft>, String> {
    let vault = context.vault.clone();
    let undrafted = in_background(move || open_tasks(&vault)).await;
    let (open, present) = undrafted.map_err(|error| error.to_string())?;
    let tasks = open.keys().copied().collect();
    // Most are there under their own names.
    let past = context.sync.past_drafts(tasks, present).await;
    let past = past.map_err(|error| error.to_string())?;
    let missing: Vec<PastDraft> = past.into_iter().filter(|draft| draft.is_gone).collect();
    if missing.is_empty() {
        return Ok(missing);
    }
    let (vault, mut known) = (context.vault.clone(), std::mem::take(read));
    let look = move || (known.read_on(&vault), known);
    let (drafts, known) = in_background(look).await;
    *read = known;
    let drafts = drafts.map_err(|error| error.to_string())?;
    let (vault, journal) = (context.vault.clone(), context.journal());
    in_background(move || {
        let mut deleted = Vec::new();
        for draft in missing {
            let Some(path) = open.get(&draft.task) else {
                continue;
            };
            // The claim that holds now: what was made under an earlier one is over anyway.
            let text = match vault.read_text(path, MAX_TASK_BYTES) {
                Err(VaultError::NotFound(_)) => continue,
                text => text.map_err(|error| error.to_string())?,
            };
            let claim = TaskNote::parse(&text).ok().and_then(|task| task.claim);
            let is_current = claim.is_some_and(|claim| claim.epoch == draft.epoch);
            let file = journal.pending_file(draft.id);
            let has_waited = file.map_err(|error| error.to_string())?.is_some();
            // Renamed, it may be anything that says it is one of this claim.
            let is_renamed = drafts
                .epochs(draft.task)
                .any(|made| DraftNote::is_under(made, draft.epoch));
            if is_current && has_waited && !is_renamed && !is_unclear(&vault, draft.task)? {
                deleted.push(draft);
            }
        }
        Ok(deleted)
    })
    .await
}

type OpenTasks = BTreeMap<TaskId, VaultPath>;

/// The tasks that an agent owns, and the drafts that are there by their names, but for those that
/// were emptied. Blocks on the disk.
fn open_tasks(vault: &Vault) -> Result<(OpenTasks, BTreeSet<DraftId>), VaultError> {
    let owned = vault.walk_in(layout::IN_PROGRESS)?.into_iter();
    let open = owned.filter_map(|entry| Some((entry.path.stem().parse().ok()?, entry.path)));
    let open: OpenTasks = open.collect();
    let mut present = BTreeSet::new();
    if open.is_empty() {
        return Ok((open, present));
    }
    for folder in [layout::PENDING_APPROVAL, layout::APPROVED, layout::REJECTED] {
        for entry in vault.walk_in(folder)? {
            let is_empty = || folder == layout::PENDING_APPROVAL && is_blank(vault, &entry);
            if let Ok(id) = entry.path.stem().parse()
                && !is_empty()
            {
                present.insert(id);
            }
        }
    }
    Ok((open, present))
}

/// Whether a file has no text. Blocks on the disk.
fn is_blank(vault: &Vault, entry: &Entry) -> bool {
    entry.len <= MAX_BLANK_BYTES
        && vault
            .read(&entry.path, MAX_BLANK_BYTES)
            .is_ok_and(|bytes| bytes.trim_ascii().is_empty())
}

/// Whether a file with the name of no draft, or one that cannot be read as it is, names this task: it
/// may be the draft, in the middle of being edited.
fn is_unclear(vault: &Vault, task: TaskId) -> Result<bool, String> {
    let task = task.to_string();
    for folder in [layout::PENDING_APPROVAL, layout::APPROVED] {
        for entry in vault.list(folder).map_err(|error| error.to_string())? {
            let Ok(bytes) = vault.read(&entry.path, MAX_TASK_BYTES) else {
                continue;
            };
            let text = String::from_utf8_lossy(&bytes);
            if Note::parse(&text).is_err() && text.contains(&task) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Removes the file of a draft that was emptied: what it was is in the history.
fn remove_blank(vault: &Vault, draft: DraftId) -> Result<(), VaultError> {
    let path = layout::pending(draft);
    let bytes = match vault.read(&path, MAX_BLANK_BYTES) {
        Err(VaultError::NotFound(_) | VaultError::TooLarge { .. }) => return Ok(()),
        bytes => bytes?,
    };
    match bytes.trim_ascii().is_empty() {
        true => vault.remove_if(&path, &bytes),
        false => Ok(()),
    }
}
