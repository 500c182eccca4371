//! `platinum mail login`: grants access to a mail account with OAuth, once; `platinum mail settings`: what to write into
//! a mail file.
//!
//! Lives elsewhere: the mail server's own program asks the provider and keeps the tokens; it knows the mail file.

use platinum_core::Role;
use platinum_daemon::beside;

use super::{CommandError, Context, Kind};

/// Mail accounts.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum MailCommand {
    /// Grant access to a mail account with OAuth, once; without an account, to the only one that has it.
    Login {
        /// The account, by its name in the mail file.
        account: Option<String>,
    },
    /// Say what to write into a mail file for an address.
    ///
    /// From a preset, or else from the file in which the domain says it (autoconfig), which is asked for then. Nothing
    /// is written.
    Settings {
        /// Your address.
        address: String,
    },
}

pub(crate) fn run(command: MailCommand, ctx: &Context) -> Result<(), CommandError> {
    let account = match command {
        MailCommand::Login { account } => account,
        MailCommand::Settings { address } => return settings(&address),
    };
    let config = ctx.load()?;
    let no_zone = || {
        CommandError::new(Kind::Config, "there is no mail account")
            .hint("`account` and `config` under [zones.email] name one")
    };
    let zone = config.zones.get("email").ok_or_else(no_zone)?;
    let arguments: Vec<String> = account.into_iter().collect();
    platinum_daemon::run_zone_program(&**zone, Role::Local, "login", &arguments)
        .map_err(|message| CommandError::new(Kind::Failed, message))
}

/// Before there is a mail file there is no zone: the program beside this one is asked.
fn settings(address: &str) -> Result<(), CommandError> {
    let program = beside("platinum-email");
    let ended = std::process::Command::new(&program)
        .args(["settings", "--", address])
        .status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        // It has printed why.
        Ok(_) => Err(CommandError::new(
            Kind::NotFound,
            format!("no settings for {address}"),
        )),
        Err(error) => {
            let text = format!("cannot start {}: {error}", program.display());
            Err(CommandError::new(Kind::Failed, text))
        }
    }
}
