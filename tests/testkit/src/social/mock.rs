//! [`MastodonMock`]: Mastodon's API with its scopes and idempotency keys, and with faults.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, Weak},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{COMMAND, FediverseServer, MastodonAccount, SocialRefusal, await_answer, shared, text};
use crate::{Child, fetched_folder, free_ports, is_set_up, run};

/// A running mastodon-mock, ended on drop.
#[derive(Debug)]
pub struct MastodonMock {
    _child: Child,
    folder: TempDir,
    port: u16,
}

impl MastodonMock {
    /// Whether it is set up; else the test is [skipped](crate::skip) with the reason.
    ///
    /// # Errors
    /// If the test command has run and left neither the mock nor a reason.
    pub fn present() -> anyhow::Result<bool> {
        is_set_up(&cache(), "mastodon-mock", COMMAND)
    }

    /// The one of this test program: started by the first test that asks, ended with the last that holds it. Its
    /// faults are those of all tests.
    ///
    /// # Errors
    /// As [`MastodonMock::start`].
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        static SHARED: Mutex<Weak<MastodonMock>> = Mutex::new(Weak::new());
        shared(&SHARED, Self::start)
    }

    /// Starts one without accounts or faults that keeps to the scopes of tokens, and waits until it answers.
    ///
    /// # Errors
    /// If it is not set up or does not come up; the end of its log is in the text.
    pub fn start() -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("platinum-mastodon-mock-")?;
        let [port] = free_ports()?;
        let settings = folder.path().join("settings.toml");
        let media = folder.path().join("media");
        fs::create_dir(&media)?;
        let text = format!(
            "media_storage_path = '{}'\n[database]\npath = '{}'\n[auth]\nenforce_scopes = true\n",
            media.display(),
            folder.path().join("database").display()
        );
        fs::write(&settings, text)?;
        let log = folder.path().join("log");
        let program = cache().canonicalize()?.join("venv/bin/mastodon_mock");
        let port_text = port.to_string();
        let settings = settings.display().to_string();
        let arguments = [
            "serve",
            "--config",
            &settings,
            "--host",
            "127.0.0.1",
            "--port",
            &port_text,
            "--log-level",
            "warning",
        ];
        let child = Child::start(&program.display().to_string(), arguments, &log, None)?;
        await_answer("mastodon-mock", port, "/api/v2/instance", &log)?;
        Ok(Self {
            _child: child,
            folder,
            port,
        })
    }

    /// A token for an account with these scopes alone, for example `read`.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn token_for(&self, account: &MastodonAccount, scopes: &str) -> anyhow::Result<String> {
        let app = json!({"client_name": "platinum", "scopes": scopes});
        let app = self.call("POST", "/api/v1/apps", None, Some(&app))?;
        let wanted = json!({
            "grant_type": "authorization_code",
            "client_id": app["client_id"],
            // What its page of logins would answer for this account.
            "code": format!("mockcode_{}", account.name),
        });
        let token = self.call("POST", "/oauth/token", None, Some(&wanted))?;
        text(&token, "access_token")
    }

    /// Adds a fault: `match` (`methods`, `path`), `effect` (`type` is `status`, `ratelimit`, `latency`, `malformed` or
    /// `timeout`) and `count`, how often it strikes.
    ///
    /// # Errors
    /// If it is none.
    pub fn add_fault(&self, fault: &Value) -> Result<(), SocialRefusal> {
        let path = "/api/v1/_mock/faults";
        self.call("POST", path, None, Some(fault)).map(drop)
    }

    /// From now on there is no fault.
    ///
    /// # Errors
    /// If the server is away.
    pub fn clear_faults(&self) -> Result<(), SocialRefusal> {
        let path = "/api/v1/_mock/faults";
        self.call("DELETE", path, None, None).map(drop)
    }

    /// Forgets every `Idempotency-Key`, as Mastodon does after an hour.
    ///
    /// # Errors
    /// If its database cannot be written.
    pub fn expire_keys(&self) -> anyhow::Result<()> {
        const SCRIPT: &str = "import sqlite3, sys\n\
            with sqlite3.connect(sys.argv[1], timeout=30) as database:\n    \
            database.execute('DELETE FROM idempotency')\n";
        let python = cache().canonicalize()?.join("venv/bin/python");
        let database = self.folder.path().join("database").display().to_string();
        run(
            &python.display().to_string(),
            &["-c", SCRIPT, &database],
            self.folder.path(),
        )
        .map(drop)
    }
}

impl FediverseServer for MastodonMock {
    fn port(&self) -> u16 {
        self.port
    }

    fn create_account(&self, name: &str) -> anyhow::Result<MastodonAccount> {
        let wanted = json!({"username": name});
        let path = "/api/v1/_mock/dev_user";
        let made = self.call("POST", path, None, Some(&wanted))?;
        Ok(MastodonAccount {
            name: name.to_owned(),
            id: text(&made, "id")?,
            token: text(&made, "access_token")?,
        })
    }
}

fn cache() -> PathBuf {
    fetched_folder("social").join("mock")
}
