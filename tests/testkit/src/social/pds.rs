//! [`Pds`]: Bluesky's own server on loopback.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, Weak},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{COMMAND, SocialRefusal, await_answer, call, encoded, shared, text, write_secret};
use crate::{Child, fetched_folder, free_ports, is_ready, is_set_up};

/// Where posts are in a repository.
const POSTS: &str = "app.bsky.feed.post";

/// A running PDS with its directory of accounts, ended on drop.
#[derive(Debug)]
pub struct Pds {
    _child: Child,
    _folder: TempDir,
    port: u16,
}

/// An account of a [`Pds`].
#[derive(Debug, Clone)]
pub struct BlueskyAccount {
    /// What people call it, for example `ann.test`.
    pub handle: String,
    /// What it is called for good.
    pub did: String,
    /// An app password: with it a program can post, and cannot change the account.
    pub app_password: String,
    /// What its owner is known by.
    token: String,
}

impl Pds {
    /// Whether it is set up; else the test is [skipped](crate::skip) with the reason.
    ///
    /// # Errors
    /// If the test command has run and left neither the PDS nor a reason.
    pub fn present() -> anyhow::Result<bool> {
        is_set_up(&cache(), "PDS", COMMAND)
    }

    /// Whether it is set up, or why not.
    ///
    /// # Errors
    /// One sentence that says what is missing.
    pub fn available() -> Result<(), String> {
        is_ready(&cache(), "PDS", COMMAND).map_err(|(reason, _)| reason)
    }

    /// The one of this test program: started by the first test that asks, ended with the last that holds it.
    ///
    /// # Errors
    /// As [`Pds::start`].
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        static SHARED: Mutex<Weak<Pds>> = Mutex::new(Weak::new());
        shared(&SHARED, Self::start)
    }

    /// Starts one without accounts, and waits until it answers.
    ///
    /// # Errors
    /// If it is not set up or does not come up; the end of its log is in the text.
    pub fn start() -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("platinum-pds-")?;
        let [port, plc_port] = free_ports()?;
        let log = folder.path().join("log");
        let data = folder.path().join("data");
        fs::create_dir(&data)?;
        let cache = cache().canonicalize()?;
        let arguments = [
            format!("PDS_PORT={port}"),
            format!("PLC_PORT={plc_port}"),
            format!("PDS_FOLDER={}", data.display()),
            "LOG_ENABLED=false".to_owned(),
            cache
                .join("node/node_modules/.bin/node")
                .display()
                .to_string(),
            cache.join("pds.mjs").display().to_string(),
        ];
        let child = Child::start("env", arguments, &log, None)?;
        await_answer("the PDS", port, "/xrpc/_health", &log)?;
        Ok(Self {
            _child: child,
            _folder: folder,
            port,
        })
    }

    /// Where it answers, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Makes an account, `<name>.test`, with an app password.
    ///
    /// # Errors
    /// If there is one of this name.
    pub fn create_account(&self, name: &str) -> anyhow::Result<BlueskyAccount> {
        let handle = format!("{name}.test");
        let wanted = json!({"handle": handle, "email": format!("{name}@example.test"), "password": "the-owner-alone"});
        let made = self.call("com.atproto.server.createAccount", None, Some(&wanted))?;
        let token = text(&made, "accessJwt")?;
        let wanted = json!({"name": "platinum"});
        let password = self.call(
            "com.atproto.server.createAppPassword",
            Some(&token),
            Some(&wanted),
        )?;
        Ok(BlueskyAccount {
            handle,
            did: text(&made, "did")?,
            app_password: text(&password, "password")?,
            token,
        })
    }

    /// The posts in the repository of an account, newest first, at most a hundred: each with `uri`, `cid` and `value`.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn posts(&self, account: &BlueskyAccount) -> Result<Vec<Value>, SocialRefusal> {
        let query = format!(
            "com.atproto.repo.listRecords?collection={POSTS}&limit=100&repo={}",
            encoded(&account.did)
        );
        let mut answer = self.call(&query, None, None)?;
        match answer["records"].take() {
            Value::Array(records) => Ok(records),
            _ => Ok(Vec::new()),
        }
    }

    /// Writes a post as the owner of an account, and other fields of its record; its `at://…`.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn publish(
        &self,
        account: &BlueskyAccount,
        text_of_it: &str,
        others: &Value,
    ) -> anyhow::Result<String> {
        let mut record =
            json!({"$type": POSTS, "text": text_of_it, "createdAt": "2026-11-01T08:00:00Z"});
        if let (Some(record), Some(others)) = (record.as_object_mut(), others.as_object()) {
            record.extend(others.clone());
        }
        let wanted = json!({"repo": account.did, "collection": POSTS, "record": record});
        let made = self.call(
            "com.atproto.repo.createRecord",
            Some(&account.token),
            Some(&wanted),
        )?;
        text(&made, "uri")
    }

    /// Deletes a post by its `at://…`, as the owner of the account.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn delete(&self, account: &BlueskyAccount, uri: &str) -> Result<(), SocialRefusal> {
        let key = uri.rsplit('/').next().unwrap_or_default();
        let wanted = json!({"repo": account.did, "collection": POSTS, "rkey": key});
        self.call(
            "com.atproto.repo.deleteRecord",
            Some(&account.token),
            Some(&wanted),
        )
        .map(drop)
    }

    /// Calls a method of XRPC, whose parameters are behind a `?`; with a body it is a procedure.
    ///
    /// # Errors
    /// What the server refuses.
    pub fn call(
        &self,
        method: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Value, SocialRefusal> {
        let headers = token.map_or_else(String::new, |token| {
            format!("Authorization: Bearer {token}\r\n")
        });
        let verb = if body.is_some() { "POST" } else { "GET" };
        call(self.port, verb, &format!("/xrpc/{method}"), &headers, body)
    }
}

impl BlueskyAccount {
    /// Its section of `social.toml` under a name, for a program that finds the server at `url`: with `acts` the app
    /// password is a file in `folder`, which the section names.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn section(
        &self,
        name: &str,
        url: &str,
        folder: &Path,
        acts: bool,
    ) -> anyhow::Result<String> {
        let mut section = format!(
            "[accounts.{name}]\nnetwork = 'bluesky'\nserver = '{url}'\nhandle = '{}'\n",
            self.handle
        );
        if acts {
            let file = format!("{name}.password");
            write_secret(&folder.join(&file), &self.app_password)?;
            section.push_str(&format!("password = {{ file = '{file}' }}\n"));
        }
        Ok(section)
    }
}

fn cache() -> PathBuf {
    fetched_folder("social").join("pds")
}
