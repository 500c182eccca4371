//! The configuration file of WhatsApp: one phone number of the official Cloud API.
//!
//! ```toml
//! [whatsapp]
//! phone_number_id = "106540352242922"
//! token = { file = "whatsapp.token" }
//! app_secret = { file = "whatsapp.app-secret" }
//! verify_token = { file = "whatsapp.verify-token" }
//! # Whose templates may be sent; without it none are.
//! business_account_id = "102290129340398"
//! # Where the webhook is received: your tunnel leads here.
//! listen = "127.0.0.1:8085"
//! # What was received, and what was sent; a folder that only you can open.
//! state = "whatsapp-state"
//! ```

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use platinum_kit::client::is_loopback;
use platinum_kit::config::{TableReader, read_file, value_error};
use platinum_kit::{ConfigError, Secret};
use reqwest::Url;

/// The table.
const TABLE: &str = "[whatsapp]";
/// Its keys.
const KEYS: [&str; 8] = [
    "phone_number_id",
    "business_account_id",
    "token",
    "app_secret",
    "verify_token",
    "base",
    "listen",
    "state",
];
/// Where the Cloud API answers, with the version that this program was written for.
pub const DEFAULT_BASE: &str = "https://graph.facebook.com/v26.0";
/// Where the webhook is received if the file does not say.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8085";
/// The folder of the store if the file does not say, beside the file. It is one of the names that are never synced.
pub const DEFAULT_STATE: &str = "whatsapp-state";

/// One phone number of the Cloud API.
#[derive(Debug, Clone)]
pub struct WhatsappConfig {
    /// Meta's id of the phone number, digits alone.
    pub phone_number_id: String,
    /// Meta's id of the WhatsApp Business account, whose templates may be sent; without it none are.
    pub business_account_id: Option<String>,
    /// The access token.
    pub token: Secret,
    /// The app secret, by which webhooks are signed.
    pub app_secret: Secret,
    /// The word by which Meta is let set the webhook up.
    pub verify_token: Secret,
    /// Where the Cloud API answers, with its version: `https`, or `http` of this machine.
    pub base: Url,
    /// Where the webhook is received: an address of this machine alone.
    pub listen: SocketAddr,
    /// The folder of the store.
    pub state: PathBuf,
}

impl WhatsappConfig {
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
    /// As [`WhatsappConfig::load`], without file and line.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let file: toml::Table = text.parse()?;
        let file = TableReader::new("the file", &file, &["whatsapp"])?;
        let Some(table) = file.table("whatsapp")? else {
            let problem = "is missing: a table [whatsapp]";
            return Err(value_error("the file", "whatsapp", problem));
        };
        let table = TableReader::new(TABLE, table, &KEYS)?;
        let phone_number_id = table.required("phone_number_id")?;
        if !is_id(&phone_number_id) {
            let problem = "must be the id of the number, digits alone; not the number itself";
            return Err(value_error(TABLE, "phone_number_id", problem));
        }
        let business_account_id = table.text("business_account_id")?;
        if business_account_id.as_deref().is_some_and(|id| !is_id(id)) {
            let problem = "must be the id of the WhatsApp Business account, digits alone";
            return Err(value_error(TABLE, "business_account_id", problem));
        }
        let base = table.text("base")?;
        let base = parse_base(base.as_deref().unwrap_or(DEFAULT_BASE))
            .map_err(|problem| value_error(TABLE, "base", problem))?;
        let listen = table.text("listen")?;
        let listen = parse_listen(listen.as_deref().unwrap_or(DEFAULT_LISTEN))
            .map_err(|problem| value_error(TABLE, "listen", problem))?;
        let state = table.path("state", folder)?;
        Ok(Self {
            phone_number_id,
            business_account_id,
            token: table.secret("token", folder)?,
            app_secret: table.secret("app_secret", folder)?,
            verify_token: table.secret("verify_token", folder)?,
            base,
            listen,
            state: state.unwrap_or_else(|| folder.join(DEFAULT_STATE)),
        })
    }

    /// The version of the API that `base` names, such as `v26.0`.
    #[must_use]
    pub fn api_version(&self) -> &str {
        let last = self
            .base
            .path_segments()
            .and_then(|mut all| all.next_back());
        last.unwrap_or_default()
    }
}

