//! `platinum recover`: the owner has seen to a copied or restored machine; effects go on.
//!
//! Lives elsewhere: what is found and what it stops is `machine`'s.

use platinum_api::{accept_log, is_daemon_running, log_damage, put_log_aside};
use platinum_core::{Clock as _, SystemClock};

use platinum_verify::identity::KEY_FILE;

use super::{CommandError, Context, Kind, keys::identity, terminal::count};
use crate::machine::{self, Finding};

/// Let this machine send again after it was restored from a backup or copied, its key was used
/// elsewhere, or its log was damaged.
///
/// Stop the other copy first, or exchange the keys anew if someone else has this one. What was sent
/// by then is asked for in the Sent folder before anything is sent; what the other copy began and is
/// not there waits for you. A damaged log is put aside, and what was approved in it is approved anew.
#[derive(Debug, clap::Args)]
pub(crate) struct RecoverArgs {
    /// This machine is the one that goes on.
    #[arg(long)]
    this_machine: bool,
}

pub(crate) fn run(args: &RecoverArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let state = &config.vault.state;
    // To make one here would look as if this machine had stood for something.
    if !state.join(KEY_FILE).exists() {
        return Err(CommandError::new(
            Kind::NotFound,
            format!(
                "this machine has no key in {}, so there is nothing to recover",
                state.display()
            ),
        )
        .hint("if it had one, put the state folder back from a backup")
        .hint("if it is new, `platinum key` makes one; then exchange keys with the cloud host"));
    }
    let mut found = machine::open_findings(state)?;
    let identity = identity(&config)?;
    let damage = log_damage(state, &identity)?;
    if found.is_empty() && damage.is_none() {
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
    if let Some(why) = &damage {
        text.push_str(&format!("The log is not as it was left: {why}.\n"));
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
    if damage.is_some() {
        if is_daemon_running(state) {
            return Err(CommandError::new(
                Kind::Refused,
                "a damaged log cannot be put aside while the daemon uses it",
            )
            .hint("stop `platinum run`, then say this again"));
        }
        let aside = put_log_aside(state, SystemClock.now())?;
        ctx.print(&format!(
            "The log is put aside as {}. What was approved waits for you again, \
             and what is in Sent is not sent again.\n",
            aside.display()
        ))?;
        // What is in Done/ was in the log that is aside.
        found.insert(Finding::NoJournal);
    }
    // What others saw of a log that is not here any more is in the log from now on.
    accept_log(state, &identity)?;
    machine::acknowledge(state, &found)?;
    ctx.print("This machine goes on. What was sent before is asked for first.\n")
}
