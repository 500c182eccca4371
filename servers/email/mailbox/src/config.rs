//! The accounts of a configuration file.
//!
//! A file is TOML with tables `[account.NAME]`. `[account.NAME.smtp]` belongs to the sending server
//! beside this crate: here it is kept unread, so that one file serves every program that reads mail.
//! Reading tables, and where a password comes from, is `platinum_kit`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use platinum_connect::oauth::OAuthSettings;
use platinum_connect::{Credential, Endpoint, Protocol, Provider, Usual, providers};
pub use platinum_kit::ConfigError;
use platinum_kit::config::{TableReader, read_file, value_error};

use crate::compose::Address;

/// The longest signature, in bytes and lines.
const MAX_SIGNATURE: usize = 1024;
const MAX_SIGNATURE_LINES: usize = 20;

/// All accounts, by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The accounts.
    pub accounts: BTreeMap<String, Account>,
    /// Where relative paths in the file start.
    pub folder: PathBuf,
    /// The file, if it was one.
    pub path: Option<PathBuf>,
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
    /// Whether further addresses of the owner are learnt from the mails that were sent.
    pub aliases_from_sent: bool,
    /// Whether an answer goes to everybody who got the mail, too.
    pub reply_all: bool,
    /// What stands below the closing of its mails, if that is not to be learnt from those that were sent.
    pub signature: Option<String>,
    /// Where its mails are.
    pub backend: Backend,
    /// The provider whose preset it names.
    pub provider: Option<&'static Provider>,
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

/// An IMAP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImapSettings {
    /// Where it is, and how it is trusted.
    pub endpoint: Endpoint,
    /// The login.
    pub user: String,
    /// How it proves who it is.
    pub credential: Credential,
    /// What a person checks when the server refuses the login.
    pub advice: String,
}

