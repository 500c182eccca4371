//! `platinum-cloud`: the half that runs day and night and can only draft.
//!
//! This is a composition root without effects: nothing in this program's dependency tree can send,
//! publish, post or pay. A tidy test reads the tree to prove it.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::Context;
use clap::{Parser, Subcommand};
use platinum_capabilities::tasks::{NoReceipts, Receipts};
use platinum_core::Role;
use platinum_daemon::{Config, House, Running, logging, on_signals};

/// The cloud half of Platinum: drafts, and can never act.
#[derive(Parser)]
#[command(name = "platinum-cloud", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the daemon until it is told to stop.
    Run {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    logging::start();
    let Command::Run { config } = arguments.command;
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("platinum-cloud cannot start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(config)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("platinum-cloud: {}", logging::whole(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(config: PathBuf) -> anyhow::Result<()> {
    let shutdown = on_signals().context("signals cannot be listened to")?;
    let house = House::open(Config::load(&config, Role::Cloud)?, Role::Cloud).await?;
    let receipts: Arc<dyn Receipts> = Arc::new(NoReceipts);
    let skills = Arc::new(house.load_skills(house.interfaces(&receipts))?);
    tracing::info!(
        agent = %house.agent,
        skills = skills.names().collect::<Vec<_>>().join(", "),
        "The cloud half is up: it drafts and cannot act."
    );
    house.introduce();
    Running::start(&house, &skills, &shutdown)?
        .until_stopped()
        .await
}
