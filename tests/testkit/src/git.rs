//! A remote: a bare repository served by git's own daemon on loopback.
//!
//! Invariants: pushes go through `receive-pack`, which compares and swaps; history cannot be
//! rewritten and the branch cannot be deleted; no configuration of the user is read.

use std::{
    ffi::OsStr,
    net::TcpStream,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, ensure};

use crate::{free_ports, wait_for};

/// A running git daemon with one empty repository; it ends when this is dropped.
#[derive(Debug)]
pub struct GitServer {
    child: Child,
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
        let child = hermetic("git")
            .arg("daemon")
            .args(["--reuseaddr", "--listen=127.0.0.1", "--export-all", "--enable=receive-pack"])
            .arg(format!("--port={port}"))
            .arg(with("--base-path=", folder.path()))
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Its own group, so that the children it makes end with it.
            .process_group(0)
            .spawn()
            .context("git is not installed")?;
        let server = Self { child, port, folder };
        wait_for("git's daemon", Duration::from_secs(20), || {
            Ok(TcpStream::connect(("127.0.0.1", port)).ok())
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

impl Drop for GitServer {
    fn drop(&mut self) {
        // The group, by git's own id: `kill` is everywhere, and unsafe code is not wanted here.
        let group = format!("-{}", self.child.id());
        drop(Command::new("kill").args(["-KILL", "--", &group]).status());
        drop(self.child.kill());
        drop(self.child.wait());
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

fn with(option: &str, path: &Path) -> std::ffi::OsString {
    let mut text = std::ffi::OsString::from(option);
    text.push(path);
    text
}
