//! `platinum accept-deletions`: the owner confirms that what is gone from the vault may be deleted.
//!
//! Lives elsewhere: when that is asked for is the synchronizer's.

use anyhow::Context as _;
use platinum_sync::SyncSnapshot;
use platinum_worktree::accept_deletions;

use super::{CommandError, Context, Kind};

/// Let the files that are gone from this vault be deleted on every machine.
///
/// Only asked for where so much is gone that the vault's disk may not be mounted. Counts for a
/// day, and once.
#[derive(Debug, clap::Args)]
pub(crate) struct AcceptDeletionsArgs {}

pub(crate) fn run(_: &AcceptDeletionsArgs, ctx: &Context) -> Result<(), CommandError> {
    let state = ctx.load()?.vault.state;
    accept_deletions(&state.join("vault.git"))
        .context("cannot record the confirmation; has this machine synced yet?")
        .map_err(|error| CommandError::new(Kind::Failed, format!("{error:#}")))?;
    if let Some(trouble) = SyncSnapshot::read(&state).trouble {
        let trouble = super::terminal::plain(&trouble, 400);
        ctx.print(&format!("The last sync reported: {trouble}\n"))?;
    }
    ctx.print("The next sync deletes on every machine what is gone here.\n")
}
