//! The journal's calls about approvals.

use platinum_core::{DraftId, FileIdentity, Timestamp};
use rusqlite::{OptionalExtension, TransactionBehavior, params};

use super::{
    Approval, Decision, Pause, PendingFile,
    table::{approval_of, is_approved_anew, note_pending_in, paused, unreadable},
};
use crate::{AuditEvent, Journal, JournalError, audit::note_in, store::read_back};

impl Journal {
    /// Makes a decision: what `decide` writes is kept if it returns without an error, and nothing
    /// of it otherwise. Keep it short: every other decision waits for it.
    ///
    /// # Errors
    /// That of `decide`, or if the journal cannot be written.
    pub fn decide<T, E: From<JournalError>>(
        &self,
        decide: impl FnOnce(&Decision<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.lock();
        let write = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(JournalError::from)?;
        let decision = Decision(write);
        let decided = decide(&decision)?;
        decision.0.commit().map_err(JournalError::from)?;
        Ok(decided)
    }

    /// The approval of a draft that counts now: the last one, unless it was taken back.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn approval(&self, draft: DraftId) -> Result<Option<Approval>, JournalError> {
        approval_of(&self.lock(), draft)
    }

    /// Whether the last approval of a draft was given after the last outcome of an attempt: then it
    /// is a new one, whatever came of the attempt. By the order of the log, not by the clock.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn is_approved_anew(&self, draft: DraftId) -> Result<bool, JournalError> {
        is_approved_anew(&self.lock(), draft)
    }

    /// The approvals that count and were not carried out, in the order in which they were given.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn open_approvals(&self) -> Result<Vec<Approval>, JournalError> {
        let connection = self.lock();
        let mut open = connection.prepare_cached(
            "SELECT seq, data FROM approvals AS a
             WHERE event = 'approved'
               AND seq = (SELECT max(seq) FROM approvals WHERE draft = a.draft)
               AND NOT EXISTS (SELECT 1 FROM entries AS e WHERE e.draft = a.draft
                   AND e.event = 'outcome' AND json_extract(e.data, '$.outcome') = 'receipt')
             ORDER BY seq",
        )?;
        let rows: Vec<(i64, String)> = open
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        rows.iter()
            .map(|(seq, data)| read_back(*seq, data))
            .collect()
    }

    /// Notes which file waits for the owner under a draft's name, in the place of an earlier one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn note_pending(&self, draft: DraftId, file: &PendingFile) -> Result<(), JournalError> {
        note_pending_in(&self.lock(), draft, file)
    }

    /// The file that waited for the owner under a draft's name, as it was seen last.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn pending_file(&self, draft: DraftId) -> Result<Option<PendingFile>, JournalError> {
        let connection = self.lock();
        let mut file = connection.prepare_cached(
            "SELECT inode, born, sha256, placed FROM pending_files WHERE draft = ?1",
        )?;
        type PendingColumns = (String, Option<i64>, String, bool);
        let columns: Option<PendingColumns> = file
            .query_row([draft.to_string()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
            })
            .optional()?;
        let Some((inode, born, sha256, is_placed)) = columns else {
            return Ok(None);
        };
        let inode = inode
            .parse()
            .map_err(|error: std::num::ParseIntError| unreadable(error.to_string()))?;
        Ok(Some(PendingFile {
            identity: FileIdentity { inode, born },
            sha256,
            is_placed,
        }))
    }

    /// Pauses everything: no effect begins until [`Journal::resume`]. Answers whether it was not
    /// paused already.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn pause(&self, at: Timestamp, reason: &str) -> Result<bool, JournalError> {
        self.switch("paused", at, reason)
    }

    /// Lets effects begin again. Answers whether it was paused.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn resume(&self, at: Timestamp) -> Result<bool, JournalError> {
        self.switch("resumed", at, "")
    }

    /// Whether everything is paused.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn paused(&self) -> Result<Option<Pause>, JournalError> {
        paused(&self.lock())
    }

    fn switch(&self, event: &str, at: Timestamp, reason: &str) -> Result<bool, JournalError> {
        self.decide(|decision| {
            if decision.paused()?.is_some() == (event == "paused") {
                return Ok(false);
            }
            decision.0.execute(
                "INSERT INTO pauses (event, reason, at) VALUES (?1, ?2, ?3)",
                params![event, reason, at.to_string()],
            )?;
            let switched = AuditEvent::Switched {
                subject: event.to_owned(),
                reason: reason.to_owned(),
            };
            match note_in(&decision.0, &switched, at) {
                // Nothing begins on such a log anyway, and stopping must never be refused.
                Err(JournalError::Distrusted(_) | JournalError::Broken { .. })
                    if event == "paused" => {}
                noted => noted?,
            }
            Ok(true)
        })
    }
}
