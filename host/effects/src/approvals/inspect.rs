//! [`inspect`]: every file in `Approved/`, and why it is or is not carried out next.

use std::{collections::HashMap, fmt, time::Duration};

use platinum_core::{
    Action, Backoff, DraftId, PathError, Timestamp, VaultPath, layout, sha256_hex, text::GAP_FORM,
};
use platinum_journal::{
    Journal, JournalError, Receipt, State,
    approvals::{Approval, Pause},
};
use platinum_vault::{Vault, VaultError};

use super::{
    ApprovalPolicy,
    findings::{CheckContext, Finding, findings},
    fingerprint::{Outgoing, SEND_AT, Unreadable},
    message::{MessageError, message_drift},
    queue::InstalledSkills,
    synchronizers::synchronizer_of,
};

/// The longest delay after attempts that certainly did nothing.
const LONGEST_RETRY: Duration = Duration::from_secs(30 * 60);

/// The place of a finding about the file itself, and not about what is in it.
pub(super) const FILE: &str = "file";

/// The place of a finding about who may have moved the file.
const MOVE: &str = "move";

/// A file in `Approved/`.
#[derive(Debug, Clone)]
pub struct QueueEntry {
    /// Where it is.
    pub path: VaultPath,
    /// What it is, if it can be read.
    pub outgoing: Option<Box<Outgoing>>,
    /// What becomes of it.
    pub state: EntryState,
}

/// What becomes of a file in `Approved/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// It is carried out next.
    Ready,
    /// It was moved here on this machine; the daemon records the approval next.
    Moved,
    /// It is approved, and leaves later: until then it can be taken back.
    Scheduled {
        /// Not before this.
        until: Timestamp,
        /// Whether that is what its `send-at` says.
        is_asked_for: bool,
    },
    /// It did nothing last time and is tried again.
    Waiting {
        /// Not before this.
        until: Timestamp,
        /// Why it did nothing.
        reason: String,
    },
    /// It cannot be carried out now: its task, a pause of everything, an attempt that is under way
    /// or a file that cannot be read at the moment does not let it; why.
    Held(String),
    /// It is no approval until its owner confirms what was found.
    Unconfirmed(Vec<Finding>),
    /// It is no approval, and goes back to `Pending_Approval/` next; why.
    Returning(String),
    /// It cannot be read, or is not what its name says.
    Broken(String),
    /// The approval came too late.
    Expired(Timestamp),
    /// It happened.
    Done(Receipt),
    /// It may have happened. Nothing is tried until that is known.
    InDoubt(String),
    /// It certainly did not happen, and never will.
    Refused(String),
    /// Nothing leaves: the owner has done it themself; how. Its task is finished next.
    DoneByOwner(String),
}

impl fmt::Display for EntryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EntryState::Ready => f.write_str("ready"),
            EntryState::Moved => f.write_str("moved here; the approval is recorded next"),
            EntryState::Scheduled {
                until,
                is_asked_for: true,
            } => write!(f, "leaves at {until:.0}, as its `{SEND_AT}` says"),
            EntryState::Scheduled { until, .. } => {
                write!(f, "leaves at {until:.0}; `platinum undo` takes it back")
            }
            EntryState::Waiting { until, reason } => {
                write!(f, "tried again at {until:.0}: {reason}")
            }
            EntryState::Held(reason) => write!(f, "waits: {reason}"),
            EntryState::Unconfirmed(findings) => {
                f.write_str("held; read it and confirm with `platinum approve`: ")?;
                for (n, finding) in findings.iter().enumerate() {
                    write!(f, "{}{finding}", if n > 0 { "; " } else { "" })?;
                }
                Ok(())
            }
            EntryState::Returning(reason) => {
                write!(f, "goes back to {}: {reason}", layout::PENDING_APPROVAL)
            }
            EntryState::Broken(reason) => write!(f, "cannot be used: {reason}"),
            EntryState::Expired(at) => {
                write!(
                    f,
                    "expired at {at:.0}; to send it all the same, put a later time in `expires`"
                )
            }
            EntryState::Done(receipt) => write!(f, "done at {:.0}: {}", receipt.at, receipt.answer),
            EntryState::InDoubt(reason) => write!(f, "may have happened: {reason}"),
            EntryState::DoneByOwner(reason) => {
                write!(f, "{reason}; nothing leaves, and its task is finished")
            }
            EntryState::Refused(reason) => write!(
                f,
                "refused: {reason}; mend what it says and approve it again, or move it to {}",
                layout::REJECTED
            ),
        }
    }
}

