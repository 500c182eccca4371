//! `platinum reject`: moves a draft to `Rejected/`.

use platinum_api::approvals::{MAX_DRAFT_BYTES, Pending};
use platinum_core::{DraftId, Timestamp, layout};
use platinum_effects::approvals::act;
use platinum_vault::{Vault, note::Note};

use super::{
    CommandError, Context, Kind, approve::ApprovalStore, open_vault, pending, terminal::plain, undo,
};

/// Say no to a draft: nothing is sent, and its task is finished without an answer.
///
/// Moving the file to Rejected/ does the same. What is in Approved/, held or not carried out yet, is taken
/// back first.
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
    let config = ctx.load()?;
    let vault = open_vault(&config)?;
    let found = match pending::find(&vault, &args.id) {
        Err(error) if error.kind == Kind::NotFound => {
            let draft = take_back(&args.id, &ApprovalStore::open(&config)?, error)?;
            pending::find(&vault, &draft.to_string())?
        }
        found => found?,
    };
    if let Some(reason) = &args.reason {
        keep_reason(&vault, &found, &plain(reason, 500))?;
    }
    vault.rename(&found.path, &layout::rejected(found.id))?;
    ctx.print(&format!("Rejected {}. Nothing is sent.\n", found.id))
}

/// Puts a draft in `Approved/` before the owner again; `absent` is the error if none is named so.
fn take_back(
    typed: &str,
    store: &ApprovalStore,
    absent: CommandError,
) -> Result<DraftId, CommandError> {
    let draft = match undo::named(store, typed) {
        Err(error) if error.kind == Kind::NotFound => return Err(absent),
        named => named?,
    };
    let (vault, journal) = (&store.vault, &store.journal);
    let undone = act::undo(vault, journal, &store.policy, draft, Timestamp::now())?;
    match undone.not_moved {
        None => Ok(draft),
        Some(why) => Err(CommandError::new(
            Kind::Failed,
            format!(
                "{draft} is taken back and not sent, but its file stays in {}: {}",
                layout::APPROVED,
                plain(&why, 400)
            ),
        )),
    }
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
