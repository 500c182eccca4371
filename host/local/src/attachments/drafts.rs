//! Which drafts wait or were approved, and of which tasks they are.

use platinum_api::approvals::MAX_DRAFT_BYTES;
use platinum_core::{TaskId, VaultPath, layout};
use platinum_vault::{
    ReadFiles, Vault, VaultError,
    note::{DraftNote, Note},
};

/// The files that were read, each with the task if it is a draft.
pub(super) type Drafts = ReadFiles<Option<TaskId>>;

/// Reads the drafts that wait or were approved, as far as they are not known. Blocks on the disk.
pub(super) fn read_on(vault: &Vault, drafts: &mut Drafts) -> Result<(), VaultError> {
    let task_of = |path: &VaultPath| {
        let text = vault.read_text(path, MAX_DRAFT_BYTES).ok()?;
        let made_for = DraftNote::made_for(&Note::parse(&text).ok()?);
        made_for.map(|(task, _)| task)
    };
    drafts.read_on(
        vault,
        &[layout::PENDING_APPROVAL, layout::APPROVED],
        task_of,
    )
}