/// What is asked when files in `Approved/` are judged.
pub(super) struct Inspection<'a> {
    pub(super) vault: &'a Vault,
    pub(super) journal: &'a Journal,
    pub(super) policy: &'a ApprovalPolicy,
    pub(super) now: Timestamp,
    /// How often each was tried without anything happening, as far as this process knows.
    pub(super) attempts: &'a HashMap<DraftId, u32>,
    /// What the other side's server said is not what was approved.
    pub(super) differences: &'a HashMap<DraftId, Difference>,
    /// Which skills are installed by now, if that may be others than this process runs.
    pub(super) installed_skills: Option<&'a InstalledSkills>,
    /// Whether that is shown by another process than the one that carries it out.
    pub(super) is_shown_alone: bool,
}

/// That what would leave is not what was approved, as the other side's server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    /// When the approval was given.
    pub(super) approved_at: Timestamp,
    /// What differs, one line.
    pub(super) reason: String,
    /// What would leave now, if that is known.
    pub(super) renewed: Option<Action>,
}

/// Looks at every file in `Approved/`, oldest draft first. Blocks on the disk.
///
/// # Errors
/// If the folder or the journal cannot be read.
pub fn inspect(
    vault: &Vault,
    journal: &Journal,
    policy: &ApprovalPolicy,
    now: Timestamp,
) -> Result<Vec<QueueEntry>, String> {
    let inspection = Inspection {
        vault,
        journal,
        policy,
        now,
        attempts: &HashMap::new(),
        differences: &HashMap::new(),
        installed_skills: None,
        is_shown_alone: true,
    };
    let mut entries = inspection.scan()?;
    let paused = journal.paused().map_err(|error| error.to_string())?;
    hold_while_paused(&mut entries, paused.as_ref());
    Ok(entries)
}

/// What is ready is not, while everything is paused.
pub(super) fn hold_while_paused(entries: &mut [QueueEntry], paused: Option<&Pause>) {
    let Some(pause) = paused else { return };
    for entry in entries {
        if entry.state == EntryState::Ready {
            entry.state = EntryState::Held(pause_reason(pause));
        }
    }
}

/// Why nothing leaves while everything is paused.
pub(super) fn pause_reason(pause: &Pause) -> String {
    let why = match pause.reason.as_str() {
        "" => String::new(),
        reason => format!(" ({reason})"),
    };
    format!(
        "everything is paused since {:.0}{why}; `platinum resume` lets it go on",
        pause.since
    )
}

/// Why a file cannot be judged.
#[derive(Debug, thiserror::Error)]
enum JudgeError {
    /// Then none can.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// It alone, for now.
    #[error("{0}")]
    File(String),
}

impl From<VaultError> for JudgeError {
    fn from(error: VaultError) -> Self {
        Self::File(error.to_string())
    }
}

impl From<PathError> for JudgeError {
    fn from(error: PathError) -> Self {
        Self::File(error.to_string())
    }
}

impl From<serde_json::Error> for JudgeError {
    fn from(error: serde_json::Error) -> Self {
        Self::File(error.to_string())
    }
}

