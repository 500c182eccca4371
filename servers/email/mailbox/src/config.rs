//! The accounts of a configuration file.
//!
//! A file is TOML with tables `[account.NAME]`; an unknown key is an error that names the key meant.
//! `[account.NAME.smtp]` belongs to the sending server beside this crate: here it is kept unread,
//! so that one file serves every program that looks at mail. Where a password comes from is [`crate::secret`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::compose::Address;
use crate::secret::Secret;

/// All accounts, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The accounts.
    pub accounts: BTreeMap<String, Account>,
    /// Where relative paths in the file start.
    pub folder: PathBuf,
}

/// One mailbox and the address it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// The name in the file: `owner` of `[account.owner]`.
    pub name: String,
    /// Who writes from it.
    pub address: Address,
    /// Where its mails are.
    pub backend: Backend,
    /// The table `[account.NAME.smtp]`, unread.
    pub smtp: Option<toml::Table>,
}

/// Where an account's mails are.
#[derive(Debug, Clone, PartialEq)]
pub enum Backend {
    /// In a folder of this machine.
    Maildir(MaildirSettings),
    /// On a server.
    Imap(ImapSettings),
}

/// A Maildir.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaildirSettings {
    /// The folder with `new`, `cur` and `tmp`.
    pub path: PathBuf,
}

/// An IMAP server. The connection is always TLS from the first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImapSettings {
    /// Its name, as in its certificate.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The login.
    pub user: String,
    /// Where the password is.
    pub password: Secret,
    /// A file of certificates (PEM) to trust besides the public roots.
    pub ca_file: Option<PathBuf>,
}

/// What is wrong with a configuration file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}", path = .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not TOML.
    #[error("not TOML: {0}")]
    Toml(#[from] toml::de::Error),
    /// A key nobody knows.
    #[error("{at}: unknown key `{key}`{hint}; known keys: {known}")]
    UnknownKey {
        /// The table.
        at: String,
        /// The key.
        key: String,
        /// The key that was probably meant, as words; may be empty.
        hint: String,
        /// All keys there are.
        known: String,
    },
    /// A key is missing or its value cannot be used.
    #[error("{at}: `{key}` {problem}")]
    Value {
        /// The table.
        at: String,
        /// The key.
        key: String,
        /// What is wrong, what to write.
        problem: String,
    },
    /// No accounts at all.
    #[error("there is no account: write a table [account.NAME] with address and backend")]
    NoAccount,
}

impl Config {
    /// Reads a file. Relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        Self::parse(&text, path.parent().unwrap_or_else(|| Path::new(".")))
    }

    /// Reads a text; `folder` is where relative paths start.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        let root: toml::Table = text.parse()?;
        let root = Reader::new("the file", &root, &["account"])?;
        let mut accounts = BTreeMap::new();
        if let Some(tables) = root.table("account")? {
            for (name, value) in tables {
                let at = format!("[account.{name}]");
                let toml::Value::Table(table) = value else {
                    return Err(value_error(&at, name, "must be a table"));
                };
                accounts.insert(name.clone(), account(name, &at, table, folder)?);
            }
        }
        if accounts.is_empty() {
            return Err(ConfigError::NoAccount);
        }
        Ok(Self {
            accounts,
            folder: folder.to_path_buf(),
        })
    }

    /// The account of this name.
    #[must_use]
    pub fn account(&self, name: &str) -> Option<&Account> {
        self.accounts.get(name)
    }
}

fn account(
    name: &str,
    at: &str,
    table: &toml::Table,
    folder: &Path,
) -> Result<Account, ConfigError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(value_error(
            at,
            name,
            "is not an account name: use letters, digits, - and _",
        ));
    }
    let all = &[
        "address", "backend", "path", "host", "port", "user", "password", "ca-file", "smtp",
    ];
    let reader = Reader::new(at, table, all)?;
    let given = reader.needed("address")?;
    let address = Address::parse("address", &given)
        .map_err(|error| value_error(at, "address", &error.to_string()))?;
    let backend = match reader.needed("backend")?.as_str() {
        "maildir" => {
            let reader = Reader::new(at, table, &["address", "backend", "path", "smtp"])?;
            Backend::Maildir(MaildirSettings {
                path: reader
                    .path("path", folder)?
                    .ok_or_else(|| value_error(at, "path", "is missing"))?,
            })
        }
        "imap" => {
            let known = &[
                "address", "backend", "host", "port", "user", "password", "ca-file", "smtp",
            ];
            let reader = Reader::new(at, table, known)?;
            Backend::Imap(ImapSettings {
                host: reader.needed("host")?,
                port: reader.port(993)?,
                user: reader.needed("user")?,
                password: reader.secret("password", folder)?,
                ca_file: reader.path("ca-file", folder)?,
            })
        }
        _ => {
            return Err(value_error(
                at,
                "backend",
                "must be \"maildir\" or \"imap\"",
            ));
        }
    };
    let smtp = reader.table("smtp")?.cloned();
    Ok(Account {
        name: name.to_owned(),
        address,
        backend,
        smtp,
    })
}

