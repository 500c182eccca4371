//! The owner's acts: approving a draft by command, and taking an approval back.
//!
//! Invariants: what is recorded is the very bytes that the owner was shown; the move of the file and
//! its record are one decision, so nobody sees one without the other; what has left, or may have,
//! cannot be taken back, and its owner is told so.

use platinum_core::{AgentName, AgentNameError, DraftId, Timestamp, VaultPath, layout, sha256_hex};
use platinum_journal::{
    Journal, JournalError, Receipt, State,
    approvals::{Approval, Binding, Decision, How, MessageDigest, PendingFile},
};
use platinum_policy::MAX_FILE_BYTES;
use platinum_protocol::conflict_name;
use platinum_vault::{Vault, VaultError, note::Note};

use super::{
    ApprovalPolicy, Finding, MessageError, Outgoing, Unreadable,
    admission::{HELD, IN_DOUBT, RETURNED},
};

/// Why an act was not done.
#[derive(Debug, thiserror::Error)]
pub enum ActError {
    /// What is there is not what its owner was shown.
    #[error("{0} was changed in the meantime; look at it again")]
    Changed(VaultPath),
    /// It happened.
    #[error("{0} was carried out already, at {at:.0}: {answer}", at = .1.at, answer = .1.answer)]
    Done(DraftId, Receipt),
    /// It may have happened.
    #[error("{0} may have been carried out already: an attempt was made at {1:.0}")]
    InDoubt(DraftId, Timestamp),
    /// It is being carried out, and did not happen yet.
    #[error("{0} is being carried out since {1:.0}; `platinum undo` still stops it")]
    UnderWay(DraftId, Timestamp),
    /// It would expire before it leaves.
    #[error(
        "{draft} would never leave: it is to leave at {at:.0}, and expires before, at {expires:.0}"
    )]
    NeverLeaves {
        /// Which.
        draft: DraftId,
        /// When it is to leave.
        at: Timestamp,
        /// When its approval counts no more.
        expires: Timestamp,
    },
    /// There is nothing to take back.
    #[error("{0} is not approved")]
    NotApproved(DraftId),
    /// The draft cannot be read.
    #[error("{0}")]
    Unreadable(#[from] Unreadable),
    /// What it leaves as is not known.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The file cannot be moved.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The journal cannot be written: then nothing is approved.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An action is no JSON, which does not happen.
    #[error("{0}")]
    Fingerprint(#[from] serde_json::Error),
}

/// A draft as its owner was shown it.
#[derive(Debug)]
pub struct Shown<'a> {
    /// Where it is: in `Pending_Approval/`, or held in `Approved/`.
    pub path: &'a VaultPath,
    /// What it is.
    pub outgoing: &'a Outgoing,
    /// What was found in it and shown.
    pub findings: &'a [Finding],
}

/// When a draft that is approved now leaves.
///
/// # Errors
/// If it expires before.
pub fn leaves_at(
    policy: &ApprovalPolicy,
    outgoing: &Outgoing,
    now: Timestamp,
) -> Result<Timestamp, ActError> {
    let (draft, expires) = (outgoing.note.id, outgoing.note.expires);
    let at = policy.leaves_at(now, outgoing.send_at);
    match at < expires {
        true => Ok(at),
        false => Err(ActError::NeverLeaves { draft, at, expires }),
    }
}