impl Inspection<'_> {
    pub(super) fn scan(&self) -> Result<Vec<QueueEntry>, String> {
        let mut entries = vec![];
        for path in self.paths()? {
            entries.extend(self.entry(path)?);
        }
        Ok(entries)
    }

    /// The notes in `Approved/`, by the name, which begins with the time the draft was made; and those in
    /// its folders, which are not carried out, and whose owner is told.
    pub(super) fn paths(&self) -> Result<Vec<VaultPath>, String> {
        let files = self.vault.list(layout::APPROVED);
        let files = files.map_err(|error| error.to_string())?.into_iter();
        let walked = self.vault.walk_in(layout::APPROVED);
        let in_folders = walked.unwrap_or_else(|error| {
            tracing::warn!("Cannot list the folders in {}: {error}.", layout::APPROVED);
            Vec::new()
        });
        let mut paths: Vec<VaultPath> = in_folders
            .into_iter()
            .filter(|file| is_in_folder(&file.path))
            .chain(files)
            .map(|file| file.path)
            .filter(|path| path.extension() == Some("md"))
            .collect();
        paths.sort();
        Ok(paths)
    }

    /// As [`Inspection::entry`], and none if it was carried out or may have been: what it attaches is
    /// not read again for that.
    pub(super) fn candidate(&self, path: VaultPath) -> Result<Option<QueueEntry>, String> {
        if let Ok(id) = path.stem().parse::<DraftId>() {
            let state = self.journal.state(id).map_err(|error| error.to_string())?;
            if !state.may_be_tried() {
                return Ok(None);
            }
        }
        self.entry(path)
    }

    /// One file; none if it is gone.
    pub(super) fn entry(&self, path: VaultPath) -> Result<Option<QueueEntry>, String> {
        let (outgoing, state) = match Outgoing::read(self.vault, &path) {
            Err(Unreadable::Gone) => return Ok(None),
            Err(Unreadable::Away(reason)) => (None, EntryState::Held(reason)),
            Err(Unreadable::Broken(reason)) => (None, EntryState::Broken(reason)),
            Ok(outgoing) => {
                let state = match self.judge(&path, &outgoing) {
                    Ok(state) => state,
                    Err(JudgeError::Journal(error)) => return Err(error.to_string()),
                    // It alone waits; the others go on.
                    Err(JudgeError::File(reason)) => EntryState::Held(reason),
                };
                (Some(Box::new(outgoing)), state)
            }
        };
        Ok(Some(QueueEntry {
            path,
            outgoing,
            state,
        }))
    }

    fn judge(&self, path: &VaultPath, outgoing: &Outgoing) -> Result<EntryState, JudgeError> {
        let (vault, journal) = (self.vault, self.journal);
        let id = outgoing.note.id;
        let its_own = layout::approved(id);
        if *path != its_own {
            let is_there = vault.exists(&its_own)?;
            let advice = if is_there {
                format!("keep one of the two versions, as {its_own}")
            } else if is_in_folder(path) {
                return Ok(EntryState::Broken(format!(
                    "what is in a folder of {} is not carried out; move it to {its_own}",
                    layout::APPROVED
                )));
            } else {
                format!("rename it to {}", its_own.file_name())
            };
            return Ok(EntryState::Broken(format!(
                "it says it is {id}, and that is not its file's name; {advice}"
            )));
        }
        if vault.exists(&layout::rejected(id))? {
            let rejected = layout::rejected(id);
            return Ok(EntryState::Broken(format!(
                "it is rejected too: {rejected}; remove one of the two"
            )));
        }
        let fingerprint = outgoing.fingerprint()?;
        let failure = match journal.state(id)? {
            State::Done(_, receipt) => return self.done(path, id, receipt),
            State::Intended(intent) => {
                return Ok(EntryState::Held(format!(
                    "an attempt was begun at {:.0} and nothing is handed over yet",
                    intent.at
                )));
            }
            State::HandedOver(intent) => {
                return Ok(EntryState::InDoubt(format!(
                    "an attempt was made at {:.0} and its outcome was never written down",
                    intent.at
                )));
            }
            State::Unknown { reason, .. } => return Ok(EntryState::InDoubt(reason)),
            // Tried, and approved since: a new attempt, whatever came of the one before.
            State::NotSent { .. } | State::DoneByOwner { .. }
                if journal.is_approved_anew(id)? =>
            {
                None
            }
            // A definite no stays a no, but not for what the owner changed since.
            State::NotSent {
                intent,
                reason,
                retry: false,
                ..
            } if intent.fingerprint == fingerprint && journal.approval(id)?.is_some() => {
                return Ok(EntryState::Refused(reason));
            }
            State::DoneByOwner { intent, reason }
                if intent.fingerprint == fingerprint && journal.approval(id)?.is_some() =>
            {
                return Ok(EntryState::DoneByOwner(reason));
            }
            // In doubt, and the owner has said: again.
            State::NotSent { retry: false, .. }
            | State::DoneByOwner { .. }
            | State::Absent
            | State::LetGo(_) => None,
            // The daemon knows what would leave now, and puts it back with that.
            State::NotSent {
                reason,
                differs: true,
                ..
            } if self.is_shown_alone && journal.approval(id)?.is_some() => {
                return Ok(EntryState::Returning(reason));
            }
            State::NotSent { intent, reason, .. } => Some((intent.at, reason)),
        };
        if outgoing.note.expires <= self.now {
            return Ok(EntryState::Expired(outgoing.note.expires));
        }
        let Some(approval) = journal.approval(id)? else {
            return self.unrecorded(path, outgoing);
        };
        if self.is_for_installed_skills(&approval, outgoing, &fingerprint) {
            return Ok(EntryState::Held(
                "it was approved with other skills or grants than this daemon runs; restart \
                 `platinum run`"
                    .to_owned(),
            ));
        }
        let drift = self.drift(&approval, outgoing, &fingerprint, |draft, bytes, first| {
            journal.reference_for(draft, bytes, first)
        });
        match drift {
            Ok(None) => {}
            Ok(Some(reason)) => return Ok(EntryState::Returning(reason)),
            Err(MessageError::Journal(error)) => return Err(error.into()),
            // It counts, and may be composed again later.
            Err(error) => return Ok(EntryState::Held(error.to_string())),
        }
        let until = self.policy.due(&approval);
        if until > self.now {
            return Ok(EntryState::Scheduled {
                until,
                is_asked_for: approval.binds.send_at == Some(until),
            });
        }
        if let Some((at, reason)) = failure {
            let attempts = self.attempts.get(&id).copied().unwrap_or(1);
            let delay = match attempts {
                0 => Duration::ZERO,
                _ => Backoff::new(self.policy.retry, LONGEST_RETRY).delay(attempts - 1),
            };
            match at.checked_add(delay) {
                Ok(until) if until > self.now => {
                    return Ok(EntryState::Waiting { until, reason });
                }
                _ => {}
            }
        }
        Ok(EntryState::Ready)
    }

    /// A second file of what happened already is not put away in the place of the first.
    fn done(
        &self,
        path: &VaultPath,
        id: DraftId,
        receipt: Receipt,
    ) -> Result<EntryState, JudgeError> {
        let put_away = format!("{}/{}", layout::done_month(receipt.at), path.file_name());
        let put_away = VaultPath::new(put_away)?;
        let is_second = self.vault.exists(&put_away)?;
        Ok(match is_second {
            true => EntryState::Broken(format!(
                "{id} was carried out at {:.0} ({put_away}) and is not carried out twice; \
                 remove this file",
                receipt.at
            )),
            false => EntryState::Done(receipt),
        })
    }

    /// A file that is here without an approval in the journal. The owner's act is the move of the
    /// very file that waited on this machine; of what else put it here nothing is known.
    fn unrecorded(&self, path: &VaultPath, outgoing: &Outgoing) -> Result<EntryState, JudgeError> {
        // A gap in the place of a recipient cannot be meant.
        if outgoing.note.action.has_field_gap() {
            return Ok(EntryState::Returning(format!(
                "a field is still a gap, marked {GAP_FORM}; fill it in and approve it again"
            )));
        }
        if outgoing.has_open_gaps() {
            return Ok(EntryState::Returning(format!(
                "its text still has gaps, marked {GAP_FORM}; fill them in and approve it again, or \
                 send it as it is with `platinum approve --with-gaps`"
            )));
        }
        let Some(known) = self.journal.pending_file(outgoing.note.id)? else {
            return Ok(EntryState::Returning(format!(
                "it was put into {} without having waited in {} on this machine; read it, then \
                 approve it",
                layout::APPROVED,
                layout::PENDING_APPROVAL
            )));
        };
        let context = CheckContext::of(self.vault, self.journal, outgoing, self.now)
            .map_err(JudgeError::File)?;
        let mut found = findings(outgoing, &context);
        if !self.policy.accepts_other_devices {
            let identity = self.vault.identity(path)?;
            let is_as_noted = sha256_hex(&outgoing.file) == known.sha256;
            let is_same = identity.is_some_and(|now| {
                now.is_certainly(known.identity) || now == known.identity && is_as_noted
            });
            if !is_same {
                let why = "another device or program moved it, or it was saved as a new file just \
                           before it was moved: it is not the file that waited here";
                found.insert(0, Finding::new(FILE, why));
            } else if !is_as_noted && self.vault.was_written_after_move(path)? {
                return Ok(EntryState::Returning(format!(
                    "it was changed in {} before its approval was recorded; read it, then approve \
                     it again",
                    layout::APPROVED
                )));
            } else if let Some(name) = synchronizer_of(self.vault.root()) {
                let why = format!(
                    "{name} keeps this vault in step with other devices, and a move that it \
                     carries out cannot be told from yours; `approvals.other-devices = \"accept\"` \
                     counts every move"
                );
                found.insert(0, Finding::new(MOVE, why));
            }
        }
        if !found.is_empty() {
            return Ok(EntryState::Unconfirmed(found));
        }
        let fingerprint = outgoing.fingerprint()?;
        let message = self
            .policy
            .message_of(outgoing, &fingerprint, |draft, bytes, first| {
                self.journal.reference_for(draft, bytes, first)
            });
        match message {
            Ok(_) => Ok(EntryState::Moved),
            Err(MessageError::Journal(error)) => Err(error.into()),
            // The owner has moved it: recorded as soon as it is known what that approves.
            Err(error) => Ok(EntryState::Held(format!("it is not approved yet: {error}"))),
        }
    }

    /// Whether an approval does not count for the skills that this process runs, and would for those
    /// that are installed by now.
    fn is_for_installed_skills(
        &self,
        approval: &Approval,
        outgoing: &Outgoing,
        fingerprint: &str,
    ) -> bool {
        let counts =
            |policy: &ApprovalPolicy| drift(approval, outgoing, fingerprint, policy).is_none();
        let Some(read) = self.installed_skills.filter(|_| !counts(self.policy)) else {
            return false;
        };
        counts(&ApprovalPolicy {
            skills: read(),
            ..self.policy.clone()
        })
    }

    /// What the other side's server said to what this approval is for.
    pub(super) fn difference(&self, approval: &Approval) -> Option<&Difference> {
        let difference = self.differences.get(&approval.draft)?;
        (difference.approved_at == approval.at).then_some(difference)
    }

    /// Why an approval is not one for what would leave now, if so. `reference_for` is the journal's, or
    /// that of a decision.
    pub(super) fn drift(
        &self,
        approval: &Approval,
        outgoing: &Outgoing,
        fingerprint: &str,
        reference_for: impl FnOnce(DraftId, &str, &str) -> Result<String, JournalError>,
    ) -> Result<Option<String>, MessageError> {
        if let Some(reason) = drift(approval, outgoing, fingerprint, self.policy) {
            return Ok(Some(reason));
        }
        if let Some(difference) = self.difference(approval) {
            return Ok(Some(difference.reason.clone()));
        }
        let message = self
            .policy
            .message_of(outgoing, fingerprint, reference_for)?;
        Ok(message_drift(approval, message.as_ref()))
    }
}

/// Whether a file of `Approved/` is in a folder there, and not in it itself.
fn is_in_folder(path: &VaultPath) -> bool {
    path.components().count() > 2
}

/// Why an approval is not one for what the file holds now, if so. Of the message that follows from it,
/// see [`Inspection::drift`].
pub(super) fn drift(
    approval: &Approval,
    outgoing: &Outgoing,
    fingerprint: &str,
    policy: &ApprovalPolicy,
) -> Option<String> {
    let binds = &approval.binds;
    if binds.fingerprint != fingerprint {
        return Some(format!(
            "it, or a file that it attaches, was changed after it was approved at {:.0}; read it, \
             then approve it again",
            approval.at
        ));
    }
    // A claim that was not confirmed when it was approved is confirmed by the sync.
    if binds.epoch != outgoing.note.epoch && binds.epoch != Some(0) {
        return Some(format!(
            "it says another claim of its task than when it was approved at {:.0}; read it, then \
             approve it again",
            approval.at
        ));
    }
    if binds.skills.is_some() && policy.skills.is_some() && binds.skills != policy.skills {
        return Some(format!(
            "the skills that carry it out, or what they are granted, were changed after it was \
             approved at {:.0}; approve it again",
            approval.at
        ));
    }
    None
}
