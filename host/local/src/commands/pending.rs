//! Finding a draft that waits for the owner by what a person types of its id.

use platinum_api::{
    approvals::{Pending, pending_drafts, short_id},
    text::plain,
};
use platinum_core::DraftId;
use platinum_vault::Vault;

use super::{CommandError, Kind};

/// The fewest characters of an id that name a draft.
const MIN_TYPED: usize = 4;

/// What was typed of an id, as it stands in one.
fn wanted_part(typed: &str) -> String {
    let wanted = typed.trim().to_uppercase();
    let wanted = wanted.strip_prefix("DRAFT_").unwrap_or(&wanted);
    let wanted = wanted.strip_suffix(".MD").unwrap_or(wanted);
    wanted.trim_start_matches('…').to_owned()
}

/// Whether an id is, starts with or ends with what was typed, which must be enough of it.
pub(super) fn is_named(id: DraftId, typed: &str) -> bool {
    let wanted = wanted_part(typed);
    let id = id.to_string();
    let id = id.strip_prefix("draft_").unwrap_or(&id);
    wanted.len() >= MIN_TYPED && (id.starts_with(&wanted) || id.ends_with(&wanted))
}

/// The one draft whose id is, starts with or ends with what was typed.
pub(super) fn find(vault: &Vault, typed: &str) -> Result<Pending, CommandError> {
    let wanted = wanted_part(typed);
    let is_wanted_id = |id: DraftId| is_named(id, typed);
    let typed = plain(typed, 40);
    if wanted.len() < MIN_TYPED {
        return Err(CommandError::new(
            Kind::Usage,
            format!("`{typed}` is too short for an id; give at least {MIN_TYPED} characters of it"),
        ));
    }
    let mut drafts = pending_drafts(vault)?.drafts;
    let is_wanted = |pending: &Pending| is_wanted_id(pending.id);
    let at: Vec<usize> = (0..drafts.len())
        .filter(|&n| is_wanted(&drafts[n]))
        .collect();
    match at.as_slice() {
        [one] => Ok(drafts.swap_remove(*one)),
        [] => Err(CommandError::new(
            Kind::NotFound,
            format!("no waiting draft has an id like `{typed}`"),
        )
        .hint("`platinum approvals` lists the waiting drafts; a decided one is in Approved/, Rejected/ or Done/")),
        many => {
            let names: Vec<String> = many.iter().take(8).map(|&n| short_id(drafts[n].id)).collect();
            Err(CommandError::new(
                Kind::Usage,
                format!(
                    "{} drafts have an id like `{typed}`: {}",
                    many.len(),
                    names.join(", ")
                ),
            )
            .hint("give more of the id; its end differs most"))
        }
    }
}
