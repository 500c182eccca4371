//! `platinum-social-draft --config FILE`: the draft-only server for social networks on standard input and output.

use platinum_kit::{Server, command};
use platinum_social_client::Config;
use platinum_social_draft::{SocialService, tools};

const INSTRUCTIONS: &str = "Posts on social networks (Bluesky, Mastodon): read, check a post against the limits of its \
                            network, and save drafts. This server cannot publish.";

/// The options of this server.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Options {
    /// Save drafts only for accounts whose token can do nothing but read: the server is asked whether it lets it post.
    #[arg(long)]
    drafter_only: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    command::run_with(|path, options: Options| {
        let social = SocialService::open(&Config::load_for_drafts(path)?)?;
        let social = match options.drafter_only {
            true => social.drafter_only(),
            false => social,
        };
        Ok(Server::new(
            "platinum-social-draft",
            INSTRUCTIONS,
            social,
            tools()?,
        ))
    })
    .await
}