/// Approves what the owner was shown: moves it to `Approved/`, if it is not there, and records the
/// approval. Blocks on the disk.
///
/// # Errors
/// If it is not as it was shown, was carried out or tried already, or cannot be moved or recorded.
pub fn approve(
    vault: &Vault,
    journal: &Journal,
    policy: &ApprovalPolicy,
    shown: &Shown<'_>,
    now: Timestamp,
) -> Result<Approval, ActError> {
    let id = shown.outgoing.note.id;
    let to = layout::approved(id);
    journal.decide(|decision| {
        refuse_settled(decision, id)?;
        let outgoing = Outgoing::read(vault, shown.path)?;
        let fingerprint = outgoing.fingerprint()?;
        let is_as_shown = without_remarks(&outgoing.file) == without_remarks(&shown.outgoing.file);
        if !is_as_shown || fingerprint != shown.outgoing.fingerprint()? {
            return Err(ActError::Changed(shown.path.clone()));
        }
        leaves_at(policy, &outgoing, now)?;
        let message = policy.message_of(&outgoing, &fingerprint, |draft, bytes, first| {
            decision.reference_for(draft, bytes, first)
        })?;
        if *shown.path != to {
            drop_returned(vault, decision, shown.path, &outgoing)?;
            vault.rename(shown.path, &to)?;
            fail::fail_point!("approval-moved");
        }
        let is_confirmed = *shown.path == to || !shown.findings.is_empty();
        let approval = Approval {
            how: if is_confirmed {
                How::Confirmed
            } else {
                How::Command
            },
            confirmed: shown.findings.iter().map(ToString::to_string).collect(),
            ..approval_of(&outgoing, fingerprint, message, How::Command, policy, now)
        };
        decision.approve(&approval)?;
        Ok(approval)
    })
}

/// An approval that was taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Undone {
    /// Where its file is now, if it is still there.
    pub path: Option<VaultPath>,
    /// Why the file is still in `Approved/`, if it could not be moved. It is no approval there, and
    /// goes back as soon as it can be moved.
    pub not_moved: Option<String>,
}

/// Takes an approval back before its effect: the file goes back to `Pending_Approval/`, under another
/// name if its own is taken. That it cannot be moved does not keep it approved. Blocks on the disk.
///
/// # Errors
/// If it happened or may have, was not approved, or the journal cannot be written.
pub fn undo(
    vault: &Vault,
    journal: &Journal,
    policy: &ApprovalPolicy,
    draft: DraftId,
    now: Timestamp,
) -> Result<Undone, ActError> {
    let from = layout::approved(draft);
    journal.decide(|decision| {
        match refuse_settled(decision, draft) {
            // It stops at its hand-over, which asks for this approval.
            Ok(()) | Err(ActError::UnderWay(..)) => {}
            Err(error) => return Err(error),
        }
        // What cannot be looked at may be there.
        let is_there = vault.exists(&from).unwrap_or(true);
        if decision.approval(draft)?.is_none() && !is_there {
            return Err(ActError::NotApproved(draft));
        }
        decision.withdraw(draft, now, "the owner took it back")?;
        if !is_there {
            return Ok(Undone::default());
        }
        let moved = move_to_pending(vault, policy, draft, now);
        fail::fail_point!("approval-undone");
        if moved.is_err() {
            // Else it would be the file that waited, moved by its owner.
            decision.forget_pending(draft)?;
        }
        Ok(Undone {
            path: Some(moved.as_ref().map_or(from, VaultPath::clone)),
            not_moved: moved.err(),
        })
    })
}

/// Moves a draft's file from `Approved/` to `Pending_Approval/`; answers where it is.
fn move_to_pending(
    vault: &Vault,
    policy: &ApprovalPolicy,
    draft: DraftId,
    now: Timestamp,
) -> Result<VaultPath, String> {
    let (from, to) = (layout::approved(draft), layout::pending(draft));
    let error = match vault.rename(&from, &to) {
        Ok(()) => return Ok(to),
        Err(error) => error,
    };
    let (VaultError::Exists(_) | VaultError::NotAFile { .. }) = &error else {
        return Err(error.to_string());
    };
    let text = vault.read(&from, MAX_FILE_BYTES as u64);
    let text = text.map_err(|error| error.to_string())?;
    let to = conflict_path(&to, policy, now, &text).map_err(|error| error.to_string())?;
    vault
        .rename(&from, &to)
        .map_err(|error| error.to_string())?;
    Ok(to)
}

/// The name for a file that has to go where another is already.
pub(super) fn conflict_path(
    to: &VaultPath,
    policy: &ApprovalPolicy,
    now: Timestamp,
    bytes: &[u8],
) -> Result<VaultPath, AgentNameError> {
    let agent = policy.machine.parse::<AgentName>()?;
    Ok(conflict_name(
        to,
        &agent,
        now.as_millisecond(),
        &sha256_hex(bytes),
    ))
}