/// Whether this is an id of Meta's: digits alone.
fn is_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// An address that the token may go to, which ends with a version.
fn parse_base(text: &str) -> Result<Url, &'static str> {
    let text = text.trim_end_matches('/');
    let url =
        Url::parse(text).map_err(|_| "is not a URL such as https://graph.facebook.com/v26.0")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a password; the token belongs under `token`");
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must end with the version of the API, without ? and #");
    }
    match url.scheme() {
        "https" if url.host_str().is_some() => {}
        "http" if is_loopback(&url) => {}
        "http" => return Err("must begin with https://: the token does not travel in the clear"),
        _ => return Err("must begin with https://"),
    }
    let last = url.path_segments().and_then(|mut all| all.next_back());
    let is_version = |part: &str| {
        let digits = part.strip_prefix('v').unwrap_or_default();
        let is_digit = |c: char| c.is_ascii_digit() || c == '.';
        digits.starts_with(|c: char| c.is_ascii_digit()) && digits.chars().all(is_digit)
    };
    match last.is_some_and(is_version) {
        true => Ok(url),
        false => Err("must end with the version of the API, such as /v26.0"),
    }
}

/// An address of this machine alone.
fn parse_listen(text: &str) -> Result<SocketAddr, &'static str> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "must be an address with a port, such as 127.0.0.1:8085")?;
    match address.ip().is_loopback() {
        true => Ok(address),
        false => Err(
            "must be an address of this machine alone, such as 127.0.0.1:8085; your tunnel leads there",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: &str =
        "token = { file = 't' }\napp_secret = { env = 'S' }\nverify_token = { keyring = 'v' }\n";

    fn refusal(keys: &str) -> String {
        let text = format!("[whatsapp]\n{keys}{SECRETS}");
        let error = WhatsappConfig::parse(&text, Path::new("/etc")).unwrap_err();
        error.located(Path::new("/w.toml"), &text).to_string()
    }

    #[test]
    fn config_reads_a_number_and_where_its_secrets_are() {
        let text = format!("[whatsapp]\nphone_number_id = '106540352242922'\n{SECRETS}");
        let config = WhatsappConfig::parse(&text, Path::new("/etc")).unwrap();
        assert_eq!(config.base.as_str(), DEFAULT_BASE);
        assert_eq!(config.api_version(), "v26.0");
        assert_eq!(config.listen.to_string(), DEFAULT_LISTEN);
        assert_eq!(config.state, Path::new("/etc/whatsapp-state"));
        assert_eq!(config.token, Secret::File("/etc/t".into()));
    }

    #[test]
    fn config_refuses_what_cannot_work_with_its_line() {
        let number = "phone_number_id = '1'\n";
        for (keys, problem) in [
            (
                "phone_number_id = '+1 650'\n".to_owned(),
                "/w.toml:2: [whatsapp]: `phone_number_id` must be the id of the number, digits alone; not the number itself",
            ),
            (
                format!("{number}business_account_id = 'me'\n"),
                "/w.toml:3: [whatsapp]: `business_account_id` must be the id of the WhatsApp Business account, digits \
                 alone",
            ),
            (
                format!("{number}base = 'http://graph.facebook.com/v26.0'\n"),
                "/w.toml:3: [whatsapp]: `base` must begin with https://: the token does not travel in the clear",
            ),
            (
                format!("{number}base = 'https://graph.facebook.com'\n"),
                "/w.toml:3: [whatsapp]: `base` must end with the version of the API, such as /v26.0",
            ),
            (
                format!("{number}base = 'https://t:s@graph.facebook.com/v26.0'\n"),
                "/w.toml:3: [whatsapp]: `base` must not hold a password; the token belongs under `token`",
            ),
            (
                format!("{number}listen = '0.0.0.0:8085'\n"),
                "/w.toml:3: [whatsapp]: `listen` must be an address of this machine alone, such as 127.0.0.1:8085; your \
                 tunnel leads there",
            ),
            (
                format!("{number}listen = 'localhost'\n"),
                "/w.toml:3: [whatsapp]: `listen` must be an address with a port, such as 127.0.0.1:8085",
            ),
            (
                format!("{number}lisen = '127.0.0.1:1'\n"),
                "/w.toml:3: [whatsapp]: unknown key `lisen`, did you mean `listen`?; known keys: phone_number_id, \
                 business_account_id, token, app_secret, verify_token, base, listen, state",
            ),
        ] {
            assert_eq!(refusal(&keys), problem);
        }
        let text = "[whatsapp]\nphone_number_id = '1'\ntoken = 'EAAhunter2'\n";
        let error = WhatsappConfig::parse(text, Path::new("/")).unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("`token` must say where"), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
