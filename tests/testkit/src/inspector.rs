//! The programs of the npm registry that judge MCP servers: the protocol's conformance suite and its inspector.
//!
//! They come with a node that can run them. Invariant: where they cannot be had, the test is skipped with the reason.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output, Stdio},
    sync::OnceLock,
};

use anyhow::{Context as _, bail};

/// The suites, and a node that can run them.
const PACKAGES: [&str; 3] = [
    "node@22",
    "@modelcontextprotocol/conformance@0.1.16",
    "@modelcontextprotocol/inspector@2.12.0",
];
/// The longest time, in seconds, to get the packages, and for one run of a suite.
const FETCH: &str = "240";
const RUN: &str = "120";
/// What a client of an inspected server shows.
const TOKEN: &str = "a-token-of-many-letters-0123456789";

/// `npx` with the packages, in a folder of its own, ended after some seconds.
fn npx(at_most: &str, program: &[&str]) -> std::io::Result<Output> {
    let folder = tempfile::tempdir()?;
    let mut command = Command::new("timeout");
    command.args([at_most, "npx", "--yes"]);
    command.args(PACKAGES.iter().flat_map(|package| ["--package", package]));
    command.arg("--").args(program);
    command.env("npm_config_fetch_retries", "1");
    command.current_dir(folder.path()).output()
}

/// Gets the packages: one program at a time, since two runs of `npx` that fetch the same packages disturb each other.
fn fetch() -> std::io::Result<Output> {
    let lock = std::fs::File::create(std::env::temp_dir().join("platinum-npx.lock"))?;
    lock.lock()?;
    npx(FETCH, &["node", "--version"])
}

/// Runs a program of the packages; none where they cannot be had.
///
/// # Errors
/// If it cannot be run although they are there.
pub fn run_npm(program: &[&str]) -> anyhow::Result<Option<Output>> {
    static PROBLEM: OnceLock<Option<String>> = OnceLock::new();
    let problem = PROBLEM.get_or_init(|| match fetch() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let errors = String::from_utf8_lossy(&output.stderr);
            let line = errors.lines().find(|line| line.starts_with("npm error"));
            let line = line.or(errors.lines().next()).unwrap_or("no answer");
            Some(format!("npm cannot give the packages of MCP: {line}"))
        }
        Err(error) => Some(format!("npx of npm cannot be run: {error}")),
    });
    match problem {
        None => Ok(Some(npx(RUN, program)?)),
        Some(why) => {
            crate::skip(why, true)?;
            Ok(None)
        }
    }
}

/// The inspector's strict run over the tools of the server at an address; what it says, or none where it cannot be had.
///
/// # Errors
/// If it finds a fault; its words.
pub fn inspect(url: &str, token: &str) -> anyhow::Result<Option<String>> {
    let header = format!("Authorization: Bearer {token}");
    let program = [
        "mcp-inspector",
        "--cli",
        "--strict",
        "--transport",
        "http",
        "--server-url",
        url,
        "--header",
        &header,
        "--method",
        "tools/list",
    ];
    let Some(output) = run_npm(&program)? else {
        return Ok(None);
    };
    let words = [&output.stdout[..], &output.stderr[..]].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    if !output.status.success() || words.contains("Warning: tool") {
        bail!("the inspector is not content with {url}: {words}");
    }
    Ok(Some(words))
}

/// The same for a program that serves MCP over HTTP with this configuration file; it runs as long as this takes.
///
/// # Errors
/// If it does not start, or the inspector finds a fault.
pub fn inspect_program(program: &Path, config: &Path) -> anyhow::Result<Option<String>> {
    let folder = tempfile::tempdir()?;
    let token = folder.path().join("token");
    std::fs::write(&token, TOKEN)?;
    std::fs::set_permissions(&token, std::fs::Permissions::from_mode(0o600))?;
    let mut child = Command::new(program)
        .arg("--config")
        .arg(config)
        .args(["--http", "127.0.0.1:0", "--token-file"])
        .arg(&token)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let inspected = (|| {
        let stderr = child.stderr.take().context("no standard error")?;
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let line = lines.find(|line| line.contains("listening at"));
        let line = line.context("it does not listen")?;
        let (_, address) = line.rsplit_once("listening at ").context("no address")?;
        let url = address.trim().to_owned();
        // Read on, so that the server never waits for its log.
        std::thread::spawn(move || lines.for_each(drop));
        inspect(&url, TOKEN)
    })();
    child.kill()?;
    child.wait()?;
    inspected
}
