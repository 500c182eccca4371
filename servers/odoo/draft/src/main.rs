//! `platinum-odoo-draft --config FILE`: the draft-only server for Odoo on standard input and output.

use platinum_kit::{Server, command};
use platinum_odoo_client::Config;
use platinum_odoo_draft::{OdooService, tools};

const INSTRUCTIONS: &str = "Accounting in Odoo: read partners, taxes, accounts and documents, and save drafts of \
                            invoices, bills, credit notes and journal entries. This server cannot post.";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    command::run(|path| {
        let odoo = OdooService::open(Config::load(path)?);
        Ok(Server::new(
            "platinum-odoo-draft",
            INSTRUCTIONS,
            odoo,
            tools()?,
        ))
    })
    .await
}
