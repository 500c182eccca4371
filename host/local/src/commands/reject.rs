//! `platinum reject`: moves a draft to `Rejected/`.

use platinum_api::approvals::{MAX_DRAFT_BYTES, Pending};
use platinum_core::layout;
use platinum_vault::{Vault, note::Note};

use super::{CommandError, Context, Kind, open_vault, pending, terminal::plain};

/// Say no to a draft: nothing is sent, and its task is finished without an answer.
///
/// Moving the file from Pending_Approval/ to Rejected/ does the same.
#[derive(Debug, clap::Args)]
pub(crate) struct RejectArgs {
    /// The draft's id, or enough of its start or end to name one.
    id: String,
    /// Why, in a sentence; it is kept in the draft's file.
    #[arg(long)]
    reason: Option<String>,
}

/// The property that keeps the reason.
const REASON: &str = "rejected-because";

pub(crate) fn run(args: &RejectArgs, ctx: &Context) -> Result<(), CommandError> {
    let vault = open_vault(&ctx.load()?)?;
    let found = pending::find(&vault, &args.id)?;
    if let Some(reason) = &args.reason {
        keep_reason(&vault, &found, &plain(reason, 500))?;
    }
    vault.rename(&found.path, &layout::rejected(found.id))?;
    ctx.print(&format!("Rejected {}. Nothing is sent.\n", found.id))
}

fn keep_reason(vault: &Vault, found: &Pending, reason: &str) -> Result<(), CommandError> {
    let unfit = |why: String| {
        CommandError::new(
            Kind::Failed,
            format!("the reason cannot be kept in {}: {why}", found.path),
        )
        .hint("reject it without --reason")
    };
    let before = vault.read_text(&found.path, MAX_DRAFT_BYTES)?;
    let mut note = Note::parse(&before).map_err(|error| unfit(error.to_string()))?;
    note.set(REASON, reason)
        .map_err(|error| unfit(error.to_string()))?;
    Ok(vault.replace(
        &found.path,
        note.to_text().as_bytes(),
        Some(before.as_bytes()),
    )?)
}
