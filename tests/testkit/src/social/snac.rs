//! [`Snac`]: a small server of the Fediverse on loopback.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex, Weak},
};

use anyhow::{Context as _, ensure};
use tempfile::TempDir;

use super::{COMMAND, FediverseServer, MastodonAccount, await_answer, encoded, shared};
use crate::{Child, fetched_folder, free_ports, http, is_ready, is_set_up};

/// A running snac, ended on drop.
#[derive(Debug)]
pub struct Snac {
    _child: Child,
    folder: TempDir,
    port: u16,
}

impl Snac {
    /// Whether it is set up; else the test is [skipped](crate::skip) with the reason.
    ///
    /// # Errors
    /// If the test command has run and left neither snac nor a reason.
    pub fn present() -> anyhow::Result<bool> {
        is_set_up(&cache(), "snac", COMMAND)
    }

    /// Whether it is set up, or why not.
    ///
    /// # Errors
    /// One sentence that says what is missing.
    pub fn available() -> Result<(), String> {
        is_ready(&cache(), "snac", COMMAND).map_err(|(reason, _)| reason)
    }

    /// The one of this test program: started by the first test that asks, ended with the last that holds it.
    ///
    /// # Errors
    /// As [`Snac::start`].
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Snac>> = Mutex::new(Weak::new());
        shared(&SHARED, Self::start)
    }

    /// Starts one without accounts, and waits until it answers.
    ///
    /// # Errors
    /// If it is not set up or does not come up; the end of its log is in the text.
    pub fn start() -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("platinum-snac-")?;
        let [port] = free_ports()?;
        let data = data(folder.path());
        // What it asks: its address, port and name, where its pages begin, and whose address stands on them.
        let answers = format!("127.0.0.1\n{port}\n127.0.0.1:{port}\n\n\n");
        run_snac(&["init".as_ref(), data.as_ref()], &answers)?;
        let settings = data.join("server.json");
        let text = fs::read_to_string(&settings)?;
        // Written with or without a space by different versions.
        let text = text.replace("\"protocol\": \"https\"", "\"protocol\":\"https\"");
        let plain = text.replace("\"protocol\":\"https\"", "\"protocol\":\"http\"");
        ensure!(plain != text, "snac's server.json names no protocol");
        fs::write(&settings, plain)?;
        let log = folder.path().join("log");
        let program = program().display().to_string();
        let arguments = ["httpd".to_owned(), data.display().to_string()];
        let child = Child::start(&program, arguments, &log, None)?;
        await_answer("snac", port, "/", &log)?;
        Ok(Self {
            _child: child,
            folder,
            port,
        })
    }
}

impl FediverseServer for Snac {
    fn port(&self) -> u16 {
        self.port
    }

    fn create_account(&self, name: &str) -> anyhow::Result<MastodonAccount> {
        let data = data(self.folder.path());
        let words = run_snac(&["adduser".as_ref(), data.as_ref(), name.as_ref()], "")?;
        let password = words.lines().find_map(|line| {
            let (_, behind) = line.split_once("password is ")?;
            behind.split_whitespace().next()
        });
        let password = password.with_context(|| format!("no password in: {words}"))?;
        let form = format!("login={}&passwd={}", encoded(name), encoded(password));
        let header = "Content-Type: application/x-www-form-urlencoded\r\n";
        let path = "/oauth/x-snac-get-token";
        let (status, page) = http::exchange(self.port, "POST", path, header, &form)?;
        // A page whose last word is the token.
        let is_of_token = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let text = page.trim_end();
        let token = text
            .rsplit(|c| !is_of_token(c))
            .find(|word| word.len() > 16);
        let token = token.with_context(|| format!("no token from snac: {status} {text}"))?;
        self.account_of(name, token.to_owned())
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

fn cache() -> PathBuf {
    fetched_folder("social").join("snac")
}

fn program() -> PathBuf {
    cache().join("snac/usr/bin/snac")
}

/// What it prints; `input` answers what it asks.
fn run_snac(arguments: &[&std::ffi::OsStr], input: &str) -> anyhow::Result<String> {
    let mut child = Command::new(program())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("cannot start snac")?;
    let mut asked = child.stdin.take().context("no standard input")?;
    asked.write_all(input.as_bytes())?;
    drop(asked);
    let output = child.wait_with_output()?;
    let words = [&output.stdout[..], &output.stderr[..]].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    ensure!(output.status.success(), "snac {arguments:?}: {words}");
    Ok(words)
}
