//! `platinum-intake`: turns one source of the outside into tasks, as a process of its own.
//!
//! It ends cleanly on SIGTERM and when its parent goes; killed at any moment, it goes on where it
//! was.

use std::{io::IsTerminal as _, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use platinum_core::{AgentName, Role, ZoneId};
use platinum_intake::{
    folder::{self, FolderSource, ZoneFact},
    mail, source,
    stop::StopSignal,
};
use tracing_subscriber::EnvFilter;

/// Turns what comes in into tasks of the vault.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    source: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// New mails of one account become notes in Needs_Action/email.
    Mail(mail::Settings),
    /// Files that a person drops into the vault become notes in Needs_Action.
    Folder {
        /// The vault.
        #[arg(long)]
        vault: PathBuf,
        /// The folder that remembers what was seen; not inside the vault.
        #[arg(long)]
        state: PathBuf,
        /// The role of this host: only the owner's machine moves files.
        #[arg(long)]
        role: Role,
        /// The name of this host.
        #[arg(long)]
        agent: AgentName,
        /// The zones there are, with commas between.
        #[arg(long, value_delimiter = ',')]
        zones: Vec<ZoneId>,
        /// A fact that every task of a zone gets: `email:account=me`. May be given several times.
        #[arg(long = "fact", value_name = "ZONE:NAME=VALUE", value_parser = zone_fact)]
        facts: Vec<ZoneFact>,
        /// The zone of a file that names none.
        #[arg(long)]
        default_zone: ZoneId,
        /// Take in what is there and end, instead of waiting for more.
        #[arg(long)]
        once: bool,
        /// Look at least this often, in seconds, even without a sign of a change.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1500))]
        every: u64,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        // The daemon that reads these lines adds the time.
        .without_time()
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_env_filter(
            EnvFilter::try_from_env("PLATINUM_LOG").unwrap_or_else(|_| EnvFilter::new("info")),
        )
        .init();
    match run(arguments.source) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn zone_fact(text: &str) -> Result<ZoneFact, String> {
    let (zone, fact) = text.split_once(':').ok_or("expected ZONE:NAME=VALUE")?;
    let (name, value) = fact.split_once('=').ok_or("expected ZONE:NAME=VALUE")?;
    let zone: ZoneId = zone.parse().map_err(|error| format!("{error}"))?;
    Ok((zone, name.to_owned(), value.to_owned()))
}

fn run(source: Command) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // One poll ends by itself, and may well be given no input.
        let is_once = matches!(
            source,
            Command::Mail(mail::Settings { once: true, .. }) | Command::Folder { once: true, .. }
        );
        let mut stop = StopSignal::listen(!is_once)?;
        tokio::select! {
            reason = stop.wished() => {
                tracing::info!(reason, "ending");
                Ok(())
            }
            ended = watch(source) => ended,
        }
    })
}

async fn watch(source: Command) -> anyhow::Result<()> {
    match source {
        Command::Mail(settings) => Ok(mail::watch(&settings).await?),
        Command::Folder {
            vault,
            state,
            role,
            agent,
            zones,
            facts,
            default_zone,
            once,
            every,
        } => {
            let folder = FolderSource::open(folder::FolderSettings {
                vault,
                state,
                role,
                agent,
                zones: zones.into_iter().collect(),
                facts,
                default_zone,
                settled: once.then_some(Duration::ZERO),
            })?;
            Ok(source::run(folder, Duration::from_secs(every), once).await?)
        }
    }
}
