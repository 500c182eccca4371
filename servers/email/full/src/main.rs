//! `platinum-email --config FILE`: the mail server that also sends, on standard input and output.

use platinum_email::{Sender, tools};
use platinum_email_draft::login;
use platinum_kit::{Server, command};
use platinum_mailbox::Config;

const INSTRUCTIONS: &str = "Mail of the configured accounts: search, save drafts, and send.";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    // Where tests make it die, by the variable FAILPOINTS; nothing at all in a program that is installed.
    let _fail_points = fail::FailScenario::setup();
    if let Some(done) = login::run_if_asked().await {
        return done;
    }
    command::run(|path| {
        let sender = Sender::open(Config::load(path)?)?;
        Ok(Server::new(
            "platinum-email",
            INSTRUCTIONS,
            sender,
            tools()?,
        ))
    })
    .await
}
