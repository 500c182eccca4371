//! What `init` shows and asks before it makes anything: what the remote holds already, and what of the vault would leave.
//!
//! Lives elsewhere: looking at a remote is `remote::history`'s, the list of folders is `sync`'s.
//! Invariant: nothing is written here or at the remote, whatever the answer.

use platinum_core::layout;
use platinum_daemon::{Config, doctor::with_recovery};
use platinum_policy::MAX_FILE_BYTES;
use platinum_vault::{Vault, VaultError};

use super::super::{
    CommandError, Context, Kind,
    remote::{self, ForeignHistory, RemoteHistory},
    sync,
    terminal::{count, plain},
};
use super::{DASHBOARD, HANDBOOK, vault_path};

/// Looks at what the remote holds already; a history that the owner wants to adopt.
pub(super) async fn look_at_remote(
    config: &Config,
    is_agreed: bool,
    ctx: &Context,
) -> Result<Option<Box<ForeignHistory>>, CommandError> {
    let remote = &config.sync.remote;
    let shown = plain(remote, 300);
    let history = match remote::inspect(config).await? {
        RemoteHistory::Empty => return Ok(None),
        RemoteHistory::Unreachable(why) => {
            let why = plain(&with_recovery(&why, remote), 600);
            ctx.print(&format!("The remote was not looked at: {why}.\n\n"))?;
            return Ok(None);
        }
        RemoteHistory::Vault(files) => {
            let files = count(files, "file", "files");
            ctx.print(&format!(
                "The remote {shown} has {files} already; the first sync brings them here.\n\n"
            ))?;
            return Ok(None);
        }
        RemoteHistory::Faulty(what) => return Err(remote::faulty(what)),
        RemoteHistory::OtherBranches(names) => return Err(remote::other_branches(remote, &names)),
        RemoteHistory::Foreign(history) => history,
    };
    ctx.print(&history.text(remote))?;
    let stop = CommandError::new(Kind::Refused, "nothing was made, and the remote is as it was")
        .hint("another repository, an empty one, leaves that history alone: git init --bare --initial-branch=main")
        .hint("--adopt adopts it as shown above");
    let is_agreed = match is_agreed {
        // Other devices would lose files: that takes more than a yes.
        false if history.is_used_elsewhere() => false,
        false => ctx.asks(
            "Adopt it?",
            "--adopt adopts it as shown above; another repository leaves it alone",
        )?,
        true => true,
    };
    if !is_agreed {
        return Err(stop);
    }
    ctx.print("\n")?;
    Ok(Some(history))
}

/// Shows what of a vault that is there already would be synced, and asks.
pub(super) fn agree(
    vault: &Vault,
    config: &Config,
    is_agreed: bool,
    ctx: &Context,
) -> Result<(), CommandError> {
    let preview = sync::preview(vault, config)?;
    let is_own = |(name, text): (&str, &str)| {
        // One that cannot be read is the owner's.
        let there = vault.read(&vault_path(name)?, MAX_FILE_BYTES as u64);
        Ok::<_, CommandError>(match there {
            Err(VaultError::NotFound(_)) => false,
            there => there.ok().as_deref() != Some(text.as_bytes()),
        })
    };
    if preview.is_empty()
        && !is_own((layout::HANDBOOK, HANDBOOK))?
        && !is_own((layout::DASHBOARD, DASHBOARD))?
    {
        return Ok(());
    }
    let remote = match config.sync.remote.as_str() {
        "" => "the remote, once you name one".to_owned(),
        remote => plain(remote, 300),
    };
    ctx.print(&format!(
        "{} has files already. These would be synced with {remote}:\n\n{}",
        plain(&vault.root().to_string_lossy(), 300),
        sync::text(&preview, ctx.paint)
    ))?;
    let question = format!("Sync {}?", count(preview.files(), "file", "files"));
    if is_agreed
        || ctx.asks(
            &question,
            "--yes syncs what is shown above; --folders and --types sync less of it",
        )?
    {
        return ctx.print("\n");
    }
    Err(CommandError::new(
        Kind::Refused,
        "nothing was made, and nothing leaves this machine",
    )
    .hint(
        "--folders and --types sync less; what is moved to another folder of the vault stays here",
    ))
}
