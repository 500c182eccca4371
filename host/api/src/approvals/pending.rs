//! The drafts that wait for the owner, as files.

use platinum_core::{DraftId, Timestamp, VaultPath, layout};
use platinum_vault::{
    Unreadable, Vault, VaultError, Walk,
    note::{self, DraftNote},
};

/// The largest draft that is read.
pub const MAX_DRAFT_BYTES: u64 = note::MAX_DRAFT_BYTES as u64;

/// A draft in `Pending_Approval/`: a file that is named by its id, or was renamed.
#[derive(Debug)]
pub struct Pending {
    /// The id in its name; of one that was renamed, in its text.
    pub id: DraftId,
    /// Where it is.
    pub path: VaultPath,
    /// The draft, or why it cannot be read as one.
    pub draft: Result<DraftNote, String>,
    /// The whole file, if it could be read.
    pub file: String,
}

/// What is in `Pending_Approval/`.
#[derive(Debug, Default)]
pub struct PendingFolder {
    /// Drafts, oldest first.
    pub drafts: Vec<Pending>,
    /// Other files there: conflict copies, or notes of the owner.
    pub others: Vec<VaultPath>,
    /// The folders there that cannot be read.
    pub unreadable: Vec<Unreadable>,
}

/// Reads the folder. A file that cannot be read is a draft without its content.
///
/// # Errors
/// If its name is no path of a vault.
pub fn pending_drafts(vault: &Vault) -> Result<PendingFolder, VaultError> {
    let walk = Walk::read(vault, &[layout::PENDING_APPROVAL])?;
    let mut folder = PendingFolder {
        unreadable: walk.unreadable,
        ..PendingFolder::default()
    };
    for entry in walk.files {
        let path = entry.path;
        let id = match path.stem().parse::<DraftId>() {
            Ok(id) if path == layout::pending(id) => id,
            _ => {
                match vault.renamed_draft(&path) {
                    Some(draft) => folder.drafts.push(Pending {
                        id: draft.id,
                        file: vault.read_text(&path, MAX_DRAFT_BYTES).unwrap_or_default(),
                        path,
                        draft: Ok(draft),
                    }),
                    None => folder.others.push(path),
                }
                continue;
            }
        };
        let (file, draft) = match vault.read_text(&path, MAX_DRAFT_BYTES) {
            Ok(text) => {
                let draft = DraftNote::parse(&text).map_err(|error| error.to_string());
                (text, draft)
            }
            // Decided while we were reading the folder.
            Err(VaultError::NotFound(_)) => continue,
            Err(error) => (String::new(), Err(error.to_string())),
        };
        folder.drafts.push(Pending {
            id,
            path,
            draft,
            file,
        });
    }
    folder.drafts.sort_by_key(|pending| pending.id);
    Ok(folder)
}

/// The end of an id: enough to name one of a few drafts, short enough to type.
pub fn short_id(id: DraftId) -> String {
    let id = id.to_string();
    id[id.len().saturating_sub(6)..].to_owned()
}

/// Whether an approval would no longer count.
pub fn is_expired(draft: &DraftNote, now: Timestamp) -> bool {
    draft.expires <= now
}
