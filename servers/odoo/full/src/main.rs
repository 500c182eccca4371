//! `platinum-odoo --config FILE`: the server for Odoo that also posts, on standard input and output.

use platinum_kit::{Server, command};
use platinum_odoo::{ActingService, tools};
use platinum_odoo_client::Config;
use platinum_odoo_draft::OdooService;

const INSTRUCTIONS: &str =
    "Accounting in Odoo: read, save drafts, post what was approved, and record payments.";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    command::run(|path| {
        let odoo = OdooService::open(Config::load(path)?).proving_by_turns(path);
        let acting = ActingService::new(odoo);
        Ok(Server::new("platinum-odoo", INSTRUCTIONS, acting, tools()?))
    })
    .await
}
