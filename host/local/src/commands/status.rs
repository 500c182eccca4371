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
    table.row(["mail", &mail(&config)]);
    table.row(["model", &model(&config)]);
    ctx.print(&table.render(ctx.paint))
}

fn mail(config: &Config) -> String {
    match config.mail.account.as_str() {
        "" => "none".to_owned(),
        account if config.mail.watch => format!("account {}, watched here", plain(account, 80)),
        account => format!("account {}, watched elsewhere", plain(account, 80)),
    }
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
