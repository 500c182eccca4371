//! `platinum-cloud`: the daemon that runs day and night and can only draft.
//!
//! This is a composition root without effects: nothing in this program's dependency tree can send,
//! publish, post or pay. A tidy test reads the tree to prove it.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::Context;
use clap::{Parser, Subcommand};
use platinum_capabilities::tasks::{NoReceipts, Receipts};
use platinum_capabilities::zones::CheckLevel;
use platinum_core::{Role, text::one_line};
use platinum_daemon::{
    Config, Host, Running, TrustArgs, doctor, logging, make_state_folder, on_signals,
};
use platinum_verify::Identity;

/// The cloud half of Platinum: drafts, and can never act.
#[derive(Parser)]
#[command(name = "platinum-cloud", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon until it is asked to stop.
    Run {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Try everything the daemon needs: vault, disk, remote, keys, mailbox, model.
    Doctor {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Mail accounts.
    #[command(subcommand)]
    Mail(MailCommand),
    /// Let the files that are gone from this host's vault be deleted on every host.
    AcceptDeletions {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Print this host's public key, for the owner's machine to trust.
    Key {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Trust the public key of the owner's machine (or of another cloud host), as `platinum key`
    /// prints it there.
    ///
    /// Prints this host's own public key, for the other one to trust.
    Trust {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        #[command(flatten)]
        args: TrustArgs,
    },
}

#[derive(Subcommand)]
enum MailCommand {
    /// Grant access to a mail account with OAuth, once; without an account, to the only one that has it.
    ///
    /// What is asked for is reading alone, where the provider makes a difference.
    Login {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// The account, by its name in the mail file.
        account: Option<String>,
    },
}

fn main() -> ExitCode {
    platinum_daemon::compile_if_asked();
    let arguments = Arguments::parse();
    let config = match arguments.command {
        Command::Run { config } => config,
        Command::AcceptDeletions { config } => return ended(accept_deletions(&config)),
        Command::Key { config } => return ended(key(&config)),
        Command::Doctor { config } => return in_runtime(examine(config)),
        Command::Mail(MailCommand::Login { config, account }) => {
            return ended(log_in(&config, account));
        }
        Command::Trust { config, args } => return in_runtime(trust(&config, &args)),
    };
    logging::start();
    in_runtime(run(config))
}

fn in_runtime(work: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("platinum-cloud cannot start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    ended(runtime.block_on(work))
}

fn ended(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("platinum-cloud: {}", logging::whole(&*error));
            ExitCode::FAILURE
        }
    }
}

fn identity(config: &Config) -> anyhow::Result<Identity> {
    let agent = config.agent(Role::Cloud).map_err(anyhow::Error::msg)?;
    make_state_folder(&config.vault.state)?;
    Ok(Identity::open(&config.vault.state, &agent, Role::Cloud)?)
}

fn accept_deletions(config: &Path) -> anyhow::Result<()> {
    let config = Config::load(config, Role::Cloud)?;
    platinum_worktree::accept_deletions(&config.vault.state.join("vault.git"))
        .context("cannot record the confirmation; has this host synced yet?")?;
    eprintln!("The next sync deletes on every machine what is gone here.");
    Ok(())
}

/// Prints what works and what does not.
async fn examine(path: PathBuf) -> anyhow::Result<()> {
    let config = Config::load(&path, Role::Cloud)?;
    let mut wrong = 0;
    for row in doctor::cloud_rows(&config).await {
        let word = match row.check.level {
            CheckLevel::Ok => "ok",
            CheckLevel::Warning => "warn",
            CheckLevel::Error => "wrong",
        };
        wrong += usize::from(row.check.level == CheckLevel::Error);
        // Text from outside: one bounded line.
        println!(
            "{word:<6} {:<8} {}",
            row.name,
            one_line(&row.check.text, 500)
        );
    }
    match wrong {
        0 => Ok(()),
        wrong => anyhow::bail!("what is wrong: {wrong} of the lines above"),
    }
}

fn log_in(path: &Path, account: Option<String>) -> anyhow::Result<()> {
    let config = Config::load(path, Role::Cloud)?;
    let zone = config
        .zones
        .get("email")
        .context("there is no [zones.email]")?;
    let arguments: Vec<String> = account.into_iter().collect();
    platinum_daemon::run_zone_program(&**zone, Role::Cloud, "login", &arguments)
        .map_err(anyhow::Error::msg)
}

/// Only what the other host needs goes to stdout; what a person wants to know goes to stderr.
fn key(config: &Path) -> anyhow::Result<()> {
    let identity = identity(&Config::load(config, Role::Cloud)?)?;
    let own = identity.own();
    eprintln!("{} has the key {}.", own.agent, own.key.fingerprint());
    println!("{}", identity.line());
    Ok(())
}

async fn trust(path: &Path, args: &TrustArgs) -> anyhow::Result<()> {
    let config = Config::load(path, Role::Cloud)?;
    let identity = identity(&config)?;
    let done = platinum_daemon::trust(&config, &identity, args).await?;
    done.messages
        .iter()
        .for_each(|message| eprintln!("{message}"));
    if let Some(line) = done.own_line {
        println!("{line}");
    }
    Ok(())
}

async fn run(config: PathBuf) -> anyhow::Result<()> {
    let shutdown = on_signals().context("signals cannot be listened to")?;
    let host = Host::open(Config::load(&config, Role::Cloud)?, Role::Cloud).await?;
    let receipts: Arc<dyn Receipts> = Arc::new(NoReceipts);
    let skills = Arc::new(host.load_skills(host.interfaces(&receipts))?);
    tracing::info!(
        agent = %host.agent,
        skills = skills.names().collect::<Vec<_>>().join(", "),
        "The cloud half is up: it drafts and cannot act."
    );
    host.introduce();
    Running::start(&host, &skills, &shutdown)?
        .until_stopped()
        .await
}
