//! `platinum-intake`: turns one source of the outside into tasks, as a process of its own.
//!
//! It ends cleanly on SIGTERM and when its parent goes; killed at any moment, it goes on where it
//! was.

use std::{io::IsTerminal as _, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Parser, Subcommand};
use platinum_intake::{mail, stop::Stop};
use tracing_subscriber::EnvFilter;

/// Turns what comes in into tasks of the vault.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    source: Source,
}

#[derive(Debug, Subcommand)]
enum Source {
    /// New mails of one account become notes in Needs_Action/email.
    Mail {
        /// The file with the mail accounts (TOML).
        #[arg(long)]
        config: PathBuf,
        /// Which account of the file.
        #[arg(long)]
        account: String,
        /// The vault that gets the tasks.
        #[arg(long)]
        vault: PathBuf,
        /// The folder that remembers what was seen; not inside the vault.
        #[arg(long)]
        state: PathBuf,
        /// Look once and end, instead of waiting for more.
        #[arg(long)]
        once: bool,
        /// At the first start on IMAP: how many of the newest mails that are there already
        /// become tasks. A Maildir's unread mails always do.
        #[arg(long, default_value_t = 0)]
        backlog: usize,
        /// Look at least this often, in seconds, even without a sign from the mailbox.
        #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=1500))]
        every: u64,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        // Whoever keeps the lines puts the time to them.
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

fn run(source: Source) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let Source::Mail {
        config,
        account,
        vault,
        state,
        once,
        backlog,
        every,
    } = source;
    let every = Duration::from_secs(every);
    let settings = mail::Settings {
        config,
        account,
        vault,
        state,
        once,
        backlog,
        every,
    };
    runtime.block_on(async {
        // One look ends by itself, and may well be given no input.
        let mut stop = Stop::listen(!settings.once)?;
        tokio::select! {
            reason = stop.wished() => {
                tracing::info!(reason, "ending");
                Ok(())
            }
            ended = mail::watch(&settings) => Ok(ended?),
        }
    })
}
