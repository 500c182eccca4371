//! The task runner. `cargo xtask demo` and `cargo xtask test` are the two commands a newcomer
//! needs; they set up what is missing and say so.
//!
//! Lives here: the command line and the order of steps. Lives elsewhere: building skills is in
//! [`skills`], what a fresh machine needs in [`setup`], the demonstration in [`demo`].

mod bench;
mod demo;
mod setup;
mod skills;
mod steps;
mod test;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

/// Platinum's task runner.
#[derive(Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Set up, build, and run the main job end to end on a sample mailbox.
    Demo {
        /// Approve the draft by itself instead of waiting for you.
        #[arg(long)]
        yes: bool,
    },
    /// Set up what tests need, and run all of them.
    Test,
    /// Build the skills as WebAssembly components and install them under `target/`.
    Skills,
    /// Print the benchmark table, peers side by side.
    Bench,
}

fn main() -> ExitCode {
    let root = root();
    let done = match Arguments::parse().command {
        Command::Demo { yes } => demo::run(&root, yes),
        Command::Test => test::run(&root),
        Command::Skills => setup::skills(&root).map(|_| ()),
        Command::Bench => bench::run(&root),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The folder of the workspace.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}
