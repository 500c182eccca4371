//! `platinum-email-draft --config FILE`: the draft-only mail server on standard input and output.

use clap::Parser as _;
use platinum_email_draft::{Desk, DraftServer, command};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = command::Arguments::parse();
    command::log_to_stderr();
    let desk = Desk::open(arguments.config()?)?;
    command::serve(DraftServer::new(desk)).await
}
