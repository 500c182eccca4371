//! The task runner. `cargo xtask demo` and `cargo xtask test` are the two commands a newcomer
//! needs; they set up what is missing and say so.
//!
//! Lives here: the command line. Lives elsewhere: building skills is in [`skills`], what a fresh machine
//! needs in [`setup`], the demonstration in [`demo`], the tests in [`test`], the benchmarks in [`bench`].

mod bench;
mod binaries;
mod demo;
mod lints;
mod plan;
mod results;
mod schedule;
mod setup;
mod skills;
mod steps;
mod temp_folder;
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
    Test {
        /// Run the long forms, too: a million seeds, ten thousand claims, floods (some hours).
        #[arg(long)]
        full: bool,
        /// Run these parts alone, each by its name in the list of results.
        #[arg(long, value_name = "NAME")]
        part: Vec<String>,
    },
    /// Build the skills as WebAssembly components and install them under `target/`.
    Skills,
    /// Get the Odoo that some tests need, under `target/`, as `test` does.
    Odoo,
    /// Get the servers of social networks that some tests need, under `target/`, as `test` does.
    Social,
    /// Get the browser that some tests need: Debian's Chromium, and Playwright's MCP server under `target/`.
    Browser,
    /// Print the benchmark table, peers side by side.
    Bench,
}

fn main() -> ExitCode {
    let root = root();
    let success = |()| ExitCode::SUCCESS;
    let done = match Arguments::parse().command {
        Command::Demo { yes } => demo::run(&root, yes).map(success),
        Command::Test { full, part } => test::run(&root, full, &part),
        Command::Skills => {
            setup::skills(&root, setup::Skills::AndGuests).map(|_| ExitCode::SUCCESS)
        }
        Command::Odoo => setup::odoo::set_up(&root).map(success),
        Command::Social => setup::social::set_up(&root).map(success),
        Command::Browser => setup::browser::set_up(&root).map(success),
        Command::Bench => bench::run(&root).map(success),
    };
    match done {
        Ok(code) => code,
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
