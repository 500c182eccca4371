//! [`Decision`]: one decision about approvals, as one transaction.

use platinum_core::{DraftId, Timestamp, sha256_hex};
use rusqlite::Transaction;
use serde::{Deserialize, Serialize};

use super::{
    Approval, Pause, PendingFile,
    table::{APPROVED, WITHDRAWN, append, approval_of, is_approved_anew, note_pending_in, paused},
};
use crate::{
    AuditEvent, Begin, Intent, JournalError, State,
    audit::note_in,
    store::{hand_over_in, intend_in, let_go_in, reference_in, state_of},
};

/// Why an approval was taken back.
#[derive(Serialize, Deserialize)]
struct Withdrawal {
    reason: String,
}

/// One decision about approvals. Nobody else, in any process, makes one meanwhile. Inside of it the
/// journal itself must not be called: it is locked.
#[derive(Debug)]
pub struct Decision<'a>(pub(super) Transaction<'a>);

impl Decision<'_> {
    /// The approval of a draft that counts now.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn approval(&self, draft: DraftId) -> Result<Option<Approval>, JournalError> {
        approval_of(&self.0, draft)
    }

    /// What the journal knows of a draft's effect.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn state(&self, draft: DraftId) -> Result<State, JournalError> {
        state_of(&self.0, draft)
    }

    /// [`Journal::is_approved_anew`](crate::Journal::is_approved_anew) as a part of this decision.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn is_approved_anew(&self, draft: DraftId) -> Result<bool, JournalError> {
        is_approved_anew(&self.0, draft)
    }

    /// Records an approval. It replaces an earlier one.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn approve(&self, approval: &Approval) -> Result<(), JournalError> {
        let data = serde_json::to_string(approval).map_err(JournalError::Unwritable)?;
        append(&self.0, approval.draft, APPROVED, &data, approval.at)?;
        let event = AuditEvent::Approved {
            subject: approval.draft,
            task: approval.task,
            fingerprint: approval.binds.fingerprint.clone(),
            message: approval.binds.message.as_ref().map(|m| m.sha256.clone()),
            how: approval.how,
            record: sha256_hex(&data),
        };
        note_in(&self.0, &event, approval.at)
    }

    /// Records that an approval counts no more, and why, in one line. Without one, nothing is
    /// written.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn withdraw(
        &self,
        draft: DraftId,
        at: Timestamp,
        reason: &str,
    ) -> Result<(), JournalError> {
        if self.approval(draft)?.is_none() {
            return Ok(());
        }
        let reason = reason.to_owned();
        let withdrawal = Withdrawal { reason };
        let data = serde_json::to_string(&withdrawal).map_err(JournalError::Unwritable)?;
        append(&self.0, draft, WITHDRAWN, &data, at)?;
        let event = AuditEvent::Withdrawn {
            subject: draft,
            reason: withdrawal.reason,
            record: sha256_hex(&data),
        };
        note_in(&self.0, &event, at)
    }

    /// Writes into the log that a draft was refused which was not approved, and why, in one line.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn refuse(&self, draft: DraftId, at: Timestamp, reason: &str) -> Result<(), JournalError> {
        let event = AuditEvent::Refused {
            subject: draft.to_string(),
            reason: reason.to_owned(),
        };
        note_in(&self.0, &event, at)
    }

    /// [`Journal::note_pending`](crate::Journal::note_pending) as a part of this decision.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn note_pending(&self, draft: DraftId, file: &PendingFile) -> Result<(), JournalError> {
        note_pending_in(&self.0, draft, file)
    }

    /// Forgets which file waits under a draft's name: none that is found is known to have waited.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn forget_pending(&self, draft: DraftId) -> Result<(), JournalError> {
        self.0
            .prepare_cached("DELETE FROM pending_files WHERE draft = ?1")?
            .execute([draft.to_string()])?;
        Ok(())
    }

    /// [`Journal::intend`](crate::Journal::intend) as a part of this decision.
    ///
    /// # Errors
    /// As there.
    pub fn intend(&self, intent: &Intent) -> Result<Begin, JournalError> {
        intend_in(&self.0, intent)
    }

    /// [`Journal::reference_for`](crate::Journal::reference_for) as a part of this decision.
    ///
    /// # Errors
    /// As there.
    pub fn reference_for(
        &self,
        draft: DraftId,
        fingerprint: &str,
        first: &str,
    ) -> Result<String, JournalError> {
        reference_in(&self.0, draft, fingerprint, first)
    }

    /// [`Journal::let_go`](crate::Journal::let_go) as a part of this decision.
    ///
    /// # Errors
    /// As there.
    pub fn let_go(&self, draft: DraftId) -> Result<(), JournalError> {
        let_go_in(&self.0, draft)
    }

    /// [`Journal::hand_over`](crate::Journal::hand_over) as a part of this decision.
    ///
    /// # Errors
    /// As there.
    pub fn hand_over(&self, draft: DraftId) -> Result<(), JournalError> {
        hand_over_in(&self.0, draft)
    }

    /// Whether everything is paused.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn paused(&self) -> Result<Option<Pause>, JournalError> {
        paused(&self.0)
    }
}
