//! `platinum-email-draft --config FILE`: the draft-only mail server on standard input and output.

use platinum_email_draft::{MailService, login, tools};
use platinum_kit::{Server, command};
use platinum_mailbox::Config;

const INSTRUCTIONS: &str =
    "Mail of the configured accounts: search, and save drafts. This server cannot send.";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    if let Some(done) = login::run_if_asked().await {
        return done;
    }
    command::run(|path| {
        let mail = MailService::open(Config::load(path)?)?;
        Ok(Server::new(
            "platinum-email-draft",
            INSTRUCTIONS,
            mail,
            tools()?,
        ))
    })
    .await
}
