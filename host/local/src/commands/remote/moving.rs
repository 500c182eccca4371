//! Moving to a new remote, and restoring a lost one: an empty remote gets what was verified here.
//!
//! Lives elsewhere: that no daemon runs meanwhile is asked in `mod`. Invariants: a remote that is not empty gets nothing; the
//! configuration is changed after the push, in its one line.

use std::{io::Write as _, path::Path};

use platinum_daemon::{Config, git_remote};
use platinum_protocol::PushOutcome;
use platinum_repo::{Address, Oid, RefName, Remote as _, Repo};

use super::super::{CommandError, Context, Kind, terminal::plain};

pub(super) async fn move_to(
    mut config: Config,
    address: &str,
    ctx: &Context,
) -> Result<(), CommandError> {
    Address::parse(address).map_err(|error| CommandError::new(Kind::Usage, error.to_string()))?;
    if config.sync.remote == address {
        return Err(CommandError::new(Kind::Usage, "that is the remote already")
            .hint("`platinum remote restore` gives it the history again if it was lost"));
    }
    let path = ctx.config_path();
    let old = std::fs::read_to_string(path)?;
    // Before anything is pushed.
    let new = with_remote(&old, address).ok_or_else(|| {
        CommandError::new(
            Kind::Config,
            format!(
                "{} has no line `remote = …` under [sync] that could be changed",
                path.display()
            ),
        )
        .hint("write one there, with the old address, and say this again")
    })?;
    let note = ensure_nothing_newer(&config).await?;
    let before = std::mem::replace(&mut config.sync.remote, address.to_owned());
    let tip = push_verified(&config).await?;
    replace(path, &new)?;
    ctx.print(&format!(
        "{} has the whole history, up to commit {tip:.10}, and the configuration names it.\n\
         The old remote, {}, is as it was.{note}\n\n\
         Next:\n\
         \x20 1. On the cloud host: stop `platinum-cloud`, write the new address as `remote` under [sync] in its \
         configuration, and start it. What it drafted since the last sync goes to the new one.\n\
         \x20 2. If the old remote had the hook, install it on the new one: `platinum hook install`.\n\
         \x20 3. Phones and other clones: git remote set-url origin <the new address>.\n\
         \x20 4. Start `platinum run`.\n",
        plain(address, 300),
        match before.as_str() {
            "" => "none".to_owned(),
            before => plain(before, 300),
        },
    ))
}

pub(super) async fn restore(config: &Config, ctx: &Context) -> Result<(), CommandError> {
    let tip = push_verified(config).await?;
    ctx.print(&format!(
        "{} has the whole history again, up to commit {tip:.10}.\n\n\
         Next:\n\
         \x20 1. Start `platinum run`; what changed here since follows.\n\
         \x20 2. The cloud host goes on by itself if it had not seen more than this; if it had, its log says that the \
         history was rewritten: then make the remote empty again and give it what that host has, there: git --git-dir \
         <its state folder>/vault.git push <the remote> refs/vault/verified:refs/heads/main\n\
         \x20 3. If it had the hook, install it again: `platinum hook install`.\n",
        plain(&config.sync.remote, 300),
    ))
}

/// Puts another text into the configuration, whole or not at all; who may read it stays.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // Where it is a link, what it leads to.
    let path = path.canonicalize()?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file()
        .set_permissions(std::fs::metadata(&path)?.permissions())?;
    file.as_file().sync_all()?;
    file.persist(&path)?;
    std::fs::File::open(folder)?.sync_all()
}

/// That the old remote has no commit that was not verified here: the new one would lack it, and who made it would stop.
/// Of one that does not answer that is not known, which the answer says.
async fn ensure_nothing_newer(config: &Config) -> Result<String, CommandError> {
    if config.sync.remote.is_empty() {
        return Ok(String::new());
    }
    match git_remote(config)?.tip().await {
        Ok(tip) if tip.is_none() || tip == verified(config)? => Ok(String::new()),
        Ok(_) => Err(CommandError::new(
            Kind::Refused,
            "the remote has commits that this machine has not verified yet, and the new one would lack them",
        )
        .hint("start `platinum run` until `platinum status` says that it is in sync, stop it, and say this again")),
        Err(error) => Ok(format!(
            "\nIt did not answer ({}): what others gave it since this machine synced last is not in the new one.",
            plain(&error.to_string(), 300)
        )),
    }
}

/// The last tip that was verified here.
fn verified(config: &Config) -> Result<Option<Oid>, CommandError> {
    let git_dir = config.vault.state.join("vault.git");
    match git_dir.exists() {
        true => Ok(Repo::open_or_init(&git_dir)?.tip(RefName::Verified)?),
        false => Ok(None),
    }
}

/// Gives an empty remote what was verified here.
async fn push_verified(config: &Config) -> Result<Oid, CommandError> {
    let tip = verified(config)?.ok_or_else(|| {
        CommandError::new(
            Kind::NotFound,
            "nothing was synced from this machine yet, so there is no history to give",
        )
    })?;
    let remote = git_remote(config)?;
    let branches = remote.branches().await?;
    // A push whose answer was lost has landed after all.
    if branches == ["main"] && remote.tip().await? == Some(tip) {
        return Ok(tip);
    }
    if !branches.is_empty() {
        let shown: Vec<String> = branches
            .iter()
            .take(8)
            .map(|name| plain(name, 80))
            .collect();
        return Err(CommandError::new(
            Kind::Refused,
            format!(
                "{} is not empty: it has the branch {}",
                plain(&config.sync.remote, 300),
                shown.join(", ")
            ),
        )
        .hint("make a new one (git init --bare --initial-branch=main), and name that"));
    }
    match remote.push(tip, None).await {
        PushOutcome::Landed => Ok(tip),
        PushOutcome::Rejected(why) | PushOutcome::Indeterminate(why) => Err(CommandError::new(
            Kind::Failed,
            format!(
                "the history did not get to the remote: {}",
                plain(&why, 500)
            ),
        )),
    }
}

/// The configuration with another remote: its one line is changed, and all else stays as it was written.
fn with_remote(text: &str, address: &str) -> Option<String> {
    let mut is_sync = false;
    let mut changed = 0;
    let lines = text.split_inclusive('\n').map(|line| {
        let bare = line.trim();
        if bare.starts_with('[') {
            is_sync = bare.split(']').next() == Some("[sync");
        }
        let is_key = bare
            .strip_prefix("remote")
            .is_some_and(|rest| rest.trim_start().starts_with('='));
        if !(is_sync && is_key) {
            return line.to_owned();
        }
        changed += 1;
        let end = if line.ends_with('\n') { "\n" } else { "" };
        format!("remote = {}{end}", toml::Value::String(address.to_owned()))
    });
    let new: String = lines.collect();
    // As a program reads it.
    let read: toml::Table = toml::from_str(&new).ok()?;
    let remote = read.get("sync")?.get("remote")?.as_str()?;
    (changed == 1 && remote == address).then_some(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_remote_changes_its_one_line() {
        let text = "[vault]\npath = \"v\"\n\n[sync] # shared\n# remote = \"x\"\nremote = 'old' # here\nevery-seconds = 9\n[a]\nremote = 1\n";
        let new = with_remote(text, "me@host:v.git").unwrap();
        assert_eq!(
            new,
            text.replace("remote = 'old' # here", "remote = \"me@host:v.git\"")
        );
        for text in [
            "",
            "[sync]\nevery-seconds = 9\n",
            "sync = { remote = 'x' }\n",
            "[sync]\nremote = '''\nx'''\n",
        ] {
            assert_eq!(with_remote(text, "y"), None, "{text}");
        }
    }
}
