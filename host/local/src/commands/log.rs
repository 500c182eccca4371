//! `platinum log`: what was finished, and what the other side answered; `log entries` and `log verify`:
//! the log behind it, and whether it is as it was written.

use platinum_api::{JournalState, finished, newest_entries, text::short_time};
use platinum_core::Role;
use platinum_vault::Vault;

use super::{
    CommandError, Context, Kind, open_vault,
    terminal::{Level, Table, count},
};

/// Show what was finished, newest first.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// How many tasks or entries to show.
    #[arg(short = 'n', long, default_value = "20", global = true)]
    number: std::num::NonZeroUsize,
    #[command(subcommand)]
    command: Option<LogCommand>,
}

#[derive(Debug, Clone, Copy, clap::Subcommand)]
enum LogCommand {
    /// Show the newest entries of the log: approvals, refusals, grants used, effects.
    Entries,
    /// Check that nothing in the log was changed, cut or removed. Asks no other host.
    Verify,
}

pub(crate) fn run(args: &LogArgs, ctx: &Context) -> Result<(), CommandError> {
    match args.command {
        None => tasks(args.number.get(), ctx),
        Some(LogCommand::Entries) => entries(args.number.get(), ctx),
        Some(LogCommand::Verify) => verify(ctx),
    }
}

fn verify(ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    let agent = config
        .agent(Role::Local)
        .map_err(|why| CommandError::new(Kind::Config, why))?;
    // A log can be verified without its vault.
    let vault = Vault::open(&config.vault.path).ok();
    let (journal, witnesses) =
        JournalState::read_with_all_witnesses(&config.vault.state, vault.as_ref(), &agent);
    let check = journal.check();
    if check.level == Level::Error {
        return Err(CommandError::new(Kind::Failed, check.text)
            .hint("it was changed, or this machine was restored from a backup")
            .hint("if you restored it, `platinum recover` goes on with the log as it is")
            .hint("if it is damaged, put it back from a backup; nothing is sent meanwhile"));
    }
    let mut table = Table::default();
    table.coloured(1, check.level, ["log", &check.text]);
    for witness in &witnesses {
        let saw = format!("saw {}", count(witness.entries, "entry", "entries"));
        table.row(["seen by", &format!("{}, which {saw}", witness.by)]);
    }
    if let (
        JournalState::Verified {
            is_signed: false, ..
        },
        [],
    ) = (&journal, &witnesses[..])
    {
        table.row(["signed", "not yet: `platinum run` signs it"]);
    }
    ctx.print(&table.render(ctx.paint))
}

fn entries(most: usize, ctx: &Context) -> Result<(), CommandError> {
    let rows = newest_entries(&ctx.load()?.vault.state, most)?;
    if rows.is_empty() {
        return ctx.print("The log is empty.\n");
    }
    let mut table = Table::default();
    for row in &rows {
        let at = row.at.map_or_else(|| "unknown time".to_owned(), short_time);
        table.row([&row.seq.to_string(), &at, &row.text]);
    }
    ctx.print(&table.render(ctx.paint))
}

fn tasks(most: usize, ctx: &Context) -> Result<(), CommandError> {
    let vault = open_vault(&ctx.load()?)?;
    let rows = finished(&vault, most)?;
    if rows.is_empty() {
        return ctx.print("Nothing is finished yet.\n");
    }
    let mut text = String::new();
    for row in &rows {
        let level = match row.outcome.as_str() {
            "failed" => Level::Error,
            "done" => Level::Ok,
            _ => Level::Dim,
        };
        text.push_str(&format!(
            "{}  {}  {}\n",
            row.at
                .map_or_else(|| "unknown time    ".to_owned(), short_time),
            ctx.paint.word(level, &format!("{:<6}", row.outcome)),
            row.subject,
        ));
        if !row.summary.is_empty() {
            text.push_str(&format!("                   {}\n", row.summary));
        }
        for receipt in &row.receipts {
            text.push_str(&format!(
                "                   {} at {}: {}\n                   reference {}\n",
                receipt.kind,
                short_time(receipt.at),
                receipt.answer,
                receipt.reference,
            ));
            if !receipt.recipients.is_empty() {
                text.push_str(&format!(
                    "                   to {}\n",
                    receipt.recipients.join(", ")
                ));
            }
            if let Some(reason) = &receipt.came_back {
                text.push_str(&format!("                   came back: {reason}\n"));
            }
            if !receipt.sha256.is_empty() {
                text.push_str(&format!("                   sha256 {}\n", receipt.sha256));
            }
        }
    }
    ctx.print(&text)
}
