//! The configuration file of a server for Odoo: one database of one Odoo, and the key of one user.
//!
//! ```toml
//! [odoo]
//! url = "https://odoo.example.com"
//! database = "example"
//! key = { file = "odoo.key" }
//! # Odoo 18 and older also want the login of the key's user.
//! user = "platinum@example.com"
//! ```

use std::path::Path;

use platinum_kit::client::is_loopback;
use platinum_kit::config::{TableReader, read_file, value_error};
use platinum_kit::{ConfigError, Secret};
use reqwest::Url;

/// The table.
const TABLE: &str = "[odoo]";

/// Which protocol is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// That of its version.
    Auto,
    /// JSON-2, which Odoo 19 and later have.
    Json2,
    /// JSON-RPC, which Odoo has until 21.
    JsonRpc,
}

/// One database of one Odoo.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it answers, without a path at its end: `https`, or `http` of this machine.
    pub url: Url,
    /// The name of the database.
    pub database: String,
    /// The login of the key's user; JSON-RPC needs it.
    pub user: Option<String>,
    /// The API key.
    pub key: Secret,
    /// Which protocol is spoken.
    pub protocol: Protocol,
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

    /// Reads the text of a file in `folder`.
    ///
    /// # Errors
    /// As [`Config::load`], without file and line.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let file: toml::Table = text.parse()?;
        let file = TableReader::new("the file", &file, &["odoo"])?;
        let Some(table) = file.table("odoo")? else {
            return Err(value_error(
                "the file",
                "odoo",
                "is missing: a table [odoo]",
            ));
        };
        let table = TableReader::new(
            TABLE,
            table,
            &["url", "database", "user", "key", "protocol"],
        )?;
        let url = parse_url(&table.required("url")?)
            .map_err(|problem| value_error(TABLE, "url", problem))?;
        let protocol = match table.text("protocol")?.as_deref() {
            None | Some("auto") => Protocol::Auto,
            Some("json-2") => Protocol::Json2,
            Some("json-rpc") => Protocol::JsonRpc,
            Some(_) => {
                let problem = "must be \"auto\", \"json-2\" or \"json-rpc\"";
                return Err(value_error(TABLE, "protocol", problem));
            }
        };
        let user = table.text("user")?;
        if protocol == Protocol::JsonRpc && user.is_none() {
            return Err(value_error(
                TABLE,
                "user",
                "is missing: JSON-RPC needs the login of the key's user",
            ));
        }
        Ok(Self {
            url,
            database: table.required("database")?,
            user,
            key: table.secret("key", folder)?,
            protocol,
        })
    }
}

/// An address that the key may go to.
fn parse_url(text: &str) -> Result<Url, &'static str> {
    let url = Url::parse(text).map_err(|_| "is not a URL such as https://odoo.example.com")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a password; the key belongs under `key`");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end with the host or a folder, without ? and #");
    }
    match url.scheme() {
        "https" if url.host_str().is_some() => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("must begin with https://: the key does not travel in the clear"),
        _ => Err("must begin with https://"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let error = Config::parse(text, Path::new("/etc")).unwrap_err();
        error.located(Path::new("/o.toml"), text).to_string()
    }

    #[test]
    fn config_reads_a_database_and_where_its_key_is() {
        let text =
            "[odoo]\nurl = 'https://odoo.example.com'\ndatabase = 'd'\nkey = { file = 'k' }\n";
        let config = Config::parse(text, Path::new("/etc")).unwrap();
        assert_eq!(config.url.as_str(), "https://odoo.example.com/");
        assert_eq!(config.key, Secret::File("/etc/k".into()));
        assert_eq!((config.protocol, config.user), (Protocol::Auto, None));
    }

    #[test]
    fn config_refuses_what_cannot_work_with_its_line() {
        let rest = "database = 'd'\nkey = { env = 'K' }\n";
        for (text, problem) in [
            ("", "/o.toml:1: the file: `odoo` is missing: a table [odoo]"),
            (
                "[odoo]\nurl = 'http://odoo.example.com'\n",
                "/o.toml:2: [odoo]: `url` must begin with https://: the key does not travel in the clear",
            ),
            (
                "[odoo]\nurl = 'https://u:p@odoo.example.com'\n",
                "/o.toml:2: [odoo]: `url` must not hold a password; the key belongs under `key`",
            ),
            (
                "[odoo]\nurl = 'http://127.0.0.1.example.com'\n",
                "/o.toml:2: [odoo]: `url` must begin with https://: the key does not travel in the clear",
            ),
            (
                "[odoo]\nurl = 'ftp://x'\n",
                "/o.toml:2: [odoo]: `url` must begin with https://",
            ),
            (
                "[odoo]\nurl = 'http://[::1]:8069'\nprotocol = 'xml-rpc'\n",
                "/o.toml:3: [odoo]: `protocol` must be \"auto\", \"json-2\" or \"json-rpc\"",
            ),
            (
                "[odoo]\nurl = 'http://localhost:8069'\nprotocol = 'json-rpc'\n",
                "/o.toml:1: [odoo]: `user` is missing: JSON-RPC needs the login of the key's user",
            ),
            (
                "[odoo]\nulr = 'http://localhost:8069'\n",
                "/o.toml:2: [odoo]: unknown key `ulr`, did you mean `url`?; known keys: url, database, user, key, protocol",
            ),
        ] {
            assert_eq!(
                refusal(&format!(
                    "{text}{}",
                    if text.contains("url =") { rest } else { "" }
                )),
                problem
            );
        }
        let plain = "[odoo]\nurl = 'https://x.test'\ndatabase = 'd'\nkey = 'hunter2'\n";
        let refusal = refusal(plain);
        assert!(
            refusal.starts_with("/o.toml:4: [odoo]: `key` must say where"),
            "{refusal}"
        );
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}
