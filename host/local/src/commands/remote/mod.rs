//! `platinum remote`: adopting a history that is there already, moving to a new remote, and restoring a lost one.
//!
//! Lives elsewhere: what is looked at and how it is adopted is in `history`; `init` does the same for a new vault.
//! Invariants: a remote that is not empty is never pushed to by `move` and `restore`; what they push is what was verified
//! here; while the daemon runs nothing is changed.

mod history;
mod moving;

use platinum_api::is_daemon_running;
use platinum_daemon::Config;

use super::{CommandError, Context, Kind, keys::identity, terminal::plain};
pub(super) use history::{ForeignHistory, RemoteHistory, inspect};

/// The repository that the vault is synced through.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum RemoteCommand {
    /// Take over what the remote's branch holds already, with one commit on top.
    Adopt {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Move to a new, empty remote: it gets the whole verified history, and the configuration names it from then on.
    Move {
        /// The new remote: an ssh or https address, or a folder.
        address: String,
    },
    /// Give a remote that was lost and is empty again the whole verified history.
    Restore,
}

pub(crate) async fn run(command: &RemoteCommand, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    if config.sync.remote.is_empty() && !matches!(command, RemoteCommand::Move { .. }) {
        return Err(CommandError::new(Kind::Config, "there is no remote")
            .hint("`remote` under [sync] in the configuration names one"));
    }
    if is_daemon_running(&config.vault.state) {
        return Err(
            CommandError::new(Kind::Refused, "the daemon runs, and uses the remote")
                .hint("stop `platinum run`, then say this again"),
        );
    }
    match command {
        RemoteCommand::Adopt { yes } => adopt(&config, *yes, ctx).await,
        RemoteCommand::Move { address } => moving::move_to(config, address, ctx).await,
        RemoteCommand::Restore => moving::restore(&config, ctx).await,
    }
}

async fn adopt(config: &Config, is_agreed: bool, ctx: &Context) -> Result<(), CommandError> {
    let history = match inspect(config).await? {
        RemoteHistory::Foreign(history) => history,
        RemoteHistory::Empty => {
            return ctx.print("The remote is empty: there is nothing to adopt.\n");
        }
        RemoteHistory::Vault(_) => {
            return ctx
                .print("The remote holds nothing but what a vault does: it is synced as it is.\n");
        }
        RemoteHistory::OtherBranches(names) => {
            return Err(other_branches(&config.sync.remote, &names));
        }
        RemoteHistory::Faulty(what) => return Err(faulty(what)),
        RemoteHistory::Unreachable(why) => return Err(CommandError::new(Kind::Failed, why)),
    };
    ctx.print(&history.text(&config.sync.remote))?;
    if !is_agreed && !ctx.asks("Adopt it?", "--yes adopts it as shown above")? {
        return Err(CommandError::new(Kind::Refused, "the remote is as it was"));
    }
    let done = history.adopt(&identity(config)?).await?;
    ctx.print(&done)
}

/// The error where the branch is not there and others are.
pub(super) fn other_branches(remote: &str, names: &[String]) -> CommandError {
    let shown: Vec<String> = names.iter().map(|name| plain(name, 80)).collect();
    let remote = plain(remote, 300);
    let first = shown.first().cloned().unwrap_or_default();
    CommandError::new(
        Kind::Refused,
        format!(
            "{remote} has no branch `main`, which is the one that is synced, but has {}",
            shown.join(", ")
        ),
    )
    .hint("another repository, an empty one, leaves that alone")
    .hint(format!(
        "or give it that branch, from a clone of it: git push origin origin/{first}:refs/heads/main; then say this again, and \
         what is on it is shown"
    ))
}

/// The error where git takes nothing of what the remote holds.
pub(super) fn faulty(what: String) -> CommandError {
    CommandError::new(Kind::Refused, what).hint("or choose another repository, an empty one")
}
