//! `platinum`: the daemon on the owner's machine, the only one that acts, and the commands of the
//! owner and of skill authors.
//!
//! Lives here: the command line. Lives elsewhere: the daemon's composition root is [`run`], the
//! loop that acts is [`act`], the other commands are in [`commands`].

mod attachments;
mod commands;
mod executor;
mod filed_list;
mod machine;
mod run;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use commands::{Command, CommandError, Context, Kind};
use platinum_daemon::logging;

/// Platinum on your machine: sees what was drafted, and does what you approve.
#[derive(Parser)]
#[command(name = "platinum", version)]
struct Arguments {
    /// The configuration file, instead of the one in its usual place.
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Whole,
}

#[derive(Subcommand)]
enum Whole {
    /// Run the local daemon until Ctrl-C or SIGTERM.
    Run,
    #[command(flatten)]
    Other(Command),
}

fn main() -> ExitCode {
    // Where tests make it die, by the variable FAILPOINTS; nothing at all in a program that is installed.
    let _fail_points = fail::FailScenario::setup();
    platinum_daemon::compile_if_asked();
    let arguments = Arguments::parse();
    let context = Context::new(arguments.config);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("platinum cannot start its threads: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = match arguments.command {
        Whole::Run if !context.config_path().exists() => Err(context.no_configuration()),
        Whole::Run => {
            logging::start();
            runtime
                .block_on(run::run(context.config_path()))
                .map_err(|error| CommandError::new(Kind::Failed, logging::whole(&*error)))
        }
        Whole::Other(command) => runtime.block_on(command.run(&context)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("platinum: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
