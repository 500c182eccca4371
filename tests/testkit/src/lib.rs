//! Real servers on loopback, vaults and remotes for tests.
//!
//! Lives here: [`git`], remotes of every kind and a line to them with faults; [`mail`], an IMAP
//! and a submission server over TLS; and what every test that talks to a process needs: [`wait_for`], [`free_ports`],
//! [`Child`], [`program`].
//! Invariants: nothing listens on a fixed port or outside loopback; every server lives in a
//! temporary folder and dies with the value that started it, or with the test process.

mod child;
pub mod git;
pub mod mail;
mod program;
mod tls;

use std::{
    net::TcpListener,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

pub use child::Child;
pub use program::{PROGRAMS_VARIABLE, program};

/// Debian packages the servers here need; `iproute2` cuts hosts apart in network namespaces, and
/// `strace` counts what a sync asks of the file system.
pub const PACKAGES: &[&str] = &[
    "dovecot-core",
    "dovecot-imapd",
    "dovecot-lmtpd",
    "postfix",
    "openssh-server",
    "openssh-client",
    "openssl",
    "curl",
    "iproute2",
    "strace",
];

/// Whether tests on real servers must run: in CI, and when xtask runs them, which installs the servers before.
#[must_use]
pub fn servers_required() -> bool {
    ["CI", PROGRAMS_VARIABLE]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Asks `look` again and again until it finds something, and gives up after `at_most`.
///
/// # Errors
/// If nothing was found in time; the text says what was waited for.
pub fn wait_for<T>(
    what: &str,
    at_most: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let deadline = Instant::now() + at_most;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("waited {} s for {what} in vain", at_most.as_secs());
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place that polls with a deadline"
        )]
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a command to its end.
pub(crate) fn run(program: &str, arguments: &[&str], dir: &Path) -> anyhow::Result<String> {
    let output = Command::new(program)
        .args(arguments)
        .current_dir(dir)
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    if !output.status.success() {
        bail!(
            "{program} {} failed: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// As many distinct ports on loopback as asked for, free at this moment.
///
/// # Errors
/// If the system has none.
pub fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    // All are held at once, so that no port comes twice.
    let mut held = Vec::with_capacity(N);
    let mut ports = [0; N];
    for port in &mut ports {
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("no free port on loopback")?;
        *port = listener.local_addr()?.port();
        held.push(listener);
    }
    Ok(ports)
}
