//! The drafts that wait for the owner, and finding one by what a person types of its id.

use platinum_core::{DraftId, Timestamp, VaultPath, layout};
use platinum_vault::{Vault, VaultError, note::DraftNote};

use super::{CommandError, Kind};

/// The largest draft that is read.
pub(super) const MAX_DRAFT_BYTES: u64 = 256 * 1024;
/// The fewest characters of an id that name a draft.
const MIN_TYPED: usize = 4;

/// A file in `Pending_Approval/` named by an id.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: DraftId,
    pub(super) path: VaultPath,
    /// The draft, or why it cannot be read as one.
    pub(super) draft: Result<DraftNote, String>,
}

/// What waits in `Pending_Approval/`.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    /// Drafts, oldest first.
    pub(super) drafts: Vec<Pending>,
    /// Other files there: conflict copies, or notes of the owner.
    pub(super) others: Vec<VaultPath>,
}

/// Reads the folder.
pub(super) fn waiting(vault: &Vault) -> Result<Waiting, CommandError> {
    let mut waiting = Waiting::default();
    for entry in vault.list(layout::PENDING_APPROVAL)? {
        let path = entry.path;
        let Ok(id) = path.stem().parse::<DraftId>() else {
            waiting.others.push(path);
            continue;
        };
        let draft = match vault.read_text(&path, MAX_DRAFT_BYTES) {
            Ok(text) => DraftNote::parse(&text).map_err(|error| error.to_string()),
            // Decided while we were reading the folder.
            Err(VaultError::NotFound(_)) => continue,
            Err(error) => Err(error.to_string()),
        };
        waiting.drafts.push(Pending { id, path, draft });
    }
    waiting.drafts.sort_by_key(|pending| pending.id);
    Ok(waiting)
}

/// The one draft whose id is, starts with or ends with what was typed. Only its file is read.
pub(super) fn find(vault: &Vault, typed: &str) -> Result<Pending, CommandError> {
    let wanted = typed.trim().to_uppercase();
    let wanted = wanted.strip_prefix("DRAFT_").unwrap_or(&wanted);
    let wanted = wanted
        .strip_suffix(".MD")
        .unwrap_or(wanted)
        .trim_start_matches('…');
    if wanted.len() < MIN_TYPED {
        return Err(CommandError::new(
            Kind::Usage,
            format!(
                "`{}` is too short for an id; give at least {MIN_TYPED} characters of it",
                super::terminal::plain(typed, 40)
            ),
        ));
    }
    let mut waiting = waiting(vault)?;
    let is_wanted = |pending: &Pending| {
        let id = pending.id.to_string();
        let id = id.strip_prefix("draft_").unwrap_or(&id);
        id.starts_with(wanted) || id.ends_with(wanted)
    };
    let at: Vec<usize> = (0..waiting.drafts.len())
        .filter(|&n| is_wanted(&waiting.drafts[n]))
        .collect();
    match at.as_slice() {
        [one] => Ok(waiting.drafts.swap_remove(*one)),
        [] => Err(CommandError::new(
            Kind::NotFound,
            format!("no draft that waits has an id like `{}`", super::terminal::plain(typed, 40)),
        )
        .hint("`platinum approvals` lists those that wait; one that was decided is in Approved/, Rejected/ or Done/")),
        many => {
            let names = many.iter().take(8).map(|&n| short(waiting.drafts[n].id));
            let names = names.collect::<Vec<_>>().join(", ");
            Err(CommandError::new(
                Kind::Usage,
                format!("{} drafts have an id like `{}`: {names}", many.len(), super::terminal::plain(typed, 40)),
            )
            .hint("give more of the id; its end differs most"))
        }
    }
}

/// The end of an id: enough to name one of a few drafts, short enough to type.
pub(super) fn short(id: DraftId) -> String {
    let id = id.to_string();
    id[id.len().saturating_sub(6)..].to_owned()
}

/// Whether an approval would no longer count.
pub(super) fn is_expired(draft: &DraftNote, now: Timestamp) -> bool {
    draft.expires <= now
}
