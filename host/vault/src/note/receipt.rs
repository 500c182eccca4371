//! [`finish`]: what a task's note says once it is over; [`reopen`]: what it says when that came back.

use platinum_core::{
    ActionKind, DayPart, DraftId, TaskId, Timestamp, format_time, parse_time, whole_second,
};
use serde::{Deserialize, Serialize};
use serde_norway::Value;

use super::{
    Note, NoteError,
    task::{CAME_BACK, set_fact},
};

/// The most that is kept of why something came back, in characters.
const MAX_REASONS: usize = 1000;

/// What the other side answered, kept in the task's note under `receipts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ReceiptRecord {
    /// The draft that was carried out.
    pub draft: DraftId,
    /// What kind of effect.
    pub kind: ActionKind,
    /// When.
    pub at: Timestamp,
    /// The other side's name for it: a Message-ID.
    pub reference: String,
    /// Its answer.
    pub answer: String,
    /// Whom it reached, as it was carried out, whatever the draft said of itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<String>,
    /// SHA-256, in hex, of what left: of a message without its `Date` header; of what is none, of every
    /// field. Empty in notes that are older.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
    /// Why it came back, if it did: then it did not reach whom it was for, whatever was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_back: Option<String>,
}

/// Writes how the task ended into its note: the keys `outcome`, `summary`, `finished` and, if
/// there are any, `receipts`. Receipts that the note has already are kept. The note is changed
/// wholly or not at all.
///
/// # Errors
/// If the frontmatter cannot take the keys, or has `receipts` that are none.
pub fn finish(
    note: &mut Note,
    outcome: &str,
    summary: &str,
    at: Timestamp,
    receipts: &[ReceiptRecord],
) -> Result<(), NoteError> {
    let mut edited = note.clone();
    edited.set("outcome", outcome)?;
    edited.set("summary", summary)?;
    edited.set("finished", format_time(whole_second(at)))?;
    if !receipts.is_empty() {
        let mut all = receipts_of(&edited)?;
        for receipt in receipts {
            // What the note says of it already stays: that it came back, say.
            if !all.iter().any(|known| known.draft == receipt.draft) {
                all.push(receipt.clone());
            }
        }
        let all = serde_norway::to_value(&all).map_err(|_| NoteError::Unwritable {
            key: "receipts".to_owned(),
            reason: "no YAML",
        })?;
        edited.set("receipts", all)?;
    }
    *note = edited;
    Ok(())
}

/// Writes into a task's note that what was carried out for it came back, as the task `report` says: at
/// its receipt, as a fact for whoever works on it next, and in the text, below what it was; each reason
/// once, as one may come back from several recipients. The note then says of no end. Answers whether it
/// was not written already. The note is changed wholly or not at all.
///
/// # Errors
/// If the note has no receipt of that draft, or cannot take it.
pub fn reopen(
    note: &mut Note,
    draft: DraftId,
    reason: &str,
    report: TaskId,
    text: &str,
) -> Result<bool, NoteError> {
    let mut receipts = receipts_of(note)?;
    let receipt = receipts.iter_mut().find(|receipt| receipt.draft == draft);
    let receipt = receipt.ok_or_else(|| NoteError::Invalid {
        key: "receipts".to_owned(),
        line: note.line_of("receipts"),
        reason: format!("there is none of {draft}"),
    })?;
    if note.body().contains(&report.to_string()) {
        return Ok(false);
    }
    let reasons = match &receipt.came_back {
        None => reason.to_owned(),
        Some(known) if known.contains(reason) => return Ok(false),
        Some(known) => super::one_line(&format!("{known}; {reason}"), MAX_REASONS),
    };
    receipt.came_back = Some(reasons.clone());
    let unwritable = |key: &str| NoteError::Unwritable {
        key: key.to_owned(),
        reason: "no YAML",
    };
    let mut edited = note.clone();
    let receipts = serde_norway::to_value(&receipts).map_err(|_| unwritable("receipts"))?;
    edited.set("receipts", receipts)?;
    set_fact(&mut edited, CAME_BACK, &reasons)?;
    for key in ["outcome", "summary", "finished"] {
        edited.remove(key)?;
    }
    let body = format!(
        "{}\n\n# What came back\n\n- As {report}\n\n{text}",
        edited.body().trim_end()
    );
    edited.set_body(body);
    *note = edited;
    Ok(true)
}

/// The receipts in a task's note.
///
/// # Errors
/// If there are `receipts` that are none.
pub fn receipts_of(note: &Note) -> Result<Vec<ReceiptRecord>, NoteError> {
    match note.get("receipts") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(value) => {
            serde_norway::from_value(value.clone()).map_err(|error| NoteError::Invalid {
                key: "receipts".to_owned(),
                line: note.line_of("receipts"),
                reason: super::one_line(&error.to_string(), 300),
            })
        }
    }
}

impl Note {
    /// When its task was finished, if it was: before, if its owner opened it again.
    pub fn finished_at(&self) -> Option<Timestamp> {
        parse_time(self.get_text("finished")?, DayPart::End).ok()
    }

    /// Whether it has the receipt of a draft; not if it has `receipts` that are none.
    pub fn has_receipt(&self, draft: DraftId) -> bool {
        receipts_of(self).is_ok_and(|all| all.iter().any(|receipt| receipt.draft == draft))
    }
}