/// Reads one table whose keys are all known. Public for the tables that other crates own.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    at: &'a str,
    table: &'a toml::Table,
}

impl<'a> Reader<'a> {
    /// Checks that `table` has no other keys than `known`; `at` names the table in errors.
    pub fn new(at: &'a str, table: &'a toml::Table, known: &[&str]) -> Result<Self, ConfigError> {
        let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) else {
            return Ok(Self { at, table });
        };
        let nearest = known
            .iter()
            .map(|name| {
                (
                    strsim::damerau_levenshtein(&key.to_lowercase().replace('_', "-"), name),
                    name,
                )
            })
            .min()
            .filter(|(distance, name)| *distance <= 1 + name.len() / 4);
        Err(ConfigError::UnknownKey {
            at: at.to_owned(),
            key: key.clone(),
            hint: nearest
                .map(|(_, name)| format!(", did you mean `{name}`?"))
                .unwrap_or_default(),
            known: known.join(", "),
        })
    }

    /// A text that may be missing.
    pub fn text(&self, key: &str) -> Result<Option<String>, ConfigError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(toml::Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(value_error(self.at, key, "must be a text in quotes")),
        }
    }

    /// A text that must be there and not empty.
    pub fn needed(&self, key: &str) -> Result<String, ConfigError> {
        match self.text(key)? {
            None => Err(value_error(self.at, key, "is missing")),
            Some(text) if text.trim().is_empty() => Err(value_error(self.at, key, "is empty")),
            Some(text) => Ok(text),
        }
    }

    /// A path that may be missing: from the home folder if it starts with `~/`, else from `folder`.
    pub fn path(&self, key: &str, folder: &Path) -> Result<Option<PathBuf>, ConfigError> {
        let Some(text) = self.text(key)? else {
            return Ok(None);
        };
        if text.trim().is_empty() {
            return Err(value_error(self.at, key, "is empty"));
        }
        let home = std::env::var_os("HOME").map(PathBuf::from);
        resolve(&text, folder, home.as_deref())
            .map(Some)
            .map_err(|problem| value_error(self.at, key, problem))
    }

    /// A table that may be missing.
    pub fn table(&self, key: &str) -> Result<Option<&'a toml::Table>, ConfigError> {
        match self.table.get(key) {
            None => Ok(None),
            Some(toml::Value::Table(table)) => Ok(Some(table)),
            Some(_) => Err(value_error(self.at, key, "must be a table")),
        }
    }

    /// The key `port`, or `otherwise`.
    pub fn port(&self, otherwise: u16) -> Result<u16, ConfigError> {
        match self.table.get("port") {
            None => Ok(otherwise),
            Some(value) => value
                .as_integer()
                .and_then(|number| u16::try_from(number).ok())
                .filter(|port| *port > 0)
                .ok_or_else(|| value_error(self.at, "port", "must be a number from 1 to 65535")),
        }
    }

    /// Where a password is kept: a table with one of `env`, `file`, `keyring`.
    pub fn secret(&self, key: &str, folder: &Path) -> Result<Secret, ConfigError> {
        let advice = "must say where the password is kept, not the password: \
                      { env = \"NAME\" }, { file = \"PATH\" } or { keyring = \"NAME\" }";
        let Some(toml::Value::Table(table)) = self.table.get(key) else {
            return Err(value_error(self.at, key, advice));
        };
        let at = format!("{} {key}", self.at);
        let reader = Reader::new(&at, table, &["env", "file", "keyring"])?;
        match (
            reader.text("env")?,
            reader.path("file", folder)?,
            reader.text("keyring")?,
        ) {
            (Some(name), None, None) => Ok(Secret::Env(name)),
            (None, Some(path), None) => Ok(Secret::File(path)),
            (None, None, Some(name)) => Ok(Secret::Keyring(name)),
            _ => Err(value_error(self.at, key, advice)),
        }
    }
}

