//! Outcomes that are not known. The other side is asked first; where that stays without an
//! answer, the owner is, and decides by where the draft's file is moved.
//!
//! | moved to | means |
//! |---|---|
//! | `Done/` | it went out: its task is finished with a receipt that says who says so |
//! | `Pending_Approval/` | send it again: approved again, it leaves under a new reference |
//! | `Rejected/` | leave it: nothing is sent, and its task is filed |
//!
//! Lives elsewhere: `platinum resolve` does the same; asking the other side is `effects`'.
//! Invariant: nothing here sends; a doubt ends only by the other side's word or the owner's.

use platinum_api::approvals::MAX_DRAFT_BYTES;
use platinum_capabilities::in_background;
use platinum_core::{ActionKind, Clock, DraftId, SystemClock, VaultPath, layout};
use platinum_effects::approvals::IN_DOUBT;
use platinum_journal::{Intent, Receipt};
use platinum_vault::{
    Vault, VaultError,
    note::{DraftNote, Note},
};

use super::context::{ApprovalContext, TaskEnd};
use crate::run::record_of;

/// What a receipt says that the owner gave.
pub(crate) const OWNERS_WORD: &str = "no answer; the owner says that it went out";

/// Where the file of a draft in doubt is.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Approved,
    Pending,
    Done(VaultPath),
    Rejected,
    Nowhere,
}

/// Asks the other side after outcomes in doubt.
pub(super) async fn reconcile(context: &ApprovalContext) -> bool {
    let found = match context.executor.reconcile().await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!("Cannot ask after outcomes in doubt: {error}.");
            return false;
        }
    };
    for doubt in &found.in_doubt {
        tracing::info!(draft = %doubt.draft, "{}", doubt.why);
    }
    found.confirmed > 0
}

/// Carries out what the owner decided on doubts, and asks about the others.
pub(super) async fn decide(context: &mut ApprovalContext) -> bool {
    let doubts = match context.executor.doubts().await {
        Ok(doubts) => doubts,
        Err(error) => {
            tracing::warn!("Cannot read the outcomes in doubt: {error}.");
            return false;
        }
    };
    let mut changed = false;
    for doubt in doubts {
        let (vault, draft) = (context.vault.clone(), doubt.draft);
        let decided = match in_background(move || place_of(&vault, draft)).await {
            Ok(Place::Done(path)) => went_out(context, &doubt, path).await,
            Ok(Place::Pending) => send_again(context, &doubt).await,
            Ok(Place::Rejected) => context.executor.let_go(draft).await.map(|()| true),
            Ok(place) => Ok(ask_owner(context, &doubt, &place).await),
            Err(error) => Err(error.to_string()),
        };
        changed |= decided.unwrap_or_else(|error| {
            tracing::warn!(%draft, "Cannot end its doubt yet: {error}.");
            false
        });
    }
    changed
}

/// The owner says that it went out.
async fn went_out(
    context: &mut ApprovalContext,
    doubt: &Intent,
    path: VaultPath,
) -> Result<bool, String> {
    let receipt = Receipt {
        at: SystemClock.now(),
        reference: doubt.reference.clone(),
        answer: OWNERS_WORD.to_owned(),
    };
    let summary = summary_at(context, path)
        .await
        .unwrap_or_else(|| "A draft whose file cannot be read".to_owned());
    let record = record_of(doubt.clone(), receipt.clone());
    // The task first: after a crash in between, the doubt is still there, and so is this move.
    let finished = context
        .finish_done(doubt.task, doubt.draft, &summary, Some(record))
        .await;
    if finished.map_err(|error| error.to_string())? == TaskEnd::Unknown {
        return Ok(false);
    }
    context.executor.confirm(doubt.draft, receipt).await?;
    let text = format!("Done: {summary}; {OWNERS_WORD}");
    context.notify_once(Some(doubt.task), &text).await;
    Ok(true)
}

/// What the draft in a file is to do, if it can be read.
async fn summary_at(context: &ApprovalContext, path: VaultPath) -> Option<String> {
    let vault = context.vault.clone();
    in_background(move || {
        let text = vault.read_text(&path, MAX_DRAFT_BYTES).ok()?;
        Some(DraftNote::parse(&text).ok()?.summary)
    })
    .await
}

