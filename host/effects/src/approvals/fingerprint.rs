//! [`Outgoing`]: exactly what would leave, and its fingerprint.
//!
//! Invariants: two drafts with the same fingerprint make the same effect; attachments are counted
//! by their content, not by their name; all bytes are bounded.

use platinum_core::{
    Action, DayPart, Timestamp, VaultPath, layout, parse_time, sha256_hex, text::has_gaps,
};
use platinum_policy::{MAX_ATTACHMENT_BYTES, is_attachable};
use platinum_vault::{
    Vault, VaultError,
    note::{DraftNote, Note},
};
use serde::Serialize;

use crate::review::says_nothing;

/// Longest draft, in bytes: what the owner's commands show, so that none leaves unseen.
pub(super) const MAX_DRAFT_BYTES: u64 = 256 * 1024;

/// A file of the vault that leaves with an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Where it is in the vault.
    pub path: VaultPath,
    /// Its content.
    pub bytes: Vec<u8>,
    /// SHA-256 of that, in hex: what has been read is not hashed again each time that it is asked about.
    sha256: String,
}

impl Attachment {
    /// SHA-256 of its content, in hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// A file with this content.
    pub fn new(path: VaultPath, bytes: Vec<u8>) -> Self {
        let sha256 = sha256_hex(&bytes);
        Self {
            path,
            bytes,
            sha256,
        }
    }
}

/// A draft with everything that would leave with it.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The draft.
    pub note: DraftNote,
    /// The files it names, in its order.
    pub attachments: Vec<Attachment>,
    /// Whether it says that the gaps in its text are meant.
    pub keeps_gaps: bool,
    /// Not before this, if it says.
    pub send_at: Option<Timestamp>,
    /// The whole file as it was read: also what does not leave.
    pub file: String,
}

/// The property by which an owner says that the gaps are meant: `gaps: keep`.
pub const GAPS: (&str, &str) = ("gaps", "keep");

/// The property with the time before which a draft does not leave.
pub const SEND_AT: &str = "send-at";

/// What is hashed, as JSON in this order of fields.
#[derive(Serialize)]
struct Canonical<'a> {
    format: u32,
    draft: String,
    task: String,
    /// As they are written: a machine that is taken to another zone of time changes neither.
    expires: String,
    send_at: Option<String>,
    /// All fields but the text.
    action: &'a Action,
    text: &'a str,
    /// Path, length and hash of each.
    attachments: Vec<(&'a VaultPath, usize, &'a str)>,
}

impl Outgoing {
    /// Reads a draft and what it names. Blocks on the disk.
    ///
    /// # Errors
    /// Says in one line what is wrong with it.
    pub fn read(vault: &Vault, path: &VaultPath) -> Result<Self, Unreadable> {
        let text = vault.read_text(path, MAX_DRAFT_BYTES)?;
        let broken = |error: platinum_vault::note::NoteError| Unreadable::Broken(error.to_string());
        let raw = Note::parse(&text).map_err(broken)?;
        let keeps_gaps = raw.get_text(GAPS.0) == Some(GAPS.1);
        let send_at = send_at(&raw).map_err(Unreadable::Broken)?;
        let note = DraftNote::from_note(&raw).map_err(broken)?;
        if says_nothing(&note.action) {
            let what = "it has no text; write one, or reject the draft";
            return Err(Unreadable::Broken(what.to_owned()));
        }
        let files = note.action.files();
        let files = files.map_err(|error| Unreadable::Broken(error.to_string()))?;
        let attachments = read_all(vault, &files)?;
        Ok(Self {
            note,
            attachments,
            keeps_gaps,
            send_at,
            file: text,
        })
    }

    /// Whether its text has gaps that its owner neither filled nor chose to keep.
    pub fn has_open_gaps(&self) -> bool {
        has_gaps(self.note.action.text()) && !self.keeps_gaps
    }

    /// SHA-256, in hex, of everything that decides what would leave, and when.
    ///
    /// # Errors
    /// If an action is no JSON, which does not happen.
    pub fn fingerprint(&self) -> Result<String, serde_json::Error> {
        let file = Note::parse(&self.file).ok();
        let written = |key| Some(file.as_ref()?.get_text(key)?.trim().to_owned());
        let json = serde_json::to_vec(&Canonical {
            format: 3,
            draft: self.note.id.to_string(),
            task: self.note.task.to_string(),
            expires: written("expires").unwrap_or_else(|| self.note.expires.to_string()),
            send_at: written(SEND_AT),
            action: &self.note.action,
            text: self.note.action.text(),
            attachments: self
                .attachments
                .iter()
                .map(|file| (&file.path, file.bytes.len(), file.sha256.as_str()))
                .collect(),
        })?;
        Ok(sha256_hex(json))
    }
}

/// When a draft may leave, if it says.
fn send_at(note: &Note) -> Result<Option<Timestamp>, String> {
    let Some(value) = note.get(SEND_AT).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let at = parse_time(value.as_str().unwrap_or_default(), DayPart::Start);
    at.map(Some)
        .map_err(|_| format!("`{SEND_AT}` has to be a time, such as 2026-11-30T08:00"))
}

/// Why a draft cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not there.
    #[error("it is no longer there")]
    Gone,
    /// It is no draft, or names what cannot be sent.
    #[error("{0}")]
    Broken(String),
    /// The disk does not answer.
    #[error("{0}")]
    Away(String),
}

impl From<VaultError> for Unreadable {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::NotFound(_) => Self::Gone,
            VaultError::Io { .. } | VaultError::Open { .. } | VaultError::Changed(_) => {
                Self::Away(error.to_string())
            }
            _ => Self::Broken(error.to_string()),
        }
    }
}

fn read_all(vault: &Vault, paths: &[VaultPath]) -> Result<Vec<Attachment>, Unreadable> {
    let mut left = MAX_ATTACHMENT_BYTES;
    let mut attachments = Vec::with_capacity(paths.len());
    for path in paths {
        // A name that the owner has seen must stand for the file that the owner has seen; and
        // Platinum's own notes are nothing to attach by a draft's word.
        if !is_attachable(path) {
            return Err(Unreadable::Broken(format!(
                "the attachment {path} cannot leave from there; put a copy in {}/attachments and \
                 name that",
                layout::INBOX
            )));
        }
        let bytes = vault.read(path, left).map_err(|error| match error {
            VaultError::TooLarge { .. } => Unreadable::Broken(format!(
                "the attachments have more than {MAX_ATTACHMENT_BYTES} bytes together"
            )),
            VaultError::NotFound(_) => {
                Unreadable::Broken(format!("the attachment {path} is not in the vault"))
            }
            other => Unreadable::from(other),
        })?;
        left = left.saturating_sub(bytes.len() as u64);
        attachments.push(Attachment::new(path.clone(), bytes));
    }
    Ok(attachments)
}
