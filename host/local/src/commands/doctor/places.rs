//! What `platinum doctor` checks on this machine and at the remote.

use std::{os::unix::fs::PermissionsExt, path::Path};

use platinum_api::{
    SyncOverview, conflict_copies, conflicts_check, is_daemon_running, text::span,
    unreadable_checks,
};
use platinum_core::{Role, Timestamp, VaultPath, layout};
use platinum_daemon::{Config, doctor, git_remote, make_state_folder};
use platinum_repo::Remote;
use platinum_vault::{UnsyncedFiles, Vault};

use super::{super::terminal::plain, Check};

pub(super) fn vault(config: &Config) -> Check {
    let vault = match Vault::open(&config.vault.path) {
        Ok(vault) => vault,
        Err(error) => return Check::error("vault", error.to_string()),
    };
    let missing: Vec<&str> = layout::FOLDERS
        .into_iter()
        .filter(|folder| !vault.root().join(folder).is_dir())
        .collect();
    if !missing.is_empty() {
        return Check::warn(
            "vault",
            format!(
                "{} has no {}; they are made when needed",
                vault.root().display(),
                missing.join(", ")
            ),
        );
    }
    match VaultPath::new(layout::HANDBOOK).map(|path| vault.exists(&path)) {
        Ok(Ok(true)) if is_starter(&vault) => Check::warn(
            "vault",
            format!(
                "{}: the {} still has the gaps of the starter; drafts follow what it says",
                vault.root().display(),
                layout::HANDBOOK
            ),
        ),
        Ok(Ok(true)) => Check::ok("vault", vault.root().display().to_string()),
        Ok(Err(error)) => Check::error("vault", error.to_string()),
        _ => Check::warn(
            "vault",
            format!(
                "{} is missing: drafts follow none of your rules",
                layout::HANDBOOK
            ),
        ),
    }
}

/// Whether the handbook still has the gap in which `init` asks for the owner's name.
fn is_starter(vault: &Vault) -> bool {
    const GAPS: [&str; 2] = ["[✎ your name or company]", "[[your name or company]]"];
    const MOST: u64 = 1024 * 1024;
    VaultPath::new(layout::HANDBOOK)
        .ok()
        .and_then(|path| vault.read_text(&path, MOST).ok())
        .is_some_and(|text| GAPS.iter().any(|gap| text.contains(gap)))
}

pub(super) fn state(path: &Path) -> Check {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Check::ok(
            "state",
            format!("{} is made when the daemon first runs", path.display()),
        ),
        Err(error) => Check::error("state", format!("{}: {error}", path.display())),
        Ok(meta) if !meta.is_dir() => {
            Check::error("state", format!("{} is not a folder", path.display()))
        }
        Ok(meta) if meta.permissions().mode() & 0o077 != 0 => {
            Check::error("state", format!("other users can read {}", path.display()))
                .remedy(format!("run: chmod 700 {}", path.display()))
        }
        Ok(_) if is_daemon_running(path) => {
            Check::ok("state", format!("{}, in use by the daemon", path.display()))
        }
        Ok(_) => Check::ok("state", path.display().to_string()),
    }
}

/// The remote, and how the vault compares with it.
pub(super) async fn remote(config: &Config) -> Vec<Check> {
    if config.sync.remote.is_empty() {
        return vec![
            Check::warn("remote", "none: this host works alone").remedy("`sync.remote` names one"),
        ];
    }
    let overview = || {
        SyncOverview::read(
            config,
            config.agent(Role::Local).ok().as_ref(),
            Timestamp::now(),
        )
    };
    if let Some(problem) = doctor::remote_folder(&config.sync.remote) {
        return vec![Check::error("remote", problem)];
    }
    if is_daemon_running(&config.vault.state) {
        // Two programs in one repository would disturb each other: the daemon asks the remote.
        let overview = overview();
        let mut checks = overview.checks();
        checks.push(other_half(&overview));
        return checks;
    }
    if let Err(error) = make_state_folder(&config.vault.state) {
        return vec![Check::error(
            "remote",
            format!("{}: {error}", config.vault.state.display()),
        )];
    }
    let remote = match git_remote(config) {
        Ok(remote) => remote,
        Err(error) => return vec![Check::error("remote", error.to_string())],
    };
    let fetched = match remote.check_push().await {
        Ok(()) => remote.fetch().await,
        Err(error) => Err(error),
    };
    let (asked, overview) = match fetched {
        Ok(Some(tip)) => (
            format!("{} answers, at {tip:.10}", remote.describe()),
            overview().with_answer(&tip.to_string()),
        ),
        Ok(None) => (
            format!("{} answers and is empty", remote.describe()),
            overview().with_empty_answer(),
        ),
        Err(error) => {
            let text = doctor::with_recovery(&error.to_string(), &config.sync.remote);
            return vec![Check::error("remote", plain(&text, 500))];
        }
    };
    // The first of them is the daemon's own last contact: this one is newer.
    let rest = overview.checks().into_iter().skip(1);
    std::iter::once(Check::ok("remote", asked))
        .chain(rest)
        .chain([other_half(&overview)])
        .collect()
}

/// When a cloud host last gave a sign of life.
fn other_half(overview: &SyncOverview) -> Check {
    /// After so long without a commit it is worth a word: a cloud that has work commits.
    const QUIET_SECONDS: i64 = 24 * 60 * 60;
    let clouds = overview.agents.iter().filter(|seen| seen.role == "cloud");
    let Some(newest) = clouds.max_by_key(|seen| seen.committed_at_second) else {
        let last = doctor::MAX_COMMITS;
        let text = format!("no commit of a cloud host is among the last {last}");
        return Check::warn("other half", text).remedy(
            "start it: `platinum-cloud run --config CLOUD.toml`; `platinum-cloud doctor` says what it lacks",
        );
    };
    let quiet = Timestamp::now().as_second() - newest.committed_at_second;
    let text = format!(
        "{} gave its last sign of life {}",
        newest.agent,
        span(quiet.max(0))
    );
    match quiet > QUIET_SECONDS {
        true => Check::warn("other half", text).remedy(
            "no mail may have come since; if one did, see there with `platinum-cloud doctor`",
        ),
        false => Check::ok("other half", text),
    }
}

/// The folders of the vault that cannot be read.
pub(super) fn unreadable(config: &Config) -> Vec<Check> {
    // As for the conflicts.
    Vault::open(&config.vault.path).map_or_else(
        |_| Vec::new(),
        |vault| unreadable_checks(&UnsyncedFiles::read(&vault, &|_| false).unreadable),
    )
}

/// Conflict copies that wait for the owner.
pub(super) fn conflicts(config: &Config) -> Option<Check> {
    // A vault that cannot be read is an error in its own row.
    let vault = Vault::open(&config.vault.path).ok()?;
    conflicts_check(&conflict_copies(&vault).ok()?)
}
