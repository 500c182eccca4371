//! `platinum recover`: the owner has seen to a copied or restored machine; effects go on.
//!
//! Lives elsewhere: what is found and what it stops is `machine`'s.

use platinum_api::accept_log;

use super::{CommandError, Context, Kind, keys::identity, terminal::count};
use crate::machine::{self, Finding};

/// Let this machine send again after it was restored from a backup or copied, or its key was used
/// elsewhere.
///
/// Stop the other copy first, or exchange the keys anew if someone else has this one. What was sent
/// by then is asked for in the Sent folder before anything is sent; what the other copy began and is
/// not there waits for you.
#[derive(Debug, clap::Args)]
pub(crate) struct RecoverArgs {
    /// This machine is the one that goes on.
    #[arg(long)]
    this_machine: bool,
}

pub(crate) fn run(args: &RecoverArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let state = &config.vault.state;
    let found = machine::open_findings(state)?;
    if found.is_empty() {
        return ctx.print("Nothing stops this machine from sending.\n");
    }
    let mut text = String::new();
    let made = found
        .iter()
        .filter(|finding| matches!(finding, Finding::MadeElsewhere { .. }))
        .count();
    if made > 0 {
        text.push_str(&format!(
            "{} of this machine's key at the remote, not made here.\n",
            count(made, "commit", "commits")
        ));
    }
    for finding in &found {
        match finding {
            Finding::MadeElsewhere { .. } => {}
            Finding::JournalBehind { entries, .. } => text.push_str(&format!(
                "This machine's history names a journal of {entries} entries that is not here.\n"
            )),
            Finding::NoJournal => {
                text.push_str("Drafts in Done/ were carried out, and the journal is empty.\n");
            }
        }
    }
    ctx.print(&text)?;
    if !args.this_machine {
        return Err(CommandError::new(
            Kind::Refused,
            "nothing is sent until you say that this machine goes on",
        )
        .hint("stop what else runs with its key, or the vault is answered twice")
        .hint("then: platinum recover --this-machine"));
    }
    machine::acknowledge(state, &found)?;
    // What others saw of a log that is not here any more is in the log from now on.
    accept_log(state, &identity(&config)?)?;
    ctx.print("This machine goes on. What was sent before is asked for first.\n")
}
