//! The configuration file of the servers for social networks: one table for each account.
//!
//! ```toml
//! # Where drafts are kept; beside this file if it is left out.
//! state = "social-drafts"
//!
//! [accounts.bluesky]
//! network = "bluesky"
//! server = "https://bsky.social"
//! handle = "ada.example.com"
//! # An app password. The full server needs it to publish; the draft server takes no file that has one.
//! password = { file = "bluesky.password" }
//!
//! [accounts.fediverse]
//! network = "mastodon"
//! server = "https://mastodon.example"
//! # Whose posts are read without a token.
//! handle = "ada"
//! token = { file = "mastodon.token" }
//! # Who sees what is published: "public" (as without it), "unlisted" or "private".
//! visibility = "public"
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use platinum_kit::client::is_loopback;
use platinum_kit::config::{TableReader, read_file, value_error};
use platinum_kit::{ConfigError, Secret};
use reqwest::Url;

/// The most accounts of a file.
const MAX_ACCOUNTS: usize = 20;

/// Which network an account is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NetworkKind {
    /// Bluesky: XRPC.
    Bluesky,
    /// Mastodon, and what speaks its API.
    Mastodon,
}

impl NetworkKind {
    /// As the configuration and the tools write it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Bluesky => "bluesky",
            Self::Mastodon => "mastodon",
        }
    }

    /// As a person writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Bluesky => "Bluesky",
            Self::Mastodon => "Mastodon",
        }
    }
}

/// Who sees a post on Mastodon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Visibility {
    /// Everybody.
    #[default]
    Public,
    /// Everybody; it is in no public list.
    Unlisted,
    /// Followers.
    Private,
}

impl Visibility {
    /// As Mastodon writes it.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
        }
    }
}

/// One account.
#[derive(Debug, Clone)]
pub struct AccountConfig {
    /// Its name in the file.
    pub name: String,
    /// Its network.
    pub network: NetworkKind,
    /// Where its server answers: `https`, or `http` of this machine.
    pub server: Url,
    /// Its name on the network, without an `@` before it. One on Bluesky always has it.
    pub handle: Option<String>,
    /// Bluesky's app password, or Mastodon's token.
    pub secret: Option<Secret>,
    /// Who sees what is published; Bluesky has only what everybody sees.
    pub visibility: Visibility,
}

/// The accounts of a file.
#[derive(Debug, Clone)]
pub struct Config {
    /// The folder of the store of drafts.
    pub state: PathBuf,
    /// The accounts by their names.
    pub accounts: BTreeMap<String, AccountConfig>,
}

impl Config {
    /// Reads a file. Relative paths in it are relative to its folder. Errors name the file and the line.
    ///
    /// # Errors
    /// If it cannot be read, or has a key that is unknown, missing, or of no use.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let (text, folder) = read_file(path)?;
        Self::parse(&text, &folder).map_err(|error| error.located(path, &text))
    }

    /// As [`Config::load`], for a server that must not be able to publish: a file with an app password is refused,
    /// because each of them can post.
    ///
    /// # Errors
    /// As [`Config::load`], and if the file has an app password.
    pub fn load_for_drafts(path: &Path) -> Result<Self, ConfigError> {
        let (text, folder) = read_file(path)?;
        let drafts = || {
            let config = Self::parse(&text, &folder)?;
            let with_password = config.accounts.values().find(|account| {
                account.network == NetworkKind::Bluesky && account.secret.is_some()
            });
            match with_password {
                None => Ok(config),
                Some(account) => Err(value_error(
                    &table_of(&account.name),
                    "password",
                    "can post; drafting needs none: remove it here, and give it to the owner's machine alone",
                )),
            }
        };
        drafts().map_err(|error: ConfigError| error.located(path, &text))
    }

    /// Reads the text of a file in `folder`.
    ///
    /// # Errors
    /// As [`Config::load`], without file and line.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let file: toml::Table = text.parse()?;
        let file = TableReader::new("the file", &file, &["state", "accounts"])?;
        let state = file.path("state", folder)?;
        let Some(tables) = file.table("accounts")?.filter(|tables| !tables.is_empty()) else {
            let problem = "is missing: a table for each account, such as [accounts.bluesky]";
            return Err(value_error("the file", "accounts", problem));
        };
        if tables.len() > MAX_ACCOUNTS {
            let problem = format!("holds {} accounts; at most {MAX_ACCOUNTS}", tables.len());
            return Err(value_error("the file", "accounts", &problem));
        }
        let mut accounts = BTreeMap::new();
        for (name, value) in tables {
            let Some(table) = value.as_table() else {
                return Err(value_error("[accounts]", name, "must be a table"));
            };
            if !is_name(name) {
                let problem =
                    "is no name of an account: at most 40 of the characters a-z, 0-9 and -";
                return Err(value_error("[accounts]", name, problem));
            }
            accounts.insert(name.clone(), account(name, table, folder)?);
        }
        Ok(Self {
            state: state.unwrap_or_else(|| folder.join("social-drafts")),
            accounts,
        })
    }
}

fn table_of(name: &str) -> String {
    format!("[accounts.{name}]")
}

fn is_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !name.is_empty() && name.len() <= 40 && name.chars().all(is_plain)
}

