//! [`GitServer`]: git's own daemon on loopback.
//!
//! Invariant: no configuration of the user is read.

use std::{
    ffi::OsString,
    net::TcpStream,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{Access, bare_repository, git_in};
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

    /// How a client reaches it.
    pub fn access(&self) -> Access {
        Access::plain(self.address())
    }

    /// How a client reaches it through another port of loopback.
    pub fn access_through(&self, port: u16) -> Access {
        Access::plain(format!("git://127.0.0.1:{port}/vault.git"))
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
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

fn with(option: &str, path: &Path) -> OsString {
    let mut text = OsString::from(option);
    text.push(path);
    text
}
