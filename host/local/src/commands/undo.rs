//! `platinum undo`: takes an approval back before its effect.

use platinum_core::{DraftId, Timestamp, layout};
use platinum_effects::approvals::act;

use super::{CommandError, Context, Kind, approve::ApprovalStore, pending, terminal::plain};

/// Take an approval back, while it has not been carried out.
///
/// Moving the file from Approved/ back to Pending_Approval/ does the same.
#[derive(Debug, clap::Args)]
pub(crate) struct UndoArgs {
    /// The draft's id, or enough of its start or end to name one; without it, the last that was
    /// approved.
    id: Option<String>,
}

pub(crate) fn run(args: &UndoArgs, ctx: &Context) -> Result<(), CommandError> {
    let store = ApprovalStore::open(&ctx.load()?)?;
    let draft = match &args.id {
        Some(typed) => named(&store, typed)?,
        None => last(&store)?,
    };
    let (vault, journal) = (&store.vault, &store.journal);
    let undone = act::undo(vault, journal, &store.policy, draft, Timestamp::now())?;
    ctx.print(&match (undone.path, undone.not_moved) {
        (Some(path), None) => format!("Took back {draft}. It waits again: {path}\n"),
        (Some(path), Some(why)) => format!(
            "Took back {draft}: it is not sent. Its file is still {path}: {}\n",
            plain(&why, 400)
        ),
        (None, _) => format!("Took back {draft}.\n"),
    })
}

/// The draft in `Approved/` that is named.
pub(super) fn named(store: &ApprovalStore, typed: &str) -> Result<DraftId, CommandError> {
    let mut found = Vec::new();
    for entry in store.vault.list(layout::APPROVED)? {
        if let Ok(id) = entry.path.stem().parse::<DraftId>()
            && pending::is_named(id, typed)
        {
            found.push(id);
        }
    }
    let typed = plain(typed, 40);
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(CommandError::new(
            Kind::NotFound,
            format!("no approved draft has an id like `{typed}`"),
        )
        .hint("`platinum approvals` lists what is approved; what was carried out is in Done/")),
        many => Err(CommandError::new(
            Kind::Usage,
            format!("{} approved drafts have an id like `{typed}`", many.len()),
        )
        .hint("give more of the id; its end differs most")),
    }
}

/// The last approval that can still be taken back.
fn last(store: &ApprovalStore) -> Result<DraftId, CommandError> {
    let open = store.journal.open_approvals()?;
    let is_there = |id: &DraftId| store.vault.exists(&layout::approved(*id)).unwrap_or(false);
    let mut drafts = open.iter().rev().map(|approval| approval.draft);
    drafts.find(is_there).ok_or_else(|| {
        CommandError::new(Kind::NotFound, "there is no approval to take back")
            .hint("what was carried out cannot be taken back: `platinum log` shows it")
    })
}
