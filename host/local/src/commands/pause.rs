//! `platinum pause` and `platinum resume`: nothing leaves in between.

use platinum_core::Timestamp;

use super::{CommandError, Context, approve::ApprovalStore, terminal::plain};

/// Stop everything: nothing leaves until `platinum resume`.
///
/// What is on its way to the other side at this moment cannot be stopped.
#[derive(Debug, clap::Args)]
pub(crate) struct PauseArgs {
    /// Why, in a sentence; it is shown while it holds.
    #[arg(long, default_value = "")]
    reason: String,
}

/// Let what is approved leave again, after `platinum pause`.
#[derive(Debug, clap::Args)]
pub(crate) struct ResumeArgs {}

pub(crate) fn pause(args: &PauseArgs, ctx: &Context) -> Result<(), CommandError> {
    let store = ApprovalStore::open(&ctx.load()?)?;
    let is_new = store
        .journal
        .pause(Timestamp::now(), &plain(&args.reason, 200))?;
    let under_way = store.journal.open_intents()?;
    let mut text = match is_new {
        true => "Paused. Nothing leaves until `platinum resume`.\n".to_owned(),
        false => "It is paused already.\n".to_owned(),
    };
    for intent in under_way {
        text.push_str(&format!(
            "{} was begun at {:.0} and may leave, or have left.\n",
            intent.draft, intent.at
        ));
    }
    ctx.print(&text)
}

pub(crate) fn resume(_: &ResumeArgs, ctx: &Context) -> Result<(), CommandError> {
    let store = ApprovalStore::open(&ctx.load()?)?;
    ctx.print(match store.journal.resume(Timestamp::now())? {
        true => "Resumed. What is approved leaves again.\n",
        false => "It is not paused.\n",
    })
}
