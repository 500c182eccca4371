//! [`inspect`]: every file in `Approved/`, and why it is or is not carried out next.

use std::{collections::HashMap, fmt, time::Duration};

use platinum_core::{Backoff, DraftId, Timestamp, VaultPath, layout};
use platinum_journal::{Journal, Receipt, State};
use platinum_vault::Vault;

use super::fingerprint::{Outgoing, Unreadable};

/// The delays after attempts that certainly did nothing.
const RETRIES: Backoff = Backoff::new(Duration::from_secs(30), Duration::from_secs(30 * 60));

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
    /// It did nothing last time and is tried again.
    Waiting {
        /// Not before this.
        until: Timestamp,
        /// Why it did nothing.
        reason: String,
    },
    /// Its task does not let it be carried out now; why.
    Held(String),
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
}

impl fmt::Display for EntryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EntryState::Ready => f.write_str("ready"),
            EntryState::Waiting { until, reason } => {
                write!(f, "tried again at {until:.0}: {reason}")
            }
            EntryState::Held(reason) => write!(f, "waits: {reason}"),
            EntryState::Broken(reason) => write!(f, "cannot be used: {reason}"),
            EntryState::Expired(at) => {
                write!(
                    f,
                    "expired at {at:.0}; to send it all the same, put a later time in `expires`"
                )
            }
            EntryState::Done(receipt) => write!(f, "done at {:.0}: {}", receipt.at, receipt.answer),
            EntryState::InDoubt(reason) => write!(f, "may have happened: {reason}"),
            EntryState::Refused(reason) => write!(
                f,
                "refused: {reason}; change it to have it tried again, or move it to {}",
                layout::REJECTED
            ),
        }
    }
}

/// Looks at every file in `Approved/`, oldest draft first. Blocks on the disk.
///
/// # Errors
/// If the folder or the journal cannot be read.
pub fn inspect(
    vault: &Vault,
    journal: &Journal,
    now: Timestamp,
) -> Result<Vec<QueueEntry>, String> {
    scan(vault, journal, now, &HashMap::new())
}

/// [`inspect`] with the attempts of this process.
pub(super) fn scan(
    vault: &Vault,
    journal: &Journal,
    now: Timestamp,
    attempts: &HashMap<DraftId, u32>,
) -> Result<Vec<QueueEntry>, String> {
    let mut entries = vec![];
    for file in vault
        .list(layout::APPROVED)
        .map_err(|error| error.to_string())?
    {
        if file.path.extension() != Some("md") {
            continue;
        }
        let (outgoing, state) = match Outgoing::read(vault, &file.path) {
            Err(Unreadable::Gone) => continue,
            Err(Unreadable::Away(reason)) => return Err(reason),
            Err(Unreadable::Broken(reason)) => (None, EntryState::Broken(reason)),
            Ok(outgoing) => {
                let state = judge(vault, journal, now, attempts, &file.path, &outgoing)?;
                (Some(Box::new(outgoing)), state)
            }
        };
        entries.push(QueueEntry {
            path: file.path,
            outgoing,
            state,
        });
    }
    // By the name, which begins with the time the draft was made.
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn judge(
    vault: &Vault,
    journal: &Journal,
    now: Timestamp,
    attempts: &HashMap<DraftId, u32>,
    path: &VaultPath,
    outgoing: &Outgoing,
) -> Result<EntryState, String> {
    let id = outgoing.note.id;
    let its_own = layout::approved(id);
    if *path != its_own {
        let is_there = vault.exists(&its_own).map_err(|error| error.to_string())?;
        let advice = if is_there {
            format!("keep one of the two versions, as {its_own}")
        } else {
            format!("rename it to {}", its_own.file_name())
        };
        return Ok(EntryState::Broken(format!(
            "it says it is {id}, and that is not its file's name; {advice}"
        )));
    }
    if vault
        .exists(&layout::rejected(id))
        .map_err(|error| error.to_string())?
    {
        let rejected = layout::rejected(id);
        return Ok(EntryState::Broken(format!(
            "it is rejected too: {rejected}; remove one of the two"
        )));
    }
    Ok(
        match journal.state(id).map_err(|error| error.to_string())? {
            State::Done(_, receipt) => {
                let put_away = format!("{}/{}", layout::done_month(receipt.at), path.file_name());
                let put_away = VaultPath::new(put_away).map_err(|error| error.to_string())?;
                if vault.exists(&put_away).map_err(|error| error.to_string())? {
                    EntryState::Broken(format!(
                        "{id} was carried out at {:.0} ({put_away}) and is not carried out twice; \
                         remove this file",
                        receipt.at
                    ))
                } else {
                    EntryState::Done(receipt)
                }
            }
            State::Intended(intent) => EntryState::Waiting {
                until: intent.at,
                reason: format!(
                    "an attempt was begun at {:.0} and nothing is handed over yet",
                    intent.at
                ),
            },
            State::HandedOver(intent) => EntryState::InDoubt(format!(
                "an attempt was made at {:.0} and its outcome was never written down",
                intent.at
            )),
            State::Unknown { reason, .. } => EntryState::InDoubt(reason),
            // A definite no stays a no, but not for what the owner changed since.
            State::NotSent {
                intent,
                reason,
                retry: false,
            } if intent.fingerprint
                == outgoing.fingerprint().map_err(|error| error.to_string())? =>
            {
                EntryState::Refused(reason)
            }
            State::Absent | State::LetGo(_) | State::NotSent { .. }
                if outgoing.note.expires <= now =>
            {
                EntryState::Expired(outgoing.note.expires)
            }
            // Nothing was tried yet: a draft that was moved too soon waits for its owner.
            State::Absent if outgoing.has_open_gaps => EntryState::Held(
                "its text still has gaps, marked [[…]]; fill them in, or give it the property \
                 `gaps: keep` to send it as it is"
                    .to_owned(),
            ),
            // In doubt, and the owner has said: again.
            State::Absent | State::LetGo(_) => EntryState::Ready,
            State::NotSent { retry: false, .. } => EntryState::Ready,
            State::NotSent { intent, reason, .. } => {
                let attempts = attempts.get(&id).copied().unwrap_or(1);
                let delay = match attempts {
                    0 => Duration::ZERO,
                    _ => RETRIES.delay(attempts - 1),
                };
                match intent.at.checked_add(delay) {
                    Ok(until) if until > now => EntryState::Waiting { until, reason },
                    _ => EntryState::Ready,
                }
            }
        },
    )
}
