//! Whether a credential that reads a mailbox can also send: a login at the submission port, and nothing after it.
//!
//! A cloud has the credential that reads. Where the provider makes no difference, who takes the cloud over can send
//! with it, and its owner has to know.

use std::collections::BTreeMap;
use std::path::PathBuf;

use platinum_mailbox::Config;
use platinum_mailbox::config::{Backend, ConfigError, ImapSettings};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::smtp::{self, LoginOutcome, SmtpSettings};

/// Whose credentials to try.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TryArguments {
    /// A mail file of a cloud; without it, the credentials with which this file's mailboxes are read.
    #[serde(default)]
    pub mail_file: Option<PathBuf>,
    /// Try the credentials with which this server sends instead, each at its own server.
    #[serde(default)]
    pub sending: bool,
}

/// What became of the logins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TryAnswer {
    /// One for each mailbox that is read by IMAP and whose account has a way to send here; of those that send, one
    /// for each account that does.
    pub logins: Vec<Login>,
}

/// One login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Login {
    /// The account.
    pub account: String,
    /// Where it was tried.
    pub server: String,
    /// Whether the server let it in; nothing if that cannot be known.
    pub can_send: Option<bool>,
    /// Why it did not, or why that cannot be known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// How the mailboxes of a configuration are read.
pub(crate) fn readers(config: &Config) -> BTreeMap<String, ImapSettings> {
    let accounts = config.accounts.iter();
    accounts
        .filter_map(|(name, account)| match &account.backend {
            Backend::Imap(imap) => Some((name.clone(), imap.clone())),
            Backend::Maildir(_) => None,
        })
        .collect()
}

/// Tries each credential at the submission server of the account of the same name, or of the first that has one.
///
/// # Errors
/// If the mail file cannot be read.
pub(crate) async fn try_all(
    arguments: &TryArguments,
    own: &BTreeMap<String, ImapSettings>,
    servers: &BTreeMap<String, SmtpSettings>,
) -> Result<TryAnswer, ConfigError> {
    if arguments.sending {
        let mut logins = Vec::new();
        for (account, settings) in servers {
            logins.push(try_one(account, settings).await);
        }
        return Ok(TryAnswer { logins });
    }
    let readers = match &arguments.mail_file {
        Some(path) => readers(&Config::load(path)?),
        None => own.clone(),
    };
    let mut logins = Vec::new();
    for (account, imap) in readers {
        let Some(server) = servers.get(&account).or_else(|| servers.values().next()) else {
            continue;
        };
        let settings = SmtpSettings {
            user: imap.user,
            credential: imap.credential,
            ..server.clone()
        };
        logins.push(try_one(&account, &settings).await);
    }
    Ok(TryAnswer { logins })
}

async fn try_one(account: &str, settings: &SmtpSettings) -> Login {
    let (can_send, why) = match smtp::try_login(settings).await {
        LoginOutcome::LetIn => (Some(true), String::new()),
        LoginOutcome::Refused(why) => (Some(false), why),
        LoginOutcome::Unknown(why) => (None, why),
    };
    Login {
        account: account.to_owned(),
        server: settings.endpoint.address(),
        can_send,
        why,
    }
}
