//! What the log holds besides intents and outcomes: [`AuditEvent`], and reading all of it as
//! [`LogEntry`].
//!
//! Invariant: an entry of the audit names its draft in its text alone, so that it never stands between
//! an intent and its outcome.

use platinum_core::{DraftId, TaskId, Timestamp};
use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use crate::{Journal, JournalError, approvals::How, chain::append_row};

/// The event of these entries.
const AUDIT: &str = "audit";

/// Something that the owner can look up later, and that does not happen unless it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "audit", rename_all = "kebab-case")]
pub enum AuditEvent {
    /// The owner approved a draft.
    Approved {
        /// Which draft.
        subject: DraftId,
        /// Its task.
        task: TaskId,
        /// SHA-256, in hex, of what was approved.
        fingerprint: String,
        /// SHA-256, in hex, of the message that leaves, without its `Date` header; none for what is no
        /// message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        message: Option<String>,
        /// By which act.
        how: How,
        /// SHA-256, in hex, of the record of the approval.
        record: String,
    },
    /// The owner, or a check, took an approval back.
    Withdrawn {
        /// Which draft.
        subject: DraftId,
        /// Why, one line.
        reason: String,
        /// SHA-256, in hex, of the record of it.
        record: String,
    },
    /// Everything was paused, or goes on.
    Switched {
        /// What holds from now on: `paused` or `resumed`.
        subject: String,
        /// Why, one line; empty if nobody said.
        reason: String,
    },
    /// The owner said that this log goes on, although others saw one that it is not: the machine was
    /// restored from a backup, or copied.
    Recovered {
        /// Whose log: `machine`.
        subject: String,
        /// The hashes of the ends that others saw and that are not in it.
        heads: Vec<String>,
    },
    /// Something was refused.
    Refused {
        /// What: a draft, a skill, a server.
        subject: String,
        /// Why, one line.
        reason: String,
    },
    /// What was carried out did not reach whom it was for: it came back.
    CameBack {
        /// Which draft.
        subject: DraftId,
        /// Its task, which is open again.
        task: TaskId,
        /// Why, one line, as a mail from outside says it.
        reason: String,
    },
    /// A skill was admitted with these interfaces.
    Granted {
        /// Which skill.
        subject: String,
        /// SHA-256, in hex, of its component.
        component: String,
        /// The interfaces it holds, as they are called in the contract.
        interfaces: Vec<String>,
    },
    /// Skills run by a lock of this time from now on, and by no older one.
    Locked {
        /// What: `skills`.
        subject: String,
        /// When the lock was written.
        written: Timestamp,
    },
    /// A skill used an interface that acts.
    Used {
        /// Which skill.
        subject: String,
        /// The interface, as it is called in the contract.
        interface: String,
        /// For which draft.
        draft: DraftId,
    },
}

/// One entry of the log, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its number, from 1.
    pub seq: u64,
    /// `intent`, `outcome` or `audit`.
    pub event: String,
    /// The draft it is about, if it is of an effect.
    pub draft: Option<DraftId>,
    /// When, as it was written.
    pub at: String,
    /// What, as JSON.
    pub data: String,
}

impl Journal {
    /// Writes an entry of the audit.
    ///
    /// # Errors
    /// If it cannot be written: then what it says may not happen.
    pub fn note(&self, event: &AuditEvent, at: Timestamp) -> Result<(), JournalError> {
        self.write_note(event, at, false)
    }

    /// As [`Journal::note`], unless the last entry of this sort about the same subject says the same.
    ///
    /// # Errors
    /// As [`Journal::note`].
    pub fn note_change(&self, event: &AuditEvent, at: Timestamp) -> Result<(), JournalError> {
        self.write_note(event, at, true)
    }

    fn write_note(
        &self,
        event: &AuditEvent,
        at: Timestamp,
        only_changes: bool,
    ) -> Result<(), JournalError> {
        let mut connection = self.lock();
        let write = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if only_changes {
            let data = serde_json::to_string(event).map_err(JournalError::Unwritable)?;
            let mut before = write.prepare_cached(
                "SELECT data FROM entries WHERE event = ?1
                   AND json_extract(data, '$.audit') = json_extract(?2, '$.audit')
                   AND json_extract(data, '$.subject') = json_extract(?2, '$.subject')
                 ORDER BY seq DESC LIMIT 1",
            )?;
            let before: Option<String> = before
                .query_row(params![AUDIT, data], |row| row.get(0))
                .optional()?;
            if before.as_deref() == Some(&data) {
                return Ok(());
            }
        }
        note_in(&write, event, at)?;
        write.commit()?;
        Ok(())
    }

    /// When the newest lock of skills was written that this log knows of.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn newest_lock(&self) -> Result<Option<Timestamp>, JournalError> {
        let connection = self.lock();
        let mut rows = connection.prepare_cached(
            "SELECT seq, data FROM entries WHERE event = ?1
               AND json_extract(data, '$.audit') = 'locked' ORDER BY seq",
        )?;
        let mut rows = rows.query([AUDIT])?;
        let mut newest = None;
        while let Some(row) = rows.next()? {
            let (entry, data): (i64, String) = (row.get(0)?, row.get(1)?);
            match serde_json::from_str(&data) {
                Ok(AuditEvent::Locked { written, .. }) => newest = newest.max(Some(written)),
                Ok(_) => {}
                Err(error) => {
                    let reason = error.to_string();
                    return Err(JournalError::Unreadable { entry, reason });
                }
            }
        }
        Ok(newest)
    }

    /// The newest entries, oldest of them first.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn newest(&self, most: usize) -> Result<Vec<LogEntry>, JournalError> {
        let connection = self.lock();
        let mut rows = connection.prepare_cached(
            "SELECT seq, event, draft, at, data FROM
               (SELECT * FROM entries ORDER BY seq DESC LIMIT ?1) ORDER BY seq",
        )?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let entries = rows.query_map([most], |row| {
            let draft: String = row.get(2)?;
            Ok(LogEntry {
                seq: row.get::<_, i64>(0)?.unsigned_abs(),
                event: row.get(1)?,
                draft: draft.parse().ok(),
                at: row.get(3)?,
                data: row.get(4)?,
            })
        })?;
        Ok(entries.collect::<Result<_, _>>()?)
    }
}

/// [`Journal::note`] as a part of a greater transaction.
pub(crate) fn note_in(
    write: &Transaction<'_>,
    event: &AuditEvent,
    at: Timestamp,
) -> Result<(), JournalError> {
    let data = serde_json::to_string(event).map_err(JournalError::Unwritable)?;
    append_row(write, "", "", AUDIT, data, at)
}
