//! `platinum key` and `platinum trust`: the two hosts exchange their public keys, once.
//!
//! Only what the other host needs goes to stdout, so that the exchange is one command:
//! `platinum trust "$(ssh vm platinum-cloud trust --config cloud.toml "'$(platinum key)'")"`.
//! Lives elsewhere: the rules for trusting a key are `platinum_verify::identity`'s.

use platinum_core::Role;
use platinum_daemon::{Config, make_state_folder};
use platinum_verify::{Identity, IdentityError};

use super::{CommandError, Context, Kind};

/// The command that exchanges the keys, for the person who runs it.
pub(super) const EXCHANGE: &str = "platinum trust \"$(ssh HOST platinum-cloud trust --config FILE \
                                   \"'$(platinum key)'\")\"";

/// Print this machine's public key, for the cloud host to trust.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {}

/// Trust the public key of a cloud host, as `platinum-cloud key` prints it there.
///
/// Prints this machine's own public key, for the cloud host to trust.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct TrustArgs {
    #[command(flatten)]
    trust: platinum_daemon::TrustArgs,
}

pub(crate) fn key(_: &KeyArgs, ctx: &Context) -> Result<(), CommandError> {
    let identity = identity(&ctx.load()?)?;
    eprintln!(
        "{} has the key {}.",
        identity.own().agent,
        identity.own().key.fingerprint()
    );
    ctx.print(&format!("{}\n", identity.line()))
}

pub(crate) async fn trust(args: &TrustArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let identity = identity(&config)?;
    let done = platinum_daemon::trust(&config, &identity, &args.trust).await?;
    done.messages
        .iter()
        .for_each(|message| eprintln!("{message}"));
    match done.own_line {
        Some(line) => ctx.print(&format!("{line}\n")),
        None => Ok(()),
    }
}

/// This host's identity; made if there is none yet.
pub(super) fn identity(config: &Config) -> Result<Identity, CommandError> {
    let agent = config
        .agent(Role::Local)
        .map_err(|what| CommandError::new(Kind::Config, what))?;
    make_state_folder(&config.vault.state)?;
    Ok(Identity::open(&config.vault.state, &agent, Role::Local)?)
}

impl From<IdentityError> for CommandError {
    fn from(error: IdentityError) -> Self {
        let kind = match &error {
            IdentityError::Line(_) => Kind::Usage,
            IdentityError::Refused(_) => Kind::Refused,
            _ => Kind::Failed,
        };
        Self::new(kind, error.to_string())
    }
}