/// The owner wants it sent again: it waits for an approval like any other draft.
async fn send_again(context: &ApprovalContext, doubt: &Intent) -> Result<bool, String> {
    context.executor.let_go(doubt.draft).await?;
    let words = format!(
        "An attempt was made at {:.0} and its outcome is not known. Approved again, it is sent \
         again.",
        doubt.at
    );
    note_doubt(context, layout::pending(doubt.draft), words).await;
    Ok(true)
}

/// Says in the note and on the dashboard what each move means.
async fn ask_owner(context: &mut ApprovalContext, doubt: &Intent, place: &Place) -> bool {
    let mut changed = false;
    let [sent, it_is_sent, send] = verbs(doubt.kind);
    if *place == Place::Approved {
        let words = format!(
            "It is not known whether this was {sent} at {:.0}. {it_is_sent}: move this file to \
             {}/. {send} it again: move it to {}/ and approve it again. Leave it: move it to \
             {}/.",
            doubt.at,
            layout::DONE,
            layout::PENDING_APPROVAL,
            layout::REJECTED
        );
        changed = note_doubt(context, layout::approved(doubt.draft), words).await;
    }
    let path = match place {
        Place::Approved => layout::approved(doubt.draft),
        _ => layout::pending(doubt.draft),
    };
    let what = match summary_at(context, path).await {
        Some(summary) => format!("“{summary}” ({})", doubt.draft),
        None => doubt.draft.to_string(),
    };
    let text = format!(
        "Not known whether {what} was {sent}; it is not {sent} again by itself. If {}, move its \
         file to {}/; to {} it again, move it to {}/ and approve it again; or use `platinum \
         resolve`",
        it_is_sent.replacen('I', "i", 1),
        layout::DONE,
        send.to_lowercase(),
        layout::PENDING_APPROVAL
    );
    changed | context.notify_once(Some(doubt.task), &text).await
}

/// What was done or not, that it was, and to do it.
fn verbs(kind: ActionKind) -> [&'static str; 3] {
    match kind {
        ActionKind::ODOO_POST => ["posted", "It is posted in Odoo", "Post"],
        ActionKind::ODOO_PAYMENT => ["recorded", "It is in Odoo", "Record"],
        ActionKind::SOCIAL_PUBLISH => ["published", "It is on the network", "Publish"],
        _ => ["sent", "It went out", "Send"],
    }
}

/// Writes the property, unless it is there.
async fn note_doubt(context: &ApprovalContext, path: VaultPath, words: String) -> bool {
    let vault = context.vault.clone();
    let named = path.clone();
    match in_background(move || write_property(&vault, &path, &words)).await {
        Ok(is_changed) => is_changed,
        Err(error) => {
            tracing::warn!("Cannot note the doubt in {named}: {error}.");
            false
        }
    }
}

/// Where the file is. `Done/` is looked through: an owner may put it into any month.
fn place_of(vault: &Vault, draft: DraftId) -> Result<Place, VaultError> {
    if vault.exists(&layout::rejected(draft))? {
        return Ok(Place::Rejected);
    }
    if vault.exists(&layout::approved(draft))? {
        return Ok(Place::Approved);
    }
    if vault.exists(&layout::pending(draft))? {
        return Ok(Place::Pending);
    }
    let name = layout::approved(draft).file_name().to_owned();
    let done = vault.walk_in(layout::DONE)?;
    let found = done
        .into_iter()
        .find(|entry| entry.path.file_name() == name);
    Ok(found.map_or(Place::Nowhere, |entry| Place::Done(entry.path)))
}

fn write_property(vault: &Vault, path: &VaultPath, words: &str) -> Result<bool, String> {
    let text = vault
        .read_text(path, MAX_DRAFT_BYTES)
        .map_err(|error| error.to_string())?;
    let mut note = Note::parse(&text).map_err(|error| error.to_string())?;
    if note.get_text(IN_DOUBT) == Some(words) {
        return Ok(false);
    }
    note.set(IN_DOUBT, words)
        .map_err(|error| error.to_string())?;
    vault
        .replace(path, note.to_text().as_bytes(), Some(text.as_bytes()))
        .map_err(|error| error.to_string())?;
    Ok(true)
}
