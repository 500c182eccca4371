//! [`LogRow`]: what was finished, and what the other side answered.

use platinum_core::{ActionKind, DayPart, DraftId, Timestamp, VaultPath, layout, parse_time};
use platinum_effects::review::escape_hidden;
use platinum_vault::{
    Vault, VaultError,
    note::{Note, ReceiptRecord, TaskNote, receipts_of},
};
use serde::Serialize;

use crate::text::plain;

/// The largest task note that is read.
const MAX_TASK_BYTES: u64 = 4 * 1024 * 1024;

/// A finished task.
#[derive(Debug, Clone, Serialize)]
pub struct LogRow {
    /// Its note.
    pub path: VaultPath,
    /// When it was finished; `None` if its note does not say.
    pub at: Option<Timestamp>,
    /// How it ended, in a word: `done`, `failed`, …
    pub outcome: String,
    /// What it was about.
    pub subject: String,
    /// What was done.
    pub summary: String,
    /// What the other side answered to each effect.
    pub receipts: Vec<LogReceipt>,
}

/// What the other side answered to an effect.
#[derive(Debug, Clone, Serialize)]
pub struct LogReceipt {
    /// The draft that was carried out.
    pub draft: DraftId,
    /// What kind of action it was.
    pub kind: ActionKind,
    /// When.
    pub at: Timestamp,
    /// By what the other side knows it.
    pub reference: String,
    /// The answer.
    pub answer: String,
    /// Whom it reached.
    pub recipients: Vec<String>,
    /// SHA-256, in hex, of what left; empty if the note does not say.
    pub sha256: String,
    /// Why it came back, if it did.
    pub came_back: Option<String>,
}

impl From<ReceiptRecord> for LogReceipt {
    fn from(receipt: ReceiptRecord) -> Self {
        Self {
            draft: receipt.draft,
            kind: receipt.kind,
            at: receipt.at,
            reference: plain(&receipt.reference, 200),
            answer: plain(&receipt.answer, 200),
            recipients: receipt
                .recipients
                .iter()
                .map(|recipient| plain(&escape_hidden(recipient), 320))
                .collect(),
            sha256: plain(&receipt.sha256, 64),
            came_back: receipt
                .came_back
                .map(|reason| plain(&escape_hidden(&reason), 300)),
        }
    }
}

/// The newest `most` finished tasks, by the time in their notes. Only the newest months are read.
///
/// # Errors
/// If a folder cannot be read. A note that cannot be read is left out.
pub fn finished(vault: &Vault, most: usize) -> Result<Vec<LogRow>, VaultError> {
    let mut entries = vault.walk_in(layout::DONE)?;
    // `Done/YYYY/MM/task_<ULID>.md` sorts by the month finished, then by the time of arrival.
    entries.sort_by(|a, b| b.path.cmp(&a.path));
    let mut months = 0;
    let mut month = None;
    let mut rows = Vec::new();
    for entry in entries {
        let parent = entry.path.parent();
        if parent != month {
            (months, month) = (months + 1, parent);
            if months > 1 && rows.len() >= most {
                break;
            }
        }
        rows.extend(read(vault, entry.path));
    }
    // Of one second the newer is the one with the later id.
    rows.sort_by(|one, other| (other.at, &other.path).cmp(&(one.at, &one.path)));
    rows.truncate(most);
    Ok(rows)
}

fn read(vault: &Vault, path: VaultPath) -> Option<LogRow> {
    let text = vault.read_text(&path, MAX_TASK_BYTES).ok()?;
    let note = Note::parse(&text).ok()?;
    let task = TaskNote::from_note(&note).ok()?;
    let field = |key: &str| note.get_text(key).unwrap_or_default();
    let receipts = receipts_of(&note).unwrap_or_default();
    Some(LogRow {
        path,
        at: parse_time(field("finished"), DayPart::End).ok(),
        outcome: plain(field("outcome"), 12),
        subject: plain(&task.subject, 100),
        summary: plain(field("summary"), 200),
        receipts: receipts.into_iter().map(LogReceipt::from).collect(),
    })
}
