//! A remote: a bare repository served by git's own daemon on loopback.
//!
//! Invariants: pushes go through `receive-pack`, which compares and swaps; history cannot be
//! rewritten and the branch cannot be deleted; no configuration of the user is read.

use std::{
    ffi::{OsStr, OsString},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};

use crate::{Child, free_ports, wait_for};

/// A running git daemon with one empty repository; it ends when this is dropped.
#[derive(Debug)]
pub struct GitServer {
    _child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl GitServer {
    /// Starts one.
    ///
    /// # Errors
    /// If git is not installed or its daemon does not answer.
    pub fn start() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let bare = folder.path().join("vault.git");
        bare_repository(&bare)?;
        let [port] = free_ports()?;
        let pid_file = folder.path().join("daemon.pid");
        let mut arguments: Vec<OsString> = [
            "GIT_CONFIG_GLOBAL=/dev/null",
            "GIT_CONFIG_NOSYSTEM=1",
            "LC_ALL=C",
            "git",
            "daemon",
        ]
        .map(OsString::from)
        .to_vec();
        arguments.extend(
            [
                "--reuseaddr",
                "--listen=127.0.0.1",
                "--export-all",
                "--enable=receive-pack",
            ]
            .map(OsString::from),
        );
        arguments.push(format!("--port={port}").into());
        arguments.push(with("--pid-file=", &pid_file));
        arguments.push(with("--base-path=", folder.path()));
        arguments.push(folder.path().into());
        let log = folder.path().join("daemon.log");
        // `git daemon` is a child of `git`: its own id is in the file.
        let child = Child::start("env", arguments, &log, Some(&pid_file))?;
        let server = Self {
            _child: child,
            port,
            folder,
        };
        wait_for("git's daemon", Duration::from_secs(20), || {
            Ok(TcpStream::connect(("127.0.0.1", port))
                .ok()
                .filter(|_| pid_file.exists()))
        })?;
        Ok(server)
    }

    /// The remote's address.
    pub fn address(&self) -> String {
        format!("git://127.0.0.1:{}/vault.git", self.port)
    }

    /// The repository itself, to look at or to forge commits in.
    pub fn repository(&self) -> PathBuf {
        self.folder.path().join("vault.git")
    }

    /// Runs git in the repository, and answers what it wrote.
    ///
    /// # Errors
    /// If it failed; the text has what it said.
    pub fn git(&self, args: &[&str]) -> anyhow::Result<String> {
        git_in(&self.repository(), args)
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
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "git {args:?} failed: {said}");
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// A command that reads nobody's git configuration.
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

fn with(option: &str, path: &Path) -> OsString {
    let mut text = OsString::from(option);
    text.push(path);
    text
}
