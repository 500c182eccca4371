//! The accounts of a configuration file.
//!
//! A file is TOML with tables `[account.NAME]`. `[account.NAME.smtp]` belongs to the sending server
//! beside this crate: here it is kept unread, so that one file serves every program that reads mail.
//! Reading tables, and where a password comes from, is `platinum_kit`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub use platinum_kit::ConfigError;
use platinum_kit::config::{TableReader, load, value_error};
use platinum_kit::secret::Secret;

use crate::compose::Address;

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
    /// What else is written to its owner: addresses in lower case, and whole domains as `@example.org`.
    pub aliases: Vec<String>,
    /// Whether an answer goes to everybody who got the mail, too.
    pub reply_all: bool,
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

impl Config {
    /// Reads a file. Relative paths in it are relative to its folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let (root, folder) = load(path)?;
        Self::read(&root, &folder)
    }

    /// Reads a text; `folder` is where relative paths start.
    pub fn parse(text: &str, folder: &Path) -> Result<Self, ConfigError> {
        Self::read(&text.parse()?, folder)
    }

    fn read(root: &toml::Table, folder: &Path) -> Result<Self, ConfigError> {
        let root = TableReader::new("the file", root, &["account"])?;
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
            return Err(value_error(
                "the file",
                "account",
                "is missing: write a table [account.NAME] with address and backend",
            ));
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
    // What an account of either kind has.
    let common = ["address", "aliases", "reply-all", "backend", "smtp"];
    let maildir = ["path"];
    let imap = ["host", "port", "user", "password", "ca-file"];
    let all: Vec<&str> = common.into_iter().chain(maildir).chain(imap).collect();
    let reader = TableReader::new(at, table, &all)?;
    let text = reader.required("address")?;
    let address = Address::parse("address", &text)
        .map_err(|error| value_error(at, "address", &error.to_string()))?;
    let backend = match reader.required("backend")?.as_str() {
        "maildir" => {
            let known: Vec<&str> = common.into_iter().chain(maildir).collect();
            let reader = TableReader::new(at, table, &known)?;
            Backend::Maildir(MaildirSettings {
                path: reader
                    .path("path", folder)?
                    .ok_or_else(|| value_error(at, "path", "is missing"))?,
            })
        }
        "imap" => {
            let known: Vec<&str> = common.into_iter().chain(imap).collect();
            let reader = TableReader::new(at, table, &known)?;
            Backend::Imap(ImapSettings {
                host: reader.required("host")?,
                port: reader.port(993)?,
                user: reader.required("user")?,
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
        aliases: aliases(at, table)?,
        reply_all: match table.get("reply-all") {
            None => true,
            Some(toml::Value::Boolean(value)) => *value,
            Some(_) => return Err(value_error(at, "reply-all", "must be true or false")),
        },
        backend,
        smtp,
    })
}

/// Further addresses of the owner, and domains of which every address is the owner's.
fn aliases(at: &str, table: &toml::Table) -> Result<Vec<String>, ConfigError> {
    let wrong = |what: &str| value_error(at, "aliases", what);
    let list = match table.get("aliases") {
        None => return Ok(Vec::new()),
        Some(toml::Value::Array(list)) => list,
        Some(_) => {
            return Err(wrong(
                "must be a list: aliases = [\"me@example.org\", \"@example.net\"]",
            ));
        }
    };
    list.iter()
        .map(|value| {
            let text = value.as_str().unwrap_or_default().trim();
            let domain = text.strip_prefix('@').map(|domain| format!("all@{domain}"));
            let address = domain.as_deref().unwrap_or(text);
            platinum_text::MailAddress::parse(address)
                .map(|_| text.to_lowercase())
                .map_err(|error| {
                    wrong(&format!(
                        "has {text:?}, which is no address and no @domain: {error}"
                    ))
                })
        })
        .collect()
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
    fn maildir_account_needs_address_and_path() {
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
    fn imap_account_has_default_port_and_no_plain_password() {
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
    fn aliases_are_addresses_and_domains() {
        let account = |more: &str| Config::parse(&format!("{MAILDIR}{more}\n"), Path::new("/"));
        let plain = account("").unwrap().accounts["owner"].clone();
        assert_eq!((plain.aliases.len(), plain.reply_all), (0, true));
        let config = account("aliases = ['Me@other.test', '@family.test']\nreply-all = false");
        let owner = config.unwrap().accounts["owner"].clone();
        assert_eq!(owner.aliases, ["me@other.test", "@family.test"]);
        assert!(!owner.reply_all);
        for (more, why) in [
            ("aliases = 'me@x.test'", "must be a list"),
            (
                "aliases = ['me']",
                "has \"me\", which is no address and no @domain: there is no @ in it",
            ),
            ("aliases = ['@']", "the part after the @ is not a domain"),
            ("reply-all = 'no'", "must be true or false"),
        ] {
            let error = account(more).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn unknown_key_names_the_nearest_key() {
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
    fn key_of_the_other_backend_is_refused() {
        assert!(refusal(&format!("{MAILDIR}host = 'x'\n")).contains("unknown key `host`"));
    }

    #[test]
    fn path_may_start_in_the_home_folder() {
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
