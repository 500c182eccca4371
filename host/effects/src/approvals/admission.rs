//! [`Approvals::admit`]: what the owner moved is recorded as approved, what is no approval goes
//! back, and what was moved away is approved no more.
//!
//! Invariant: each is looked at once more inside its decision, so that of the daemon and a command
//! one comes first.

use platinum_core::{
    AgentNameError, DraftId, PathError, TaskId, Timestamp, VaultPath, format_time, layout,
    sha256_hex, text::one_line, whole_second,
};
use platinum_journal::{
    JournalError, State,
    approvals::{Approval, How, PendingFile},
};
use platinum_vault::{
    PathEntry, VaultError,
    note::{Note, NoteError, Value, set_action},
};

use super::{
    Approvals, EntryState, Finding, Outgoing,
    act::{approval_of, conflict_path},
    inspect::{FILE, Inspection},
    message::MessageError,
};
use crate::writing::blocking;

/// The properties of a draft that came back: why, and when.
pub const RETURNED: [&str; 2] = ["returned", "returned-at"];

/// The property of a draft that is held: what was found in it.
pub(super) const HELD: &str = "held";
/// The longest note of a task that is read, in bytes.
const MAX_TASK_BYTES: u64 = 1024 * 1024;
/// The property of a draft whose outcome is not known: what each move of it means.
pub const IN_DOUBT: &str = "in-doubt";
/// More findings than this are not written into it; `platinum approve` shows all.
const MAX_WRITTEN: usize = 10;

/// A draft that went back to its owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Which.
    pub draft: DraftId,
    /// Its task.
    pub task: TaskId,
    /// Where it is now.
    pub path: VaultPath,
    /// Why.
    pub reason: String,
}

/// What came of looking at `Approved/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admitted {
    /// How many approvals were recorded.
    pub recorded: usize,
    /// What went back.
    pub returned: Vec<Returned>,
    /// Approvals that count no more, as their file was moved away.
    pub withdrawn: Vec<DraftId>,
    /// Whether one may be carried out now.
    pub has_ready: bool,
    /// When the next one is due, if one waits for that.
    pub next_due: Option<Timestamp>,
}

