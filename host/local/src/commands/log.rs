//! `platinum log`: what was finished, and what the other side answered.

use platinum_core::{Timestamp, layout};
use platinum_vault::{
    Vault,
    note::{Note, ReceiptRecord, TaskNote, receipts_of},
};

use super::{
    CommandError, Context, open_vault,
    terminal::{Tone, plain},
};

/// Show what was finished, newest first.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// How many tasks to show.
    #[arg(short = 'n', long, default_value = "20")]
    number: std::num::NonZeroUsize,
}

/// The largest task note that is read.
const MAX_TASK_BYTES: u64 = 4 * 1024 * 1024;

pub(crate) fn run(args: &LogArgs, ctx: &Context) -> Result<(), CommandError> {
    let vault = open_vault(&ctx.load()?)?;
    let done = finished(&vault, args.number.get())?;
    if done.is_empty() {
        return ctx.print("Nothing is finished yet.\n");
    }
    let mut text = String::new();
    for task in &done {
        let tone = match task.outcome.as_str() {
            "failed" => Tone::Bad,
            "done" => Tone::Good,
            _ => Tone::Quiet,
        };
        text.push_str(&format!(
            "{}  {}  {}\n",
            task.at
                .map_or_else(|| "unknown time       ".to_owned(), short_time),
            ctx.paint
                .word(tone, &format!("{:<6}", plain(&task.outcome, 12))),
            plain(&task.subject, 100),
        ));
        if !task.summary.is_empty() {
            text.push_str(&format!(
                "                   {}\n",
                plain(&task.summary, 200)
            ));
        }
        for receipt in &task.receipts {
            text.push_str(&format!(
                "                   {} at {}: {}\n                   reference {}\n",
                receipt.kind,
                short_time(receipt.at),
                plain(&receipt.answer, 200),
                plain(&receipt.reference, 200),
            ));
        }
    }
    ctx.print(&text)
}

struct Finished {
    at: Option<Timestamp>,
    outcome: String,
    subject: String,
    summary: String,
    receipts: Vec<ReceiptRecord>,
}

/// The newest `most`, by the time in their notes, of the newest months.
fn finished(vault: &Vault, most: usize) -> Result<Vec<Finished>, CommandError> {
    let mut entries = vault.walk()?;
    entries.retain(|entry| entry.path.is_within(layout::DONE));
    // `Done/YYYY/MM/task_<ULID>.md` sorts by the month finished, then by the time of arrival.
    entries.sort_by(|a, b| b.path.cmp(&a.path));
    let mut months = 0;
    let mut month = None;
    let mut found = Vec::new();
    for entry in entries {
        let parent = entry.path.parent();
        if parent != month {
            (months, month) = (months + 1, parent);
            if months > 1 && found.len() >= most {
                break;
            }
        }
        let Ok(text) = vault.read_text(&entry.path, MAX_TASK_BYTES) else {
            continue;
        };
        let Ok(note) = Note::parse(&text) else {
            continue;
        };
        let Ok(task) = TaskNote::from_note(&note) else {
            continue;
        };
        let field = |key: &str| note.get_text(key).unwrap_or_default().to_owned();
        found.push(Finished {
            at: field("finished").parse().ok(),
            outcome: field("outcome"),
            subject: task.subject,
            summary: field("summary"),
            receipts: receipts_of(&note).unwrap_or_default(),
        });
    }
    found.sort_by_key(|task| std::cmp::Reverse(task.at));
    found.truncate(most);
    Ok(found)
}

/// `2026-11-20 18:05 Z`.
fn short_time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}
