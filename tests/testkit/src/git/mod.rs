//! Remotes of every kind, with real servers: [`GitServer`] (git's own daemon), [`SshServer`]
//! (OpenSSH), [`HttpsServer`] (git's `http-backend` behind TLS); and [`Proxy`], a line to one of
//! them with faults.
//!
//! Invariants: pushes go through `receive-pack`, which compares and swaps; history cannot be
//! rewritten and the branch cannot be deleted; no configuration of the user is read; the
//! repository is of the server's folder and goes with it.

mod cgi;
mod daemon;
mod https;
mod proxy;
mod ssh;

use std::{
    ffi::OsStr,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, ensure};

pub use daemon::GitServer;
pub use https::HttpsServer;
pub use proxy::{Count, LineFaults, Proxy};
pub use ssh::{SshOptions, SshServer};

/// What git's client needs to reach a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The address.
    pub address: String,
    /// The ssh program with its options: what a shell reads.
    pub ssh: String,
    /// Settings of git's own.
    pub settings: Vec<(String, String)>,
}

impl Access {
    /// With nothing but an address.
    pub fn plain(address: impl Into<String>) -> Self {
        Self {
            address: address.into(),
            ssh: "ssh".to_owned(),
            settings: Vec::new(),
        }
    }
}

/// Makes a bare repository that refuses to rewrite history.
///
/// # Errors
/// If git is not installed or refuses.
pub fn bare_repository(path: &Path) -> anyhow::Result<()> {
    let made = hermetic("git")
        .args(["init", "--quiet", "--bare", "--initial-branch=main"])
        .arg(path)
        .status()
        .context("git is not installed")?;
    ensure!(made.success(), "git init failed");
    for setting in [
        "receive.denyNonFastForwards=true",
        "receive.denyDeletes=true",
        "receive.fsckObjects=true",
        "receive.autogc=false",
    ] {
        let (key, value) = setting.split_once('=').unwrap_or((setting, "true"));
        git_in(path, &["config", key, value])?;
    }
    Ok(())
}

/// Runs git in a bare repository, and answers what it wrote, without the last line end.
///
/// # Errors
/// If it failed; the text has what it said.
pub fn git_in(repository: &Path, args: &[&str]) -> anyhow::Result<String> {
    let output = hermetic("git")
        .env("GIT_DIR", repository)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .context("git is not installed")?;
    let printed = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {args:?} failed: {printed}");
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Gives a repository a hook, and answers where it is.
///
/// # Errors
/// If it cannot be written.
pub fn hook(repository: &Path, name: &str, script: &str) -> anyhow::Result<PathBuf> {
    let folder = repository.join("hooks");
    fs::create_dir_all(&folder)?;
    let path = folder.join(name);
    // Under another name first: a hook that is open for writing cannot be run.
    let new = folder.join(format!("{name}.new"));
    fs::write(&new, script)?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o755))?;
    fs::rename(&new, &path)?;
    Ok(path)
}

/// A command that reads no one's git configuration.
pub fn hermetic(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GIT_") {
            command.env_remove(name);
        }
    }
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_AUTHOR_NAME", "Nobody")
        .env("GIT_AUTHOR_EMAIL", "nobody@example.invalid")
        .env("GIT_COMMITTER_NAME", "Nobody")
        .env("GIT_COMMITTER_EMAIL", "nobody@example.invalid")
        .env("HOME", std::env::temp_dir())
        .env("LC_ALL", "C");
    command
}
