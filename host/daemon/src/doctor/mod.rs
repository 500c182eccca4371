//! What `doctor` checks on both halves: that keys were exchanged, that the remote takes pushes, that there is room on
//! the disk; and the rows of `platinum-cloud doctor`.
//!
//! Lives elsewhere: what the owner's machine knows beyond that is `platinum_api` and the command itself; the zones
//! check themselves.
//! Invariants: nothing is changed and nothing is sent; every row that is not well says what to do.

mod last_commits;
mod remote;

use std::path::Path;

use platinum_capabilities::zones::{Check, CheckLevel};
use platinum_core::{Role, Timestamp};
use platinum_vault::Vault;
use platinum_verify::Identity;

pub use last_commits::{AgentSeen, MAX_COMMITS, last_commits};
pub use remote::{remote_folder, with_recovery};

use crate::{Config, zone_server};

/// Less room than this is worth a word, and less than that is too little to work.
const LITTLE: u64 = 1024 * 1024 * 1024;
const TOO_LITTLE: u64 = 64 * 1024 * 1024;

/// A row of `doctor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is about, in a word.
    pub name: String,
    /// What was found, and what to do.
    pub check: Check,
}

impl Row {
    fn new(name: &str, level: CheckLevel, text: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            check: Check::new(level, text),
        }
    }
}

/// Whether this host trusts a key of the other half. None without a remote: then there is no other half.
pub fn keys(config: &Config, role: Role) -> Option<Row> {
    if config.sync.remote.is_empty() {
        return None;
    }
    let row = |level, text: String| Some(Row::new("keys", level, text));
    let (other, exchange) = match role {
        Role::Local => (
            Role::Cloud,
            "exchange keys, once: platinum trust \"$(platinum-cloud trust --config CLOUD.toml \"$(platinum key)\")\"",
        ),
        Role::Cloud => (
            Role::Local,
            "exchange keys, once, from the owner's machine: platinum trust \"$(ssh HOST platinum-cloud trust --config \
             CLOUD.toml \"'$(platinum key)'\")\"",
        ),
    };
    let agent = match config.agent(role) {
        Ok(agent) => agent,
        Err(problem) => return row(CheckLevel::Error, problem),
    };
    let read =
        Identity::read(&config.vault.state, &agent, role).and_then(|identity| identity.signers());
    let signers = match read {
        Ok(signers) => signers,
        Err(error) => {
            return row(
                CheckLevel::Warning,
                format!("this host has no key that can be read ({error}); {exchange}"),
            );
        }
    };
    let others: Vec<String> = signers
        .iter()
        .filter(|signer| signer.role == other)
        .map(|signer| signer.agent.to_string())
        .collect();
    match others.is_empty() {
        true => row(
            CheckLevel::Warning,
            format!(
                "no key of a {other} host is trusted here, so nothing that one writes is taken over; {exchange}"
            ),
        ),
        false => row(
            CheckLevel::Ok,
            format!(
                "this host trusts {}; that it is trusted there too, it says itself",
                others.join(", ")
            ),
        ),
    }
}

/// Whether there is room on the disks of the state folder and of the vault; the same row once.
pub fn disks(config: &Config) -> Vec<Row> {
    let (vault, state) = (disk(&config.vault.path), disk(&config.vault.state));
    let state = state.filter(|row| vault.as_ref() != Some(row));
    state.into_iter().chain(vault).collect()
}

/// Whether there is room on the disk of a folder.
fn disk(path: &Path) -> Option<Row> {
    // What is not there yet is made on the disk of what it is in.
    let there = path.ancestors().find(|ancestor| ancestor.exists())?;
    let about = rustix::fs::statvfs(there).ok()?;
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let level = match free {
        free if free < TOO_LITTLE => CheckLevel::Error,
        free if free < LITTLE => CheckLevel::Warning,
        _ => CheckLevel::Ok,
    };
    let advice = match level {
        CheckLevel::Ok => "",
        _ => "; make room: what cannot be stored is tried again until there is",
    };
    let text = format!(
        "{} MiB free for {}{advice}",
        free / (1024 * 1024),
        there.display()
    );
    Some(Row::new("disk", level, text))
}

/// When the owner's machine last gave a sign of life; none without a remote. It may be off for long.
fn other_half(config: &Config) -> Option<Row> {
    let git_dir = config.vault.state.join("vault.git");
    if config.sync.remote.is_empty() || !git_dir.exists() {
        return None;
    }
    let row = |level, text| Some(Row::new("other half", level, text));
    let seen = match last_commits(&git_dir, None) {
        Ok(seen) => seen,
        Err(error) => return row(CheckLevel::Error, error.to_string()),
    };
    let locals = seen.iter().filter(|seen| seen.role == Role::Local.as_str());
    let Some(newest) = locals.max_by_key(|seen| seen.committed_at_second) else {
        let text = format!(
            "no commit of the owner's machine is among the last {MAX_COMMITS}; start it there: platinum run"
        );
        return row(CheckLevel::Warning, text);
    };
    let at = Timestamp::from_second(newest.committed_at_second).unwrap_or_default();
    let text = format!("{} gave its last sign of life at {at:.0}", newest.agent);
    row(CheckLevel::Ok, text)
}

/// Everything that a cloud host needs.
pub async fn cloud_rows(config: &Config) -> Vec<Row> {
    let role = Role::Cloud;
    let mut rows = vec![match Vault::open(&config.vault.path) {
        Ok(vault) => Row::new("vault", CheckLevel::Ok, vault.root().display().to_string()),
        Err(error) => Row::new("vault", CheckLevel::Error, error.to_string()),
    }];
    rows.extend(disks(config));
    rows.push(remote::ask(config).await);
    rows.extend(other_half(config));
    rows.extend(keys(config, role));
    for (id, zone) in config.zones.configured() {
        let check = match zone.check_role(role) {
            Ok(()) => zone.check(role, zone_server(&**zone, role)).await,
            Err(problem) => Check::new(CheckLevel::Error, problem),
        };
        rows.push(Row {
            name: id.to_owned(),
            check,
        });
    }
    rows.push(match config.model.check() {
        Ok(name) => Row::new("model", CheckLevel::Ok, name),
        Err(error) => Row::new("model", CheckLevel::Error, error.to_string()),
    });
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn disk_is_that_of_the_nearest_folder_there_is() {
        let folder = tempfile::tempdir().unwrap();
        for path in [folder.path().join("not/made/yet"), folder.path().to_owned()] {
            let text = disk(&path).unwrap().check.text;
            assert!(
                text.contains(&folder.path().display().to_string()),
                "{text}"
            );
            assert!(text.contains(" MiB free for "), "{text}");
        }
    }
}
