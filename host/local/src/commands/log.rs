//! `platinum log`: what was finished, and what the other side answered.

use platinum_api::{finished, text::short_time};

use super::{CommandError, Context, open_vault, terminal::Level};

/// Show what was finished, newest first.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// How many tasks to show.
    #[arg(short = 'n', long, default_value = "20")]
    number: std::num::NonZeroUsize,
}

pub(crate) fn run(args: &LogArgs, ctx: &Context) -> Result<(), CommandError> {
    let vault = open_vault(&ctx.load()?)?;
    let rows = finished(&vault, args.number.get())?;
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
                .map_or_else(|| "unknown time      ".to_owned(), short_time),
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
            if !receipt.sha256.is_empty() {
                text.push_str(&format!("                   sha256 {}\n", receipt.sha256));
            }
        }
    }
    ctx.print(&text)
}
