//! `platinum device`: phones and other devices of the owner's that push to the remote with a Git
//! client, by the keys that they sign with. `platinum held` is what came from one and waits.
//!
//! Lives elsewhere: what a device may change is `platinum_policy`'s.

pub(super) mod held;

use platinum_core::{AgentName, Member};
use platinum_repo::Signer;

use super::{CommandError, Context, Kind, keys::identity, terminal::Table};

/// Your phones and other devices that push to the remote with a Git client.
///
/// What a device pushes that is not on this list is held: see `platinum held`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum DeviceCommand {
    /// Take over what a device pushes: by the SSH key that it signs its commits with.
    ///
    /// It may change notes, drop tasks and edit drafts. It may not approve: that is done here.
    /// Prints the line that every cloud host has to be told with `platinum-cloud trust LINE`, and a
    /// server with the hook by `platinum hook install` once more.
    Add {
        /// What you call it: of a-z, 0-9 and `-`.
        name: AgentName,
        /// Its public key, `ssh-ed25519 AAAA…`, as in the file that ends in `.pub`.
        #[arg(required = true, num_args = 1.., value_name = "PUBLIC KEY")]
        key: Vec<String>,
    },
    /// List them.
    List,
    /// Take nothing over any more from one; what it pushed until now stays.
    Remove {
        /// Its name.
        name: AgentName,
        /// Do not ask the remote what was pushed until now: for a phone that was stolen.
        #[arg(long)]
        without_remote: bool,
    },
}

pub(crate) async fn run(command: DeviceCommand, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let identity = identity(&config)?;
    match command {
        DeviceCommand::Add { name, key } => {
            let text = key.join(" ");
            let words: Vec<&str> = text.split_whitespace().take(2).collect();
            let key = words
                .join(" ")
                .parse()
                .map_err(|error| CommandError::new(Kind::Usage, format!("{error}")))?;
            let signer = Signer {
                agent: name,
                role: Member::Device,
                key,
            };
            let trusted = identity.trust(&signer.to_string(), false)?;
            eprintln!(
                "{}\nOn each cloud host: platinum-cloud trust, with this line.",
                trusted.message()
            );
            ctx.print(&format!("{signer}\n"))
        }
        DeviceCommand::List => {
            let mut table = Table::default();
            let signers = identity.signers()?;
            let mut devices = signers.iter().filter(|one| one.role == Member::Device);
            let Some(first) = devices.next() else {
                return ctx.print("No device. `platinum device add` takes one over.\n");
            };
            for Signer { agent, key, .. } in std::iter::once(first).chain(devices) {
                table.row([agent.as_str(), &key.fingerprint()]);
            }
            ctx.print(&table.render(ctx.paint))
        }
        DeviceCommand::Remove {
            name,
            without_remote,
        } => {
            let is_it = |one: &Signer| one.role == Member::Device && one.agent == name;
            if !identity.signers()?.iter().any(is_it) {
                let what = format!("there is no device `{name}`");
                return Err(CommandError::new(Kind::NotFound, what)
                    .hint("`platinum device list` lists them"));
            }
            let revoked =
                platinum_daemon::revoke(&config, &identity, &name, without_remote).await?;
            let mut text = revoked.messages().join("\n");
            text.push_str(&format!(
                "\nOn each cloud host: platinum-cloud trust --revoke {name}\n"
            ));
            ctx.print(&text)
        }
    }
}
