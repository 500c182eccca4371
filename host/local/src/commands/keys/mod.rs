//! `platinum key` and `platinum trust`: the two halves learn each other's keys, once.
//!
//! What is meant for the other half goes to stdout alone, so that both are one command:
//! `platinum trust "$(ssh vm platinum-cloud trust --config cloud.toml "'$(platinum key)'")"`.
//! Lives elsewhere: the rules of whom to trust are `platinum_verify::identity`'s.

use platinum_core::{AgentName, Role};
use platinum_daemon::{Config, Trust, make_state_folder};
use platinum_verify::{Identity, IdentityError};

use super::{CommandError, Context, Kind};

/// How the halves exchange their keys, for the person who has to do it.
pub(super) const EXCHANGE: &str = "platinum trust \"$(ssh HOST platinum-cloud trust --config FILE \
                                   \"'$(platinum key)'\")\"";

/// Print the line that your cloud host has to trust.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {}

/// Trust the key of a cloud host: the line that `platinum-cloud key` prints there.
///
/// Prints this machine's own line, for the cloud host to trust.
#[derive(Debug, clap::Args)]
pub(crate) struct TrustArgs {
    /// The line.
    #[arg(required_unless_present = "revoke")]
    line: Option<String>,
    /// Stop trusting the keys that stand against it: a host that was set up anew. What they
    /// signed until now still counts.
    #[arg(long)]
    replace: bool,
    /// Stop trusting the keys of a host, with none in their place.
    #[arg(long, value_name = "AGENT", conflicts_with_all = ["line", "replace"])]
    revoke: Option<AgentName>,
    /// Do not ask the remote what was signed until now: only what this machine has fetched
    /// counts. For a key that was stolen, or a remote that is gone.
    #[arg(long)]
    without_remote: bool,
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
    let asked = Trust::asked(args.line.as_deref(), args.replace, args.revoke.as_ref());
    let told = platinum_daemon::trust(&config, &identity, asked, args.without_remote).await?;
    told.iter().for_each(|told| eprintln!("{told}"));
    match asked {
        Trust::Key { .. } => ctx.print(&format!("{}\n", identity.line())),
        Trust::Revoke(_) => Ok(()),
    }
}

/// The identity of a configuration; made if there is none yet.
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
