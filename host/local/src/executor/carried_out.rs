//! [`CarriedOut`]: what the journal has a receipt for. What of it the vault does not show yet is
//! finished here: its task, and its draft's file.
//!
//! Invariant: the journal alone says what happened; no move of a file undoes it.

use std::collections::{BTreeMap, BTreeSet};

use platinum_api::approvals::MAX_DRAFT_BYTES;
use platinum_capabilities::in_background;
use platinum_core::{DraftId, TaskId, Timestamp, VaultPath, layout};
use platinum_journal::{Journal, JournalError, State};
use platinum_vault::{
    Vault, VaultError,
    note::{DraftNote, Note},
};

use super::context::{ApprovalContext, TaskEnd};

/// Largest task that is read, in bytes.
const MAX_TASK_BYTES: u64 = 1024 * 1024;

/// The drafts that were carried out, each with its task, as far as the journal was read.
#[derive(Debug, Default)]
pub(super) struct CarriedOut {
    drafts: BTreeMap<DraftId, TaskId>,
    /// The number of the last entry that was read.
    entry: u64,
    /// Those for which this process has cleared away what is left elsewhere: their servers are asked once,
    /// however long another file of theirs waits.
    closed: BTreeSet<DraftId>,
}

/// A draft that was carried out, and whose task is open or whose file is not put away.
#[derive(Debug, PartialEq, Eq)]
struct Unfinished {
    draft: DraftId,
    task: TaskId,
    /// Where its file waits for a decision that came too late.
    path: Option<VaultPath>,
    /// Whether its task's note has the receipt: it was finished with it, and is open again because
    /// its owner wants more of it.
    is_recorded: bool,
}

impl CarriedOut {
    /// Reads what the journal has more by now. Blocks on the disk.
    ///
    /// # Errors
    /// If the journal cannot be read.
    fn read_on(&mut self, journal: &Journal) -> Result<(), JournalError> {
        let (drafts, entry) = journal.receipts_after(self.entry)?;
        self.drafts.extend(drafts);
        self.entry = entry;
        Ok(())
    }

    /// What is not finished. Blocks on the disk.
    ///
    /// # Errors
    /// If a folder cannot be read.
    fn unfinished(&self, vault: &Vault) -> Result<Vec<Unfinished>, VaultError> {
        if self.drafts.is_empty() {
            return Ok(Vec::new());
        }
        let mut placed: BTreeMap<DraftId, VaultPath> = BTreeMap::new();
        for folder in [layout::APPROVED, layout::PENDING_APPROVAL, layout::REJECTED] {
            for entry in vault.list(folder)? {
                if let Ok(draft) = entry.path.stem().parse()
                    && entry.path.extension() == Some("md")
                {
                    placed.entry(draft).or_insert(entry.path);
                }
            }
        }
        let mut open: BTreeMap<TaskId, VaultPath> = BTreeMap::new();
        for folder in [layout::NEEDS_ACTION, layout::IN_PROGRESS] {
            for entry in vault.walk_in(folder)? {
                if let Ok(task) = entry.path.stem().parse() {
                    open.insert(task, entry.path);
                }
            }
        }
        let mut unfinished = Vec::new();
        for (&draft, &task) in &self.drafts {
            let path = placed.remove(&draft);
            let note = open.get(&task);
            let is_recorded = note.is_some_and(|note| has_receipt(vault, note, draft));
            if path.is_some() || note.is_some() && !is_recorded {
                unfinished.push(Unfinished {
                    draft,
                    task,
                    path,
                    is_recorded,
                });
            }
        }
        Ok(unfinished)
    }
}

/// Finishes the tasks of what was carried out and puts its drafts away, wherever either was moved
/// meanwhile.
pub(super) async fn finish(context: &mut ApprovalContext, carried_out: &mut CarriedOut) -> bool {
    let mut known = std::mem::take(carried_out);
    let (vault, journal) = (context.vault.clone(), context.journal());
    let (known, found) = in_background(move || {
        let read = known.read_on(&journal).map_err(|error| error.to_string());
        let found = read.and_then(|()| known.unfinished(&vault).map_err(|error| error.to_string()));
        (known, found)
    })
    .await;
    *carried_out = known;
    let mut changed = false;
    match found {
        Ok(found) => {
            for one in found {
                changed |= finish_one(context, one, &mut carried_out.closed).await;
            }
        }
        Err(error) => tracing::warn!("Cannot find what has to be finished: {error}."),
    }
    changed
}

async fn finish_one(
    context: &mut ApprovalContext,
    one: Unfinished,
    closed: &mut BTreeSet<DraftId>,
) -> bool {
    let Unfinished {
        draft,
        task,
        path,
        is_recorded,
    } = one;
    let Some(State::Done(_, receipt)) = context.state_of(draft).await else {
        return false;
    };
    let (vault, named) = (context.vault.clone(), path.clone());
    let note = in_background(move || note_of(&vault, draft, named.as_ref())).await;
    let summary = note.as_ref().map_or_else(
        || "A draft whose file cannot be read".to_owned(),
        |note| note.summary.clone(),
    );
    let mut changed = false;
    if !is_recorded {
        match context.finish_done(task, draft, &summary, None).await {
            Ok(TaskEnd::Finished) => {
                changed = true;
                if closed.insert(draft) {
                    context.executor.close(task, note).await;
                }
            }
            // The last of its posts finishes it, with the receipts of all.
            Ok(TaskEnd::HeldOpen) => {}
            // Put away now, its task would stay open for ever.
            Ok(TaskEnd::Unknown) => return false,
            Err(error) => {
                tracing::warn!(%task, "Cannot finish the task yet: {error}.");
                return false;
            }
        }
    }
    let mut text = format!("Done: {summary}; {}", receipt.answer);
    if let Some(path) = path {
        let folder = path.top().to_owned();
        let (vault, from, at) = (context.vault.clone(), path.clone(), receipt.at);
        match in_background(move || put_away(&vault, &from, at)).await {
            Ok(true) => changed = true,
            // A second file of it, which in `Approved/` is said of each.
            Ok(false) if folder == layout::APPROVED => return false,
            Ok(false) => {
                let text = format!(
                    "{path}: {draft} was carried out at {:.0} and is not carried out twice; \
                     remove this file",
                    receipt.at
                );
                return context.notify_once(Some(task), &text).await;
            }
            Err(error) => {
                tracing::warn!("Cannot move {path} to Done/: {error}.");
                return false;
            }
        }
        if folder != layout::APPROVED {
            text.push_str(&format!("; it had left before its file was in {folder}/"));
        }
    }
    changed | context.notify_once(Some(task), &text).await
}

