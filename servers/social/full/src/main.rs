//! `platinum-social --config FILE`: the server for social networks that also publishes, on standard input and output.

use platinum_kit::{Server, command};
use platinum_social::{ActingService, tools};
use platinum_social_client::Config;

const INSTRUCTIONS: &str = "Posts on social networks (Bluesky, Mastodon): read, save drafts, and publish what was approved.";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    command::run(|path| {
        let acting = ActingService::open(&Config::load(path)?)?;
        Ok(Server::new(
            "platinum-social",
            INSTRUCTIONS,
            acting,
            tools()?,
        ))
    })
    .await
}
