//! [`EntryRow`]: the entries of the log in words.

use std::path::Path;

use platinum_core::Timestamp;
use platinum_journal::{AuditEvent, Journal, LogEntry, approvals::How};
use serde::Serialize;
use serde_json::Value;

use crate::{
    ReadError,
    text::{count, plain},
};

/// An entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryRow {
    /// Its number, from 1.
    pub seq: u64,
    /// When; `None` if it does not say so in a way that can be read.
    pub at: Option<Timestamp>,
    /// What, in one line.
    pub text: String,
}

/// The newest entries of the log of a state folder, oldest of them first.
///
/// # Errors
/// If it cannot be read.
pub fn newest_entries(state: &Path, most: usize) -> Result<Vec<EntryRow>, ReadError> {
    let path = state.join(super::FILE);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let failed =
        |error: platinum_journal::JournalError| ReadError::Journal(plain(&error.to_string(), 300));
    let journal = Journal::open_copy(&path).map_err(failed)?;
    let entries = journal.newest(most).map_err(failed)?;
    Ok(entries.iter().map(EntryRow::of).collect())
}

impl EntryRow {
    fn of(entry: &LogEntry) -> Self {
        let text = match entry.event.as_str() {
            "audit" => serde_json::from_str(&entry.data).map_or_else(
                |error| format!("cannot be read: {error}"),
                |event| audit(&event),
            ),
            event => effect(event, entry),
        };
        Self {
            seq: entry.seq,
            at: entry.at.parse().ok(),
            text: plain(&text, 300),
        }
    }
}

fn effect(event: &str, entry: &LogEntry) -> String {
    let data: Value = serde_json::from_str(&entry.data).unwrap_or_default();
    let field = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or("?");
    let draft = entry
        .draft
        .map_or_else(|| "?".to_owned(), |id| id.to_string());
    match event {
        "intent" => format!(
            "attempts {} of {draft}{}, bytes {}, as {}",
            field("kind"),
            recipients(&data),
            short_hash(match field("message") {
                "?" => field("fingerprint"),
                message => message,
            }),
            field("reference")
        ),
        _ => match field("outcome") {
            "receipt" => format!("{draft} happened: {}", field("answer")),
            "not-sent" => format!("{draft} did not happen: {}", field("reason")),
            "done-by-owner" => format!("{draft} did not leave: {}", field("reason")),
            "unknown" => format!("{draft} may have happened: {}", field("reason")),
            other => format!("{draft}: {}", other.replace('-', " ")),
        },
    }
}

/// To whom it goes, if that is known.
fn recipients(data: &Value) -> String {
    let all = data.get("recipients").and_then(Value::as_array);
    let all: Vec<&str> = all
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    match all.as_slice() {
        [] => String::new(),
        all => format!(" to {}", all.join(", ")),
    }
}

fn audit(event: &AuditEvent) -> String {
    match event {
        AuditEvent::Approved {
            subject,
            fingerprint,
            message,
            how,
            ..
        } => format!(
            "approved {subject}, bytes {}, {}",
            short_hash(message.as_ref().unwrap_or(fingerprint)),
            match how {
                How::Moved => "by moving its file",
                How::Command => "by command",
                How::Confirmed => "by command, with what was found in it shown",
            }
        ),
        AuditEvent::Recovered { heads, .. } => format!(
            "the owner went on with this log; {} that others saw are not in it: {}",
            count(heads.len() as u64, "end", "ends"),
            heads
                .iter()
                .map(|head| short_hash(head))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        AuditEvent::Switched { subject, reason } => match reason.as_str() {
            "" => subject.clone(),
            reason => format!("{subject}: {reason}"),
        },
        AuditEvent::Withdrawn {
            subject, reason, ..
        } => {
            format!("took back the approval of {subject}: {reason}")
        }
        AuditEvent::Refused { subject, reason } => format!("refused {subject}: {reason}"),
        AuditEvent::CameBack {
            subject, reason, ..
        } => format!("{subject} came back: {reason}"),
        AuditEvent::Granted {
            subject,
            component,
            interfaces,
        } => format!(
            "admitted skill {subject}, component {}, with {}",
            short_hash(component),
            match interfaces.as_slice() {
                [] => "nothing".to_owned(),
                some => some.join(", "),
            }
        ),
        AuditEvent::Locked { subject, written } => {
            format!("{subject} run by the lock of {written}, and by none before it")
        }
        AuditEvent::Used {
            subject,
            interface,
            draft,
        } => format!("skill {subject} used {interface} for {draft}"),
    }
}

fn short_hash(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
