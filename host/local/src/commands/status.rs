//! `platinum status`: how things stand, without asking another host.

use platinum_api::Status;
use platinum_core::{Role, Timestamp};
use platinum_daemon::Config;

use super::{
    CommandError, Context, Kind, open_vault,
    terminal::{Level, Table, plain},
};

/// Show how things stand: the daemon, the vault, the remote, what waits for you.
#[derive(Debug, clap::Args)]
pub(crate) struct StatusArgs {
    /// Print the numbers as JSON, for other programs.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &StatusArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let vault = open_vault(&config)?;
    let agent = config
        .agent(Role::Local)
        .map_err(|why| CommandError::new(Kind::Config, why))?;
    let status = Status::read(&config, &vault, agent, Role::Local, Timestamp::now())?;
    if args.json {
        let json = serde_json::to_string_pretty(&status)
            .map_err(|error| CommandError::new(Kind::Failed, error.to_string()))?;
        return ctx.print(&format!("{json}\n"));
    }
    let mut table = Table::default();
    table.row(["config", &ctx.config_path().display().to_string()]);
    table.row(["agent", &format!("{}, role {}", status.agent, status.role)]);
    for check in status.checks() {
        let text = check.sentence();
        match check.level {
            Level::Dim if check.name != "drafts" => {
                table.row([check.name.as_str(), &text]);
            }
            level => table.coloured(1, level, [check.name.as_str(), &text]),
        }
    }
    for zone in &status.zones {
        let summary = zone.summary.as_deref().unwrap_or("not set up");
        table.row([zone.zone.as_str(), summary]);
    }
    table.row(["model", &model(&config)]);
    ctx.print(&table.render(ctx.paint))
}

fn model(config: &Config) -> String {
    match (config.model.provider, config.model.model.as_deref()) {
        (platinum_llm::ProviderKind::Builtin, _) => {
            "builtin: drafts are marked as written by no model".to_owned()
        }
        (provider, name) => {
            let provider = format!("{provider:?}").to_lowercase();
            format!(
                "{provider} {}, {} tokens a day",
                plain(name.unwrap_or("(no model named)"), 80),
                config.model.daily_tokens
            )
        }
    }
}
