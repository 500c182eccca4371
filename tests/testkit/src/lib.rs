//! Real servers on loopback, vaults and remotes for tests.
//!
//! Lives here: [`git`], remotes of every kind and a line to them with faults; [`mail`], an IMAP
//! and a submission server over TLS; [`odoo`], Odoo with accounting; [`social`], servers of social networks;
//! [`whatsapp`], the Cloud API of WhatsApp; [`bank`], a bank and the browser that drives its pages; [`scripted_http`], a server over HTTP that answers as a test says;
//! [`http_proxy`], a line to one that loses what is asked or answered; [`notes`], texts as notes of the
//! kind that a folder has; [`power_cut`], folders whose unsynced writes can be discarded; and what every test that
//! talks to a process needs: [`wait_for`], [`free_ports`], [`Child`], [`is_dead`], [`program`], [`add_skills`],
//! [`exchange_keys`], [`mail_folder`], [`seed`], [`skip`], [`rerun_unprivileged`]; and for MCP servers
//! [`inspect`].
//! Invariants: nothing listens on a fixed port or outside loopback; every server lives in a
//! temporary folder and dies with the value that started it, or with the test process. So test programs can
//! run at the same time.

pub mod bank;
mod child;
pub mod git;
mod http;
pub mod http_proxy;
mod inspector;
pub mod mail;
mod mail_folder;
pub mod notes;
pub mod odoo;
pub mod power_cut;
mod program;
pub mod scripted_http;
mod seed;
pub mod social;
mod tls;
mod unprivileged;
pub mod whatsapp;

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

pub use child::{Child, is_dead};
pub use inspector::{inspect, inspect_program, run_npm};
pub use mail_folder::mail_folder;
pub use program::{
    PROGRAMS_VARIABLE, add_skills, add_skills_of, compiled_skills, exchange_keys, program,
};
pub use seed::{SEED_VARIABLE, seed};
pub use unprivileged::rerun_unprivileged;

/// Whether tests on real servers must run: in CI, and when xtask runs them, which installs the servers before.
#[must_use]
pub fn servers_required() -> bool {
    ["CI", PROGRAMS_VARIABLE]
        .iter()
        .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Says why a test does not run here; `cargo xtask test` counts it as skipped, with this reason. Where servers are
/// required (see [`servers_required`]) it fails instead, unless the reason is that the system `forbids` it.
///
/// # Errors
/// If the test has to run.
pub fn skip(why: &str, forbids: bool) -> anyhow::Result<()> {
    if servers_required() && !forbids {
        bail!("a test cannot be skipped here: {why}");
    }
    // Not by `println!`: the test runner keeps that of a passed test to itself. On a line of its own, also
    // where the name of the test stands before it.
    writeln!(std::io::stderr(), "\nSKIPPED: {why}")?;
    Ok(())
}

/// Where the test command keeps what it fetched for some tests, by the name of the folder in the target folder.
fn fetched_folder(name: &str) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => PathBuf::from(target).join(name),
        None => Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../target")
            .join(name),
    }
}

/// Whether the test command made something ready in its folder; if not, why, and whether that is because it cannot be
/// had on this machine.
fn is_ready(folder: &Path, what: &str, command: &str) -> Result<(), (String, bool)> {
    if folder.join("ready").is_file() {
        return Ok(());
    }
    Err(match fs::read_to_string(folder.join("unavailable")) {
        Ok(reason) => (reason, true),
        Err(_) => (format!("no {what} here: run `{command}` first"), false),
    })
}

/// The same for a test, which is [skipped](skip) with the reason where it is not ready.
///
/// # Errors
/// If the test command has run and left neither that nor a reason.
fn is_set_up(folder: &Path, what: &str, command: &str) -> anyhow::Result<bool> {
    match is_ready(folder, what, command) {
        Ok(()) => Ok(true),
        Err((reason, forbids)) => skip(&reason, forbids).map(|()| false),
    }
}

/// The last lines of a log, as the reason of a failure.
fn end_of(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    format!(
        "its log ends: {}",
        lines[lines.len().saturating_sub(12)..].join("\n")
    )
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
/// They are below those that the system hands out by itself, and each test process begins at another place:
/// a port that is closed again here is taken by no one before its server opens it.
///
/// # Errors
/// If the system has none.
pub fn free_ports<const N: usize>() -> anyhow::Result<[u16; N]> {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let begin = std::process::id().wrapping_mul(97);
    let mut ports = [0; N];
    for port in &mut ports {
        let free = (0..COUNT).find_map(|_| {
            let next = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
            let port = u16::try_from(FIRST + next % COUNT).ok()?;
            TcpListener::bind(("127.0.0.1", port)).ok().map(|_| port)
        });
        *port = free.context("no free port on loopback")?;
    }
    Ok(ports)
}