impl Config {
    /// Reads a file. Relative paths in it are relative to its folder. Errors name the file and the line.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let (text, folder) = read_file(path)?;
        let config = Self::parse(&text, &folder).map_err(|error| error.located(path, &text))?;
        Ok(Self {
            path: Some(path.to_path_buf()),
            ..config
        })
    }

    /// An error of a part of the file that this crate does not read, with file and line.
    #[must_use]
    pub fn locate(&self, error: ConfigError) -> ConfigError {
        let text = self.path.as_ref().and_then(|path| {
            let (text, _) = read_file(path).ok()?;
            Some((path, text))
        });
        match text {
            Some((path, text)) => error.located(path, &text),
            None => error,
        }
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
            path: None,
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
    const COMMON: [&str; 7] = [
        "address",
        "signature",
        "aliases",
        "aliases-from-sent",
        "reply-all",
        "backend",
        "smtp",
    ];
    const MAILDIR: [&str; 1] = ["path"];
    const IMAP: [&str; 4] = ["provider", "user", "password", "oauth"];
    let all = [&COMMON[..], &MAILDIR, &IMAP, &Endpoint::KEYS].concat();
    let reader = TableReader::new(at, table, &all)?;
    let text = reader.required("address")?;
    let address = Address::parse("address", &text)
        .map_err(|error| value_error(at, "address", &error.to_string()))?;
    let provider = match reader.text("provider")? {
        None => None,
        Some(text) => Some(providers::provider(&text).ok_or_else(|| {
            let known: Vec<_> = providers::providers()
                .iter()
                .map(|p| p.id.as_str())
                .collect();
            let problem = format!(
                "is none that is known: write one of {}, or leave it out and give `host`",
                known.join(", ")
            );
            value_error(at, "provider", &problem)
        })?),
    };
    // A provider of mailboxes has servers.
    let backend = match provider {
        Some(_) => reader.text("backend")?.unwrap_or_else(|| "imap".to_owned()),
        None => reader.required("backend")?,
    };
    let backend = match backend.as_str() {
        "maildir" => {
            let reader = TableReader::new(at, table, &[&COMMON[..], &MAILDIR].concat())?;
            Backend::Maildir(MaildirSettings {
                path: reader
                    .path("path", folder)?
                    .ok_or_else(|| value_error(at, "path", "is missing"))?,
            })
        }
        "imap" => {
            let known = [&COMMON[..], &IMAP, &Endpoint::KEYS].concat();
            let reader = TableReader::new(at, table, &known)?;
            let server = provider.map(Provider::imap);
            let usual = Usual {
                server: server.as_ref(),
                beside: None,
            };
            let credential = credential(name, at, &reader, table, folder, provider)?;
            Backend::Imap(ImapSettings {
                endpoint: Endpoint::read(at, &reader, folder, Protocol::Imap, usual)?,
                user: match (reader.text("user")?, provider) {
                    (None, Some(_)) => address.email().to_owned(),
                    _ => reader.required("user")?,
                },
                advice: match (&credential, provider) {
                    (Credential::Password(_), Some(provider)) => format!(
                        "{}; {} wants {}",
                        credential.advice(),
                        provider.title,
                        provider.password
                    ),
                    _ => credential.advice().to_owned(),
                },
                credential,
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
        aliases_from_sent: switch(at, table, "aliases-from-sent")?,
        reply_all: switch(at, table, "reply-all")?,
        signature: signature(at, &reader)?,
        backend,
        provider,
        smtp,
    })
}

/// A key that is on unless it says otherwise.
fn switch(at: &str, table: &toml::Table, key: &str) -> Result<bool, ConfigError> {
    match table.get(key) {
        None => Ok(true),
        Some(toml::Value::Boolean(value)) => Ok(*value),
        Some(_) => Err(value_error(at, key, "must be true or false")),
    }
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

/// The password of a table, or its tokens.
fn credential(
    name: &str,
    at: &str,
    reader: &TableReader<'_>,
    table: &toml::Table,
    folder: &Path,
    provider: Option<&Provider>,
) -> Result<Credential, ConfigError> {
    let Some(oauth) = reader.table("oauth")? else {
        return Ok(Credential::Password(reader.secret("password", folder)?));
    };
    if table.contains_key("password") {
        let problem = "and a table `oauth` are both given; keep one of them";
        return Err(value_error(at, "password", problem));
    }
    let usual = provider.and_then(|provider| provider.oauth.as_ref());
    let sends = table.contains_key("smtp");
    let settings = OAuthSettings::read(name, oauth, folder, usual, sends)?;
    Ok(Credential::OAuth(Box::new(settings)))
}

/// The signature of a table, if it has one.
fn signature(at: &str, reader: &TableReader<'_>) -> Result<Option<String>, ConfigError> {
    let Some(text) = reader.text("signature")? else {
        return Ok(None);
    };
    let text = text.replace("\r\n", "\n");
    let text = text.trim_matches('\n');
    let is_unseen = |c: char| c != '\n' && (c.is_control() || platinum_text::is_hidden(c));
    let problem = if text.trim().is_empty() {
        "is empty; leave it out".to_owned()
    } else if text.len() > MAX_SIGNATURE || text.lines().count() > MAX_SIGNATURE_LINES {
        format!("is longer than {MAX_SIGNATURE_LINES} lines or {MAX_SIGNATURE} bytes")
    } else if text.contains(is_unseen) {
        "has characters that nobody sees".to_owned()
    } else {
        return Ok(Some(text.to_owned()));
    };
    Err(value_error(at, "signature", &problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platinum_connect::Security;
    use platinum_kit::secret::Secret;

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
        assert_eq!(
            (imap.endpoint.port, &imap.credential),
            (993, &Credential::Password(Secret::Env("P".into())))
        );
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
    fn signature_is_text_of_a_few_lines() {
        let of = |text: &str| Config::parse(&format!("{MAILDIR}{text}\n"), Path::new("/"));
        let signature = |text: &str| of(text).unwrap().accounts["owner"].signature.clone();
        assert_eq!(signature(""), None);
        let block = "signature = \"\"\"\nOlga\n-- \nOlga Owner\n\"\"\"";
        assert_eq!(signature(block).as_deref(), Some("Olga\n-- \nOlga Owner"));
        for (text, why) in [
            (
                "signature = ''".to_owned(),
                "`signature` is empty; leave it out",
            ),
            (
                format!("signature = '{}'", "x".repeat(2000)),
                "is longer than 20 lines",
            ),
            (
                "signature = \"a\\u200Bb\"".to_owned(),
                "has characters that nobody sees",
            ),
            ("signature = 1".to_owned(), "must be a text in quotes"),
        ] {
            let error = of(&text).unwrap_err().to_string();
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
        let password = Credential::Password(Secret::File(home.join("secret")));
        assert_eq!(imap.credential, password);
        assert_eq!(imap.endpoint.ca_file, Some(home.join("ca.pem")));
    }

    #[test]
    fn provider_fills_in_what_the_table_leaves_out() {
        let text = "[account.a]\naddress='a@icloud.com'\nprovider='iCloud'\npassword={env='P'}\n";
        let config = Config::parse(text, Path::new("/")).unwrap();
        let account = &config.accounts["a"];
        let Backend::Imap(imap) = &account.backend else {
            panic!("imap expected")
        };
        assert_eq!(imap.endpoint.address(), "imap.mail.me.com:993");
        assert_eq!(imap.user, "a@icloud.com");
        assert!(imap.advice.ends_with("iCloud wants an app-specific password (account.apple.com), not that of the Apple Account"));
        let own = format!("{text}host='localhost'\nport=1143\nsecurity='starttls'\nuser='u'\n");
        let config = Config::parse(&own, Path::new("/")).unwrap();
        let Backend::Imap(imap) = &config.accounts["a"].backend else {
            panic!("imap expected")
        };
        assert_eq!(imap.endpoint.address(), "localhost:1143");
        assert_eq!(
            (imap.endpoint.security, imap.user.as_str()),
            (Security::StartTls, "u")
        );
        assert!(
            refusal(&text.replace("iCloud", "iclod")).contains("write one of gmail, microsoft, ")
        );
    }

    #[test]
    fn oauth_takes_the_place_of_a_password() {
        let text = "[account.a]\naddress='a@x.test'\nprovider='microsoft'\n[account.a.oauth]\n\
                    client-id='c'\ntoken={file='a.token'}\n";
        let scopes = |text: &str| {
            let config = Config::parse(text, Path::new("/")).unwrap();
            let Backend::Imap(imap) = &config.accounts["a"].backend else {
                panic!("imap expected")
            };
            let Credential::OAuth(settings) = &imap.credential else {
                panic!("tokens expected")
            };
            settings.sends
        };
        assert!(!scopes(text));
        assert!(scopes(&format!("{text}[account.a.smtp]\n")));
        let both = text.replace("[account.a.oauth]", "password={env='P'}\n[account.a.oauth]");
        assert!(refusal(&both).contains("both given"));
    }

    #[test]
    fn loaded_file_is_named_with_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.toml");
        std::fs::write(&path, format!("{MAILDIR}\n\npath2 = 'x'\n")).unwrap();
        let error = Config::load(&path).unwrap_err().to_string();
        let expected = format!("{}:7: [account.owner]: unknown key `path2`", path.display());
        assert!(error.starts_with(&expected), "{error}");
    }

    #[test]
    fn missing_and_wrong_values_are_named() {
        assert!(refusal("").contains("[account.NAME]"));
        assert!(refusal(&MAILDIR.replace("maildir", "mbox")).contains("`backend` must be"));
        assert!(refusal(&MAILDIR.replace("owner@example.test", "nobody")).contains("`address`"));
        assert!(refusal(&MAILDIR.replace("path = \"Mail\"", "")).contains("`path` is missing"));
    }
}
