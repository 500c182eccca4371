//! What came back of what was carried out: a mail that could not be delivered opens its task again, and
//! an automatic answer is attached to it.
//!
//! Lives elsewhere: such mails are recognised by the intake, and no agent works on their notes; what a
//! note says then is `vault`'s.
//! Invariants: only a draft that the vault itself has a receipt for can come back; anybody who got its
//! mail can say that it did, so this only opens a task again and tells why, in words that are marked as
//! from outside. The steps can be repeated: after a crash in between they are.

use std::collections::BTreeSet;

use platinum_api::approvals::MAX_DRAFT_BYTES;
use platinum_capabilities::in_background;
use platinum_core::{
    AgentName, Clock as _, DraftId, SystemClock, TaskId, Timestamp, VaultPath, layout,
    text::one_line,
};
use platinum_journal::{AuditEvent, State};
use platinum_protocol::Claimed;
use platinum_sync::Finish;
use platinum_vault::{
    Vault, VaultError,
    note::{BOUNCE_REASON, BOUNCED_RECIPIENTS, DraftNote, Note, Returned, TaskNote, reopen},
};

use crate::executor::context::ApprovalContext;

/// Largest task that is read, in bytes.
const MAX_TASK_BYTES: u64 = 1024 * 1024;
/// Longest reason, in characters.
const MAX_REASON: usize = 300;
/// How many recipients the owner is told of.
const MAX_RECIPIENTS: usize = 3;

/// The notes that were read and say of nothing that came back, as they were then.
pub(super) type OtherTasks = BTreeSet<(VaultPath, u64, Timestamp)>;

/// A draft that was carried out.
#[derive(Debug)]
struct Sent {
    draft: DraftId,
    task: TaskId,
    /// Its task's note.
    path: VaultPath,
    summary: String,
}

/// Does what follows from what came back. `others` saves reading again what is about nothing that did.
pub(super) async fn finish(context: &mut ApprovalContext, others: &mut OtherTasks) -> bool {
    let (vault, agent) = (context.vault.clone(), context.sync.agent().clone());
    let mut known = std::mem::take(others);
    let (found, known) = in_background(move || (reports(&vault, &agent, &mut known), known)).await;
    *others = known;
    let reports = match found {
        Ok(reports) => reports,
        Err(error) => {
            tracing::warn!("Cannot look for what came back: {error}.");
            return false;
        }
    };
    let mut changed = false;
    for (report, returned) in reports {
        changed |= finish_one(context, &report, returned)
            .await
            .unwrap_or_else(|error| {
                let task = report.id;
                tracing::warn!(%task, "Cannot deal with what came back yet: {error}.");
                false
            });
    }
    changed
}

async fn finish_one(
    context: &mut ApprovalContext,
    report: &TaskNote,
    returned: Returned,
) -> Result<bool, String> {
    let (Returned::Bounced(draft) | Returned::AutoReply(draft)) = returned;
    let vault = context.vault.clone();
    let sent = in_background(move || find_sent(&vault, draft)).await;
    let Some(sent) = sent.map_err(|error| error.to_string())? else {
        // What left a moment ago, or may have, is put away first.
        if context.state_of(draft).await != Some(State::Absent) {
            return Ok(false);
        }
        let reason = "It is about a mail that was not sent from this vault.";
        return end(context, report.id, reason).await;
    };
    let text = match returned {
        Returned::Bounced(_) => {
            let reason = reason_of(report);
            let event = AuditEvent::CameBack {
                subject: draft,
                task: sent.task,
                reason: reason.clone(),
            };
            let journal = context.journal();
            let noted = in_background(move || journal.note_change(&event, SystemClock.now()));
            noted.await.map_err(|error| error.to_string())?;
            let (vault, path, block) = (context.vault.clone(), sent.path.clone(), block_of(report));
            let (draft, words) = (sent.draft, reason.clone());
            in_background(move || open_again(&vault, &path, draft, &words, &block)).await?;
            format!(
                "Came back: {}: {reason}. Its task is open again: look at the address in its next draft",
                sent.summary
            )
        }
        Returned::AutoReply(_) => {
            let (vault, path) = (context.vault.clone(), sent.path.clone());
            let (id, from, block) = (report.id, report.from.clone(), block_of(report));
            in_background(move || attach(&vault, &path, id, &from, &block)).await?;
            format!(
                "Automatic answer to “{}”: {}; it is in the note of its task",
                sent.summary,
                one_line(&report.subject, 80)
            )
        }
    };
    let reason = format!("It is in the note of {}, which it is about.", sent.task);
    let ended = end(context, report.id, &reason).await?;
    context.notify_once(Some(sent.task), &text).await;
    Ok(ended)
}

/// Files the note of a mail that is dealt with; whether it is filed.
async fn end(context: &ApprovalContext, task: TaskId, reason: &str) -> Result<bool, String> {
    let claimed = context.sync.claim(task).await;
    match claimed.map_err(|error| error.to_string())? {
        Claimed::Won { .. } => {}
        // Another machine of the owner's, or the remote is away: later.
        Claimed::Lost { .. } | Claimed::Tentative | Claimed::GaveUp => return Ok(false),
    }
    let finished = context.sync.finish(task, Finish::filed(reason)).await;
    finished.map(|()| true).map_err(|error| error.to_string())
}

