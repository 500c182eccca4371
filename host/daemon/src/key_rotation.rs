//! Trusting, replacing and revoking keys, as the owner asks for it on either host.
//!
//! Lives elsewhere: the list of keys and who may be in it is `verify::identity`'s.
//! Invariant: before a key is retired the remote is asked for its tip, so that nothing which was
//! honestly signed until now is lost; if it does not answer, nothing is retired unless the owner
//! says that what was not fetched yet shall not count.

use platinum_core::AgentName;
use platinum_repo::{Oid, RefName, Repo};

use platinum_verify::{Identity, IdentityError, identity::Revoked};

use crate::{Config, git_remote};

/// The arguments of `trust`, the same in both programs.
#[derive(Debug, clap::Args)]
pub struct TrustArgs {
    /// The public-key line that the other host's `key` command prints.
    #[arg(required_unless_present = "revoke")]
    line: Option<String>,
    /// Replace the keys that conflict with it, for a host that was set up anew. What they signed
    /// until now stays valid.
    #[arg(long)]
    replace: bool,
    /// Stop trusting the keys of a host, without a replacement.
    #[arg(long, value_name = "AGENT", conflicts_with_all = ["line", "replace"])]
    revoke: Option<AgentName>,
    /// Do not ask the remote what was signed until now: only what this host has fetched stays
    /// valid. For a key that was stolen, or a remote that is gone.
    #[arg(long)]
    without_remote: bool,
}

/// What `trust` has done.
#[derive(Debug)]
pub struct TrustOutcome {
    /// Sentences for the owner.
    pub messages: Vec<String>,
    /// This host's own public-key line, if the other host has to trust it now.
    pub own_line: Option<String>,
}

/// Trusts a key, or revokes the keys of a host. Unless the arguments say otherwise, the remote is
/// asked up to which commit a revoked key counts.
///
/// # Errors
/// As [`Identity::trust`] and [`Identity::revoke`], or if the remote does not answer.
pub async fn trust(
    config: &Config,
    identity: &Identity,
    args: &TrustArgs,
) -> Result<TrustOutcome, IdentityError> {
    if let Some(agent) = &args.revoke {
        let revoked = revoke(config, identity, agent, args.without_remote).await?;
        return Ok(TrustOutcome {
            messages: revoked.messages(),
            own_line: None,
        });
    }
    let line = args.line.as_deref().unwrap_or_default();
    let until = match args.replace && identity.would_replace(line)? {
        true => counts_until(config, args.without_remote).await?,
        false => None,
    };
    let trusted = identity.rotate(line, args.replace, until)?;
    let mut messages = vec![trusted.message()];
    messages.extend(trusted.revoked.messages());
    Ok(TrustOutcome {
        messages,
        own_line: Some(identity.line()),
    })
}

/// Trusts the keys of an agent or a device no more. Unless it is said otherwise, the remote is asked up
/// to which commit they count.
///
/// # Errors
/// As [`Identity::revoke`], or if the remote does not answer.
pub async fn revoke(
    config: &Config,
    identity: &Identity,
    agent: &AgentName,
    without_remote: bool,
) -> Result<Revoked, IdentityError> {
    let until = counts_until(config, without_remote).await?;
    identity.revoke(agent, until)
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
    let remote = git_remote(config).map_err(|error| failed(&error))?;
    let tip = remote.tip().await;
    tip.map_err(|error| {
        failed(&format!(
            "{error}; so it is not known what the old key signed until now. Try again when it \
             answers, or say --without-remote: then nothing counts that was not fetched here yet"
        ))
    })
}