/// Moves a draft that was carried out to the month's folder in `Done/`; whether it did, as another
/// file of it may be there. Blocks on the disk.
fn put_away(vault: &Vault, from: &VaultPath, at: Timestamp) -> Result<bool, String> {
    let to = VaultPath::new(format!("{}/{}", layout::done_month(at), from.file_name()))
        .map_err(|error| error.to_string())?;
    if vault.exists(&to).map_err(|error| error.to_string())? {
        return Ok(false);
    }
    vault.rename(from, &to).map_err(|error| error.to_string())?;
    Ok(true)
}

fn has_receipt(vault: &Vault, task: &VaultPath, draft: DraftId) -> bool {
    let text = vault.read_text(task, MAX_TASK_BYTES).ok();
    let note = text.and_then(|text| Note::parse(&text).ok());
    note.is_some_and(|note| note.has_receipt(draft))
}

/// A draft, wherever its file is. Blocks on the disk.
fn note_of(vault: &Vault, draft: DraftId, path: Option<&VaultPath>) -> Option<DraftNote> {
    let in_done = || {
        let name = layout::approved(draft).file_name().to_owned();
        let mut done = vault.walk_in(layout::DONE).ok()?.into_iter();
        Some(done.find(|entry| entry.path.file_name() == name)?.path)
    };
    let path = path.cloned().or_else(in_done);
    let text = path.and_then(|path| vault.read_text(&path, MAX_DRAFT_BYTES).ok());
    DraftNote::parse(&text?).ok()
}

#[cfg(test)]
mod tests {
    use platinum_core::ActionKind;
    use platinum_journal::{Intent, Outcome, Receipt};

    use super::*;

    const NOON: &str = "2026-11-20T12:00:00Z";

    fn draft(n: u128) -> DraftId {
        DraftId::from_parts(1, n)
    }

    fn task(n: u128) -> TaskId {
        TaskId::from_parts(1, n)
    }

    fn carry_out(journal: &Journal, n: u128) {
        let at: Timestamp = NOON.parse().unwrap();
        let intent = Intent {
            draft: draft(n),
            task: task(n),
            kind: ActionKind::EMAIL_SEND,
            fingerprint: "f".to_owned(),
            message: None,
            reference: format!("{n}@example.test"),
            recipients: vec![],
            at,
            notes_hand_over: true,
        };
        journal.intend(&intent).unwrap();
        let receipt = Receipt {
            at,
            reference: intent.reference,
            answer: "250 ok".to_owned(),
        };
        journal
            .record(draft(n), &Outcome::Receipt(receipt))
            .unwrap();
    }

    /// Wherever its file lies, what was carried out is found by the journal, until its task is
    /// finished and its file put away.
    #[test]
    fn unfinished_names_what_the_vault_does_not_show() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let file = tempfile::tempdir().unwrap();
        let journal = Journal::open(&file.path().join("journal.db")).unwrap();
        let mut known = CarriedOut::default();
        known.read_on(&journal).unwrap();
        assert_eq!(known.unfinished(&vault).unwrap(), []);
        for n in 1..=6 {
            carry_out(&journal, n);
        }
        let create = |path: &VaultPath, text: &str| vault.create(path, text.as_bytes()).unwrap();
        create(&layout::approved(draft(1)), "x");
        create(&layout::rejected(draft(2)), "x");
        create(&layout::pending(draft(3)), "x");
        // Nothing was carried out of this one.
        create(&layout::rejected(draft(9)), "x");
        let open = |n| -> VaultPath {
            format!("Needs_Action/email/{}.md", task(n))
                .parse()
                .unwrap()
        };
        create(&open(4), "---\nkind: task\n---\n");
        // Finished once, and open again.
        let receipt = format!(
            "---\nkind: task\nreceipts:\n  - draft: {}\n    kind: email-send\n    at: {NOON}\n    \
             reference: 5@example.test\n    answer: 250 ok\n---\n",
            draft(5)
        );
        create(&open(5), &receipt);
        create(&open(8), "---\nkind: task\n---\n");
        known.read_on(&journal).unwrap();
        let unfinished = |n, path: Option<VaultPath>| Unfinished {
            draft: draft(n),
            task: task(n),
            path,
            is_recorded: false,
        };
        let found = known.unfinished(&vault).unwrap();
        assert_eq!(
            found,
            [
                unfinished(1, Some(layout::approved(draft(1)))),
                unfinished(2, Some(layout::rejected(draft(2)))),
                unfinished(3, Some(layout::pending(draft(3)))),
                unfinished(4, None),
            ]
        );
        // Only what is new is read.
        carry_out(&journal, 8);
        known.read_on(&journal).unwrap();
        assert_eq!(known.unfinished(&vault).unwrap().len(), 5);
    }
}
