//! Which drafts wait or were approved, and of which tasks they are.

use std::collections::{BTreeMap, BTreeSet};

use platinum_api::approvals::MAX_DRAFT_BYTES;
use platinum_core::{TaskId, Timestamp, VaultPath, layout};
use platinum_vault::{
    Vault, VaultError,
    note::{DraftNote, Note},
};

/// The drafts that were read, each with its length, when it was written, and its task.
pub(super) type Drafts = BTreeMap<VaultPath, (u64, Timestamp, Option<TaskId>)>;

/// Reads the drafts that wait or were approved, as far as they are not known. Blocks on the disk.
pub(super) fn read_on(vault: &Vault, drafts: &mut Drafts) -> Result<(), VaultError> {
    let mut there = BTreeSet::new();
    for folder in [layout::PENDING_APPROVAL, layout::APPROVED] {
        for entry in vault.list(folder)? {
            there.insert(entry.path.clone());
            let known = drafts.get(&entry.path);
            if known.is_some_and(|(len, at, _)| (*len, *at) == (entry.len, entry.modified)) {
                continue;
            }
            let text = vault.read_text(&entry.path, MAX_DRAFT_BYTES).ok();
            let note = text.and_then(|text| Note::parse(&text).ok());
            let made_for = note.and_then(|note| DraftNote::made_for(&note));
            let task = made_for.map(|(task, _)| task);
            drafts.insert(entry.path, (entry.len, entry.modified, task));
        }
    }
    drafts.retain(|path, _| there.contains(path));
    Ok(())
}
