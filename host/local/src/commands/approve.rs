//! `platinum approve`: moves a draft to `Approved/`, which is the approval.

use platinum_api::{
    DraftSummary,
    approvals::{MAX_DRAFT_BYTES, is_expired},
};
use platinum_core::{Timestamp, layout};
use platinum_effects::approvals::{GAPS, Outgoing, Unreadable, has_gaps};
use platinum_vault::note::Note;

use super::{
    CommandError, Context, Kind,
    approvals::{self, Shown},
    open_vault, pending,
    terminal::plain,
};

/// Say yes to a draft: it is carried out by the local daemon, once.
///
/// Moving the file from Pending_Approval/ to Approved/ does the same.
#[derive(Debug, clap::Args)]
pub(crate) struct ApproveArgs {
    /// The draft's id, or enough of its start or end to name one.
    id: String,
    /// Approve even if the text still has gaps marked [[…]].
    #[arg(long)]
    with_gaps: bool,
}

pub(crate) fn run(args: &ApproveArgs, ctx: &Context) -> Result<(), CommandError> {
    let vault = open_vault(&ctx.load()?)?;
    let found = pending::find(&vault, &args.id)?;
    let draft = found.draft.map_err(|why| {
        CommandError::new(
            Kind::Refused,
            format!(
                "{} cannot be carried out as it is: {}",
                found.path,
                plain(&why, 400)
            ),
        )
        .hint("correct the file, or reject the draft")
    })?;
    if draft.id != found.id {
        return Err(CommandError::new(
            Kind::Refused,
            format!(
                "{} has the id {}; the file name and the id must be the same",
                found.path, draft.id
            ),
        ));
    }
    if let Err(Unreadable::Broken(why)) = Outgoing::read(&vault, &found.path) {
        return Err(CommandError::new(
            Kind::Refused,
            format!("{} cannot leave as it is: {}", draft.id, plain(&why, 400)),
        )
        .hint("correct the file, or reject the draft"));
    }
    if is_expired(&draft, Timestamp::now()) {
        return Err(CommandError::new(
            Kind::Refused,
            format!(
                "{} expired at {}; an approval no longer counts",
                draft.id, draft.expires
            ),
        )
        .hint("set `expires` in the file to a later time, or reject the draft"));
    }
    if has_gaps(draft.action.text()) && !args.with_gaps {
        return Err(CommandError::new(
            Kind::Refused,
            format!(
                "the text of {} still has gaps, marked [[…]], which would be sent as they are",
                draft.id
            ),
        )
        .hint(format!(
            "fill them in: {}",
            vault.root().join(found.path.as_str()).display()
        ))
        .hint("or approve it as it is with --with-gaps"));
    }
    if args.with_gaps {
        let text = vault.read_text(&found.path, MAX_DRAFT_BYTES)?;
        let wrong = |error: platinum_vault::note::NoteError| {
            CommandError::new(Kind::Failed, format!("{}: {error}", found.path))
        };
        let mut note = Note::parse(&text).map_err(wrong)?;
        note.set(GAPS.0, GAPS.1).map_err(wrong)?;
        vault.replace(
            &found.path,
            note.to_text().as_bytes(),
            Some(text.as_bytes()),
        )?;
    }
    vault.rename(&found.path, &layout::approved(draft.id))?;
    ctx.print(&format!(
        "Approved {}.\n{}\nThe local daemon carries it out; `platinum status` shows whether it runs.\n",
        draft.id,
        approvals::summary_of(&DraftSummary::of(&draft), Shown::Head, ctx.paint)
            .lines()
            .take_while(|line| !line.is_empty())
            .map(|line| format!("{line}\n"))
            .collect::<String>()
            .trim_end()
    ))
}
