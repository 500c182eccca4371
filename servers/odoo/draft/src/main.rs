//! `platinum-odoo-draft --config FILE`: the draft-only server for Odoo on standard input and output.

use platinum_kit::{Server, command};
use platinum_odoo_client::Config;
use platinum_odoo_draft::{OdooService, drafter_tools};

const INSTRUCTIONS: &str = "Accounting in Odoo: read partners, taxes, accounts and documents, and save drafts of \
                            invoices, bills, credit notes and journal entries. This server cannot post.";

/// The options of this server.
#[derive(Debug, Clone, Copy, clap::Args)]
struct Options {
    /// Save drafts only with a key that can do nothing else: before the first draft Odoo has to refuse what such a key
    /// must not do.
    #[arg(long)]
    drafter_only: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    command::run_with(|path, options: Options| {
        let odoo = OdooService::open(Config::load(path)?).proving_by_turns(path);
        let odoo = match options.drafter_only {
            true => odoo.drafter_only(),
            false => odoo,
        };
        Ok(Server::new(
            "platinum-odoo-draft",
            INSTRUCTIONS,
            odoo,
            drafter_tools()?,
        ))
    })
    .await
}