/// Where a path of the file leads: `~/` is the home folder, and what is relative starts in `folder`.
fn resolve(text: &str, folder: &Path, home: Option<&Path>) -> Result<PathBuf, &'static str> {
    let Some(below) = text.strip_prefix("~/") else {
        return Ok(folder.join(text));
    };
    let home = home
        .filter(|home| home.is_absolute())
        .ok_or("starts with `~/`, and HOME names no folder; write the whole path")?;
    Ok(home.join(below))
}

/// A complaint about one value.
pub fn value_error(at: &str, key: &str, problem: &str) -> ConfigError {
    ConfigError::Value {
        at: at.to_owned(),
        key: key.to_owned(),
        problem: problem.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAILDIR: &str = "[account.owner]\naddress = \"Owner <owner@example.test>\"\nbackend = \"maildir\"\npath = \"Mail\"\n";

    fn refusal(text: &str) -> String {
        Config::parse(text, Path::new("/etc"))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_maildir_account_needs_little() {
        let config = Config::parse(MAILDIR, Path::new("/home/owner")).unwrap();
        let account = config.account("owner").unwrap();
        assert_eq!(account.address.email(), "owner@example.test");
        assert_eq!(
            account.backend,
            Backend::Maildir(MaildirSettings {
                path: "/home/owner/Mail".into()
            })
        );
    }

    #[test]
    fn an_imap_account_has_its_port_and_never_a_password() {
        let text = "[account.a]\naddress='a@b.test'\nbackend='imap'\nhost='h'\nuser='u'\npassword={env='P'}\n\
                    [account.a.smtp]\nhost='x'\n";
        let config = Config::parse(text, Path::new("/")).unwrap();
        let Backend::Imap(imap) = &config.accounts["a"].backend else {
            panic!("imap expected")
        };
        assert_eq!((imap.port, &imap.password), (993, &Secret::Env("P".into())));
        assert!(config.accounts["a"].smtp.is_some());
        let wrong = text.replace("{env='P'}", "'hunter2'");
        assert!(
            refusal(&wrong).contains("not the password"),
            "{}",
            refusal(&wrong)
        );
        assert!(!refusal(&wrong).contains("hunter2"));
    }

    #[test]
    fn an_unknown_key_names_the_key_that_was_meant() {
        let message = refusal(&MAILDIR.replace("path", "pth"));
        assert!(
            message.contains("[account.owner]: unknown key `pth`, did you mean `path`?"),
            "{message}"
        );
        let message = refusal(&format!("{MAILDIR}ca_file = 'x'\n"));
        assert!(
            message.contains("unknown key `ca_file`, did you mean `ca-file`?"),
            "{message}"
        );
    }

    #[test]
    fn keys_of_the_other_backend_are_refused() {
        assert!(refusal(&format!("{MAILDIR}host = 'x'\n")).contains("unknown key `host`"));
    }

    #[test]
    fn a_path_may_start_in_the_home_folder() {
        let (etc, home) = (Path::new("/etc"), Path::new("/homes/me"));
        assert_eq!(
            resolve("~/Mail", etc, Some(home)).unwrap(),
            Path::new("/homes/me/Mail")
        );
        assert_eq!(
            resolve("Mail", etc, Some(home)).unwrap(),
            Path::new("/etc/Mail")
        );
        assert_eq!(resolve("/x/Mail", etc, None).unwrap(), Path::new("/x/Mail"));
        assert!(
            resolve("~/Mail", etc, None)
                .unwrap_err()
                .contains("HOME names no folder")
        );
        let home = std::env::var_os("HOME").map(PathBuf::from).unwrap();
        let text = "[account.a]\naddress='a@b.test'\nbackend='imap'\nhost='h'\nuser='u'\n\
                    password={file='~/secret'}\nca-file='~/ca.pem'\n";
        let config = Config::parse(text, Path::new("/")).unwrap();
        let Backend::Imap(imap) = &config.accounts["a"].backend else {
            panic!("imap expected")
        };
        assert_eq!(imap.password, Secret::File(home.join("secret")));
        assert_eq!(imap.ca_file, Some(home.join("ca.pem")));
    }

    #[test]
    fn missing_and_wrong_values_are_named() {
        assert!(refusal("").contains("[account.NAME]"));
        assert!(refusal(&MAILDIR.replace("maildir", "mbox")).contains("`backend` must be"));
        assert!(refusal(&MAILDIR.replace("owner@example.test", "nobody")).contains("`address`"));
        assert!(refusal(&MAILDIR.replace("path = \"Mail\"", "")).contains("`path` is missing"));
    }
}