/// Why one file could not be admitted.
#[derive(Debug, thiserror::Error)]
enum AdmissionError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error(transparent)]
    Path(#[from] PathError),
    #[error(transparent)]
    Note(#[from] NoteError),
    #[error("the name of this machine: {0}")]
    Machine(#[from] AgentNameError),
    #[error("{0}")]
    Fingerprint(#[from] serde_json::Error),
}

impl Approvals {
    /// When an open task was finished before, if its owner opened it again.
    ///
    /// # Errors
    /// If the vault cannot be read.
    pub(crate) async fn finished_before(&self, task: TaskId) -> Result<Option<Timestamp>, String> {
        let vault = self.vault.clone();
        let find = move || {
            let mut all = vault.walk_in(layout::IN_PROGRESS)?;
            all.extend(vault.walk_in(layout::NEEDS_ACTION)?);
            let name = task.to_string();
            let Some(entry) = all.iter().find(|entry| entry.path.stem() == name) else {
                return Ok(None);
            };
            let text = vault.read_text(&entry.path, MAX_TASK_BYTES)?;
            Ok(Note::parse(&text).ok().and_then(|note| note.finished_at()))
        };
        let found: Result<_, VaultError> = blocking(find).await?;
        found.map_err(|error| error.to_string())
    }

    /// Looks at every file in `Approved/`: records what the owner moved there, puts back what is no
    /// approval, and takes back what was moved away. To be called before anything is carried out.
    ///
    /// # Errors
    /// If the folder or the journal cannot be read. One bad file is no error.
    pub async fn admit(&self) -> Result<Admitted, String> {
        let admitted = self.inspecting(admit).await?;
        if let Ok(admitted) = &admitted {
            self.forget_differences(admitted.returned.iter().map(|returned| returned.draft));
        }
        admitted
    }
}

pub(super) fn admit(inspection: &Inspection<'_>) -> Result<Admitted, String> {
    let mut admitted = Admitted {
        withdrawn: withdraw_absent(inspection).map_err(|error| error.to_string())?,
        ..Admitted::default()
    };
    let mut entries = inspection.scan()?;
    for entry in &entries {
        let done = match (&entry.state, &entry.outgoing) {
            (EntryState::Moved, Some(outgoing)) => {
                record(inspection, &entry.path, outgoing).map(|is_recorded| {
                    admitted.recorded += usize::from(is_recorded);
                })
            }
            (EntryState::Returning(reason), Some(outgoing)) => {
                put_back(inspection, &entry.path, outgoing, reason).map(|path| {
                    admitted.returned.extend(path.map(|path| Returned {
                        draft: outgoing.note.id,
                        task: outgoing.note.task,
                        path,
                        reason: reason.clone(),
                    }));
                })
            }
            (EntryState::Unconfirmed(found), Some(outgoing)) => {
                write_findings(inspection, &entry.path, outgoing, found)
            }
            _ => Ok(()),
        };
        if let Err(error) = done {
            tracing::warn!("Cannot decide about {}: {error}.", entry.path);
        }
    }
    if admitted.recorded > 0 {
        entries = inspection.scan()?;
    }
    for entry in entries {
        match entry.state {
            EntryState::Ready => admitted.has_ready = true,
            EntryState::Scheduled { until, .. } | EntryState::Waiting { until, .. } => {
                let earliest = admitted.next_due.map_or(until, |next| next.min(until));
                admitted.next_due = Some(earliest);
            }
            _ => {}
        }
    }
    Ok(admitted)
}

/// Records a move that was seen, if nothing has changed since it was; whether it did.
fn record(
    inspection: &Inspection<'_>,
    path: &VaultPath,
    seen: &Outgoing,
) -> Result<bool, AdmissionError> {
    let id = seen.note.id;
    let identity = inspection.vault.identity(path)?;
    inspection.journal.decide(|decision| {
        if decision.approval(id)?.is_some() || !decision.state(id)?.may_be_tried() {
            return Ok(false);
        }
        let Ok(now) = Outgoing::read(inspection.vault, path) else {
            return Ok(false);
        };
        let fingerprint = now.fingerprint()?;
        let is_as_seen = now.file == seen.file && fingerprint == seen.fingerprint()?;
        if !is_as_seen || inspection.vault.identity(path)? != identity {
            return Ok(false);
        }
        let policy = inspection.policy;
        let message = policy.message_of(&now, &fingerprint, |draft, bytes, first| {
            decision.reference_for(draft, bytes, first)
        });
        let message = match message {
            Ok(message) => message,
            Err(MessageError::Journal(error)) => return Err(error.into()),
            // Held, and shown as that, the next time.
            Err(_) => return Ok(false),
        };
        decision.approve(&Approval {
            file: identity,
            ..approval_of(
                &now,
                fingerprint,
                message,
                How::Moved,
                policy,
                inspection.now,
            )
        })?;
        Ok(true)
    })
}

/// Writes into a draft that is held what was found in it, so that its owner reads it there. It stays
/// the file that waited, if it was that.
fn write_findings(
    inspection: &Inspection<'_>,
    path: &VaultPath,
    seen: &Outgoing,
    found: &[Finding],
) -> Result<(), AdmissionError> {
    let (vault, journal, id) = (inspection.vault, inspection.journal, seen.note.id);
    let lines = found.iter().take(MAX_WRITTEN);
    let lines: Vec<Value> = lines
        .map(|finding| Value::String(one_line(&finding.to_string(), 200)))
        .collect();
    let mut note = Note::parse(&seen.file)?;
    if note.get(HELD) == Some(&Value::Sequence(lines.clone())) {
        return Ok(());
    }
    note.set(HELD, Value::Sequence(lines))?;
    let text = note.to_text();
    vault.replace(path, text.as_bytes(), Some(seen.file.as_bytes()))?;
    fail::fail_point!("approval-findings-written");
    let was_moved_here = found.iter().all(|finding| finding.place != FILE);
    let known = journal.pending_file(id)?.filter(|_| was_moved_here);
    let (Some(known), Some(identity)) = (known, vault.identity(path)?) else {
        return Ok(());
    };
    // Nothing else took its place meanwhile.
    let is_ours = vault.read_text(path, text.len() as u64).ok().as_ref() == Some(&text)
        && vault.identity(path)? == Some(identity);
    if is_ours {
        let file = PendingFile {
            identity,
            sha256: sha256_hex(&text),
            ..known
        };
        journal.note_pending(id, &file)?;
    }
    Ok(())
}

/// Puts a file that is no approval before its owner again, with the reason in it, if nothing has
/// changed since it was seen; answers where it is.
fn put_back(
    inspection: &Inspection<'_>,
    path: &VaultPath,
    seen: &Outgoing,
    reason: &str,
) -> Result<Option<VaultPath>, AdmissionError> {
    let (id, at) = (seen.note.id, inspection.now);
    let reason = one_line(reason, 500);
    inspection.journal.decide(|decision| {
        let fingerprint = seen.fingerprint()?;
        let approval = decision.approval(id)?;
        let renewed = approval
            .as_ref()
            .and_then(|approval| inspection.difference(approval)?.renewed.as_ref());
        let counts = match &approval {
            None => false,
            Some(approval) => {
                let drift =
                    inspection.drift(approval, seen, &fingerprint, |draft, bytes, first| {
                        decision.reference_for(draft, bytes, first)
                    });
                match drift {
                    Ok(drift) => drift.is_none(),
                    Err(MessageError::Journal(error)) => return Err(error.into()),
                    Err(_) => true,
                }
            }
        };
        if counts || !decision.state(id)?.may_be_tried() {
            return Ok(None);
        }
        match &approval {
            Some(_) => decision.withdraw(id, at, &reason)?,
            None => decision.refuse(id, at, &reason)?,
        }
        let mut note = Note::parse(&seen.file)?;
        if let Some(renewed) = renewed
            && let Err(error) = set_action(&mut note, renewed)
        {
            // Then it says why it came back, and is rendered anew when it is approved again.
            tracing::warn!(draft = %id, "Cannot write what would leave now into it: {error}.");
        }
        note.set(RETURNED[0], reason.as_str())?;
        note.set(RETURNED[1], format_time(whole_second(at)))?;
        // Compared and exchanged: an edit of this very moment stays, and is seen the next time.
        let vault = inspection.vault;
        let text = note.to_text();
        vault.replace(path, text.as_bytes(), Some(seen.file.as_bytes()))?;
        let mut to = layout::pending(id);
        if vault.exists(&to)? {
            to = conflict_path(&to, inspection.policy, at, seen.file.as_bytes())?;
        }
        // From this moment on it is the file that waits: its owner may move it at once.
        if to == layout::pending(id)
            && let Some(identity) = vault.identity(path)?
        {
            let file = PendingFile {
                identity,
                sha256: sha256_hex(&text),
                is_placed: true,
            };
            decision.note_pending(id, &file)?;
        }
        vault.rename(path, &to)?;
        fail::fail_point!("approval-returned");
        Ok(Some(to))
    })
}

/// Takes back the approvals whose file is in `Approved/` no more: its owner moved it away.
fn withdraw_absent(inspection: &Inspection<'_>) -> Result<Vec<DraftId>, AdmissionError> {
    let (vault, journal) = (inspection.vault, inspection.journal);
    let folder = VaultPath::new(layout::APPROVED)?;
    if !matches!(vault.stat(&folder)?, PathEntry::Folder) {
        // A vault that is not there at all, say: nobody took anything back.
        return Ok(Vec::new());
    }
    let mut withdrawn = Vec::new();
    for approval in journal.open_approvals()? {
        let (id, path) = (approval.draft, layout::approved(approval.draft));
        // What cannot be looked at, a link say, is not carried out either.
        if vault.exists(&path).unwrap_or(true) {
            continue;
        }
        let is_withdrawn = journal.decide(|decision| {
            let is_gone = !vault.exists(&path).unwrap_or(true);
            // What is begun and not handed over yet stops at its hand-over.
            let state = decision.state(id)?;
            let has_begun = matches!(state, State::Intended(_));
            if !is_gone || !(has_begun || state.may_be_tried()) || decision.approval(id)?.is_none()
            {
                return Ok::<_, AdmissionError>(false);
            }
            decision.withdraw(id, inspection.now, "its file was moved away")?;
            Ok(true)
        })?;
        withdrawn.extend(is_withdrawn.then_some(id));
    }
    Ok(withdrawn)
}
