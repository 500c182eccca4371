//! `platinum-email --config FILE`: the mail server that also sends, on standard input and output.

use clap::Parser as _;
use platinum_email::{MailServer, Sender};
use platinum_email_draft::command;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = command::Arguments::parse();
    command::log_to_stderr();
    let sender = Sender::open(arguments.config()?)?;
    command::serve(MailServer::new(sender)).await
}