fn account(name: &str, table: &toml::Table, folder: &Path) -> Result<AccountConfig, ConfigError> {
    let at = table_of(name);
    let network = match table.get("network").and_then(toml::Value::as_str) {
        Some("bluesky") => NetworkKind::Bluesky,
        Some("mastodon") => NetworkKind::Mastodon,
        _ => {
            let problem = "must be \"bluesky\" or \"mastodon\"";
            return Err(value_error(&at, "network", problem));
        }
    };
    let known: &[&str] = match network {
        NetworkKind::Bluesky => &["network", "server", "handle", "password"],
        NetworkKind::Mastodon => &["network", "server", "handle", "token", "visibility"],
    };
    let reader = TableReader::new(&at, table, known)?;
    let server = parse_server(&reader.required("server")?)
        .map_err(|problem| value_error(&at, "server", problem))?;
    let handle = match network {
        NetworkKind::Bluesky => Some(reader.required("handle")?),
        NetworkKind::Mastodon => reader.text("handle")?,
    };
    let handle = handle.map(|handle| handle.trim().trim_start_matches('@').to_owned());
    if handle
        .as_deref()
        .is_some_and(|handle| handle.is_empty() || handle.len() > 255)
    {
        return Err(value_error(&at, "handle", "is no name of an account"));
    }
    let key = match network {
        NetworkKind::Bluesky => "password",
        NetworkKind::Mastodon => "token",
    };
    let secret = match table.contains_key(key) {
        true => Some(reader.secret(key, folder)?),
        false => None,
    };
    let visibility = match reader.text("visibility") {
        Ok(None) => Visibility::Public,
        Ok(Some(text)) => match text.as_str() {
            "public" => Visibility::Public,
            "unlisted" => Visibility::Unlisted,
            "private" => Visibility::Private,
            _ => {
                let problem = "must be \"public\", \"unlisted\" or \"private\"";
                return Err(value_error(&at, "visibility", problem));
            }
        },
        Err(error) => return Err(error),
    };
    Ok(AccountConfig {
        name: name.to_owned(),
        network,
        server,
        handle,
        secret,
        visibility,
    })
}

/// An address that a token may go to.
fn parse_server(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not a URL such as https://bsky.social")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a password");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end with the host or a folder, without ? and #");
    }
    match url.scheme() {
        "https" if url.host_str().is_some() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("must begin with https://: what is secret does not travel in the clear"),
        _ => Err("must begin with https://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "state = 's'\n[accounts.sky]\nnetwork = 'bluesky'\nserver = 'https://bsky.social'\n\
                         handle = '@ada.example'\npassword = { env = 'P' }\n[accounts.fedi]\nnetwork = 'mastodon'\n\
                         server = 'http://[::1]:80/x'\ntoken = { file = 't' }\nvisibility = 'unlisted'\n";

    #[test]
    fn config_accounts_are_read() {
        let config = Config::parse(WHOLE, Path::new("/etc")).unwrap();
        assert_eq!(config.state, Path::new("/etc/s"));
        let sky = &config.accounts["sky"];
        assert_eq!(
            (sky.network.id(), sky.handle.as_deref()),
            ("bluesky", Some("ada.example"))
        );
        let fedi = &config.accounts["fedi"];
        assert_eq!(fedi.secret, Some(Secret::File("/etc/t".into())));
        assert_eq!(fedi.visibility, Visibility::Unlisted);
        assert_eq!(fedi.handle, None);
    }

    #[test]
    fn config_refusal_names_the_line() {
        let head = "[accounts.a]\nnetwork = 'mastodon'\n";
        for (text, refusal) in [
            (
                "",
                "/s.toml:1: the file: `accounts` is missing: a table for each account, such as [accounts.bluesky]",
            ),
            (
                "[accounts.a]\nnetwork = 'x'\n",
                "/s.toml:2: [accounts.a]: `network` must be \"bluesky\" or \"mastodon\"",
            ),
            (
                "[accounts.'Ä']\nnetwork = 'bluesky'\n",
                "/s.toml:1: [accounts]: `Ä` is no name of an account: at most 40 of the characters a-z, 0-9 and -",
            ),
            (
                &format!("{head}server = 'http://m.example'\n"),
                "/s.toml:3: [accounts.a]: `server` must begin with https://: what is secret does not travel in the clear",
            ),
            (
                &format!("{head}server = 'http://127.0.0.1.example.com'\n"),
                "/s.toml:3: [accounts.a]: `server` must begin with https://: what is secret does not travel in the clear",
            ),
            (
                &format!("{head}server = 'https://a:b@m.example'\n"),
                "/s.toml:3: [accounts.a]: `server` must not hold a password",
            ),
            (
                &format!("{head}server = 'https://m.example'\npassword = 'x'\n"),
                "/s.toml:4: [accounts.a]: unknown key `password`; known keys: network, server, handle, token, visibility",
            ),
            (
                "[accounts.a]\nnetwork = 'bluesky'\nserver = 'https://m.example'\n",
                "/s.toml:1: [accounts.a]: `handle` is missing",
            ),
        ] {
            let error = Config::parse(text, Path::new("/")).unwrap_err();
            assert_eq!(
                error.located(Path::new("/s.toml"), text).to_string(),
                refusal
            );
        }
        let plain = format!("{head}server = 'https://m.example'\ntoken = 'hunter2'\n");
        let error = Config::parse(&plain, Path::new("/"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("must say where") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn app_password_is_refused_for_drafts() {
        let folder = std::env::temp_dir().join(format!("social-config-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("s.toml");
        std::fs::write(&path, WHOLE).unwrap();
        assert!(Config::load(&path).is_ok());
        let refusal = Config::load_for_drafts(&path).unwrap_err().to_string();
        assert!(
            refusal.ends_with(
                "s.toml:6: [accounts.sky]: `password` can post; drafting needs none: remove it here, and give it to the \
                 owner's machine alone"
            ),
            "{refusal}"
        );
        std::fs::write(&path, WHOLE.replace("password = { env = 'P' }\n", "")).unwrap();
        assert!(Config::load_for_drafts(&path).is_ok());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
