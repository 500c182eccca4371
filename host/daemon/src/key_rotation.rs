//! Trusting, replacing and revoking keys, as the owner asks for it on either host.
//!
//! Lives elsewhere: the list of keys and who may be in it is `verify::identity`'s.
//! Invariant: before a key is retired the remote is asked for its tip, so that nothing which was
//! honestly signed until now is lost; if it does not answer, nothing is retired unless the owner
//! says that what was not fetched yet shall not count.

use std::time::Duration;

use platinum_core::AgentName;
use platinum_repo::{GitRemote, Oid, RefName, Repo};

use platinum_verify::{Identity, IdentityError};

use crate::Config;

/// What the owner asks for.
#[derive(Debug, Clone, Copy)]
pub enum Trust<'a> {
    /// To trust a key.
    Key {
        /// Its line, as the other host shows it.
        line: &'a str,
        /// Whether the keys that conflict with it are revoked.
        replace: bool,
    },
    /// To revoke the keys of an agent.
    Revoke(&'a AgentName),
}

impl<'a> Trust<'a> {
    /// As it is asked for on a command line, which has a line or an agent to revoke.
    pub fn asked(line: Option<&'a str>, replace: bool, revoke: Option<&'a AgentName>) -> Self {
        match revoke {
            Some(agent) => Self::Revoke(agent),
            None => Self::Key {
                line: line.unwrap_or_default(),
                replace,
            },
        }
    }
}

/// Does it; returns sentences for the owner. With `without_remote` the remote is not asked up to
/// where a revoked key counts: the tip that was fetched last is.
///
/// # Errors
/// As [`Identity::trust`] and [`Identity::revoke`], or if the remote does not answer.
pub async fn trust(
    config: &Config,
    identity: &Identity,
    asked: Trust<'_>,
    without_remote: bool,
) -> Result<Vec<String>, IdentityError> {
    match asked {
        Trust::Revoke(agent) => {
            let until = counts_until(config, without_remote).await?;
            Ok(identity.revoke(agent, until)?.messages())
        }
        Trust::Key { line, replace } => {
            let until = match replace && identity.would_replace(line)? {
                true => counts_until(config, without_remote).await?,
                false => None,
            };
            let trusted = identity.rotate(line, replace, until)?;
            let mut messages = vec![trusted.message()];
            messages.extend(trusted.revoked.messages());
            Ok(messages)
        }
    }
}

/// Up to which commit a key counts that is retired now; `None` if there is none.
async fn counts_until(config: &Config, without_remote: bool) -> Result<Option<Oid>, IdentityError> {
    let failed = |error: &dyn std::fmt::Display| IdentityError::Remote(error.to_string());
    if config.sync.remote.is_empty() {
        return Ok(None);
    }
    let git_dir = config.vault.state.join("vault.git");
    if without_remote {
        if !git_dir.join("HEAD").exists() {
            return Ok(None);
        }
        let tip = Repo::open_or_init(&git_dir).and_then(|repo| repo.tip(RefName::Remote));
        return tip.map_err(|error| failed(&error));
    }
    let time_out = Duration::from_secs(config.sync.timeout_seconds);
    let remote = GitRemote::open(&git_dir, &config.sync.remote, time_out);
    let remote = remote.map_err(|error| failed(&error))?;
    let tip = remote.with_env(&config.sync.env).tip().await;
    tip.map_err(|error| {
        failed(&format!(
            "{error}; so it is not known what the old key signed until now. Try again when it \
             answers, or say --without-remote: then nothing counts that was not fetched here yet"
        ))
    })
}