/// Sends what is in doubt again: it is not waited for any more, and what is in `Approved/` is approved
/// under its next reference, if nothing else of it has changed. Answers whether it is. Blocks on the
/// disk.
///
/// # Errors
/// If it is not in doubt, or the journal cannot be written.
pub fn send_again(
    vault: &Vault,
    journal: &Journal,
    policy: &ApprovalPolicy,
    draft: DraftId,
    now: Timestamp,
) -> Result<bool, ActError> {
    journal.decide(|decision| {
        decision.let_go(draft)?;
        let Some(before) = decision.approval(draft)? else {
            return Ok(false);
        };
        let Ok(outgoing) = Outgoing::read(vault, &layout::approved(draft)) else {
            return Ok(false);
        };
        let fingerprint = outgoing.fingerprint()?;
        let message = policy.message_of(&outgoing, &fingerprint, |draft, bytes, first| {
            decision.reference_for(draft, bytes, first)
        });
        let message = match message {
            Ok(message) => message,
            Err(MessageError::Journal(error)) => return Err(error.into()),
            Err(_) => return Ok(false),
        };
        let envelope = |message: &MessageDigest| (message.from.clone(), message.recipients.clone());
        let is_same = before.binds.fingerprint == fingerprint
            && message.as_ref().map(envelope) == before.binds.message.as_ref().map(envelope);
        // What else has changed since goes back to its owner, as ever.
        if !is_same {
            return Ok(false);
        }
        decision.approve(&Approval {
            how: How::Command,
            at: now,
            binds: Binding {
                message,
                ..before.binds.clone()
            },
            ..before
        })?;
        Ok(true)
    })
}

/// Nothing is approved anew, or taken back, that happened or may have.
fn refuse_settled(decision: &Decision<'_>, id: DraftId) -> Result<(), ActError> {
    match decision.state(id)? {
        // In doubt, and the owner does not wait for its outcome any more: approved anew, it leaves again.
        State::Absent | State::NotSent { .. } | State::DoneByOwner { .. } | State::LetGo(_) => {
            Ok(())
        }
        State::Done(_, receipt) => Err(ActError::Done(id, receipt)),
        State::Intended(intent) => Err(ActError::UnderWay(id, intent.at)),
        State::HandedOver(intent) | State::Unknown { intent, .. } => {
            Err(ActError::InDoubt(id, intent.at))
        }
    }
}

/// Why it came back does not hold any more.
fn drop_returned(
    vault: &Vault,
    decision: &Decision<'_>,
    path: &VaultPath,
    outgoing: &Outgoing,
) -> Result<(), ActError> {
    let text = &outgoing.file;
    let new = without_remarks(text);
    if new == *text {
        return Ok(());
    }
    let id = outgoing.note.id;
    // Taken back, it is the file that waits again.
    let mut noted = Ok(());
    vault.replace_announced(
        path,
        new.as_bytes(),
        Some(text.as_bytes()),
        &mut |identity| {
            let file = PendingFile {
                identity,
                sha256: sha256_hex(&new),
                is_placed: true,
            };
            noted = decision.note_pending(id, &file);
        },
    )?;
    Ok(noted?)
}

/// A draft's file without what this machine itself writes into it: it may do so while its owner reads.
pub fn without_remarks(file: &str) -> String {
    let Ok(mut note) = Note::parse(file) else {
        return file.to_owned();
    };
    let mut is_changed = false;
    for key in RETURNED.into_iter().chain([HELD, IN_DOUBT]) {
        is_changed |= note.remove(key).unwrap_or(false);
    }
    match is_changed {
        true => note.to_text(),
        false => file.to_owned(),
    }
}

/// The record of an approval of this.
pub(super) fn approval_of(
    outgoing: &Outgoing,
    fingerprint: String,
    message: Option<MessageDigest>,
    how: How,
    policy: &ApprovalPolicy,
    at: Timestamp,
) -> Approval {
    Approval {
        draft: outgoing.note.id,
        task: outgoing.note.task,
        how,
        binds: Binding {
            fingerprint,
            expires: outgoing.note.expires,
            epoch: outgoing.note.epoch,
            send_at: outgoing.send_at,
            skills: policy.skills.clone(),
            message,
        },
        machine: policy.machine.clone(),
        at,
        file: None,
        confirmed: Vec::new(),
    }
}
