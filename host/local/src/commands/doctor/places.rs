//! What `platinum doctor` looks at on this machine and at the remote.

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use platinum_core::{VaultPath, layout};
use platinum_daemon::{Config, make_state_folder};
use platinum_repo::{GitRemote, Remote};
use platinum_vault::Vault;

use super::{
    super::{
        freshness::{self, Row},
        status::daemon_runs,
        terminal::plain,
    },
    Finding, bad, doubtful, good,
};

pub(super) fn vault(config: &Config) -> Finding {
    let vault = match Vault::open(&config.vault.path) {
        Ok(vault) => vault,
        Err(error) => return bad("vault", error.to_string()),
    };
    let missing: Vec<&str> = layout::FOLDERS
        .into_iter()
        .filter(|folder| !vault.root().join(folder).is_dir())
        .collect();
    if !missing.is_empty() {
        return doubtful(
            "vault",
            format!(
                "{} has no {}; they are made when needed",
                vault.root().display(),
                missing.join(", ")
            ),
        );
    }
    match VaultPath::new(layout::HANDBOOK).map(|path| vault.exists(&path)) {
        Ok(Ok(true)) if is_starter(&vault) => doubtful(
            "vault",
            format!(
                "{}: the {} still has the gaps of its start; drafts follow what it says",
                vault.root().display(),
                layout::HANDBOOK
            ),
        ),
        Ok(Ok(true)) => good("vault", vault.root().display().to_string()),
        Ok(Err(error)) => bad("vault", error.to_string()),
        _ => doubtful(
            "vault",
            format!(
                "there is no {}: drafts know none of your rules",
                layout::HANDBOOK
            ),
        ),
    }
}

/// Whether the handbook is as `init` wrote it where it asks who the owner is.
fn is_starter(vault: &Vault) -> bool {
    const GAP: &str = "[[your name or company]]";
    const MOST: u64 = 1024 * 1024;
    VaultPath::new(layout::HANDBOOK)
        .ok()
        .and_then(|path| vault.read_text(&path, MOST).ok())
        .is_some_and(|text| text.contains(GAP))
}

pub(super) fn state(path: &Path) -> Finding {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => good(
            "state",
            format!("{} is made when the daemon first runs", path.display()),
        ),
        Err(error) => bad("state", format!("{}: {error}", path.display())),
        Ok(meta) if !meta.is_dir() => bad("state", format!("{} is no folder", path.display())),
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => bad(
            "state",
            format!(
                "others can look into {0}; run: chmod 700 {0}",
                path.display()
            ),
        ),
        Ok(_) if daemon_runs(path) => {
            good("state", format!("{}, in use by the daemon", path.display()))
        }
        Ok(_) => good("state", path.display().to_string()),
    }
}

/// The remote, and how the vault stands to it.
pub(super) async fn remote(config: &Config) -> Vec<Finding> {
    if config.sync.remote.is_empty() {
        return vec![doubtful(
            "remote",
            "none: this host works alone; `sync.remote` names one",
        )];
    }
    if daemon_runs(&config.vault.state) {
        // Two programs in one repository would get into each other's way: the daemon asks it.
        return freshness::rows(config).into_iter().map(finding).collect();
    }
    if let Err(error) = make_state_folder(&config.vault.state) {
        return vec![bad(
            "remote",
            format!("{}: {error}", config.vault.state.display()),
        )];
    }
    let git_dir = config.vault.state.join("vault.git");
    let limit = Duration::from_secs(config.sync.timeout_seconds);
    let opened = GitRemote::open(&git_dir, &config.sync.remote, limit);
    let remote = match opened {
        Ok(remote) => remote,
        Err(error) => return vec![bad("remote", error.to_string())],
    };
    let asked = match remote.fetch().await {
        Ok(Some(tip)) => good(
            "remote",
            format!("{} answers, at {tip:.10}", remote.describe()),
        ),
        Ok(None) => good(
            "remote",
            format!("{} answers and is empty", remote.describe()),
        ),
        Err(error) => return vec![bad("remote", plain(&error.to_string(), 400))],
    };
    // Its first row tells of the daemon's own last contact: ours is newer.
    let rest = freshness::rows(config).into_iter().skip(1).map(finding);
    std::iter::once(asked).chain(rest).collect()
}

/// Conflict copies that wait for the owner.
pub(super) fn conflicts(config: &Config) -> Option<Finding> {
    // A vault that cannot be read is told of in its own row.
    let entries = Vault::open(&config.vault.path).ok()?.walk().ok()?;
    let copies: Vec<VaultPath> = entries
        .into_iter()
        .map(|entry| entry.path)
        .filter(freshness::is_conflict_copy)
        .collect();
    freshness::conflicts(&copies).map(finding)
}

fn finding(row: Row) -> Finding {
    Finding {
        tone: row.tone,
        what: row.what.to_owned(),
        text: row.text,
    }
}