/// Whom it did not reach and why, in a line.
fn reason_of(report: &TaskNote) -> String {
    let recipients = report.fact(BOUNCED_RECIPIENTS);
    let shown = recipients.iter().take(MAX_RECIPIENTS);
    let shown: Vec<&str> = shown.map(String::as_str).collect();
    let more = match recipients.len().saturating_sub(MAX_RECIPIENTS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let reason = report.fact(BOUNCE_REASON).first().map(String::as_str);
    let reason = reason.unwrap_or("the report does not say why");
    let words = match shown.is_empty() {
        true => reason.to_owned(),
        false => format!("{}{more}: {reason}", shown.join(", ")),
    };
    one_line(&words, MAX_REASON)
}

/// The fenced text of a note that the intake made: nothing in it can end its block.
fn block_of(report: &TaskNote) -> String {
    let start = report.body.find("\n```").map_or(0, |at| at + 1);
    let block = &report.body[start..];
    match block.starts_with("```") {
        true => block.to_owned(),
        false => String::new(),
    }
}

/// The notes that say of something that came back, in `Needs_Action/` and in this agent's own folder.
/// Blocks on the disk.
fn reports(
    vault: &Vault,
    agent: &AgentName,
    others: &mut OtherTasks,
) -> Result<Vec<(TaskNote, Returned)>, VaultError> {
    let own = format!("{}/{agent}", layout::IN_PROGRESS);
    let mut found = Vec::new();
    let mut there = OtherTasks::new();
    for folder in [layout::NEEDS_ACTION, &own] {
        for entry in vault.walk_in(folder)? {
            if entry.path.stem().parse::<TaskId>().is_err() {
                continue;
            }
            let state = (entry.path.clone(), entry.len, entry.modified);
            if others.contains(&state) {
                there.insert(state);
                continue;
            }
            let text = vault.read_text(&entry.path, MAX_TASK_BYTES).ok();
            let note = text.and_then(|text| TaskNote::parse(&text).ok());
            match note.and_then(|note| Some((note.returned()?, note))) {
                Some((returned, note)) => found.push((note, returned)),
                None => drop(there.insert(state)),
            }
        }
    }
    *others = there;
    Ok(found)
}

/// The draft that was carried out, by its file in `Done/` and its task's receipt. Blocks on the disk.
fn find_sent(vault: &Vault, draft: DraftId) -> Result<Option<Sent>, VaultError> {
    let done = vault.walk_in(layout::DONE)?;
    let file = done.iter().find(|entry| {
        entry.path.stem() == draft.to_string() && entry.path.extension() == Some("md")
    });
    let Some(file) = file else {
        return Ok(None);
    };
    let text = vault.read_text(&file.path, MAX_DRAFT_BYTES)?;
    let Ok(note) = DraftNote::parse(&text) else {
        return Ok(None);
    };
    let name = note.task.to_string();
    let mut open = vault.walk_in(layout::NEEDS_ACTION)?;
    open.extend(vault.walk_in(layout::IN_PROGRESS)?);
    let mut all = done.into_iter().chain(open);
    let Some(task) = all.find(|entry| entry.path.stem() == name) else {
        return Ok(None);
    };
    let text = vault.read_text(&task.path, MAX_TASK_BYTES)?;
    let has_receipt = Note::parse(&text).is_ok_and(|note| note.has_receipt(draft));
    Ok(has_receipt.then_some(Sent {
        draft,
        task: note.task,
        path: task.path,
        summary: note.summary,
    }))
}

/// Writes into a finished task that its mail came back, and puts it where agents find it. Blocks on the
/// disk.
fn open_again(
    vault: &Vault,
    path: &VaultPath,
    draft: DraftId,
    reason: &str,
    block: &str,
) -> Result<(), String> {
    let failed = |error: VaultError| error.to_string();
    let text = vault.read_text(path, MAX_TASK_BYTES).map_err(failed)?;
    let mut note = Note::parse(&text).map_err(|error| error.to_string())?;
    let is_new = reopen(&mut note, draft, reason, block).map_err(|error| error.to_string())?;
    if is_new {
        let edited = note.to_text();
        vault
            .replace(path, edited.as_bytes(), Some(text.as_bytes()))
            .map_err(failed)?;
    }
    // Finished again since: what came back then is known, and it stays finished.
    if path.top() != layout::DONE || note.get("finished").is_some() {
        return Ok(());
    }
    let task = TaskNote::from_note(&note).map_err(|error| error.to_string())?;
    vault
        .rename(path, &layout::waiting(task.zone, task.id))
        .map_err(failed)
}

/// Writes an automatic answer into the note of the task that it is about, once. Blocks on the disk.
fn attach(
    vault: &Vault,
    path: &VaultPath,
    report: TaskId,
    from: &str,
    block: &str,
) -> Result<(), String> {
    let failed = |error: VaultError| error.to_string();
    let text = vault.read_text(path, MAX_TASK_BYTES).map_err(failed)?;
    let mut note = Note::parse(&text).map_err(|error| error.to_string())?;
    let name = report.to_string();
    if note.body().contains(&name) {
        return Ok(());
    }
    let from: String = one_line(from, 100)
        .chars()
        .filter(|c| c.is_alphanumeric() || " .,@-+_".contains(*c))
        .collect();
    note.set_body(format!(
        "{}\n\n# Automatic answer\n\n- From {from}, as {name}\n\n{block}",
        note.body().trim_end()
    ));
    let edited = note.to_text();
    vault
        .replace(path, edited.as_bytes(), Some(text.as_bytes()))
        .map_err(failed)
}
